"""From the positions of planes to a stack: order, step, missing and duplicate planes, tilt.

Planes are sorted by the projection of their position on the normal; nothing else orders them
(PS3.3 C.7.6.2: Slice Location is optional, Instance Number means nothing). All planes given to
`stack_slices` are parallel; splitting what is not is the task of who reads the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Two planes closer than this lie on the same place.
SAME_PLACE_MM = 1e-3
# Steps that differ by no more are equal: DS strings carry that much rounding.
EQUAL_STEP_MM = 0.01
# Steps that differ by no more than this, or by 1 percent, are told and tolerated: positions written with
# one decimal, overlap of bed positions.
JITTER_MM = 0.1
JITTER_FRACTION = 0.01
# Where more than a third of the steps are enlarged, some of them side by side, the scanner changed its step and
# nothing is missing.
MOST_STEPS_WITH_GAPS = 1 / 3
# A plane further than this from the line through first and last belongs to another stack.
OFF_LINE_MM = 0.5
# Shear below this angle is rounding of positions.
TILT_DEG = 0.1


@dataclass(frozen=True, slots=True)
class Gap:
    """Planes that are missing between two neighbours. before, after: numbers of the planes as given."""

    before: int
    after: int
    n_missing: int


@dataclass(frozen=True, slots=True, eq=False)
class SliceStack:
    """Parallel planes in order along their normal.

    order: (n,) numbers of the planes as given, by increasing position. slots: (n,) place of each on the
    regular grid of n_slots planes that spans from the first to the last; counts up by 1 where no plane is
    missing. step_mm: vector (x, y, z) from slot to slot. jitter_mm: largest distance, along the normal,
    between a plane and its slot. duplicates: groups of planes on one place; where there are any, slots are
    those of the distinct places. gaps: missing planes. is_regular: False where steps vary too much for one
    grid: slots then only count the planes. tilt_deg: angle between step_mm and the normal.
    off_line_mm: largest distance of a plane from the line through first and last.
    """

    order: NDArray[np.int64]
    slots: NDArray[np.int64]
    n_slots: int
    step_mm: NDArray[np.float64]
    jitter_mm: float
    duplicates: tuple[tuple[int, ...], ...]
    gaps: tuple[Gap, ...]
    is_regular: bool
    tilt_deg: float
    off_line_mm: float
    distances_mm: NDArray[np.float64]

    @property
    def is_one_line(self) -> bool:
        """Whether all planes belong to one stack, straight or sheared."""
        return self.off_line_mm <= OFF_LINE_MM

    @property
    def is_tilted(self) -> bool:
        """Whether the grid is sheared by more than rounding."""
        return self.tilt_deg > TILT_DEG


def stack_slices(positions_mm: NDArray[np.float64], normal: NDArray[np.float64]) -> SliceStack:
    """Order planes along `normal` and say how regular their steps are.

    positions_mm: (n, 3) LPS positions of the first pixel of each plane, n at least 2, in any order.
    normal: (3,) unit vector. The result does not depend on the order in which planes are given, but for
    the numbering. Raises GeometryError if all planes lie on one place.
    """
    positions = np.asarray(positions_mm, dtype=np.float64)
    along = positions @ np.asarray(normal, dtype=np.float64)
    order = np.lexsort((*positions.T, along))
    sorted_mm = along[order]
    place = np.concatenate([[0], np.cumsum(np.diff(sorted_mm) > SAME_PLACE_MM)])
    if place[-1] == 0:
        raise GeometryError(f"all {len(positions)} planes lie on the same place, so they form no stack")
    firsts = np.flatnonzero(np.diff(place, prepend=-1))
    distinct_mm, distinct = sorted_mm[firsts], order[firsts]
    slots, is_regular = _slots(np.diff(distinct_mm))
    n_slots = int(slots[-1]) + 1
    extent = positions[distinct[-1]] - positions[distinct[0]]
    step = extent / (n_slots - 1)
    on_grid_mm = distinct_mm[0] + slots * (distinct_mm[-1] - distinct_mm[0]) / (n_slots - 1)
    return SliceStack(
        order=order,
        slots=slots[place],
        n_slots=n_slots,
        step_mm=step,
        jitter_mm=float(np.abs(distinct_mm - on_grid_mm).max()),
        duplicates=_duplicates(order, place),
        gaps=_gaps(distinct, slots) if is_regular else (),
        is_regular=is_regular,
        tilt_deg=_angle_deg(extent, np.asarray(normal, dtype=np.float64)),
        off_line_mm=_off_line_mm(positions[order], extent),
        distances_mm=sorted_mm - sorted_mm[0],
    )


def tolerated_mm(step_mm: float) -> float:
    """How much a step may differ from the others before the spacing counts as varying."""
    return max(JITTER_MM, JITTER_FRACTION * step_mm)


def _slots(steps_mm: NDArray[np.float64]) -> tuple[NDArray[np.int64], bool]:
    """Place of each distinct plane on a regular grid, and whether such a grid exists."""
    counted = np.arange(len(steps_mm) + 1)
    # The smallest steps are those without a plane missing; their median is not moved by one bad step.
    base_mm = float(np.median(steps_mm[steps_mm <= 1.5 * steps_mm.min()]))
    multiples = np.maximum(np.rint(steps_mm / base_mm), 1).astype(np.int64)
    off_mm = np.abs(steps_mm - multiples * base_mm)
    allowed_mm = np.maximum(JITTER_MM, JITTER_FRACTION * steps_mm)
    # One decimal of rounding must not make a thin step look like any multiple.
    allowed_mm = np.minimum(allowed_mm, 0.2 * base_mm)
    if (off_mm > allowed_mm).any():
        return counted, False
    enlarged = multiples > 1
    is_changed_step = bool((enlarged[1:] & enlarged[:-1]).any())
    if is_changed_step and enlarged.sum() > max(1, MOST_STEPS_WITH_GAPS * len(multiples)):
        return counted, False
    slots = np.concatenate([[0], np.cumsum(multiples)])
    even_mm = slots * (steps_mm.sum() / slots[-1])
    drift_mm = np.abs(np.concatenate([[0.0], np.cumsum(steps_mm)]) - even_mm).max()
    return (slots, True) if drift_mm <= 0.25 * base_mm else (counted, False)


def _duplicates(order: NDArray[np.int64], place: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    counts = np.bincount(place)
    return tuple(tuple(int(i) for i in order[place == k]) for k in np.flatnonzero(counts > 1))


def _gaps(distinct: NDArray[np.int64], slots: NDArray[np.int64]) -> tuple[Gap, ...]:
    multiples = np.diff(slots)
    return tuple(
        Gap(int(distinct[i]), int(distinct[i + 1]), int(multiples[i]) - 1)
        for i in np.flatnonzero(multiples > 1)
    )


def _angle_deg(extent: NDArray[np.float64], normal: NDArray[np.float64]) -> float:
    # The arc tangent keeps small angles, which the arc cosine of almost 1 loses.
    along = abs(float(extent @ normal))
    across = float(np.linalg.norm(extent - (extent @ normal) * normal))
    return float(np.degrees(np.arctan2(across, along)))


def _off_line_mm(ordered_mm: NDArray[np.float64], extent: NDArray[np.float64]) -> float:
    direction = extent / np.linalg.norm(extent)
    relative = ordered_mm - ordered_mm[0]
    across = relative - np.outer(relative @ direction, direction)
    return float(np.linalg.norm(across, axis=1).max())
