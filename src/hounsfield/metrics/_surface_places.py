"""Where the surface of a mask lies, by either definition: places on a lattice, and how much each counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._element_areas import element_areas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

OutlineDefinition = Literal["border voxels", "surface area"]

# Voxels of a slab that is worked on at a time: what the slab needs stays in the processor's cache.
_SLAB_VOXELS = 1 << 17


@dataclass(frozen=True, slots=True, eq=False)
class SurfacePlaces:
    """index: (n, axes) int64, places of one lattice in steps of the spacing. weight: (n,) float64, what each counts."""

    index: NDArray[np.int64]
    weight: NDArray[np.float64]


def checked_spacing(
    truth: NDArray[Any], prediction: NDArray[Any], spacing_mm: tuple[float, ...]
) -> tuple[float, ...]:
    """The spacing as floats, after a look at whether both arrays and it fit together; raises RefusedInput."""
    if truth.shape != prediction.shape:
        raise RefusedInput(
            f"the masks have shapes {truth.shape} and {prediction.shape}; they must lie on one grid."
        )
    if truth.ndim not in {2, 3}:
        raise RefusedInput(f"the masks have {truth.ndim} axes; (z, y, x) or (y, x) is needed.")
    if len(spacing_mm) != truth.ndim or not all(step > 0 and math.isfinite(step) for step in spacing_mm):
        raise RefusedInput(
            f"spacing {spacing_mm} mm does not fit {truth.ndim} axes; one above 0 each is needed."
        )
    return tuple(float(step) for step in spacing_mm)


def outline(
    label_map: NDArray[Any],
    label: int,
    box: tuple[slice, ...] | None,
    spacing_mm: tuple[float, ...],
    definition: OutlineDefinition,
) -> SurfacePlaces:
    """The outline of one class within its box; without places where the box is None."""
    if definition not in get_args(OutlineDefinition):
        raise RefusedInput(
            f"the definition {definition!r} of an outline is unknown; {' or '.join(get_args(OutlineDefinition))} is needed."
        )
    if box is None:
        return SurfacePlaces(np.zeros((0, label_map.ndim), dtype=np.int64), np.zeros(0))
    corner = tuple(int(part.start) for part in box)
    return _surface_places(label_map[box] == label, corner, spacing_mm, definition)


def _surface_places(
    mask: NDArray[np.bool_],
    corner: tuple[int, ...],
    spacing_mm: tuple[float, ...],
    definition: OutlineDefinition,
) -> SurfacePlaces:
    """The surface of a mask (z, y, x) or (y, x) whose first voxel has the index `corner` in the whole array.

    Around the mask all is outside. Border voxels are at voxel centres and count 1 each; elements of area lie between
    eight voxel centres (index i: between voxels i - 1 and i) and count their mm2, or mm in two axes.
    """
    padded = np.pad(mask, 1).view(np.uint8)
    if definition == "border voxels":
        places = _places(padded, _borders, first=1)
        index, weight = places[0] - 1, np.ones(len(places[0]))
    else:
        index, codes = _places(padded, _codes, first=0)
        weight = element_areas(spacing_mm)[codes]
    return SurfacePlaces(index + np.asarray(corner, dtype=np.int64), weight)


def _places(
    padded: NDArray[np.uint8], look: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], *, first: int
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Index (n, axes) in the padded array of all that `look` finds, and what it finds there."""
    found = [np.zeros((0, padded.ndim), dtype=np.int64)], [np.zeros(0, dtype=np.uint8)]
    for start, slab in _slabs(padded, overlap=1 + first):
        seen = look(slab)
        flat = np.flatnonzero(seen)
        index = np.stack(np.unravel_index(flat, seen.shape), axis=1)
        index += first
        index[:, 0] += start
        found[0].append(index)
        found[1].append(seen.reshape(-1)[flat])
    return np.concatenate(found[0]), np.concatenate(found[1])


def _slabs(padded: NDArray[np.uint8], *, overlap: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Slabs along the first axis, each with the planes beside it that it needs."""
    n_planes = padded.shape[0]
    step = max(1, _SLAB_VOXELS // max(1, padded[0].size))
    for start in range(0, n_planes - overlap, step):
        yield start, padded[start : start + step + overlap]


def _borders(slab: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """1 where a voxel of the mask has a neighbour across a face outside it; without the outermost voxels."""
    inner = (slice(1, -1),) * slab.ndim
    own = slab[inner]
    surrounded = own.copy()
    for axis in range(slab.ndim):
        for side in (slice(None, -2), slice(2, None)):
            surrounded &= slab[(*inner[:axis], side, *inner[axis + 1 :])]
    return own ^ surrounded


def _codes(slab: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The code of each neighbourhood that the surface passes through, 0 elsewhere; one shorter along each axis."""
    code: NDArray[np.uint8] = slab
    for step, axis in enumerate(reversed(range(slab.ndim))):
        before = (slice(None),) * axis
        code = code[(*before, slice(None, -1))] | (code[(*before, slice(1, None))] << np.uint8(1 << step))
    full = (1 << (1 << slab.ndim)) - 1
    code[code == full] = 0
    return code
