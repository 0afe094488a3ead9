"""Exact nearest distances, by whichever of its ways they are found: shells, front places, trees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.metrics import _nearest_place
from hounsfield.metrics._nearest_place import nearest_mm
from hounsfield.metrics._seen_from_afar import seen_from_afar


def by_every_pair(places, others, spacing_mm):
    apart = (places[:, None] - others[None]) * np.asarray(spacing_mm)
    return np.sqrt((apart**2).sum(axis=2)).min(axis=1)


def lattices(n_axes):
    place = st.tuples(*[st.integers(-25, 25)] * n_axes)
    return st.lists(place, min_size=1, max_size=40).map(np.array)


SPACINGS = st.sampled_from([(1.0, 1.0, 1.0), (5.0, 0.7, 0.7), (0.5, 2.0, 1.1)])


@settings(deadline=None)
@given(lattices(3), lattices(3), SPACINGS)
def test_distances_are_those_of_every_pair(places, others, spacing_mm):
    expected = by_every_pair(places, others, spacing_mm)
    assert nearest_mm(places, others, spacing_mm) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(lattices(2), lattices(2))
def test_distances_in_a_plane_are_those_of_every_pair(places, others):
    expected = by_every_pair(places, others, (0.7, 1.3))
    assert nearest_mm(places, others, (0.7, 1.3)) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(lattices(3), lattices(3), SPACINGS)
def test_front_places_alone_give_the_same_distances(places, others, spacing_mm):
    """Every place beyond a face of the box is asked of that face's front places."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_nearest_place, "_FEW", 0)
        patch.setattr(_nearest_place, "_BUILD", -1)
        patch.setattr(_nearest_place, "_ASK", -1)
        found = nearest_mm(places, others, spacing_mm)
    assert found == pytest.approx(by_every_pair(places, others, spacing_mm), abs=1e-12)


def test_what_is_hidden_or_lies_in_a_dent_is_not_seen_from_afar():
    """A plate of 5 x 5 rows, two thick, in its middle a hole of 3 steps: from above all but the hole's floor counts."""
    top = {(z, y, 9) for z in range(5) for y in range(5)}
    plate = np.array([*top, *((z, y, 8) for z, y, _ in top), (2, 2, 6)])
    plate = plate[~((plate[:, 0] == 2) & (plate[:, 1] == 2) & (plate[:, 2] > 6))]
    seen = seen_from_afar(plate, 2, 50, (1.0, 1.0, 1.0))
    assert {tuple(place) for place in seen.tolist()} == top - {(2, 2, 9)}
    below = seen_from_afar(plate, 2, -1, (1.0, 1.0, 1.0))
    assert (2, 2, 6) in {tuple(place) for place in below.tolist()}


def test_nothing_is_infinitely_far_and_nobody_asks_nothing():
    none = np.zeros((0, 3), dtype=np.int64)
    some = np.array([[1, 2, 3]])
    assert nearest_mm(some, none, (1.0, 1.0, 1.0)).tolist() == [np.inf]
    assert nearest_mm(none, some, (1.0, 1.0, 1.0)).size == 0
