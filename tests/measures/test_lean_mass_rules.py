"""SUV by lean body mass, and the metabolic response built on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.measures.outcomes import about, category, codes, values

from hounsfield.core.errors import RefusedInput
from hounsfield.measures import (
    PercistInputs,
    SulInputs,
    percist_1_0,
    sul_james128,
    sul_janmahasatian,
)


def test_james_limit_of_three_tenths():
    # 1.07 W - 148 (W / H)^2 = 0.3 W where W = 0.77 H^2 / 148: 133.1890... kg at 160 cm.
    assert (
        values(sul_james128(SulInputs(suvbw_g_ml=1.0, weight_kg=133.18, height_m=1.6, sex="F")))[
            "sul-james128"
        ]
        >= 0.3
    )
    with pytest.raises(RefusedInput, match=r"outside 0\.3 to 1 of the weight"):
        sul_james128(SulInputs(suvbw_g_ml=1.0, weight_kg=133.20, height_m=1.6, sex="F"))


@given(st.floats(0, 50), st.floats(13, 70), st.floats(1.4, 2.1), st.sampled_from("MF"))
def test_sul_lies_below_suv(suv, bmi, height_m, sex):
    found = sul_janmahasatian(
        SulInputs(suvbw_g_ml=suv, weight_kg=bmi * height_m**2, height_m=height_m, sex=sex)
    )
    assert 0.0 <= values(found)["sul-janmahasatian"] <= suv


def test_lean_mass_above_the_weight_is_refused():
    with pytest.raises(RefusedInput, match=r"more than the whole weight\. Check weight and height"):
        sul_janmahasatian(SulInputs(suvbw_g_ml=1.0, weight_kg=30.0, height_m=2.0, sex="M"))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (10.0, 7.0, "PMR"),  # exactly -30 %
        (10.0, 7.01, "SMD"),
        (10.0, 6.99, "PMR"),
        (10.0, 13.0, "PMD"),  # exactly +30 %
        (10.0, 12.99, "SMD"),
        (10.0, 13.01, "PMD"),
        (2.0, 1.2, "PMR"),  # exactly -0.8
        (2.0, 1.21, "SMD"),
        (2.0, 2.8, "PMD"),  # exactly +0.8
        (2.0, 2.79, "SMD"),
        (1.1, 1.9, "PMD"),  # 1.9 - 1.1 is 0.7999... in binary
        (5.0, 5.0, "SMD"),
    ],
)
def test_response_at_its_limits(before, after, expected):
    assert category(percist_1_0(PercistInputs(baseline_sul=before, followup_sul=after))) == expected


def test_new_lesion_is_progression_whatever_the_target_does():
    assert category(percist_1_0(PercistInputs(baseline_sul=10.0, followup_sul=2.0, new_lesion=True))) == "PMD"


WHOLE = {
    "liver_baseline_sul": 2.0,
    "liver_baseline_sd_sul": 0.3,
    "liver_followup_sul": 2.0,
    "uptake_baseline_min": 60.0,
    "uptake_followup_min": 60.0,
    "same_scanner": True,
}


def test_comparable_examinations_leave_no_condition():
    found = percist_1_0(PercistInputs(baseline_sul=5.0, followup_sul=3.0, **WHOLE))
    assert (category(found), found.conditions) == ("PMR", ())


def test_what_was_not_stated_is_told():
    found = percist_1_0(PercistInputs(baseline_sul=5.0, followup_sul=3.0))
    assert codes(found) == ["comparability-not-stated"]
    assert "uptake times, scanner" in found.conditions[0].text


@pytest.mark.parametrize(
    ("changes", "comparable"),
    [
        ({"liver_followup_sul": 2.3}, True),  # exactly 0.3
        ({"liver_followup_sul": 2.31}, False),
        ({"liver_followup_sul": 1.7}, True),
        ({"liver_followup_sul": 1.69}, False),
        ({"liver_baseline_sul": 1.0, "liver_followup_sul": 1.2}, True),  # exactly 20 %
        ({"liver_baseline_sul": 1.0, "liver_followup_sul": 1.21}, False),
        ({"uptake_followup_min": 50.0}, True),
        ({"uptake_followup_min": 49.9}, False),
        ({"uptake_followup_min": 70.0}, True),
        ({"uptake_followup_min": 70.1}, False),
        ({"uptake_baseline_min": 50.0, "uptake_followup_min": 65.0}, True),  # exactly 15 minutes
        ({"uptake_baseline_min": 50.0, "uptake_followup_min": 65.1}, False),
        ({"same_scanner": False}, False),
        ({"liver_baseline_sd_sul": 1.0}, True),  # 1.5 x 2 + 2 x 1 = 5: just measurable
        ({"liver_baseline_sd_sul": 1.01}, False),
    ],
)
def test_comparability_at_its_limits(changes, comparable):
    found = percist_1_0(PercistInputs(baseline_sul=5.0, followup_sul=3.0, **{**WHOLE, **changes}))
    assert (category(found) is not None) == comparable
    assert codes(found) == ([] if comparable else ["not-comparable"])
    assert values(found)["sulpeak-change-percent"] == about(-40.0)
