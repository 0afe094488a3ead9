"""RECIST, iRECIST and RANO: limits from both sides, the table of responses, series of visits."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.measures import (
    AfterUnconfirmedProgression,
    RecistAssessment,
    TargetLesion,
    TumourSizes,
    TumourVisit,
    irecist_2017,
    irecist_over_time,
    overall_response,
    rano_2_0_2023,
    rano_2010,
    recist_1_1,
    recist_over_time,
)


def target_response(baseline_mm, nadir_mm, current_mm, **more):
    assessment = RecistAssessment(baseline_mm=baseline_mm, nadir_mm=nadir_mm, current_mm=current_mm, **more)
    return recist_1_1(assessment).category("target-response")


@pytest.mark.parametrize("nadir_mm", [25, 25.5, 33.5, 61, 70.5, 99.5, 140])
def test_progression_begins_at_a_fifth_above_the_nadir(nadir_mm):
    """At the limit, and 0.1 mm on both sides; binary fractions would flip some of these."""
    limit_mm = round(nadir_mm * 1.2, 1)
    found = [target_response(nadir_mm, nadir_mm, mm) for mm in (limit_mm - 0.1, limit_mm, limit_mm + 0.1)]
    assert found == ["SD", "PD", "PD"]


@pytest.mark.parametrize("nadir_mm", [0.5, 5, 10, 24.9])
def test_small_sums_must_grow_five_millimetres(nadir_mm):
    found = [target_response(nadir_mm, nadir_mm, round(nadir_mm + mm, 1)) for mm in (4.9, 5.0, 5.1)]
    assert found == ["SD", "PD", "PD"]


@pytest.mark.parametrize("baseline_mm", [10, 33, 70, 100, 111, 143])
def test_partial_response_begins_at_three_tenths_below_baseline(baseline_mm):
    limit_mm = round(baseline_mm * 0.7, 1)
    found = [
        target_response(baseline_mm, baseline_mm, mm) for mm in (limit_mm - 0.1, limit_mm, limit_mm + 0.1)
    ]
    assert found == ["PR", "PR", "SD"]


def test_sums_are_rounded_half_up_to_a_tenth():
    assert target_response(100, 100, 70.04) == "PR"
    assert target_response(100, 100, 70.05) == "SD"


@pytest.mark.parametrize(
    ("gone", "nodes", "response"), [(True, True, "CR"), (True, False, "PR"), (False, True, "PR")]
)
def test_complete_response_needs_both(gone, nodes, response):
    found = target_response(62, 62, 18, all_non_nodal_gone=gone, all_nodes_short_axis_lt_10=nodes)
    assert found == response


@pytest.mark.parametrize(("current_mm", "response"), [(119.9, "NE"), (120, "PD"), (0, "NE")])
def test_missing_target_is_not_evaluable_unless_the_rest_proves_progression(current_mm, response):
    assert target_response(100, 100, current_mm, n_targets_not_measured=1) == response


def test_anything_after_nothing_is_progression():
    assert [target_response(50, 0, mm) for mm in (0, 0.1)] == ["PR", "PD"]


TARGETS = ["CR", "PR", "SD", "PD", "NE"]
NON_TARGETS = ["CR", "non-CR/non-PD", "PD", "NE", "none"]


@pytest.mark.parametrize(("target", "non_target", "new"), [*product(TARGETS, NON_TARGETS, [False, True])])
def test_overall_response_is_never_better_than_its_parts(target, non_target, new):
    order = ["CR", "PR", "SD", "NE", "PD"]
    overall = overall_response(target, non_target, new_lesion=new)
    assert order.index(overall) >= order.index(target)
    assert (overall == "PD") == (new or "PD" in {target, non_target})
    assert overall != "CR" or non_target in {"CR", "none"}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "needs baseline_mm, nadir_mm and current_mm"),
        ({"baseline_mm": 50, "nadir_mm": 50}, "never 0 mm"),
        ({"baseline_mm": 50, "nadir_mm": 50.1, "current_mm": 50}, "nadir_mm 50.1 is above baseline_mm 50"),
        ({"baseline_mm": 50, "nadir_mm": 50, "current_mm": 50, "target": "SD"}, "give one of them"),
        ({"baseline_mm": -1, "nadir_mm": 50, "current_mm": 50}, "baseline_mm is -1 mm"),
        ({"target": "better"}, "target is 'better'"),
    ],
)
def test_incomplete_assessment_is_refused(inputs, message):
    with pytest.raises(RefusedInput, match=message):
        RecistAssessment(**inputs)


def test_change_is_given_with_its_uncertainty_in_words():
    outcome = recist_1_1(RecistAssessment(baseline_mm=100, nadir_mm=40, current_mm=48))
    assert (outcome.value("change-from-baseline"), outcome.value("change-from-nadir")) == (-52, 20)
    assert "20 %" in outcome.measurements[1].note
    assert outcome.categories[0].code.value == "112043"


IUPD = {"baseline_mm": 50, "sum_at_iupd_mm": 60, "current_sum_mm": 60, "still_pd_vs_nadir": True}


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, "iUPD"),
        ({"current_sum_mm": 64.9}, "iUPD"),
        ({"current_sum_mm": 65.0}, "iCPD"),
        ({"new_target_sum_prev_mm": 12, "new_target_sum_now_mm": 16.9}, "iUPD"),
        ({"new_target_sum_prev_mm": 12, "new_target_sum_now_mm": 17.0}, "iCPD"),
        ({"new_non_target_increase": True}, "iCPD"),
        ({"further_new_lesion": True}, "iCPD"),
        ({"non_target_further_increase": True}, "iCPD"),
        ({"current_sum_mm": 35.1, "still_pd_vs_nadir": False}, "iSD"),
        ({"current_sum_mm": 35.0, "still_pd_vs_nadir": False}, "iPR"),
        ({"current_sum_mm": 0, "still_pd_vs_nadir": False, "all_gone": True}, "iCR"),
    ],
)
def test_state_after_unconfirmed_progression(more, state):
    assert irecist_2017(AfterUnconfirmedProgression(**{**IUPD, **more})).category("irecist") == state


def visits_of(*sums_mm, **by_visit):
    """Visits four weeks apart with one lesion of the liver; lists of keywords give more of each visit."""
    return [
        TumourVisit(
            day=28 * i,
            targets=[TargetLesion(name="l1", organ="liver", diameter_mm=mm)],
            **{name: values[i] for name, values in by_visit.items()},
        )
        for i, mm in enumerate(sums_mm)
    ]


def test_nadir_is_kept_over_the_visits():
    """50, 30 (-40 %: PR), 35.9 (-28 %, less than 20 % over 30: SD), 36 (20 % and 6 mm over 30: PD)."""
    outcomes = recist_over_time(visits_of(50, 30, 35.9, 36))
    assert [o.category("target-response") for o in outcomes] == ["PR", "SD", "PD"]


def test_lesion_that_was_not_measured_lends_no_nadir():
    outcomes = recist_over_time(visits_of(50, None, 40))
    assert [o.category("overall-response") for o in outcomes] == ["NE", "SD"]


def test_node_below_10_mm_is_normal():
    def visit(day, node_mm, liver_mm):
        node = TargetLesion(name="n", organ="lymph node", diameter_mm=node_mm)
        return TumourVisit(
            day=day, targets=[node, TargetLesion(name="l", organ="liver", diameter_mm=liver_mm)]
        )

    first = visit(0, 15, 20)
    assert recist_over_time([first, visit(28, 9.9, 0)])[0].category("target-response") == "CR"
    assert recist_over_time([first, visit(28, 10, 0)])[0].category("target-response") == "PR"


def test_too_small_to_measure_counts_five_millimetres():
    small = TargetLesion(name="l1", organ="liver", diameter_mm=None, too_small=True)
    [outcome] = recist_over_time([*visits_of(20), TumourVisit(day=28, targets=[small])])
    assert outcome.value("sum-of-diameters") == 5


@pytest.mark.parametrize(
    ("sums_mm", "states"),
    [
        ((50, 60, 65), ("iUPD", "iCPD")),
        ((50, 60, 64.9), ("iUPD", "iUPD")),
        ((50, 60, 63, 65), ("iUPD", "iUPD", "iCPD")),  # increases add up
        ((50, 60, 55, 60), ("iUPD", "iSD", "iUPD")),  # the bar is reset
        ((50, 60, 34, 41), ("iUPD", "iPR", "iUPD")),
        ((50, 60, None, 65), ("iUPD", "NE", "iCPD")),
        ((50, 60, 65, 30), ("iUPD", "iCPD", "iCPD")),  # confirmed progression stays
        ((50, 34, 0), ("iPR", "iCR")),
    ],
)
def test_states_over_visits(sums_mm, states):
    assert irecist_over_time(visits_of(*sums_mm)) == states


@pytest.mark.parametrize(
    ("n_new", "states"),
    [((0, 1, 1), ("iUPD", "iUPD")), ((0, 1, 2), ("iUPD", "iCPD")), ((0, 1, 0), ("iUPD", "iSD"))],
)
def test_new_lesions_over_visits(n_new, states):
    assert irecist_over_time(visits_of(50, 50, 50, n_new_lesions=n_new)) == states


@pytest.mark.parametrize(
    ("organ", "diameter_mm", "is_target"),
    [("liver", 9.9, False), ("liver", 10, True), ("lymph node", 14.9, False), ("lymph node", 15, True)],
)
def test_smallest_target(organ, diameter_mm, is_target):
    visits = [TumourVisit(day=0, targets=[TargetLesion(name="l1", organ=organ, diameter_mm=diameter_mm)])]
    if is_target:
        assert recist_over_time(visits) == ()
    else:
        with pytest.raises(RefusedInput, match="a target has at least"):
            recist_over_time(visits)


def lesions(*organs):
    return [TargetLesion(name=f"l{i}", organ=organ, diameter_mm=20) for i, organ in enumerate(organs)]


@pytest.mark.parametrize("organs", [("liver",) * 3, ("lymph node",) * 3, ("a", "a", "b", "b", "c", "d")])
def test_too_many_targets_are_refused(organs):
    with pytest.raises(RefusedInput, match="at most 5, and 2 an organ"):
        recist_over_time([TumourVisit(day=0, targets=lesions(*organs))])


def test_visits_must_fit_together():
    with pytest.raises(RefusedInput, match="not in the order"):
        recist_over_time(list(reversed(visits_of(50, 60))))
    with pytest.raises(RefusedInput, match="not those of the baseline"):
        recist_over_time([*visits_of(50), TumourVisit(day=28, targets=lesions("liver"))])


@given(st.lists(st.integers(100, 900), min_size=2, max_size=6))
def test_scaling_all_sums_changes_no_relative_response(tenths):
    """Above 25 mm only per cents count, so that doubling every sum changes nothing."""
    sums_mm = [max(one, 300) / 10 for one in tenths]
    once, twice = (recist_over_time(visits_of(*(k * mm for mm in sums_mm))) for k in (1, 2))
    assert [o.category("target-response") for o in once] == [o.category("target-response") for o in twice]


def rano(rule, baseline, nadir, current, unit="mm2", **more):
    sizes = {f"baseline_{unit}": baseline, f"nadir_{unit}": nadir, f"current_{unit}": current}
    return rule(TumourSizes(**sizes, **more)).category("radiographic-response")


@pytest.mark.parametrize(
    ("unit", "nadir", "below", "at"),
    [
        ("mm2", 600, 749.9, 750),
        ("mm2", 333.2, 416.4, 416.5),
        ("ml", 10, 13.99, 14),
        ("ml", 7.3, 10.21, 10.22),
    ],
)
def test_rano_progression(unit, nadir, below, at):
    assert rano(rano_2010, nadir * 2, nadir, below, unit) != "PD"
    assert rano(rano_2010, nadir * 2, nadir, at, unit) == "PD"


@pytest.mark.parametrize(
    ("unit", "baseline", "partial", "minor"),
    [("mm2", 1200, 600, 900), ("mm2", 777, 388.5, 582.75), ("ml", 20, 7, 12), ("ml", 3.7, 1.295, 2.22)],
)
def test_rano_responses(unit, baseline, partial, minor):
    def found(size):
        return rano(rano_2_0_2023, baseline, baseline, size, unit, is_non_enhancing=True)

    assert [found(size) for size in (partial - 0.001, partial, partial + 0.001)] == ["PR", "PR", "MR"]
    assert [found(size) for size in (minor - 0.001, minor, minor + 0.001)] == ["MR", "MR", "SD"]
    assert rano(rano_2010, baseline, baseline, minor, unit) == "SD"
    assert rano(rano_2_0_2023, baseline, baseline, minor, unit) == "SD"


@pytest.mark.parametrize(("weeks", "response"), [(3.9, "PR"), (4, "CR")])
def test_complete_response_must_last(weeks, response):
    assert rano(rano_2010, 1200, 1200, 0, all_gone_weeks=weeks) == response


@pytest.mark.parametrize(
    ("weeks", "outside", "response"),
    [(11.9, False, None), (11.9, True, "PD"), (12, False, "PD"), (None, False, "PD")],
)
def test_early_progression_gets_no_class(weeks, outside, response):
    more = {"weeks_since_radiotherapy": weeks, "is_outside_80_isodose": outside}
    assert rano(rano_2010, 1200, 600, 900, **more) == response


def test_new_lesion_is_progression():
    assert rano(rano_2010, 1200, 1200, 600, new_lesion=True) == "PD"


def test_overall_class_is_never_given_alone():
    outcome = rano_2010(TumourSizes(baseline_mm2=1200, nadir_mm2=1200, current_mm2=600))
    assert [c.name for c in outcome.categories] == ["radiographic-response"]
    assert [c.code for c in outcome.conditions] == ["clinical-inputs-missing"]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({}, "one measure at three time points"),
        ({"baseline_mm2": 1, "nadir_mm2": 1, "current_ml": 1}, "one measure at three time points"),
        ({"baseline_ml": 1, "nadir_ml": 2, "current_ml": 1}, "nadir 2 is above the baseline 1"),
        ({"baseline_ml": 1, "nadir_ml": 1, "current_ml": 1, "has_enhanced_t1": False}, "T1 is missing"),
    ],
)
def test_unfit_sizes_are_refused(sizes, message):
    with pytest.raises(RefusedInput, match=message):
        TumourSizes(**sizes)
