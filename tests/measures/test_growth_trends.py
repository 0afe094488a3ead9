"""Curves of RECIST and of doubling times, and which lesions are targets: by hand."""

from __future__ import annotations

import pytest

from hounsfield.core import Curve, Trend
from hounsfield.core.code import VOLUME
from hounsfield.core.errors import RefusedInput
from hounsfield.measures import (
    NODES,
    ORGAN_UNSTATED,
    FollowedLesion,
    TargetLesion,
    TumourVisit,
    choose_targets,
    diameter_trend,
    recist_over_time,
    recist_trend,
    tumour_visits,
    volume_trend,
)


def visits_of(*sums):
    """Two targets a visit, two thirds and one third of the sum; None: the second was not measured."""
    return [
        TumourVisit(
            day=day,
            targets=(
                TargetLesion(name="a", organ="liver", diameter_mm=round(mm * 2 / 3, 1)),
                TargetLesion(name="b", organ="lung", diameter_mm=None if is_lost else round(mm / 3, 1)),
            ),
        )
        for day, mm, is_lost in sums
    ]


def curve(trend, start):
    (found,) = [one for one in trend.curves if one.label.startswith(start)]
    return found


def test_limits_follow_baseline_and_nadir():
    """Baseline 90: PR at 63; PD at 108, after a nadir of 60 at 72, after one of 15 at 20 (5 mm)."""
    trend = recist_trend(visits_of((0, 90, False), (50, 60, False), (100, 15, False), (150, 30, False)))
    assert curve(trend, "Partial").points == ((0, 63), (150, 63))
    assert curve(trend, "Progression").points == (
        (0, 108),
        (50, 108),
        (50, 72),
        (100, 72),
        (100, 20),
        (150, 20),
    )
    assert curve(trend, "Sum").points == ((0, 90), (50, 60), (100, 15), (150, 30))
    assert trend.marks == ((0, "baseline"), (50, "PR"), (100, "PR"), (150, "PD"))


def test_marks_agree_with_the_limits():
    """A sum on or above the limit of its visit is progression, whatever the course."""
    visits = visits_of(*((30 * k, mm, False) for k, mm in enumerate((60, 54, 48, 57, 58.5, 45, 54, 70))))
    trend = recist_trend(visits)
    limits = dict(curve(trend, "Progression").points[1::2])
    for visit, outcome in zip(visits[1:], recist_over_time(visits), strict=True):
        is_progression = visit.sum_mm >= limits[visit.day] - 1e-9
        assert (outcome.category("overall-response") == "PD") == is_progression


def test_visit_with_a_lost_target_has_no_sum_and_lends_no_nadir():
    trend = recist_trend(visits_of((0, 90, False), (50, 30, True), (100, 80, False)))
    assert [day for day, _ in curve(trend, "Sum").points] == [0, 100]
    assert curve(trend, "Progression").points[-1] == (100, 108)
    assert curve(trend, "b").points == ((0, 30), (100, 26.7))


def test_doubling_line_joins_first_and_last_volume():
    trend = volume_trend({"a": [(0, 500), (100, 900), (200, 1000)], "b": [(0, 800), (200, 0)]})
    line = curve(trend, "a: doubles")
    assert (line.label, line.kind, line.points) == (
        "a: doubles in 200 days",
        "model",
        ((0, 0.5), (200, 1.0)),
    )
    assert curve(trend, "b").points == ((0, 0.8),)
    assert trend.logarithmic


@pytest.mark.parametrize(
    "points",
    [
        [(0, 500), (100, 560)],
        [(0, 500), (100, 400)],
        [(0, 500), (20, 1000)],
        [(0, 10), (100, 30)],
        [(0, 500)],
    ],
)
def test_no_line_without_growth_that_the_rule_calls_so(points):
    assert {one.kind for one in volume_trend({"a": points}).curves} == {"measured"}


def test_nothing_to_draw_is_refused():
    with pytest.raises(RefusedInput, match="no lesion has a volume"):
        volume_trend({"a": [(0, 0.0)]})
    with pytest.raises(RefusedInput, match="no lesion was measured"):
        diameter_trend([0, 1], [lesion("a", None, None)])


def lesion(label, *longest_mm, organ=ORGAN_UNSTATED, short_mm=None, **more):
    short = short_mm if short_mm is not None else tuple(None if mm is None else mm / 2 for mm in longest_mm)
    return FollowedLesion(label, organ, longest_mm, short, **more)


def labels(lesions, spacing_mm=1.0):
    return [one.label for one in choose_targets(lesions, spacing_mm=spacing_mm)]


def test_two_largest_of_an_organ_and_five_in_all_are_targets():
    found = labels(
        [
            *(lesion(f"liver {mm}", mm, organ="liver") for mm in (11, 30, 20)),
            *(lesion(f"lung {mm}", mm, organ="lung") for mm in (40, 12)),
            *(lesion(f"brain {mm}", mm, organ="brain") for mm in (15, 14)),
        ]
    )
    assert found == ["lung 40", "liver 30", "liver 20", "brain 15", "brain 14"]


def test_lesions_of_no_stated_organ_count_as_one_organ():
    assert labels([lesion("a", 12), lesion("b", 30), lesion("c", 20)]) == ["b", "c"]


def test_targets_are_large_enough_for_their_slices():
    """10 mm, and twice the distance of slices."""
    assert labels([lesion("a", 9.9), lesion("b", 10.0)]) == ["b"]
    assert labels([lesion("a", 11.9), lesion("b", 12.0)], spacing_mm=6.0) == ["b"]


def test_node_counts_by_its_short_axis():
    nodes = [lesion("n1", 30, organ=NODES, short_mm=(14.9,)), lesion("n2", 20, organ=NODES, short_mm=(15.0,))]
    assert labels(nodes) == ["n2"]
    assert choose_targets(nodes, spacing_mm=1.0)[0].counted_mm == (15.0,)


def test_new_lesion_is_no_target_and_counts_as_new():
    old, new = lesion("a", 20, 20, 20), lesion("b", None, 12, 13, first_visit=1, is_new=True)
    targets = choose_targets([old, new], spacing_mm=1.0)
    visits = tumour_visits([0, 50, 100], [old, new], targets)
    assert [(visit.n_new_lesions, visit.new_target_sum_mm) for visit in visits] == [(0, 0), (1, 12), (1, 13)]
    assert recist_over_time(visits)[0].category("overall-response") == "PD"


@pytest.mark.parametrize(
    ("sizes", "state"),
    [((8, 9), "non-CR/non-PD"), ((8, 0), "CR"), ((8, None), "NE"), ((8, 80), "non-CR/non-PD")],
)
def test_progression_of_non_targets_is_never_made(sizes, state):
    target, other = lesion("a", 20, 20), lesion("b", *sizes)
    assert tumour_visits([0, 50], [target, other], [target])[1].non_target == state


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": "furlong"}, "not in UNIT_SIGNS"),
        ({"curves": (Curve("a", ((0, 1),), "limit"),)}, "no measured curve"),
        ({"logarithmic": True, "curves": (Curve("a", ((0, 0),)),)}, "not above 0"),
    ],
)
def test_illegal_trends_cannot_be_made(change, message):
    values = {
        "name": "v",
        "title": "V",
        "quantity": VOLUME,
        "unit": "ml",
        "rule": "r",
        "rule_version": "1.0.0",
    }
    with pytest.raises(ValueError, match=message):
        Trend(**{**values, "curves": (Curve("a", ((0, 1),)),), **change})


@pytest.mark.parametrize("points", [(), ((1, 1), (0, 1)), ((0, 1), (0, 2)), ((0, float("nan")),)])
def test_illegal_curves_cannot_be_made(points):
    with pytest.raises(ValueError, match="curve"):
        Curve("a", points)


def test_trend_comes_back_from_its_json():
    trend = recist_trend(visits_of((0, 90, False), (50, 60, False)))
    assert Trend.from_json(trend.to_json()) == trend
