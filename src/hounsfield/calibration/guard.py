"""Whether a picture is of the kind that a model was trained on: a distance in feature space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hounsfield.core.errors import ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

GUARD_METHOD = "mahalanobis-residual"
_SMALL = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """The known pictures as a Gaussian in the main components of their features, and noise around it.

    mean, scale: (f,) of each feature. components: (k, f) orthonormal. deviations: (k,) along them.
    residual: (1,) root mean square of what the components leave out.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    components: NDArray[np.float32]
    deviations: NDArray[np.float32]
    residual: NDArray[np.float32]

    def distance(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """(n,) distances of features (n, f): about 1 for known pictures, unit 1.

        Root mean square of the deviations along the components and of the residual's size, so that a
        picture is far when it is extreme in a known direction or differs in an unknown one.
        Raises ModelError if the features are not those the guard was fitted on.
        """
        values = np.atleast_2d(np.asarray(features, dtype=np.float64))
        if values.shape[1] != self.mean.size:
            raise ModelError(
                f"the guard knows {self.mean.size} features, the network gives {values.shape[1]}"
            )
        standard = (values - self.mean) / self.scale
        along = standard @ self.components.T.astype(np.float64)
        left = standard - along @ self.components.astype(np.float64)
        inside = np.mean((along / self.deviations) ** 2, axis=1)
        outside = np.mean(left**2, axis=1) / float(self.residual[0]) ** 2
        return np.asarray(np.sqrt((inside + outside) / 2), dtype=np.float64)

    def to_arrays(self) -> dict[str, NDArray[np.float32]]:
        """The five arrays by name, as a bundle stores them."""
        return {
            name: getattr(self, name) for name in ("mean", "scale", "components", "deviations", "residual")
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The guard that `to_arrays` described; raises ModelError if an array is absent or unknown."""
        names = {"mean", "scale", "components", "deviations", "residual"}
        if set(arrays) != names:
            raise ModelError(
                f"the guard's arrays are {sorted(arrays)}, not {sorted(names)}; get the bundle again"
            )
        return cls(**{name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()})


def fit_guard(features: NDArray[Any], *, n_components: int) -> Guard:
    """The guard of pictures with these features (n, f); raises UsageError for fewer than two pictures.

    At most n - 1 components are kept. Source: Lee 2018, NeurIPS 31 (Mahalanobis distance of network
    features); the residual as in Hawkins 1974, J Am Stat Assoc 69:340.
    """
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2:
        raise UsageError(
            f"a guard cannot be fitted on features of shape {values.shape}; give two pictures or more"
        )
    mean = values.mean(axis=0)
    scale = values.std(axis=0)
    # A feature that never varied tells foreign pictures too, but only beyond rounding noise.
    scale = np.maximum(scale, max(_SMALL, 0.05 * float(np.median(scale))))
    standard = (values - mean) / scale
    _, singular, rows = np.linalg.svd(standard, full_matrices=False)
    kept = min(n_components, len(values) - 1, values.shape[1])
    deviations = np.maximum(singular[:kept] / np.sqrt(len(values) - 1), _SMALL)
    components = rows[:kept]
    left = standard - (standard @ components.T) @ components
    residual = max(float(np.sqrt(np.mean(left**2))), _SMALL)
    arrays = (mean, scale, components, deviations, np.array([residual]))
    return Guard(*(np.asarray(array, dtype=np.float32) for array in arrays))


def threshold_for(distances: NDArray[Any], *, false_refusals: float) -> float:
    """The distance that the share `false_refusals` of these right pictures exceeds, at most.

    distances: (n,) of right pictures that the guard was not fitted on.
    """
    if np.size(distances) == 0:
        raise UsageError("a threshold needs the distances of right pictures; the tuning part is empty")
    return float(np.quantile(np.asarray(distances, dtype=np.float64), 1 - false_refusals, method="higher"))
