"""What old values count for at new places along one axis, as sparse matrices: linear and cubic interpolation.

Row i of a matrix (new places, old values) holds the weights of place i. Beyond the outermost values an axis goes on as
in a mirror standing there. Source: Unser 1999, IEEE Signal Process Mag 16(6):22 (B-splines, their prefilter and
cardinal form).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pole of the cubic B-spline's prefilter: each further value counts 3.7 times less, and beyond CUBIC_REACH not at all.
_POLE = float(np.sqrt(3.0)) - 2.0
CUBIC_REACH = 15
_LEAST_WEIGHT = 1e-8  # 1e-5 HU of a value of 1000 HU: less than float32 holds


def _matrix(columns: NDArray[np.intp], weights: NDArray[np.float64], n: int) -> sparse.csr_array:
    """Rows of `weights` at `columns` of an axis of `n` values; columns beyond its ends count as in a mirror there."""
    period = max(2 * (n - 1), 1)
    columns = columns % period
    columns = np.minimum(columns, period - columns) if n > 1 else columns
    n_rows, n_each = weights.shape
    matrix = sparse.csr_array(
        (weights.flatten(), columns.astype(np.int32).ravel(), np.arange(n_rows + 1, dtype=np.int32) * n_each),
        shape=(n_rows, n),
    )
    matrix.sum_duplicates()
    matrix.data[np.abs(matrix.data) < _LEAST_WEIGHT] = 0.0
    matrix.eliminate_zeros()
    return matrix


def _prefilter(distance: NDArray[np.intp]) -> NDArray[np.float64]:
    """What a value counts for in the coefficient of the cubic B-spline `distance` voxels away.

    The inverse of the filter (1, 4, 1) / 6, the B-spline at whole distances (Unser 1999).
    """
    return -6.0 * _POLE / (1.0 - _POLE**2) * _POLE ** np.abs(distance)


def interpolation_weights(position: NDArray[np.float64], n: int, order: int) -> sparse.csr_array:
    """What each of `n` values counts for at each position (0 to n - 1): linear (order 1) or cubic (3)."""
    before = np.floor(position).astype(np.intp)
    t = position - before
    offsets = np.arange(2)
    weights = np.stack([1.0 - t, t], axis=1)
    if order == 3:
        # The B-spline centred on the places -1, 0, 1, 2 from `before`; the prefilter turns values into coefficients.
        spline = np.stack(
            [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1
        )
        offsets = np.arange(-CUBIC_REACH, CUBIC_REACH + 2)
        weights = spline / 6.0 @ _prefilter(np.arange(-1, 3)[:, np.newaxis] - offsets)
    matrix = _matrix(before[:, np.newaxis] + offsets, weights, n)
    # The weights of a spline have both signs: summed in float32 they would lose more than 1e-3 HU.
    return matrix if order == 3 else matrix.astype(np.float32)


def spline_coefficients(n: int) -> sparse.csr_array:
    """What each of `n` values counts for in each coefficient of the cubic B-spline through them."""
    offsets = np.arange(-CUBIC_REACH, CUBIC_REACH + 1)
    weights = np.broadcast_to(_prefilter(offsets), (n, offsets.size))
    return _matrix(np.arange(n)[:, np.newaxis] + offsets, weights, n)


def is_identity(matrix: sparse.csr_array) -> bool:
    """Whether each new value is the old one at the same place."""
    n_rows, n = matrix.shape
    return bool(n_rows == n == matrix.nnz and (matrix.diagonal() == 1.0).all())


def of_each_plane(n: int, matrix: sparse.csr_array) -> sparse.csr_array:
    """The matrix that does the same to each of `n` planes below each other."""
    n_rows, n_columns = matrix.shape
    start = np.arange(n)[:, np.newaxis]
    indptr = np.append((start * matrix.nnz + matrix.indptr[:-1]).ravel(), n * matrix.nnz)
    indices = (start * n_columns + matrix.indices).ravel()
    return sparse.csr_array(
        (np.tile(matrix.data, n), indices.astype(np.int32), indptr.astype(np.int32)),
        shape=(n * n_rows, n * n_columns),
    )
