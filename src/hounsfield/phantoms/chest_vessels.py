"""Branching vessels inside the lungs, and nodules: drawn at full resolution, because they are thin."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.phantoms.chest_anatomy import tube

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from hounsfield.core import Grid

    Point = NDArray[np.float64]

HILA_MM = {"left": (46.0, 14.0, 12.0), "right": (-44.0, 10.0, 6.0)}
TREES_PER_LUNG, ATTEMPTS = 18, 20
SMALLEST_RADIUS_MM = 0.45
BEND = 0.55  # tangent of the angle between a vessel and its daughter
MURRAY = 2.0 ** (-1.0 / 3.0)
PIECE_MM = 6.0
BLUR_MM = 0.7  # half width of the edge of a drawn tube or sphere


@dataclass(frozen=True, slots=True)
class Tube:
    """A piece of vessel: ends (x, y, z) in mm and radius."""

    start_mm: tuple[float, ...]
    end_mm: tuple[float, ...]
    radius_mm: float


def grow_vessels(
    inside_mm: Callable[[Point], float], rng: np.random.Generator, *, generations: int = 8
) -> list[Tube]:
    """Trees from both hila that stay inside the lungs.

    inside_mm: distance of a point (x, y, z) to the lung's surface, positive inside. Radii follow
    Murray's law for two equal daughters (r / 2^(1/3)).
    """
    tubes: list[Tube] = []
    for name, hilum in HILA_MM.items():
        outward = 1.0 if name == "left" else -1.0
        grown = 0
        for _ in range(TREES_PER_LUNG * ATTEMPTS):
            before = len(tubes)
            direction = rng.normal(size=3) * (0.6, 1.0, 1.4) + (0.8 * outward, 0.0, 0.0)
            caliber = (rng.uniform(3.0, 4.6), 28.0, generations)
            _branch(tubes, inside_mm, rng, np.asarray(hilum), direction, caliber)
            grown += len(tubes) > before
            if grown == TREES_PER_LUNG:
                break
    return tubes


def _branch(  # noqa: PLR0917  a recursion carries its state
    tubes: list[Tube],
    inside_mm: Callable[[Point], float],
    rng: np.random.Generator,
    start: Point,
    direction: Point,
    caliber: tuple[float, float, int],
) -> None:
    radius_mm, length_mm, left = caliber
    if radius_mm < SMALLEST_RADIUS_MM:
        return
    direction = direction / np.linalg.norm(direction)
    length_mm *= rng.uniform(0.7, 1.2)
    end = start + direction * length_mm
    if inside_mm(end) < radius_mm + 2.0:
        # Half the length may still fit before the pleura; smaller vessels go on from there.
        end = start + direction * length_mm / 2
        if inside_mm(end) < radius_mm + 2.0:
            return
    tubes.append(Tube(tuple(start.tolist()), tuple(end.tolist()), radius_mm))
    if left == 0:
        return
    for sign in (-1.0, 1.0):
        for _ in range(3):
            turn = _across(direction, rng.normal(size=3))
            bent = direction + sign * BEND * turn / np.linalg.norm(turn)
            before = len(tubes)
            _branch(tubes, inside_mm, rng, end, bent, (radius_mm * MURRAY, length_mm * 0.86, left - 1))
            if len(tubes) > before:
                break


def _across(a: Point, b: Point) -> Point:
    """Cross product; for single vectors far quicker than numpy's."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def _window(grid: Grid, low_mm: Point, high_mm: Point) -> tuple[slice, slice, slice] | None:
    """Slices (z, y, x) of the grid that cover a box in mm, or None outside."""
    corners = np.array(list(product(*zip(low_mm, high_mm, strict=True))))
    index = grid.mm_to_index(corners)
    first = np.floor(index.min(axis=0)).astype(int).clip(0)
    last = (np.ceil(index.max(axis=0)).astype(int) + 1).clip(None, grid.shape)
    if (last <= first).any():
        return None
    return (slice(first[0], last[0]), slice(first[1], last[1]), slice(first[2], last[2]))


def _coordinates(grid: Grid, window: tuple[slice, slice, slice]) -> tuple[NDArray[np.float32], ...]:
    """Coordinates x, y, z of the window's voxels, shaped to broadcast over (z, y, x)."""
    affine = np.asarray(grid.affine)
    shapes = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
    index = [
        np.arange(part.start, part.stop).reshape(shape) for part, shape in zip(window, shapes, strict=True)
    ]
    found = []
    for row in affine[:3]:
        parts = [step * places for step, places in zip(row[:3], index, strict=True) if step != 0.0]
        found.append(np.asarray(sum(parts) + row[3], dtype=np.float32))
    return tuple(found)


def draw_tubes(coverage: NDArray[np.uint8], grid: Grid, tubes: Sequence[Tube]) -> None:
    """Raise `coverage` (0 to 255, the part of a voxel that is vessel) in place by each tube."""
    for one in (piece for whole in tubes for piece in _pieces(whole)):
        ends = np.array([one.start_mm, one.end_mm])
        margin = one.radius_mm + BLUR_MM
        window = _window(grid, ends.min(axis=0) - margin, ends.max(axis=0) + margin)
        if window is None:
            continue
        x, y, z = _coordinates(grid, window)
        distance = tube(x, y, z, one.start_mm, one.end_mm, one.radius_mm)
        _raise(coverage, window, distance)


def _pieces(whole: Tube) -> list[Tube]:
    """Short pieces of a tube: the boxes around them hold far fewer voxels than one long slanting box."""
    start, end = np.asarray(whole.start_mm), np.asarray(whole.end_mm)
    n = max(1, int(np.ceil(np.linalg.norm(end - start) / PIECE_MM)))
    ends = start + (end - start) * np.linspace(0.0, 1.0, n + 1)[:, None]
    return [Tube(tuple(low.tolist()), tuple(high.tolist()), whole.radius_mm) for low, high in pairwise(ends)]


def draw_sphere(coverage: NDArray[np.uint8], grid: Grid, centre_mm: Point, radius_mm: float) -> None:
    """Raise `coverage` in place by a sphere."""
    margin = radius_mm + BLUR_MM
    window = _window(grid, centre_mm - margin, centre_mm + margin)
    if window is not None:
        x, y, z = _coordinates(grid, window)
        distance = radius_mm - np.sqrt(
            (x - centre_mm[0]) ** 2 + (y - centre_mm[1]) ** 2 + (z - centre_mm[2]) ** 2
        )
        _raise(coverage, window, distance)


def _raise(
    coverage: NDArray[np.uint8], window: tuple[slice, slice, slice], distance: NDArray[np.float32]
) -> None:
    drawn = (np.clip(distance / (2 * BLUR_MM) + 0.5, 0.0, 1.0) * 255).astype(np.uint8)
    np.maximum(coverage[window], drawn, out=coverage[window])
