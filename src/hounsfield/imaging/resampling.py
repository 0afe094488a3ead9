"""A volume on another grid: nearest, linear or cubic interpolation at the same places of the patient.

Edge. A place belongs to the source if it lies in one of its voxels: up to half a voxel beyond the outermost centres,
limits included. Elsewhere is the fill value. In that outer half voxel the value at the nearest place between centres
holds: nothing is extrapolated. A cubic spline continues the values as in a mirror at the outermost centres, as those
of scipy (mode "mirror") and ITK do. Nothing is smoothed before a grid becomes coarser.

Grids with parallel axes, also in another order or direction, are resampled axis by axis: for each axis a sparse
matrix holds, row by row, what each old value counts for at a new place. Any other pair is resampled place by place.
Both give the same values.

Source of the size and centre of a resampled grid: IBSI reference manual (arXiv:1612.07003), section 2.4.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import permutations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from hounsfield.core.errors import GeometryError, UsageError
from hounsfield.core.grid import Grid
from hounsfield.imaging.interpolation import (
    CUBIC_REACH,
    interpolation_weights,
    is_identity,
    of_each_plane,
    spline_coefficients,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy import sparse

Order = Literal[0, 1, 3]

# 4 GiB as float32; a CT of 500 slices of 512 x 512 has an eighth of it.
MOST_VOXELS = 2**30
# Rounding of positions and sizes in voxels: what lies on a face or half way between centres must not depend on it.
_HAIR = 1e-6
# Axes are parallel if leaving out their angle moves no place by more voxels: 0.1 HU where neighbours differ by 1000.
_PARALLEL = 1e-4
# A piece of work: large enough that starting it costs nothing, small enough to stay in the processor's cache.
_PIECE_BYTES = 1024**2
# Turned grids: planes of the result for which one set of spline coefficients is held, of what they need of the source.
_SLAB_PLANES = 64


def resample(
    array: NDArray[Any],
    source: Grid,
    target: Grid,
    *,
    order: Order,
    fill_value: float,
    n_threads: int = 2,
) -> NDArray[Any]:
    """`array` (z, y, x) on `source` at the voxel centres of `target`; `fill_value` where the source has no voxel.

    order: 0 takes the nearest voxel (half way: the higher index) and keeps the type, for masks and labels; 1 is
    linear and 3 a cubic B-spline through the values, both in float32, exact to 1e-3 for CT numbers. A place that a NaN
    counts for is NaN. The result does not depend on `n_threads`. Takes the memory of the result and of at most one
    copy of the source or the result. Raises UsageError if the arguments do not fit each other, GeometryError if the
    grids do not share their millimetres.
    """
    _check(array, source, target, order, fill_value)
    result = np.empty(target.shape, dtype=array.dtype if order == 0 else np.float32)
    # From an index of the target to the fractional index of the source at the same place.
    steps = np.linalg.solve(_affine(source), _affine(target)).astype(np.float64)
    axes = _parallel_axes(steps, target.shape)
    if axes is None:
        result.fill(fill_value)
        for start in range(0, len(result), _SLAB_PLANES):
            onward = steps.copy()
            onward[:3, 3] += start * steps[:3, 0]
            _place_by_place(array, result[start : start + _SLAB_PLANES], onward, order, n_threads)
        return result
    boxes, positions = [], []
    for axis, (along, n) in enumerate(zip(axes, array.shape, strict=True)):
        position = steps[axis, along] * np.arange(target.shape[along]) + steps[axis, 3]
        inside = np.flatnonzero(_is_inside(position, n))
        if not inside.size:
            result.fill(fill_value)
            return result
        boxes.append(slice(int(inside[0]), int(inside[-1]) + 1))
        positions.append(np.clip(position[inside], 0.0, n - 1.0))
    # The result with its axes in the order of the source's.
    part = result.transpose(axes)[tuple(boxes)]
    if part.size < result.size:
        result.fill(fill_value)
    if order == 0:
        _take_nearest(array, part, positions, n_threads)
        return result
    needed = [_needed(position, n, order) for position, n in zip(positions, array.shape, strict=True)]
    weights = [
        interpolation_weights(position - here.start, here.stop - here.start, order)
        for position, here in zip(positions, needed, strict=True)
    ]
    _axis_by_axis(array[tuple(needed)], part, weights, n_threads)
    return result


def grid_with_spacing(
    grid: Grid, spacing_mm: tuple[float, float, float], *, max_voxels: int = MOST_VOXELS
) -> Grid:
    """The grid of `spacing_mm` (z, y, x) with the axes and the centre of `grid`, just large enough to hold all of it.

    Raises GeometryError if the grid states no millimetres or a spacing is not above 0, UsageError if it would have
    more than `max_voxels`. Source: IBSI reference manual, section 2.4.
    """
    affine = _affine(grid).copy()
    if not all(0.0 < new_mm < np.inf for new_mm in spacing_mm):
        raise GeometryError(
            f"a grid of spacing {spacing_mm} mm does not exist: spacings (z, y, x) must be above 0"
        )
    old_n, old_mm, new_mm = np.array(grid.shape), np.array(grid.spacing_mm), np.array(spacing_mm)
    # A size is a whole number of voxels but for rounding: 10 x 0.3 / 0.1 is 30.000000000000004.
    size = np.ceil(old_n * old_mm / new_mm - _HAIR)
    z, y, x = (max(1, int(n)) for n in size)
    if z * y * x > max_voxels:
        raise UsageError(
            f"a grid of {z} x {y} x {x} voxels exceeds the limit of {max_voxels} voxels. Choose a larger spacing, or "
            "resample a part."
        )
    first = ((old_n - 1) - ((z, y, x) - np.ones(3)) * new_mm / old_mm) / 2.0
    affine[:3, :3] *= new_mm / old_mm
    affine[:3, 3] = grid.index_to_mm(first)
    return Grid((z, y, x), affine, grid.frame_of_reference_uid)


def _affine(grid: Grid) -> NDArray[np.float64]:
    if grid.affine is None:
        raise GeometryError(
            "an image that states no position in the patient cannot be resampled in millimetres. Use the original."
        )
    return grid.affine


def _check(array: NDArray[Any], source: Grid, target: Grid, order: int, fill_value: float) -> None:
    if array.shape != source.shape:
        raise UsageError(
            f"the array is {array.shape} and its grid {source.shape}: state the grid of this array"
        )
    if order not in {0, 1, 3}:
        raise UsageError(f"interpolation of order {order} does not exist: 0 is nearest, 1 linear, 3 cubic")
    if array.dtype.kind not in "biuf":
        raise UsageError(f"values of type {array.dtype} cannot be resampled; whole or real numbers can")
    if order == 0 and array.dtype.kind != "f":
        least, most = (
            (0, 1) if array.dtype.kind == "b" else (np.iinfo(array.dtype).min, np.iinfo(array.dtype).max)
        )
        if not (float(fill_value).is_integer() and least <= fill_value <= most):
            raise UsageError(
                f"the fill value {fill_value:g} does not exist in {array.dtype}: {least} to {most} do"
            )
    frames = {source.frame_of_reference_uid, target.frame_of_reference_uid} - {None}
    if len(frames) == 2:
        raise GeometryError(
            "the grids have different frames of reference (0020,0052), so their millimetres are not the same places. "
            "Register the images first."
        )


def _is_inside(position: NDArray[np.float64], n: int) -> NDArray[np.bool_]:
    """Whether positions lie in one of the `n` voxels of an axis."""
    return (position >= -0.5 - _HAIR) & (position <= n - 0.5 + _HAIR)


def _nearest(position: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.floor(position + (0.5 + _HAIR)).astype(np.intp)


def _needed(position: NDArray[np.float64], n: int, order: int) -> slice:
    """The part of an axis whose values count for these positions."""
    reach = CUBIC_REACH if order == 3 else 0
    return slice(max(int(position.min()) - reach, 0), min(int(position.max()) + 2 + reach, n))


def _parallel_axes(steps: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """For each source axis the target axis along it; None if there is none."""
    moved = np.abs(steps[:3, :3]) * (np.array(shape) - 1.0)
    for axes in permutations(range(3)):
        aside = moved.copy()
        aside[range(3), axes] = 0.0
        if aside.sum(axis=1).max() <= _PARALLEL:
            return axes
    return None


def _in_pieces(work: Callable[[slice], None], n: int, bytes_each: int, n_threads: int) -> None:
    """Do `work` on 0 to n, in pieces of about _PIECE_BYTES."""
    step = max(1, min(_PIECE_BYTES // max(bytes_each, 1), -(-n // n_threads)))
    pieces = [slice(start, min(start + step, n)) for start in range(0, n, step)]
    with ThreadPoolExecutor(n_threads) as threads:
        list(threads.map(work, pieces))


def _take_nearest(
    array: NDArray[Any], result: NDArray[Any], positions: list[NDArray[np.float64]], n_threads: int
) -> None:
    z, y, x = (_nearest(position).clip(max=n - 1) for position, n in zip(positions, array.shape, strict=True))

    def take(planes: slice) -> None:
        for k in range(planes.start, planes.stop):
            result[k] = array[z[k]].take(y, axis=0).take(x, axis=1)

    _in_pieces(take, len(result), result[0].nbytes, n_threads)


# ---- axis by axis


def _axis_by_axis(
    array: NDArray[Any], result: NDArray[np.float32], weights: list[sparse.csr_array], n_threads: int
) -> None:
    """Write into `result` what the matrices of the three axes make of `array`."""
    z, y, x = weights
    # The C library hands memory of this size back to the system after every step, to get it again page by page, until
    # it has seen a larger piece come and go; nothing is written here.
    passing = np.empty(16 * _PIECE_BYTES, dtype=np.uint8)
    del passing
    if is_identity(y) and is_identity(x):
        _along_stack(array, result, z, n_threads)
        return
    if z.shape[0] <= z.shape[1] and z.nnz <= 2 * z.shape[0]:
        # Each new plane comes of two old ones: it is cheapest to go on with it while it lies in the cache.
        _along_planes(array, result, z, y, x, n_threads=n_threads)
        return
    # The axes that shrink most come first, so that what lies between is smaller than the source or the result.
    stack_first = z.shape[0] * y.shape[1] * x.shape[1] < z.shape[1] * y.shape[0] * x.shape[0]
    shape = (z.shape[0], y.shape[1], x.shape[1]) if stack_first else (z.shape[1], y.shape[0], x.shape[0])
    between = result if shape == result.shape else np.empty(shape, dtype=np.float32)
    if stack_first:
        _along_stack(array, between, z, n_threads)
        _along_planes(between, result, None, y, x, n_threads=n_threads)
    else:
        _along_planes(array, between, None, y, x, n_threads=n_threads)
        _along_stack(between, result, z, n_threads)


def _along_stack(
    array: NDArray[Any], result: NDArray[np.float32], z: sparse.csr_array, n_threads: int
) -> None:
    """The first axis, some rows of all planes at a time. `result` may be `array` itself."""

    def mix(rows: slice) -> None:
        old = np.ascontiguousarray(array[:, rows], dtype=z.dtype)
        result[:, rows] = (z @ old.reshape(len(old), -1)).reshape(-1, *old.shape[1:])

    _in_pieces(mix, array.shape[1], z.dtype.itemsize * max(z.shape) * array.shape[2], n_threads)


def _along_planes(
    array: NDArray[Any],
    result: NDArray[np.float32],
    z: sparse.csr_array | None,
    y: sparse.csr_array,
    x: sparse.csr_array,
    *,
    n_threads: int,
) -> None:
    """The second and third axis, some planes at a time, after the first if that has a matrix.

    `result` may be `array` itself if the first axis has none.
    """

    @cache
    def of_each(n: int) -> tuple[sparse.csr_array, sparse.csr_array]:
        return of_each_plane(n, y), of_each_plane(n, x)

    def mix(planes: slice) -> None:
        if z is None:
            old = np.ascontiguousarray(array[planes], dtype=y.dtype)
        else:
            old = _mixed_planes(array, planes, z)
        n, _, n_columns = old.shape
        all_y, all_x = of_each(n)
        rows = all_y @ old.reshape(-1, n_columns)
        # Matrices act on the first axis of what lies row by row in memory, so that the planes are turned for x.
        turned = np.ascontiguousarray(rows.reshape(n, -1, n_columns).transpose(0, 2, 1))
        columns = all_x @ turned.reshape(n * n_columns, -1)
        result[planes] = columns.reshape(n, -1, turned.shape[2]).transpose(0, 2, 1)

    _in_pieces(mix, len(result), y.dtype.itemsize * max(y.shape) * max(x.shape), n_threads)


def _mixed_planes(array: NDArray[Any], planes: slice, z: sparse.csr_array) -> NDArray[Any]:
    """The new planes that the matrix of the first axis makes of the old ones."""
    mixed: NDArray[Any] = np.empty((planes.stop - planes.start, *array.shape[1:]), dtype=z.dtype)
    for number, plane in enumerate(mixed, planes.start):
        old = slice(z.indptr[number], z.indptr[number + 1])
        (first, weight), *others = zip(z.indices[old], z.data[old], strict=True)
        np.multiply(array[first], weight, out=plane)
        for other, weight in others:
            np.add(plane, array[other] * weight, out=plane)
    return mixed


# ---- place by place


def _place_by_place(
    array: NDArray[Any], result: NDArray[Any], steps: NDArray[np.float64], order: int, n_threads: int
) -> None:
    """Write into `result` the values where `steps` leads, an affine from its indices to those of `array`."""
    corners = np.stack(np.meshgrid(*[(0, n - 1) for n in result.shape]), axis=-1).reshape(-1, 3)
    limits = corners @ steps[:3, :3].T + steps[:3, 3]
    needed = [_needed(np.clip(limits[:, axis], 0.0, n - 1.0), n, order) for axis, n in enumerate(array.shape)]
    values = array[tuple(needed)]
    if order == 3:
        coefficients = np.empty(values.shape, dtype=np.float32)
        _axis_by_axis(values, coefficients, [spline_coefficients(n) for n in values.shape], n_threads)
        values = coefficients
    elif order == 1 and values.dtype == np.float16:  # which scipy does not interpolate
        values = values.astype(np.float32)
    lines = result.reshape(-1, result.shape[2])

    def fill(some: slice) -> None:
        line = np.arange(some.start, some.stop)[:, np.newaxis]
        z, y, x = line // result.shape[1], line % result.shape[1], np.arange(result.shape[2])
        places = [a * z + b * y + c * x + d for a, b, c, d in steps[:3]]
        inside = np.logical_and.reduce([_is_inside(p, n) for p, n in zip(places, array.shape, strict=True)])
        if not inside.any():
            return
        found = [
            np.clip(p[inside], 0.0, n - 1.0) - here.start
            for p, n, here in zip(places, array.shape, needed, strict=True)
        ]
        if order == 0:
            nearest = [_nearest(p).clip(max=n - 1) for p, n in zip(found, values.shape, strict=True)]
            lines[some][inside] = values[tuple(nearest)]
        else:
            lines[some][inside] = ndimage.map_coordinates(
                values, found, output=np.float32, order=order, mode="mirror", prefilter=False
            )

    # Three positions of eight bytes for each voxel of a line.
    _in_pieces(fill, len(lines), 24 * result.shape[2], n_threads)
