"""PI-RADS, BI-RADS bands and density, LI-RADS: tables, limits, refusals."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from tests.measures.outcomes import category, codes

from hounsfield.core.errors import RefusedInput
from hounsfield.measures.birads_bands import BiradsInputs, birads_bands
from hounsfield.measures.birads_density import DensityInputs, birads_density
from hounsfield.measures.lirads_ctmr_2018 import (
    LiradsInputs,
    MajorFeatures,
    lirads_ctmr_2018,
    table_category,
    threshold_growth,
)
from hounsfield.measures.pirads_2_1 import PiradsInputs, lesion_category, pirads_2_1

LESION = PiradsInputs(zone="PZ", t2w="3", dwi="3", dce="-")


@pytest.mark.parametrize(("psa", "raised"), [(7.799, False), (7.8, True), (7.801, True)])
def test_psa_density_at_its_limit(psa, raised):
    # 4 x 5 x 5 x 0.52 = 52 mL; 52 x 0.15 = 7.8.
    found = pirads_2_1(dataclasses.replace(LESION, gland_cm=(4.0, 5.0, 5.0), psa_ng_ml=psa))
    assert found.category("psa-density-limit") == ("reached" if raised else "not reached")


@pytest.mark.parametrize("t2w", "12345")
def test_without_dwi_the_peripheral_zone_goes_by_t2w_and_enhancement(t2w):
    with_enhancement = lesion_category(zone="PZ", t2w=t2w, dwi="X", dce="+")
    assert with_enhancement == (4 if t2w == "3" else int(t2w))
    assert lesion_category(zone="PZ", t2w=t2w, dwi="X", dce="-") == int(t2w)
    assert lesion_category(zone="TZ", t2w=t2w, dwi="X", dce="+") == int(t2w)


@pytest.mark.parametrize("dce", ["X", "none"])
def test_without_dwi_and_enhancement_no_category(dce):
    with pytest.raises(RefusedInput, match="only extension can be staged"):
        pirads_2_1(dataclasses.replace(LESION, dwi="X", dce=dce))


def test_every_pair_of_scores_has_its_category():
    for t2w, dwi in itertools.product(range(1, 6), repeat=2):
        scores = {"t2w": str(t2w), "dwi": str(dwi)}
        assert lesion_category(zone="PZ", dce="-", **scores) == dwi
        assert lesion_category(zone="PZ", dce="none", **scores) == dwi
        upgraded = 3 if t2w == 2 and dwi >= 4 else 4 if (t2w, dwi) == (3, 5) else t2w
        assert lesion_category(zone="TZ", dce="+", **scores) == upgraded


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dwi": "X", "dce": "+"}, "dwi-inadequate"),
        ({"dce": "none"}, "dce-missing"),
        ({"biopsy_weeks": 5.9}, "biopsy-recent"),
        ({"dwi": "4", "lesion_cm": 1.5}, "score-below-size"),
        ({"dwi": "4", "is_extraprostatic": True}, "score-below-size"),
    ],
)
def test_what_limits_the_category_is_told(changes, code):
    assert codes(pirads_2_1(dataclasses.replace(LESION, **changes))) == [code]


@pytest.mark.parametrize(
    "changes",
    [{}, {"biopsy_weeks": 6.0}, {"dwi": "4", "lesion_cm": 1.49}, {"dwi": "5", "lesion_cm": 3.0}],
)
def test_plain_lesion_has_no_condition(changes):
    assert codes(pirads_2_1(dataclasses.replace(LESION, **changes))) == []


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(0.001, "3"), (1.999, "3"), (9.999, "4A"), (49.999, "4B"), (94.999, "4C"), (95.001, "5"), (100, "5")],
)
def test_bands_beside_their_limits(percent, expected):
    assert category(birads_bands(BiradsInputs(calibrator="isotonic", likelihood_percent=percent))) == expected


def test_uncalibrated_score_is_refused():
    with pytest.raises(RefusedInput, match="an uncalibrated score is no probability"):
        BiradsInputs(likelihood_percent=1.0, calibrator=" ")


def test_band_is_no_category():
    text = birads_bands(BiradsInputs(calibrator="isotonic", likelihood_percent=1.0)).conditions[0].text
    assert "no BI-RADS assessment category" in text
    assert "Category 3 is not given from screening views." in text
    assert (
        "Category 3"
        not in birads_bands(
            BiradsInputs(calibrator="isotonic", likelihood_percent=1.0, examination="diagnostic")
        )
        .conditions[0]
        .text
    )


@pytest.mark.parametrize(
    ("pattern", "told"), [("a", "not dense"), ("b", "not dense"), ("c", "dense"), ("d", "dense")]
)
def test_density_is_told_as_dense_from_c(pattern, told):
    found = birads_density(DensityInputs(pattern=pattern))
    assert found.category("breast-density") == pattern
    assert found.category("density-notification") == told


@pytest.mark.parametrize(
    ("percent", "grade"),
    [
        *[(0.0, "VDG 1"), (3.49, "VDG 1"), (3.5, "VDG 2"), (3.51, "VDG 2")],
        *[(7.49, "VDG 2"), (7.5, "VDG 3"), (7.51, "VDG 3")],
        *[(15.49, "VDG 3"), (15.5, "VDG 4"), (15.51, "VDG 4")],
    ],
)
def test_volumetric_grade_is_of_its_own_scale(percent, grade):
    found = birads_density(DensityInputs(volumetric_percent=percent))
    assert (category(found), codes(found)) == (grade, ["density-scale"])


@pytest.mark.parametrize("stated", [{}, {"pattern": "a", "volumetric_percent": 5.0}])
def test_density_needs_exactly_one_statement(stated):
    with pytest.raises(RefusedInput, match="one is not made from the other"):
        DensityInputs(**stated)


OBSERVATION = LiradsInputs(
    age_years=60.0,
    risk="cirrhosis",
    agent="extracellular",
    size_mm=20.0,
    nonrim_aphe=True,
    capsule=False,
    washout=True,
)


@pytest.mark.parametrize(
    ("size_mm", "expected"), [(9.4, "LR-4"), (9.5, "LR-5"), (9.6, "LR-5"), (19.4, "LR-5"), (19.5, "LR-5")]
)
def test_sizes_are_rounded_half_up_before_they_are_compared(size_mm, expected):
    assert category(lirads_ctmr_2018(dataclasses.replace(OBSERVATION, size_mm=size_mm))) == expected


@pytest.mark.parametrize(
    ("size_mm", "expected"), [(19.4, "LR-3"), (19.5, "LR-4"), (20.0, "LR-4"), (20.4, "LR-4")]
)
def test_twenty_millimetres_without_other_features(size_mm, expected):
    alone = MajorFeatures(nonrim_aphe=True, capsule=False, washout=False, threshold_growth=False)
    assert table_category(alone, size_mm) == expected


@pytest.mark.parametrize(
    ("prior_mm", "current_mm", "months", "grown"),
    [
        (20.0, 30.0, 6.0, True),
        (20.0, 29.4, 6.0, False),
        (20.0, 29.5, 6.0, True),  # rounds to 30
        (19.5, 29.6, 5.9, True),  # 20 to 30
        (20.0, 30.0, 6.01, False),
    ],
)
def test_growth_at_its_limits(prior_mm, current_mm, months, grown):
    assert threshold_growth(prior_mm=prior_mm, current_mm=current_mm, months=months) is grown


@pytest.mark.parametrize(
    "changes",
    [
        {"age_years": 17.9},
        {"risk": "congenital-hepatic-fibrosis"},
        {"risk": "vascular-cirrhosis"},
        {"risk": "none"},
    ],
)
def test_lirads_refuses_outside_its_population(changes):
    with pytest.raises(RefusedInput, match="No category is given"):
        lirads_ctmr_2018(dataclasses.replace(OBSERVATION, **changes))


def test_lirads_at_18_years():
    assert category(lirads_ctmr_2018(dataclasses.replace(OBSERVATION, age_years=18.0))) == "LR-5"


def test_washout_with_gadoxetate_counts_in_the_portal_venous_phase_only():
    late = dataclasses.replace(OBSERVATION, agent="gadoxetate", washout_phase="delayed")
    assert category(lirads_ctmr_2018(late)) == "LR-4"
    assert "washout-not-portal" in codes(lirads_ctmr_2018(late))
    portal = dataclasses.replace(late, washout_phase="portal-venous")
    assert category(lirads_ctmr_2018(portal)) == "LR-5"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prior_mm": 10.0}, "state both or neither"),
        ({"months": 4.0}, "state both or neither"),
        ({"prior_mm": 10.0, "months": 4.0, "threshold_growth": True}, "state one of them"),
    ],
)
def test_growth_is_stated_once(changes, words):
    with pytest.raises(RefusedInput, match=words):
        dataclasses.replace(OBSERVATION, **changes)


def test_growth_from_two_sizes_enters_the_table():
    alone = dataclasses.replace(OBSERVATION, washout=False, size_mm=18.0)
    assert category(lirads_ctmr_2018(alone)) == "LR-3"
    grown = dataclasses.replace(alone, prior_mm=12.0, months=4.0)
    assert (category(lirads_ctmr_2018(grown)), codes(lirads_ctmr_2018(grown))) == ("LR-5", [])


def test_category_before_the_table_is_the_readers():
    tumour = dataclasses.replace(OBSERVATION, before_the_table="LR-TIV")
    assert category(lirads_ctmr_2018(tumour)) == "LR-TIV"
