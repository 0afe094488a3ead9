"""Foci of uptake on PET: where it rises to a peak, and how far each focus reaches.

A focus is a watershed basin of the voxels above a border value. Basins are joined while the saddle
between them is high against the lower of their peaks, so that noise on a hot organ makes no foci of
its own. Nothing here tells a tumour from a bladder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ranks = NDArray[np.int64]

# Two peaks are two foci where the way between them falls below this share of the lower one.
SADDLE_SHARE = 0.5
# 16 litres at 2 mm: no body takes up so much, but wrong units and noise do, and would take minutes.
MOST_VOXELS = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Foci:
    """What was found, hottest first.

    masks: bool (z, y, x), one a focus, without overlap. n_further: foci beyond the number asked for.
    n_small: those that are hot enough and of too few voxels.
    """

    masks: tuple[NDArray[np.bool_], ...]
    n_further: int = 0
    n_small: int = 0


def find_foci(array: NDArray[Any], *, border: float, peak: float, fewest_voxels: int, most: int) -> Foci:
    """The `most` hottest foci of `array` (z, y, x) that reach `peak`, each out to `border` (<= peak).

    A focus has at least `fewest_voxels` voxels, joined by faces. Raises RefusedInput if more than
    MOST_VOXELS voxels would have to be looked at.
    """
    flat = np.flatnonzero(_reaching(array, border, peak))
    if len(flat) > MOST_VOXELS:
        raise RefusedInput(
            f"{len(flat)} voxels lie in areas above {border:g} that reach {peak:g}: more than uptake can be. Check "
            "the unit of the image, or give the lesion as a region."
        )
    # Voxels are numbered by value, equal ones by place: all that follows compares these ranks.
    by_value = flat[np.argsort(array.reshape(-1)[flat], kind="stable")]
    values = array.reshape(-1)[by_value].astype(np.float64)
    rank = np.full(array.shape, -1, dtype=np.int32)
    rank.reshape(-1)[by_value] = np.arange(len(by_value))
    pairs = _neighbours(rank)
    focus = _joined(_basins(pairs, len(by_value)), pairs, values)
    tops, n_voxels = np.unique(focus, return_counts=True)
    is_hot, is_large = values[tops] >= peak, n_voxels >= fewest_voxels
    chosen = tops[is_hot & is_large][::-1]
    masks = tuple(_mask(array.shape, by_value[focus == top]) for top in chosen[:most])
    return Foci(masks, len(chosen) - len(masks), int((is_hot & ~is_large).sum()))


def _reaching(array: NDArray[Any], border: float, peak: float) -> NDArray[np.bool_]:
    """The voxels from `border` on that are joined to one of at least `peak`."""
    labels, n = ndimage.label(array >= border)
    keep = np.zeros(n + 1, dtype=np.bool_)
    keep[np.unique(labels[array >= peak])] = True
    reaching: NDArray[np.bool_] = keep[labels]
    return reaching


def _neighbours(rank: NDArray[np.int32]) -> Ranks:
    """Ranks (n, 2) of all pairs of ranked voxels that share a face."""
    pairs = []
    for axis in range(rank.ndim):
        turned = rank.swapaxes(0, axis)
        both = (turned[:-1] >= 0) & (turned[1:] >= 0)
        pairs.append(np.stack([turned[:-1][both], turned[1:][both]], axis=1))
    return np.concatenate(pairs).astype(np.int64)


def _basins(pairs: Ranks, n: int) -> Ranks:
    """For each rank that of the peak which is reached by always going to the highest neighbour."""
    above = np.arange(n)
    np.maximum.at(above, pairs[:, 0], pairs[:, 1])
    np.maximum.at(above, pairs[:, 1], pairs[:, 0])
    return _followed(above)


def _joined(basins: Ranks, pairs: Ranks, values: NDArray[np.float64]) -> Ranks:
    """For each rank the peak of its focus: basins are joined from the highest saddle down."""
    ends, saddles = np.sort(basins[pairs], axis=1), pairs.min(axis=1)
    crossing = ends[:, 0] != ends[:, 1]
    ends, saddles = ends[crossing], saddles[crossing]
    into = np.arange(len(basins))
    # A voxel may be the saddle to two peaks: the higher goes first, whatever the array's direction.
    for k in np.lexsort((ends[:, 0], ends[:, 1], saddles))[::-1]:
        low, high = sorted((_top(into, ends[k, 0]), _top(into, ends[k, 1])))
        if values[saddles[k]] >= SADDLE_SHARE * values[low]:
            into[low] = high
    joined: Ranks = _followed(into)[basins]
    return joined


def _top(into: Ranks, peak: int) -> int:
    while into[peak] != peak:
        into[peak] = into[into[peak]]
        peak = into[peak]
    return peak


def _followed(into: Ranks) -> Ranks:
    """Where each chain of references ends."""
    while (into[into] != into).any():
        into = into[into]
    return into


def _mask(shape: tuple[int, ...], flat: Ranks) -> NDArray[np.bool_]:
    mask = np.zeros(shape, dtype=np.bool_)
    mask.reshape(-1)[flat] = True
    return mask
