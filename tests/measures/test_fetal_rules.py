"""Fetal size, age, weight and growth: the reference's lines, ranges, redating."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.measures.outcomes import category, codes, values

from hounsfield.core.errors import RefusedInput
from hounsfield.measures import head_circumference_mm
from hounsfield.measures.acog_redating_700 import RedatingInputs, acog_redating_700
from hounsfield.measures.crl_intergrowth import CrlIntergrowthInputs, crl_intergrowth
from hounsfield.measures.crl_robinson import CrlRobinsonInputs, crl_robinson
from hounsfield.measures.hadlock_efw_1985 import HadlockEfwInputs, hadlock_efw_1985
from hounsfield.measures.hadlock_ga_1984 import HadlockGaInputs, hadlock_ga_1984
from hounsfield.measures.hadlock_growth_1991 import HadlockGrowthInputs, hadlock_growth_1991, percentile_g
from hounsfield.measures.intergrowth_biometry_2014 import (
    IntergrowthInputs,
    ac_mm,
    bpd_mm,
    fl_mm,
    hc_mm,
    intergrowth_biometry_2014,
)

STANDARDS = {"hc": hc_mm, "bpd": bpd_mm, "ac": ac_mm, "fl": fl_mm}
FETUS = {"bpd_cm": 7.6, "hc_cm": 28.0, "ac_cm": 26.0, "fl_cm": 5.7}


def test_weight_needs_the_head_only_for_the_formulas_with_it():
    found = values(hadlock_efw_1985(HadlockEfwInputs(ac_cm=26.0, fl_cm=5.7)))
    assert list(found) == ["efw-h1-ac-fl"]
    assert list(values(hadlock_efw_1985(HadlockEfwInputs(ac_cm=26.0, fl_cm=5.7, hc_cm=28.0)))) == [
        "efw-h1-ac-fl",
        "efw-h3-hc-ac-fl",
    ]


def test_small_lies_below_the_10th_percentile():
    limit_g = percentile_g(30.0, -1.2815515655446004)
    for grams, expected in ((limit_g - 0.01, "SGA"), (limit_g, "not SGA"), (limit_g + 0.01, "not SGA")):
        found = hadlock_growth_1991(HadlockGrowthInputs(ga_weeks=30.0, efw_g=grams))
        assert category(found) == expected
        assert values(found)["efw-percentile"] == pytest.approx(10.0, abs=0.01)


def test_growth_names_its_variant():
    found = hadlock_growth_1991(HadlockGrowthInputs(ga_weeks=30.0, efw_g=1500.0))
    assert all("equation, SD 12.7 %" in number.note for number in found.measurements)


def test_long_crown_rump_length_is_dated_by_the_head():
    assert values(crl_robinson(CrlRobinsonInputs(crl_mm=84.0)))
    with pytest.raises(RefusedInput, match="above 84 mm date by the head circumference"):
        crl_robinson(CrlRobinsonInputs(crl_mm=84.1))
    assert codes(crl_intergrowth(CrlIntergrowthInputs(crl_mm=84.1))) == ["crl-long"]


def test_standards_without_a_measurement_give_the_mean():
    found = values(intergrowth_biometry_2014(IntergrowthInputs(ga_weeks=20.0)))
    assert set(found) == {f"{name}-{what}" for name in STANDARDS for what in ("mean", "sd")}


@given(st.floats(14, 39.5), st.sampled_from(["hc", "bpd", "ac", "fl"]))
def test_standards_grow_with_age(weeks, name):
    standard = STANDARDS[name]
    assert standard(weeks + 0.5)[0] > standard(weeks)[0]
    assert standard(weeks)[1] > 0


def test_redating_goes_both_ways_and_never_after_an_earlier_scan():
    earlier = RedatingInputs(lmp_weeks=20, lmp_days=0, discrepancy_days=-11)
    assert category(acog_redating_700(earlier)) == "redate"
    with pytest.raises(RefusedInput, match="dated by an earlier scan"):
        acog_redating_700(dataclasses.replace(earlier, is_dated_by_scan=True))


def test_age_outside_14_to_42_weeks_is_not_reported():
    # A head of 8 cm gives 13.4 weeks, a femur of 2 cm 15.95.
    found = hadlock_ga_1984(HadlockGaInputs(hc_cm=8.0, fl_cm=2.0))
    assert (list(values(found)), codes(found)) == (["ga-by-fl"], ["outside-population"])
    with pytest.raises(RefusedInput, match="no measurement gives an age of 14 to 42 weeks"):
        hadlock_ga_1984(HadlockGaInputs(hc_cm=8.0))
    with pytest.raises(RefusedInput, match="none is stated"):
        hadlock_ga_1984(HadlockGaInputs())


@given(st.sampled_from(sorted(FETUS)), st.floats(0.9, 1.1))
def test_larger_is_older(name, factor):
    changed = {**FETUS, name: FETUS[name] * factor}
    before = values(hadlock_ga_1984(HadlockGaInputs(**FETUS)))["ga-by-all"]
    after = values(hadlock_ga_1984(HadlockGaInputs(**changed)))["ga-by-all"]
    assert (after >= before) == (factor >= 1.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"is_calibrated": False}, "not calibrated"),
        ({"is_plane_confirmed": False}, "plane is not confirmed"),
        ({"n_fetuses": 2}, "2 fetuses and none is named"),
    ],
)
def test_scan_that_cannot_be_measured_on_is_refused(changes, words):
    for kind, size in ((HadlockGaInputs, {"hc_cm": 20.0}), (CrlRobinsonInputs, {"crl_mm": 40.0})):
        with pytest.raises(RefusedInput, match=words):
            kind(**size, **changes)
    assert CrlRobinsonInputs(crl_mm=40.0, n_fetuses=2, fetus="A")


@pytest.mark.parametrize(
    ("name", "mm"), [("hc_cm", 280.0), ("ac_cm", 260.0), ("fl_cm", 57.0), ("bpd_cm", 76.0)]
)
def test_millimetres_stated_as_centimetres_are_refused(name, mm):
    with pytest.raises(RefusedInput, match=f"{name} is .* Check the value and its unit"):
        HadlockGaInputs(**{name: mm})


@pytest.mark.parametrize(
    ("name", "low_cm", "high_cm"),
    [("bpd_cm", 1.0, 11.0), ("hc_cm", 4.0, 40.0), ("ac_cm", 4.0, 42.0), ("fl_cm", 0.3, 8.5)],
)
def test_sizes_at_the_ends_of_what_a_fetus_has(name, low_cm, high_cm):
    for cm, accepted in (
        *[(low_cm - 0.01, False), (low_cm, True), (low_cm + 0.01, True)],
        *[(high_cm - 0.01, True), (high_cm, True), (high_cm + 0.01, False)],
    ):
        if accepted:
            HadlockGaInputs(**{name: cm})
        else:
            with pytest.raises(RefusedInput, match=name):
                HadlockGaInputs(**{name: cm})


@pytest.mark.parametrize(
    ("kind", "name", "low", "high"),
    [
        (IntergrowthInputs, "ga_weeks", 14, 40),
        (HadlockGrowthInputs, "ga_weeks", 10, 41),
        (CrlIntergrowthInputs, "crl_mm", 15, 95),
    ],
)
def test_ranges_of_validity_at_their_ends(kind, name, low, high):
    for value in (low, low + 0.01, high - 0.01, high):
        kind(**{name: value})
    for value in (low - 0.01, high + 0.01):
        with pytest.raises(RefusedInput, match=name):
            kind(**{name: value})


def test_head_circumference_of_a_circle_and_of_an_ellipse():
    assert head_circumference_mm(bpd_outer_mm=90, ofd_mm=90) == pytest.approx(90 * math.pi)
    # A little above the approximation pi (BPD + OFD) / 2.
    ellipse = head_circumference_mm(bpd_outer_mm=80, ofd_mm=100)
    assert 90 * math.pi < ellipse < 1.005 * 90 * math.pi


@pytest.mark.parametrize(
    ("first_day", "limit"), [(0, 5), (9 * 7, 7), (16 * 7, 10), (22 * 7, 14), (28 * 7, 21)]
)
def test_redating_at_every_stage_and_limit(first_day, limit):
    for day in (first_day, first_day + 1):
        for discrepancy, expected in ((limit - 1, "keep"), (limit, "keep"), (limit + 1, "redate")):
            inputs = RedatingInputs(lmp_weeks=day // 7, lmp_days=day % 7, discrepancy_days=discrepancy)
            assert category(acog_redating_700(inputs)) == expected
    if first_day:
        before = RedatingInputs(lmp_weeks=first_day // 7 - 1, lmp_days=6, discrepancy_days=limit)
        assert category(acog_redating_700(before)) == "redate"


@pytest.mark.parametrize(
    ("ac_cm", "reported"),
    # 8.14 + 0.753 AC + 0.0036 AC^2 is 14 at 7.51239 cm and 42 at 38.04636 cm.
    [(7.512, False), (7.513, True), (38.046, True), (38.047, False)],
)
def test_age_at_the_ends_of_the_formula(ac_cm, reported):
    if reported:
        assert values(hadlock_ga_1984(HadlockGaInputs(ac_cm=ac_cm)))
    else:
        with pytest.raises(RefusedInput, match="14 to 42 weeks"):
            hadlock_ga_1984(HadlockGaInputs(ac_cm=ac_cm))
