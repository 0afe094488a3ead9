"""Lesions paired over visits: the nearest in all, never through a gate, and open where it is not clear."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.imaging.lesion_matching import GATE_MM, Place, match_lesions
from hounsfield.imaging.lesion_tracks import follow


def at(x, y=0.0, z=0.0, diameter=10.0):
    return Place((float(x), float(y), float(z)), float(diameter))


def test_nearest_in_all_is_taken_and_not_the_nearest_first():
    """a is nearest to 1, but then b would have no partner: 3 + 7 is less than 2 + a lonely one."""
    found = match_lesions({"a": at(0), "b": at(9)}, {"1": at(2), "2": at(-3)})
    assert found.pairs == {"a": "2", "b": "1"}


def test_nothing_is_paired_through_the_gate():
    assert match_lesions({"a": at(0)}, {"1": at(GATE_MM - 0.1)}).pairs == {"a": "1"}
    assert match_lesions({"a": at(0)}, {"1": at(GATE_MM + 0.1)}).pairs == {}


def test_large_lesions_have_a_larger_gate():
    assert match_lesions({"a": at(0, diameter=20)}, {"1": at(19, diameter=40)}).pairs == {"a": "1"}


@pytest.mark.parametrize("one", [{}, {"a": at(0)}])
@pytest.mark.parametrize("other", [{}, {"1": at(50)}])
def test_empty_visits_and_lonely_lesions_have_no_pair(one, other):
    assert match_lesions(one, other).pairs == {}


def test_two_candidates_at_like_distance_leave_the_pair_open():
    found = match_lesions({"a": at(0)}, {"1": at(4), "2": at(-6)})
    assert found.pairs == {"a": "1"}
    assert found.open == {"a": "2"}


def test_lesions_well_apart_are_not_open():
    found = match_lesions({"a": at(0), "b": at(12)}, {"1": at(1), "2": at(13)})
    assert (found.pairs, found.open) == ({"a": "1", "b": "2"}, {})


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4))
def test_no_other_assignment_is_shorter(seed, n, m):
    """Against all assignments, each lesion without a partner costing its smallest gate."""
    rng = np.random.default_rng(seed)
    earlier = {f"a{k}": at(*rng.uniform(0, 25, 3), rng.uniform(5, 30)) for k in range(n)}
    later = {f"b{k}": at(*rng.uniform(0, 25, 3), rng.uniform(5, 30)) for k in range(m)}

    def gate(one, other):
        return max(GATE_MM, 0.5 * max(one.diameter_mm, other.diameter_mm))

    def cost(pairs):
        total = sum(
            np.linalg.norm(np.subtract(earlier[a].centre_mm, later[b].centre_mm)) for a, b in pairs.items()
        )
        total += sum(min(gate(p, q) for q in later.values()) for a, p in earlier.items() if a not in pairs)
        return total + sum(
            min(gate(p, q) for p in earlier.values()) for b, q in later.items() if b not in pairs.values()
        )

    def allowed(pairs):
        return all(
            np.linalg.norm(np.subtract(earlier[a].centre_mm, later[b].centre_mm))
            <= gate(earlier[a], later[b])
            for a, b in pairs.items()
        )

    every = (
        dict(zip(chosen, partners, strict=True))
        for k in range(min(n, m) + 1)
        for chosen in itertools.combinations(earlier, k)
        for partners in itertools.permutations(later, k)
    )
    best = min(cost(pairs) for pairs in every if allowed(pairs))
    found = match_lesions(earlier, later)
    assert allowed(found.pairs)
    assert cost(found.pairs) == pytest.approx(best)


def test_lesion_that_was_away_comes_back_as_itself():
    tracks = follow([{"x": at(0), "y": at(60)}, {"x": at(61)}, {"p": at(1), "q": at(60)}])
    assert [track.seen for track in tracks] == [{0: "x", 2: "p"}, {0: "y", 1: "x", 2: "q"}]


def test_names_say_nothing_and_identities_everything():
    visits = [{"1": at(0), "2": at(60)}, {"1": at(60), "2": at(0)}]
    assert [track.seen for track in follow(visits)] == [{0: "1", 1: "2"}, {0: "2", 1: "1"}]
    known = [{"1": "uid-a", "2": "uid-b"}, {"1": "uid-a", "2": "uid-b"}]
    assert [track.seen for track in follow(visits, known)] == [{0: "1", 1: "1"}, {0: "2", 1: "2"}]


def test_different_identities_are_never_one_lesion():
    found = follow([{"1": at(0)}, {"1": at(0)}], [{"1": "uid-a"}, {"1": "uid-b"}])
    assert [track.seen for track in found] == [{0: "1"}, {1: "1"}]


def test_lesion_without_identity_may_be_one_that_has_it():
    found = follow([{"1": at(0)}, {"1": at(1)}], [{"1": "uid-a"}, {}])
    assert [track.seen for track in found] == [{0: "1", 1: "1"}]


def test_open_pair_stays_open_afterwards():
    (track, _) = follow([{"a": at(0)}, {"1": at(4), "2": at(-6)}, {"1": at(4), "2": at(-6)}])
    assert [track.is_open(visit) for visit in range(3)] == [False, True, True]
    assert track.rival == "2"


def test_larger_lesions_of_a_visit_come_first():
    found = follow([{"small": at(0, diameter=5), "large": at(50, diameter=30)}])
    assert [track.seen[0] for track in found] == ["large", "small"]
