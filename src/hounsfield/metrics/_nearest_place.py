"""The exact distance from each place of a lattice to the nearest of others: a search in shells, then a tree.

Outlines of a good prediction lie within a few voxels of the true one, most of them on it. So the steps of the lattice
are tried from the shortest on, for all places that have found nothing yet: the first hit is the nearest. What lies far
apart is left to a k-d tree. A map of distances over the whole box, as other programs make it, costs more than both.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.metrics._seen_from_afar import seen_from_afar

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Shells reach as far as a ball of about so many steps; beyond it a tree is quicker however few places are left.
_N_STEPS = 1200
# Looking one place up takes a few ns; the tree takes about so many times that for each place it holds, or is asked for.
_BUILD, _ASK = 100, 600
# What lies beyond a face of the box gets a smaller tree of its own, from so many places on.
_FEW = 2000


def nearest_mm(
    places: NDArray[np.int64], others: NDArray[np.int64], spacing_mm: tuple[float, ...]
) -> NDArray[np.float64]:
    """Distances (n,) in mm. places: (n, axes), others: (m, axes), index on one lattice; inf where there are no others."""
    distance_mm = np.full(len(places), math.inf)
    if not len(others) or not len(places):
        return distance_mm
    steps, ends, lengths_mm = _shells(spacing_mm)
    occupied, first = _occupied(others, steps)
    shape = np.asarray(occupied.shape)
    reach = steps.max(axis=0)
    local = places - first
    left = np.flatnonzero(((local >= reach) & (local < shape - reach)).all(axis=1))
    strides = np.asarray(occupied.strides)
    flat, at = occupied.reshape(-1), local[left] @ strides
    jumps = steps @ strides
    budget = _BUILD * len(others) + _ASK * len(places)
    start = 0
    for end, length_mm in zip(ends, lengths_mm, strict=True):
        if not len(left) or budget < 0:
            break
        hit = flat[at + jumps[start]]
        for jump in jumps[start + 1 : end]:
            hit |= flat[at + jump]
        budget -= len(left) * (end - start)
        start = end
        if hit.any():
            distance_mm[left[hit]] = length_mm
            missed = ~hit
            left, at = left[missed], at[missed]
    rest = np.flatnonzero(np.isinf(distance_mm))
    if len(rest):
        distance_mm[rest] = _far_mm(places[rest], others, spacing_mm)
    return distance_mm


@functools.lru_cache(maxsize=64)
def _shells(spacing_mm: tuple[float, ...]) -> tuple[NDArray[np.int64], list[int], list[float]]:
    """Steps (n, axes) from the shortest on, the end of each group of equal length, and their lengths in mm."""
    n_axes = len(spacing_mm)
    ball = math.pi if n_axes == 2 else 4 / 3 * math.pi
    radius_mm = (_N_STEPS * math.prod(spacing_mm) / ball) ** (1 / n_axes)
    axes = [range(-int(radius_mm // step), int(radius_mm // step) + 1) for step in spacing_mm]
    steps = np.array(list(itertools.product(*axes)), dtype=np.int64).reshape(-1, n_axes)
    length_mm = _lengths_mm(steps, spacing_mm)
    within = length_mm <= radius_mm
    order = np.argsort(length_mm[within], kind="stable")
    steps, length_mm = steps[within][order], length_mm[within][order]
    ends = [*(np.flatnonzero(np.diff(length_mm)) + 1).tolist(), len(steps)]
    return steps, ends, [float(length_mm[end - 1]) for end in ends]


def _lengths_mm(steps: NDArray[np.int64], spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """From whole steps, so that equal distances are equal numbers wherever they lie."""
    return np.asarray(np.sqrt(((steps * np.asarray(spacing_mm)) ** 2).sum(axis=1)), dtype=np.float64)


def _occupied(
    others: NDArray[np.int64], steps: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """The box of the others with room for two reaches around it, and the lattice index of its first place."""
    room = 2 * steps.max(axis=0)
    first = others.min(axis=0) - room
    occupied = np.zeros(others.max(axis=0) + room + 1 - first, dtype=np.bool_)
    occupied[tuple((others - first).T)] = True
    return occupied, first


def _far_mm(
    places: NDArray[np.int64], others: NDArray[np.int64], spacing_mm: tuple[float, ...]
) -> NDArray[np.float64]:
    """By trees: one for each face of the others' box that many places lie beyond, one for the rest."""
    low, high = others.min(axis=0), others.max(axis=0)
    beyond_mm = np.concatenate([low - places, places - high], axis=1) * np.tile(spacing_mm, 2)
    face = beyond_mm.argmax(axis=1)
    face[beyond_mm.max(axis=1) <= 0.0] = -1
    distance_mm = np.empty(len(places))
    for number in range(2 * places.shape[1]):
        own = np.flatnonzero(face == number)
        if own.size <= _FEW:
            face[own] = -1
            continue
        axis, is_above = number % places.shape[1], number >= places.shape[1]
        along = places[own, axis]
        plane = int(along.min() if is_above else along.max())
        seen = seen_from_afar(others, axis, plane, spacing_mm)
        distance_mm[own] = _by_tree(places[own], seen, spacing_mm)
    own = np.flatnonzero(face == -1)
    if own.size:
        distance_mm[own] = _by_tree(places[own], others, spacing_mm)
    return distance_mm


def _by_tree(
    places: NDArray[np.int64], others: NDArray[np.int64], spacing_mm: tuple[float, ...]
) -> NDArray[np.float64]:
    from scipy.spatial import KDTree

    step_mm = np.asarray(spacing_mm)
    tree = KDTree(others * step_mm, leafsize=64, balanced_tree=False, compact_nodes=False)
    _, nearest = tree.query(places * step_mm)
    return _lengths_mm(places - others[nearest], spacing_mm)
