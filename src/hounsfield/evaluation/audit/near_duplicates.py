"""Pictures that are the same picture: found by small descriptors, shown by correlation after alignment.

Two steps, because all pixels of all pairs cannot be compared. A descriptor of 80 numbers (low frequencies of the
cosine transform) proposes pairs: blocks of one matrix product, exact, no picture is missed by an index. Each proposed
pair is aligned (mirror image too) and judged by the median correlation of its fine structure over blocks: crop,
scale, brightness and burned marks leave that high, while two pictures of like anatomy share only the coarse part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

SIDE = 96  # pixels of the square that is compared
_COARSE, _FREQUENCIES, _HASH_FREQUENCIES = 32, 9, 8
_BLOCK = 16
# Least correlation of descriptors that is worth a look at pixels, and how many of the likest are looked at.
PROPOSED, MOST_CANDIDATES = 0.5, 12
# Between them lie pictures that are only alike, such as frames of one sweep. Round numbers: before contrast was normalised
# photographs of different things stayed below 0.33. What is found of altered copies: benchmarks/altered_copies.py.
LEAST_ALIKE, LEAST_COPY = 0.35, 0.5
# How alike different pictures of a set are is asked of this many pictures, beyond their likest neighbours.
_ASKED, _BEYOND = 400, 3
_SURE = 0.9999
# What is called a copy is shown, what is alike is for a person to look at: by this factor fewer copies are false.
_SURER = 100
_STEPS, _LARGEST_CHANGE, _LEAST_INSIDE, _LEAST_COARSE = 12, 0.25, 0.6, 0.7
# A step below this many sides is the last; so is the third if the coarse parts still do not meet at all.
_SMALLEST_STEP, _TRIAL, _HOPELESS = 2e-3, 3, 0.4
_LEAST_STRUCTURE, _FEWEST_BLOCKS, _FLOOR_OF_CONTRAST = 0.3, 6, 0.2
_ROWS_AT_ONCE = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnails:
    """n pictures on a square of SIDE pixels. grey: (n, SIDE, SIDE) uint8. even: (n,) True where nothing is shown."""

    grey: NDArray[np.uint8]
    even: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.grey)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures by their numbers, the first in the first set. correlation: of aligned fine structure, -1 to 1.

    n_bits: of 63 by which their perceptual hashes differ. mirrored: whether one is the mirror image of the other.
    is_copy: whether it is one picture; else two that are alike beyond chance, most often of one patient.
    """

    first: int
    second: int
    correlation: float
    n_bits: int
    mirrored: bool
    is_copy: bool = False


def thumbnail(picture: NDArray[Any]) -> tuple[NDArray[np.uint8], bool]:
    """The picture (y, x) on the square, percentiles 1 and 99 as black and white, and whether it is even.

    Its sides are squeezed to one length, so that copies stored with another aspect ratio meet. Raises RefusedInput
    for anything but one slice.
    """
    from PIL import Image

    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    if values.ndim != 2 or min(values.shape) < 8:
        raise RefusedInput(
            f"a picture of shape {values.shape} cannot be compared; give one slice of 8 x 8 or more"
        )
    low, high = (float(one) for one in np.percentile(values, (1.0, 99.0)))
    if high <= low:
        return np.zeros((SIDE, SIDE), dtype=np.uint8), True
    scaled = np.clip((values - low) / (high - low), 0.0, 1.0) * 255
    image = Image.fromarray(np.ascontiguousarray(scaled)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    grey = np.round(np.asarray(image)).astype(np.uint8)
    return grey, bool(grey.std() < 4.0)


def descriptors(thumbnails: Thumbnails, *, mirrored: bool = False) -> NDArray[np.float32]:
    """(n, 80) unit vectors: cosine coefficients of 9 x 9 low frequencies without the mean, finer ones weighted up."""
    coefficients = _coefficients(thumbnails.grey, _FREQUENCIES, mirrored=mirrored)
    order = np.arange(_FREQUENCIES)
    weight = np.sqrt(np.hypot(order[:, None], order[None, :])).ravel()[1:]
    weighted = coefficients.reshape(len(coefficients), -1)[:, 1:] * weight
    norms = np.linalg.norm(weighted, axis=1, keepdims=True)
    return np.asarray(weighted / np.maximum(norms, 1e-6), dtype=np.float32)


def perceptual_hash(thumbnails: Thumbnails, *, mirrored: bool = False) -> NDArray[np.bool_]:
    """(n, 63) bits: whether each of 8 x 8 low cosine coefficients but the mean lies above their median.

    Source: Zauner 2010, Implementation and benchmarking of perceptual image hash functions (the DCT hash).
    """
    flat = _coefficients(thumbnails.grey, _HASH_FREQUENCIES, mirrored=mirrored).reshape(len(thumbnails), -1)[
        :, 1:
    ]
    return np.asarray(flat > np.median(flat, axis=1, keepdims=True))


def candidates(
    first: NDArray[np.float32], second: NDArray[np.float32], *, most: int = MOST_CANDIDATES
) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.float32]]]:
    """For each row of `first` the `most` likest rows of `second`, the likest first, and their correlations."""
    for start in range(0, len(first), _ROWS_AT_ONCE):
        block = first[start : start + _ROWS_AT_ONCE] @ second.T
        kept = min(most, block.shape[1])
        likest = np.argpartition(-block, kept - 1, axis=1)[:, :kept]
        values = np.take_along_axis(block, likest, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        likest, values = np.take_along_axis(likest, order, axis=1), np.take_along_axis(values, order, axis=1)
        for row in range(len(block)):
            yield start + row, likest[row], values[row]


def aligned_correlation(moving: NDArray[np.uint8], fixed: NDArray[np.uint8]) -> float:
    """Median over blocks of the correlation of fine structure, after an affine alignment of two thumbnails.

    The alignment is the inverse compositional one (Baker and Matthews 2004, Int J Comput Vis 56:221) on a third of
    the size; pictures whose coarse parts do not meet then have 0. Blocks without structure do not count; nan if
    fewer than six are left.
    """
    return _correlation(_Layers.of(moving), _Layers.of(fixed))


@dataclass(frozen=True, slots=True)
class Threshold:
    """Least correlation beyond chance in this set, least of a copy, and where they come from.

    n_apart: pairs that stand for different pictures; their median and 90th percentile are in correlation. n_compared:
    pairs that the audit judges. false_pairs: how many of them may pass by chance; copies are a hundred times surer.
    """

    correlation: float
    copy: float
    n_apart: int
    median: float
    ninetieth: float
    n_compared: int
    false_pairs: float


def threshold_of(correlations: NDArray[np.float64], *, n_compared: int, false_pairs: float) -> Threshold:
    """The correlation that `false_pairs` of `n_compared` pairs of different pictures exceed, LEAST_ALIKE or more.

    correlations: (n,) of pairs that are alike and, with few exceptions, not copies. Their Fisher transform is taken as
    normal above its median, with the spread that its 90th percentile tells (a tenth of copies does no harm).
    """
    from scipy.stats import norm

    known = correlations[np.isfinite(correlations)]
    if known.size == 0:
        return Threshold(LEAST_ALIKE, LEAST_COPY, 0, float("nan"), float("nan"), n_compared, false_pairs)
    middle, high = (float(one) for one in np.quantile(known, (0.5, 0.9)))
    low_z, high_z = np.arctanh(np.clip([middle, high], -_SURE, _SURE))
    spread = float(high_z - low_z) / float(norm.ppf(0.9))
    share = min(0.5, false_pairs / max(n_compared, 1))
    alike, copy = (float(np.tanh(low_z + norm.isf(one) * spread)) for one in (share, share / _SURER))
    return Threshold(
        max(LEAST_ALIKE, alike), max(LEAST_COPY, copy), int(known.size), middle, high, n_compared, false_pairs
    )


def near_duplicates(
    first: Thumbnails, second: Thumbnails | None = None, *, false_pairs: float = 0.5, seed: int = 0
) -> tuple[list[Pair], Threshold]:
    """Pairs of one picture in both sets (or twice in the first), mirrored ones too, the surest first.

    false_pairs: how many pairs of different pictures may be called copies in this comparison by chance. The threshold
    follows from pictures of the set that are alike and not the likest.
    """
    other = first if second is None else second
    there, bits_there = descriptors(other), perceptual_hash(other)
    cached = _Cached(other.grey)
    asked = np.random.default_rng(seed).permutation(len(first))[:_ASKED]
    found: dict[tuple[int, int], Pair] = {}
    thresholds = []
    for mirrored in (False, True):
        judged, apart, n_compared = _judged(first, there, cached, asked, mirrored=mirrored)
        thresholds.append(threshold_of(apart, n_compared=n_compared, false_pairs=false_pairs / 2))
        bits = perceptual_hash(first, mirrored=mirrored)
        for a, b, correlation in judged:
            if (second is None and a == b) or other.even[b]:
                continue
            key = (min(a, b), max(a, b)) if second is None else (a, b)
            if key not in found or correlation > found[key].correlation:
                found[key] = Pair(*key, correlation, int((bits[a] != bits_there[b]).sum()), mirrored)
    threshold = max(thresholds, key=lambda one: one.correlation)
    kept = [
        replace(pair, is_copy=pair.correlation >= threshold.copy)
        for pair in found.values()
        if pair.correlation >= threshold.correlation
    ]
    return sorted(kept, key=lambda pair: -pair.correlation), threshold


def _judged(
    first: Thumbnails, there: NDArray[np.float32], cached: _Cached, asked: NDArray[np.intp], *, mirrored: bool
) -> tuple[list[tuple[int, int, float]], NDArray[np.float64], int]:
    """Pairs at or above LEAST_ALIKE; correlations of pictures that are alike and not the likest; pairs compared."""
    is_asked = np.zeros(len(first), dtype=bool)
    is_asked[asked] = True
    judged, apart, n_compared = [], [], 0
    for a, rows, likeness in candidates(descriptors(first, mirrored=mirrored), there):
        if first.even[a]:
            continue
        ours = _Layers.of(first.grey[a][:, ::-1] if mirrored else first.grey[a])
        beyond = is_asked[a] & (np.arange(len(rows)) >= _BEYOND)
        for rank in np.flatnonzero((likeness >= PROPOSED) | beyond).tolist():
            correlation = _correlation(ours, cached[int(rows[rank])])
            n_compared += 1
            if beyond[rank]:
                apart.append(correlation)
            if correlation >= LEAST_ALIKE:
                judged.append((a, int(rows[rank]), correlation))
    return judged, np.array(apart), n_compared


def as_thumbnails(pictures: Sequence[NDArray[Any]]) -> Thumbnails:
    """The thumbnails of pictures that fit in memory."""
    made = [thumbnail(picture) for picture in pictures]
    grey = np.stack([one for one, _ in made]) if made else np.zeros((0, SIDE, SIDE), dtype=np.uint8)
    return Thumbnails(grey, np.array([even for _, even in made], dtype=bool))


def _coefficients(grey: NDArray[np.uint8], n: int, *, mirrored: bool) -> NDArray[np.float64]:
    """(k, n, n) low cosine coefficients; a mirrored picture differs in the sign of the odd columns alone."""
    basis = _cosines(n)
    found = np.empty((len(grey), n, n))
    for start in range(0, len(grey), _ROWS_AT_ONCE):
        part = grey[start : start + _ROWS_AT_ONCE].astype(np.float32)
        found[start : start + len(part)] = basis @ part @ basis.T
    return found * np.where(np.arange(n) % 2, -1.0, 1.0) if mirrored else found


@cache
def _cosines(n: int) -> NDArray[np.float32]:
    places = (np.arange(SIDE) + 0.5) / SIDE
    return np.cos(np.pi * np.arange(n)[:, None] * places).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Layers:
    """One thumbnail ready for comparing: coarse with the solution of its own alignment, and fine."""

    coarse: NDArray[np.float64]
    fine: NDArray[np.float64]
    solve: NDArray[np.float64]

    @classmethod
    def of(cls, grey: NDArray[np.uint8]) -> _Layers:
        from scipy.ndimage import gaussian_filter

        values = grey.astype(np.float64)
        third = values.reshape(_COARSE, 3, _COARSE, 3).mean(axis=(1, 3))
        coarse = _standard(gaussian_filter(third, 1.0))
        # Structure of some pixels, without anatomy at large and without noise; where it is strong all around (the rim
        # of a skull, of a breast) it is weakened, because every picture of the kind has it there.
        fine = gaussian_filter(values, 1.0) - gaussian_filter(values, 4.0)
        around = np.sqrt(gaussian_filter(fine**2, 4.0))
        fine = fine / (around + _FLOOR_OF_CONTRAST * float(fine.std()) + 1e-6)
        slopes = [slope.ravel() for slope in np.gradient(coarse, 1.0 / _COARSE)]
        descent = np.stack([slope * part for slope in slopes for part in _places(_COARSE)], axis=1)
        normal = descent.T @ descent
        steady = normal + 1e-6 * np.trace(normal) * np.eye(6)
        return cls(coarse, fine, np.linalg.solve(steady, descent.T))


class _Cached:
    """The layers of thumbnails, each made when first asked for; the latest few thousand are kept."""

    def __init__(self, grey: NDArray[np.uint8]) -> None:
        self._made = lru_cache(maxsize=4096)(lambda number: _Layers.of(grey[number]))

    def __getitem__(self, number: int) -> _Layers:
        return self._made(number)


def _correlation(moving: _Layers, fixed: _Layers) -> float:
    warp, likeness = _alignment(moving.coarse, fixed)
    if likeness < _LEAST_COARSE:
        return 0.0
    pulled, inside = _warped(moving.fine, warp)
    return _block_correlation(pulled, fixed.fine, inside)


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-9))


def _alignment(moving: NDArray[np.float64], fixed: _Layers) -> tuple[NDArray[np.float64], float]:
    """(3, 3) matrix from places (y, x, 1) of `fixed`, in shares of the side from the middle, to those of `moving`.

    And the correlation of the coarse parts under it; the best matrix of all steps is kept.
    """
    warp = best = np.eye(3)
    likeness = -1.0
    for number in range(_STEPS):
        pulled, inside = _warped(moving, warp)
        kept = inside.ravel()
        if kept.mean() < _LEAST_INSIDE or np.abs(warp - np.eye(3)).max() > _LARGEST_CHANGE:
            break
        ours, theirs = _standard(pulled.ravel()[kept]), _standard(fixed.coarse.ravel()[kept])
        now = float((ours * theirs).mean())
        if now > likeness + 1e-5:
            best, likeness = warp, now
        elif now < likeness - 0.05:
            break
        step = (fixed.solve[:, kept] @ (ours - theirs)).reshape(2, 3)
        if np.abs(step).max() < _SMALLEST_STEP or (number == _TRIAL and likeness < _HOPELESS):
            break
        change = np.eye(3)
        change[:2] += step
        if abs(np.linalg.det(change)) < 0.2:
            break
        warp = warp @ np.linalg.inv(change)
    return best, likeness


@cache
def _places(side: int) -> NDArray[np.float64]:
    """(3, side * side): y, x in shares of the side from the middle, and ones."""
    line = (np.arange(side) + 0.5) / side - 0.5
    y, x = np.meshgrid(line, line, indexing="ij")
    return np.stack([y.ravel(), x.ravel(), np.ones(side * side)])


def _warped(
    values: NDArray[np.float64], warp: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The picture pulled through the warp, and where it had values."""
    from scipy.ndimage import map_coordinates

    side = len(values)
    index = ((warp @ _places(side))[:2] + 0.5) * side - 0.5
    inside = ((index > -0.5) & (index < side - 0.5)).all(axis=0).reshape(side, side)
    pulled = map_coordinates(values, index, order=1, mode="nearest").reshape(side, side)
    return np.asarray(pulled), np.asarray(inside)


def _block_correlation(a: NDArray[np.float64], b: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    if not inside.any():
        return float("nan")
    x, y = _blocks(a), _blocks(b)
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    deviation = np.maximum(x.std(axis=1), y.std(axis=1))
    whole = min(float(a[inside].std()), float(b[inside].std()))
    counted = _blocks(inside).all(axis=1) & (deviation > _LEAST_STRUCTURE * whole)
    spread = np.sqrt((x**2).mean(axis=1) * (y**2).mean(axis=1))
    found = ((x * y).mean(axis=1) / np.maximum(spread, 1e-9))[counted]
    return float(np.median(found)) if found.size >= _FEWEST_BLOCKS else float("nan")


def _blocks(values: NDArray[Any]) -> NDArray[Any]:
    """(36, 256): the square as blocks of 16 x 16."""
    n = SIDE // _BLOCK
    return values.reshape(n, _BLOCK, n, _BLOCK).swapaxes(1, 2).reshape(n * n, _BLOCK * _BLOCK)
