"""Bone age, muscle, liver fat, CT numbers, exposure and quality of films."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from tests.measures.outcomes import category, codes, values

from hounsfield.core.errors import RefusedInput
from hounsfield.measures.bone_age_z import BoneAgeInputs, bone_age_z
from hounsfield.measures.chest_film_quality import ChestFilmInputs, chest_film_quality
from hounsfield.measures.deviation_index import exposure_class
from hounsfield.measures.fib4 import Fib4Inputs, fib4
from hounsfield.measures.hu_scale import ACR_RANGES_HU, HuScaleInputs, hu_scale
from hounsfield.measures.liver_spleen_ct import LiverSpleenInputs, liver_spleen_ct, steatosis_signs
from hounsfield.measures.pdff_grade import PdffInputs, pdff_grade
from hounsfield.measures.smi_l3 import SmiInputs, low_muscle, smi_l3


@pytest.mark.parametrize(
    ("bone_age_months", "expected"),
    [(142.2, "within 2 SD"), (142.3, "advanced"), (97.8, "within 2 SD"), (97.7, "delayed")],
)
def test_bone_age_at_two_deviations(bone_age_months, expected):
    # 120 +- 2 x 11.1 months.
    assert (
        category(
            bone_age_z(
                BoneAgeInputs(
                    sd_table="Brush Foundation",
                    bone_age_months=bone_age_months,
                    age_months=120,
                    sd_months=11.1,
                    sex="F",
                )
            )
        )
        == expected
    )


@pytest.mark.parametrize(("sex", "standard_months"), [("M", 228), ("F", 216)])
def test_beyond_the_mature_standard_there_is_no_number(sex, standard_months):
    assert values(
        bone_age_z(
            BoneAgeInputs(
                sd_table="Brush Foundation",
                bone_age_months=standard_months,
                age_months=220,
                sd_months=12.0,
                sex=sex,
            )
        )
    )
    found = bone_age_z(
        BoneAgeInputs(
            sd_table="Brush Foundation",
            bone_age_months=standard_months + 0.1,
            age_months=220,
            sd_months=12.0,
            sex=sex,
        )
    )
    assert (category(found), values(found)) == ("mature", {})


def test_hand_that_cannot_be_read():
    child = BoneAgeInputs(
        sd_table="Brush Foundation", bone_age_months=30, age_months=24, sd_months=4.0, sex="M"
    )
    assert bone_age_z(child).conditions == ()
    assert codes(bone_age_z(dataclasses.replace(child, hand="right"))) == ["bone-age-right-hand"]
    with pytest.raises(RefusedInput, match="below 24 months"):
        bone_age_z(dataclasses.replace(child, age_months=23.9))
    with pytest.raises(RefusedInput, match="its bone age cannot be read"):
        bone_age_z(dataclasses.replace(child, is_altered=True))


@pytest.mark.parametrize(
    ("sex", "bmi", "limit"),
    [("F", 24.0, 41.0), ("F", 25.0, 41.0), ("M", 24.99, 43.0), ("M", 25.0, 53.0), ("M", 25.01, 53.0)],
)
def test_limits_of_martin_are_exclusive(sex, bmi, limit):
    # At 2 m the area is four times the index.
    for step, low in ((-0.01, True), (0.0, False), (0.01, False)):
        assert (
            low_muscle(
                SmiInputs(muscle_area_cm2=4 * limit + step, height_m=2.0, sex=sex, bmi_kg_m2=bmi)
            ).martin_2013
            is low
        )


@pytest.mark.parametrize(("sex", "limit"), [("F", 38.5), ("M", 52.4)])
def test_limits_of_prado_hold_from_a_bmi_of_30(sex, limit):
    for step, low in ((-0.01, True), (0.0, False), (0.01, False)):
        assert (
            low_muscle(
                SmiInputs(muscle_area_cm2=4 * limit + step, height_m=2.0, sex=sex, bmi_kg_m2=30.0)
            ).prado_2008
            is low
        )
    assert (
        low_muscle(
            SmiInputs(muscle_area_cm2=4 * limit - 1, height_m=2.0, sex=sex, bmi_kg_m2=29.99)
        ).prado_2008
        is None
    )


MUSCLE = SmiInputs(muscle_area_cm2=150.0, height_m=1.75, sex="M", bmi_kg_m2=26.0)


def test_muscle_is_classified_only_by_the_limits_that_are_asked_for():
    assert category(smi_l3(MUSCLE)) is None
    assert category(smi_l3(dataclasses.replace(MUSCLE, classify_by="martin-2013"))) == "low"
    outside = smi_l3(dataclasses.replace(MUSCLE, classify_by="prado-2008"))
    assert (category(outside), codes(outside)) == (None, ["outside-population"])


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"thickness_mm": 5.0}, []),
        ({"thickness_mm": 5.1}, ["slice-thick"]),
        ({"tube_voltage_kv": 100.0}, ["kvp-not-validated"]),
        ({"tube_voltage_kv": 120.0}, []),
        ({"phase": "portal-venous"}, ["contrast-raises-muscle"]),
        ({"phase": "unenhanced"}, []),
    ],
)
def test_what_shifts_the_muscle_is_told(changes, found):
    assert codes(smi_l3(dataclasses.replace(MUSCLE, **changes))) == found


@pytest.mark.parametrize(
    ("bmi", "hu", "fatty"), [(24.9, 40.9, True), (24.9, 41.0, False), (25.0, 32.9, True), (25.0, 33.0, False)]
)
def test_fatty_muscle_at_its_limits(bmi, hu, fatty):
    note = smi_l3(dataclasses.replace(MUSCLE, bmi_kg_m2=bmi, muscle_hu=hu)).measurements[1].note
    assert note.startswith("below" if fatty else "not below")


def test_muscle_that_is_cut_off_is_refused():
    with pytest.raises(RefusedInput, match="cuts muscle off"):
        smi_l3(dataclasses.replace(MUSCLE, is_cut_off=True))


@pytest.mark.parametrize(
    ("age", "ast", "band"),
    [
        # age x AST / (100 x sqrt(25)): at 50 years a hundredth of it.
        *[(50, 12.9, "low"), (50, 13.0, "indeterminate"), (50, 13.1, "indeterminate")],
        *[(50, 26.6, "indeterminate"), (50, 26.7, "indeterminate"), (50, 26.8, "high")],
        *[(64, 15.0, "indeterminate"), (65, 15.0, "low"), (65, 15.384, "low"), (65, 15.385, "indeterminate")],
        *[(34.9, 90.0, None), (35, 90.0, "high")],
    ],
)
def test_fib4_at_its_limits(age, ast, band):
    assert category(fib4(Fib4Inputs(age_years=age, ast_u_l=ast, alt_u_l=25.0, platelets_1e9_l=100.0))) == band


def test_fib4_at_two_from_65_years():
    # 80 x 50 / (100 x sqrt(400)) = 2.0 exactly, which is not low.
    assert (
        category(fib4(Fib4Inputs(age_years=80, ast_u_l=50.0, alt_u_l=400.0, platelets_1e9_l=100.0)))
        == "indeterminate"
    )
    assert (
        category(fib4(Fib4Inputs(age_years=80, ast_u_l=49.99, alt_u_l=400.0, platelets_1e9_l=100.0))) == "low"
    )


@pytest.mark.parametrize(
    ("liver", "spleen", "signs"),
    [
        *[
            (39.9, 40.0, (True, False, False)),
            (40.0, 40.0, (False, False, False)),
            (40.1, 40.0, (False, False, False)),
        ],
        *[
            (50.0, 59.9, (False, False, False)),
            (50.0, 60.0, (False, True, False)),
            (50.0, 60.1, (False, True, False)),
        ],
        *[
            (47.9, 60.0, (False, True, True)),
            (48.0, 60.0, (False, True, False)),
            (48.1, 60.0, (False, True, False)),
        ],
        (50.1, 60.1, (False, True, False)),  # 50.1 - 60.1 is -10.0 in decimals
    ],
)
def test_signs_of_steatosis_at_their_limits(liver, spleen, signs):
    assert dataclasses.astuple(steatosis_signs(liver_hu=liver, spleen_hu=spleen)) == signs


LIVER = LiverSpleenInputs(liver_hu=39.0, spleen_hu=50.0, phase="unenhanced", tube_voltage_kv=120.0)


@pytest.mark.parametrize("phase", ["arterial", "portal-venous", "delayed"])
def test_enhanced_liver_is_refused(phase):
    with pytest.raises(RefusedInput, match="needs an unenhanced CT"):
        liver_spleen_ct(dataclasses.replace(LIVER, phase=phase))


def test_other_tube_voltage_gives_numbers_and_no_signs():
    found = liver_spleen_ct(dataclasses.replace(LIVER, tube_voltage_kv=100.0))
    assert (category(found), codes(found), len(found.measurements)) == (None, ["outside-population"], 2)
    assert codes(liver_spleen_ct(dataclasses.replace(LIVER, amiodarone_or_iron=True))) == [
        "liver-density-raised"
    ]


@pytest.mark.parametrize(
    ("percent", "grade", "words"),
    [
        *[
            (4.99, "S0", "is below 5 %"),
            (5.0, "S0", "reaches 5 %"),
            (6.39, "S0", "reaches"),
            (6.41, "S1", "reaches"),
        ],
        *[
            (17.39, "S1", "reaches"),
            (17.41, "S2", "reaches"),
            (22.09, "S2", "reaches"),
            (22.11, "S3", "reaches"),
        ],
    ],
)
def test_grade_of_steatosis_beside_its_limits(percent, grade, words):
    found = pdff_grade(PdffInputs(pdff_percent=percent))
    assert category(found) == grade
    assert words in found.measurements[0].note


@pytest.mark.parametrize("material", ACR_RANGES_HU)
def test_inserts_of_the_phantom_at_both_ends(material):
    low, high = ACR_RANGES_HU[material]
    for hu, expected in (
        *[(low - 0.1, "outside"), (low, "within"), (low + 0.1, "within")],
        *[(high - 0.1, "within"), (high, "within"), (high + 0.1, "outside")],
    ):
        assert category(hu_scale(HuScaleInputs(material=material, mean_hu=hu))) == expected


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"mu_per_cm": 0.19},
        {"material": "water"},
        {"mu_per_cm": 0.19, "mu_water_per_cm": 0.19, "material": "water", "mean_hu": 0.0},
        {"mu_per_cm": 0.19, "mu_water_per_cm": 0.19, "material": "water"},
    ],
)
def test_ct_number_scale_needs_exactly_one_pair(stated):
    with pytest.raises(RefusedInput, match="nothing of the other pair"):
        HuScaleInputs(**stated)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        *[("-3.01", "repeat"), ("-3", "underexposed"), ("-2.99", "underexposed")],
        *[("-1.01", "underexposed"), ("-1", "acceptable"), ("-0.99", "acceptable")],
        *[("-0.51", "acceptable"), ("-0.5", "target range"), ("-0.49", "target range")],
        *[("0.49", "target range"), ("0.5", "target range"), ("0.51", "acceptable")],
        *[("0.99", "acceptable"), ("1", "acceptable"), ("1.01", "overexposed")],
        *[("2.99", "overexposed"), ("3", "overexposed"), ("3.01", "grossly overexposed")],
    ],
)
def test_exposure_at_its_limits(index, expected):
    assert exposure_class(Decimal(index)) == expected


@pytest.mark.parametrize(
    ("left_px", "right_px", "rotated"),
    [(17.0, 23.0, False), (17.01, 23.0, False), (16.99, 23.0, True), (23.0, 17.0, False)],
)
def test_rotation_at_its_limit(left_px, right_px, rotated):
    # |17 - 23| / 20 is exactly 0.3, which is not above it.
    assert (
        "film-rotated"
        in codes(chest_film_quality(ChestFilmInputs(left_gap_px=left_px, right_gap_px=right_px)))
    ) is rotated


GOOD = ChestFilmInputs(
    left_gap_px=30.0,
    right_gap_px=30.0,
    view="PA",
    n_posterior_ribs=10,
    n_anterior_ribs=6,
    apices_and_angles_inside=True,
    scapulae_off_the_lungs=True,
    vertebrae_behind_heart_visible=True,
    marker_agrees=True,
)


def test_good_film_has_no_objection():
    assert (category(chest_film_quality(GOOD)), codes(chest_film_quality(GOOD))) == ("no objection", [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"n_posterior_ribs": 9, "n_anterior_ribs": 5}, "film-expiration"),
        ({"n_posterior_ribs": 9, "n_anterior_ribs": None}, "film-expiration"),
        ({"apices_and_angles_inside": False}, "film-cut-off"),
        ({"scapulae_off_the_lungs": False}, "film-scapulae"),
        ({"vertebrae_behind_heart_visible": False}, "film-penetration"),
        ({"marker_agrees": False}, "film-side-unsure"),
        ({"view": "LL"}, "film-lateral"),
    ],
)
def test_each_departure_limits_the_film(changes, code):
    found = chest_film_quality(dataclasses.replace(GOOD, **changes))
    assert (category(found), codes(found)) == ("limited", [code])


def test_one_count_of_ribs_is_enough():
    assert codes(chest_film_quality(dataclasses.replace(GOOD, n_posterior_ribs=9))) == []
    assert codes(chest_film_quality(dataclasses.replace(GOOD, n_anterior_ribs=5))) == []


def test_what_was_not_looked_at_is_told():
    found = chest_film_quality(ChestFilmInputs(left_gap_px=30.0, right_gap_px=30.0))
    assert category(found) == "no objection"
    assert found.conditions[0].text == (
        "Not assessed: view, inspiration, coverage, scapulae, penetration, side marker."
    )


def test_rotation_of_nothing_is_refused():
    with pytest.raises(RefusedInput, match="0 px on both sides"):
        chest_film_quality(ChestFilmInputs(left_gap_px=0.0, right_gap_px=0.0))
