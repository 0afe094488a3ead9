"""Distance of two sets of pictures by features: Frechet distance (FID), its value for endless samples, and KID.

In radiology these say little. The usual features come from a network for photographs, which has no axis for a nodule of
3 mm or a wrong side; a model that repeats its training set scores best; and two sets may share mean and covariance and
differ in every finding. They compare two generators on one set of features and one number of pictures, no more: judge
with `task_change` what the pictures are for.

The Frechet distance of samples is too large, and the more so the fewer the samples: `frechet_distance` refuses fewer
than features + 1, where the covariance has no full rank; `frechet_infinity` extrapolates; `kernel_distance` has no such
bias.
Sources: Dowson and Landau 1982, J Multivar Anal 12:450 (the distance); Heusel 2017, NeurIPS:6626 (FID); Chong and
Forsyth 2020, CVPR:6070 (extrapolation); Binkowski 2018, ICLR (KID); Ledoit and Wolf 2004, J Multivar Anal 88:365
(shrinking).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics.wilson import Z_95

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class FrechetAtInfinity:
    """value: the distance extrapolated to endless samples; may fall below 0 by chance where sets are alike.

    n_pictures, distance: (k,), the sizes of the subsets and the distance at each, through which the line was laid.
    """

    value: float
    n_pictures: NDArray[np.int64]
    distance: NDArray[np.float64]


def frechet_distance(first: NDArray[Any], second: NDArray[Any], *, shrink_covariance: bool = False) -> float:
    """Squared Frechet distance of two normal distributions that have the means and covariances of the features.

    first, second: (n, features) and (m, features), one row a picture. |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2), the
    root by eigenvalues of a symmetric product, so that it is real however near to singular. shrink_covariance: draw
    covariances towards a multiple of the identity (Ledoit and Wolf), for fewer pictures than features + 1; the figure
    is then another one and must be called so. Raises RefusedInput for shapes that do not fit, values that are not
    finite, or, unless shrunk, too few pictures.
    """
    ours, theirs = _features(first, second)
    n_features = ours.shape[1]
    if not shrink_covariance and min(len(ours), len(theirs)) < n_features + 1:
        raise RefusedInput(
            f"{len(ours)} and {len(theirs)} pictures for {n_features} features: the covariance has no full rank and the "
            f"distance would mostly say so. Take at least {n_features + 1} of each, fewer features, kernel_distance, or "
            "shrink_covariance=True."
        )
    covariances = [_covariance(features, shrink_covariance=shrink_covariance) for features in (ours, theirs)]
    apart = ours.mean(axis=0) - theirs.mean(axis=0)
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ covariances[1] @ root)
    overlap = float(np.sqrt(np.clip(shared, 0.0, None)).sum())
    # Equal sets leave a rest of rounding, which may be negative.
    return max(float(apart @ apart + sum(np.trace(one) for one in covariances) - 2 * overlap), 0.0)


def frechet_infinity(
    truth: NDArray[Any], made: NDArray[Any], *, rng: np.random.Generator, n_sizes: int = 10
) -> FrechetAtInfinity:
    """The Frechet distance that endless made pictures would have, by a line over 1 / number of pictures.

    truth: (m, features), all used every time, so that its own bias stays. made: (n, features); subsets of n / 2 to n
    pictures are drawn without replacement. Raises RefusedInput as `frechet_distance` does, and if n / 2 is below
    features + 1 or fewer than 2 sizes are asked for.
    """
    _features(truth, made)
    if n_sizes < 2:
        raise RefusedInput(f"{n_sizes} sizes give no line; 2 or more are needed.")
    sizes = np.unique(np.linspace(len(made) // 2, len(made), n_sizes).astype(np.int64))
    if sizes[0] < np.shape(made)[1] + 1 or sizes.size < 2:
        raise RefusedInput(
            f"half of {len(made)} pictures is fewer than {np.shape(made)[1]} features + 1; more pictures are needed."
        )
    distance = np.array(
        [
            frechet_distance(truth, np.asarray(made)[rng.choice(len(made), size, replace=False)])
            for size in sizes
        ]
    )
    slope_and_value = np.polyfit(1.0 / sizes, distance, 1)
    return FrechetAtInfinity(float(slope_and_value[1]), sizes, distance)


def kernel_distance(
    first: NDArray[Any], second: NDArray[Any], *, rng: np.random.Generator, n_resamples: int = 200
) -> Interval:
    """Kernel inception distance: unbiased squared maximum mean discrepancy, kernel (x y / features + 1)^3.

    first, second: (n, features) and (m, features); 0 is expected for sets from one source, and chance may fall below.
    The 95 % interval comes from 80 % of both sets drawn without replacement, widened to the whole (Politis and Romano
    1994, Ann Stat 22:2031). Memory grows with the square of the numbers. Raises RefusedInput for fewer than 10 pictures
    on a side.
    """
    ours, theirs = _features(first, second)
    if min(len(ours), len(theirs)) < 10:
        raise RefusedInput(f"{len(ours)} and {len(theirs)} pictures; 10 of each at least are needed.")
    kernels = (_kernel(ours, ours), _kernel(theirs, theirs), _kernel(ours, theirs))
    value = _discrepancy(*kernels)
    parts = [int(0.8 * len(side)) for side in (ours, theirs)]
    drawn = np.empty(n_resamples)
    for place in range(n_resamples):
        a, b = (
            rng.choice(len(side), n, replace=False) for side, n in zip((ours, theirs), parts, strict=True)
        )
        drawn[place] = _discrepancy(
            kernels[0][np.ix_(a, a)], kernels[1][np.ix_(b, b)], kernels[2][np.ix_(a, b)]
        )
    # Subsets of a share f without replacement vary by (1 - f) / f of the whole's variance.
    half = Z_95 * float(drawn.std(ddof=1)) * (0.8 / 0.2) ** 0.5
    return Interval(value, value - half, value + half)


def _features(first: NDArray[Any], second: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ours, theirs = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if ours.ndim != 2 or theirs.ndim != 2 or ours.shape[1] != theirs.shape[1] or not ours.shape[1]:
        raise RefusedInput(
            f"features of shapes {ours.shape} and {theirs.shape}; (n, features) and (m, features) are needed."
        )
    if min(len(ours), len(theirs)) < 2 or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        raise RefusedInput("features need two pictures at least on each side and finite numbers.")
    return ours, theirs


def _covariance(features: NDArray[np.float64], *, shrink_covariance: bool) -> NDArray[np.float64]:
    if not shrink_covariance:
        return np.atleast_2d(np.cov(features, rowvar=False))
    apart = features - features.mean(axis=0)
    n, n_features = apart.shape
    sample = apart.T @ apart / n
    target = np.trace(sample) / n_features
    distance = float(((sample - target * np.eye(n_features)) ** 2).sum())
    noise = float(((apart**2).sum(axis=1) ** 2).sum() / n - (sample**2).sum()) / n
    share = min(noise / distance, 1.0) if distance else 1.0
    return np.asarray((1 - share) * sample + share * target * np.eye(n_features))


def _kernel(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((first @ second.T / first.shape[1] + 1.0) ** 3)


def _discrepancy(
    within: NDArray[np.float64], within_other: NDArray[np.float64], between: NDArray[np.float64]
) -> float:
    own = sum(
        (kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1))
        for kernel in (within, within_other)
    )
    return float(own - 2 * between.mean())
