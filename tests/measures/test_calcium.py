"""Calcium scores: limits from both sides, refusals, and images with calcium of known score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.measures.volumes import grid_of

from hounsfield.core import Grid, Image, Region
from hounsfield.core.code import LESION
from hounsfield.core.errors import GeometryError, RefusedInput, UnitError
from hounsfield.measures import (
    AgatstonScore,
    CalciumAndInsert,
    CalciumBurden,
    CalciumLesions,
    CalciumVoxels,
    SliceCalcium,
    agatston_1990,
    agatston_kvp_graeni_2018,
    agatston_of_image,
    cac_bands_rumberger,
    cac_drs_2018,
    calcium_mass,
    calcium_volume,
)
from hounsfield.measures.agatston_kvp_graeni_2018 import agatston_kvp_of_image

SCAN = {"kvp": 120, "contrast": "none", "is_gated": True}
GRAENI_HU = {70: (207, 318, 477, 636), 80: (177, 271, 408, 544), 100: (145, 222, 334, 446)}


def scored(rule, max_hu, *, area_mm2=1.0, **scan):
    lesion = SliceCalcium(area_mm2=area_mm2, max_hu=max_hu)
    return rule(CalciumLesions(lesions=[lesion], slice_increment_mm=3.0, **{**SCAN, **scan}))


@pytest.mark.parametrize(("limit_hu", "factor"), [(130, 1), (200, 2), (300, 3), (400, 4)])
def test_factor_changes_at_the_limit(limit_hu, factor):
    below = [limit_hu - 1, limit_hu - 0.4, np.nextafter(limit_hu, 0)]
    assert {scored(agatston_1990, hu).value("agatston-score") for hu in below} == {factor - 1}
    assert scored(agatston_1990, limit_hu).value("agatston-score") == factor
    assert scored(agatston_1990, limit_hu + 0.4).value("agatston-score") == factor


@pytest.mark.parametrize(("kvp", "place"), [(kvp, place) for kvp in GRAENI_HU for place in range(4)])
def test_adapted_factor_changes_at_the_limit(kvp, place):
    limit_hu = GRAENI_HU[kvp][place]
    scores = [
        scored(agatston_kvp_graeni_2018, hu, kvp=kvp).value("agatston-score")
        for hu in (limit_hu - 0.1, limit_hu, limit_hu + 0.1)
    ]
    assert scores == [place, place + 1, place + 1]


@pytest.mark.parametrize(("area_mm2", "score"), [(0.999999, 0.0), (1.0, 4.0), (1.000001, 4.000004)])
def test_smallest_area(area_mm2, score):
    assert scored(agatston_1990, 500, area_mm2=area_mm2).value("agatston-score") == pytest.approx(score)


def test_adapted_limits_are_told():
    codes = [c.code for c in scored(agatston_kvp_graeni_2018, 300, kvp=80).conditions]
    assert codes == ["calcium-limits-adapted"]
    assert scored(agatston_kvp_graeni_2018, 300).conditions == ()


@given(st.lists(st.tuples(st.floats(1, 50), st.floats(130, 1500)), max_size=6), st.floats(0.25, 3))
def test_score_is_linear_in_increment_and_adds_over_lesions(lesions, increment_mm):
    def score(chosen, mm):
        components = [SliceCalcium(area_mm2=area, max_hu=hu) for area, hu in chosen]
        return agatston_1990(CalciumLesions(lesions=components, slice_increment_mm=mm, **SCAN)).value(
            "agatston-score"
        )

    whole = score(lesions, 3.0)
    assert whole == pytest.approx(sum(score([one], 3.0) for one in lesions))
    assert score(lesions, increment_mm) == pytest.approx(whole * increment_mm / 3)


@pytest.mark.parametrize(
    ("scan", "message"),
    [
        ({"contrast": "given"}, "contrast agent was given"),
        ({"aorta_mean_hu": 130.1}, "the aorta measures 130.1 HU"),
        ({"covers_heart": False}, "not covered whole"),
        ({"kvp": 100}, "tube voltage is 100 kV"),
        ({"kvp": 119.9}, "tube voltage is 119.9 kV"),
    ],
)
def test_unfit_scan_is_refused(scan, message):
    with pytest.raises(RefusedInput, match=message):
        scored(agatston_1990, 300, **scan)


def test_aorta_at_130_hu_passes():
    assert scored(agatston_1990, 300, aorta_mean_hu=130).value("agatston-score") == 3


@pytest.mark.parametrize("kvp", [60, 90, 110, 130, 140])
def test_voltage_without_limits_is_refused(kvp):
    with pytest.raises(RefusedInput, match="limits for 70, 80, 100, 120 kV"):
        scored(agatston_kvp_graeni_2018, 300, kvp=kvp)


@pytest.mark.parametrize(
    ("scan", "code"),
    [
        ({"contrast": "not stated"}, "contrast-unstated"),
        ({"is_gated": None}, "gating-unstated"),
        ({"slice_thickness_mm": 2.49}, "calcium-slice-thickness"),
        ({"slice_thickness_mm": 3.01}, "calcium-slice-thickness"),
        ({"is_sharp_kernel": True}, "calcium-sharp-kernel"),
        ({"has_metal": True}, "calcium-metal"),
    ],
)
def test_departures_are_told(scan, code):
    assert [c.code for c in scored(agatston_1990, 300, **scan).conditions] == [code]


@pytest.mark.parametrize("thickness_mm", [2.5, 3.0])
def test_usual_thickness_is_the_plain_case(thickness_mm):
    assert scored(agatston_1990, 300, slice_thickness_mm=thickness_mm).conditions == ()


def test_score_of_a_scan_without_trigger_is_named_so():
    outcome = scored(agatston_1990, 300, is_gated=False)
    (score,) = outcome.measurements
    assert score.name == "agatston-score-ungated"
    assert score.quantity.meaning == "Coronary artery calcium score (not gated)"
    assert scored(agatston_1990, 300).measurements[0].quantity.value == "450360000"
    assert [c.code for c in outcome.conditions] == ["ct-not-gated"]


def calcified(spacing_zyx_mm=(3.0, 1.0, 1.0)):
    """Two slices: an L of five voxels joined by corners (250 HU, then 420), one voxel of 129.9 HU."""
    hu = np.full((2, 8, 8), 40.0, dtype=np.float32)
    for y, x in [(1, 1), (2, 2), (3, 3), (3, 4), (3, 5)]:
        hu[0, y, x], hu[1, y, x] = 210, 150
    hu[0, 2, 2], hu[1, 3, 5], hu[0, 6, 6] = 250, 420, 129.9
    return Image(hu, grid_of(hu.shape, spacing_zyx_mm), "HU")


def vessel_of(image, name="lad", columns=slice(None)):
    mask = np.zeros(image.grid.shape, dtype=bool)
    mask[:, :, columns] = True
    return Region(name, LESION, image.grid, mask=mask)


def test_image_by_hand():
    """Slice 0: 5 mm2 x 2; slice 1: 5 mm2 x 4, for its own maximum; corners join."""
    image = calcified()
    outcome = agatston_of_image(image, [vessel_of(image)], **SCAN)
    assert outcome.value("agatston-score") == 5 * 2 + 5 * 4
    assert outcome.value("agatston-score-lad") == 30
    assert {m.regions for m in outcome.measurements} == {("lad",)}


def test_maximum_is_that_of_the_slice_not_of_the_lesion():
    image = calcified()
    image.array[1] = 40
    image.array[1, 3, 3] = 420
    assert agatston_of_image(image, [vessel_of(image)], **SCAN).value("agatston-score") == 5 * 2 + 1 * 4


def test_vessels_add_up_to_the_whole():
    image = calcified()
    parts = [vessel_of(image, "rca", slice(0, 4)), vessel_of(image, "lad", slice(4, 8))]
    outcome = agatston_of_image(image, parts, **SCAN)
    assert outcome.value("agatston-score-rca") == 3 * 2 + 3 * 1
    assert outcome.value("agatston-score-lad") == 2 * 2 + 2 * 4
    assert outcome.value("agatston-score") == 9 + 12
    assert outcome.measurements[0].regions == ("rca", "lad")


def test_increment_of_the_grid_counts_not_a_thickness():
    image = calcified((1.5, 1.0, 1.0))
    assert agatston_of_image(image, [vessel_of(image)], **SCAN).value("agatston-score") == 15


def test_components_below_one_mm2_are_dropped():
    """Pixels of 0.4 mm: five voxels are 0.8 mm2."""
    image = calcified((3.0, 0.4, 0.4))
    assert agatston_of_image(image, [vessel_of(image)], **SCAN).value("agatston-score") == 0


@pytest.mark.parametrize(("kvp", "score"), [(80, 5 * 1 + 1 * 3), (100, 5 * 2 + 5 * 3), (120, 30)])
def test_image_at_a_lower_voltage_by_hand(kvp, score):
    """Components too are those of the adapted threshold: at 80 kV one voxel of the second slice reaches 177 HU."""
    image = calcified()
    outcome = agatston_kvp_of_image(image, [vessel_of(image)], **{**SCAN, "kvp": kvp})
    assert outcome.value("agatston-score") == score
    assert {m.regions for m in outcome.measurements} == {("lad",)}


def test_empty_vessels_score_zero():
    image = calcified()
    image.array[:] = 40
    assert agatston_of_image(image, [vessel_of(image)], **SCAN).value("agatston-score") == 0


def test_image_that_does_not_fit_is_refused():
    image = calcified()
    coronal = Grid(image.grid.shape, np.array([[0, 0, 1, 0], [3, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]]))
    with pytest.raises(GeometryError, match="slices are coronal"):
        agatston_of_image(Image(image.array, coronal, "HU"), [], **SCAN)
    with pytest.raises(UnitError, match="image is in 1"):
        agatston_of_image(Image(image.array, image.grid, "1"), [vessel_of(image)], **SCAN)


@pytest.mark.parametrize(
    ("score", "band", "category"),
    [
        (0, "none", "A0"),
        (0.01, "minimal", "A1"),
        (9.99, "minimal", "A1"),
        (10.01, "mild", "A1"),
        (99.99, "mild", "A1"),
        (100, "mild", "A2"),
        (100.01, "moderate", "A2"),
        (299.99, "moderate", "A2"),
        (300.01, "moderate", "A3"),
        (399.99, "moderate", "A3"),
        (400, "moderate", "A3"),
        (400.01, "severe", "A3"),
    ],
)
def test_classes_on_both_sides_of_every_limit(score, band, category):
    assert cac_bands_rumberger(AgatstonScore(agatston=score)).category("calcium-band") == band
    assert cac_drs_2018(CalciumBurden(agatston=score)).category("cac-drs") == category


def test_number_of_vessels_is_written_behind():
    assert cac_drs_2018(CalciumBurden(agatston=150, n_vessels=3)).category("cac-drs") == "A2/N3"
    assert cac_drs_2018(CalciumBurden(visual_grade=1, n_vessels=1)).category("cac-drs") == "V1/N1"


@pytest.mark.parametrize("burden", [{}, {"agatston": 5, "visual_grade": 1}])
def test_score_or_grade(burden):
    with pytest.raises(RefusedInput, match="needs either agatston"):
        CalciumBurden(**burden)


@pytest.mark.parametrize("burden", [{"agatston": 5, "n_vessels": 0}, {"agatston": 0, "n_vessels": 1}])
def test_vessels_that_contradict_the_score_are_refused(burden):
    with pytest.raises(RefusedInput, match="one of them is wrong"):
        CalciumBurden(**burden)


def test_without_trigger_there_is_no_class():
    for outcome in (
        cac_bands_rumberger(AgatstonScore(agatston=50, is_gated=False)),
        cac_drs_2018(CalciumBurden(agatston=50, is_gated=False)),
    ):
        assert outcome.categories == ()
        assert [c.code for c in outcome.conditions] == ["outside-population"]


@pytest.mark.parametrize(("score", "codes"), [(999.9, []), (1000, ["calcium-score-very-high"])])
def test_very_high_scores_are_mentioned(score, codes):
    assert [c.code for c in cac_drs_2018(CalciumBurden(agatston=score)).conditions] == codes


def test_class_carries_its_number_and_says_unverified():
    [found] = cac_bands_rumberger(AgatstonScore(agatston=50)).categories
    assert found.based_on["agatston"] == 50
    assert found.evidence == "unverified"
    assert "unverified" in scored(agatston_1990, 300).measurements[0].note


def test_insert_that_is_not_denser_than_water_is_refused():
    values = {"insert_mg_per_cm3": 200, "lesion_mean_hu": 300, "volume_mm3": 10}
    with pytest.raises(RefusedInput, match="calibration cannot be right"):
        calcium_mass(CalciumAndInsert(insert_hu=10, water_hu=10, **values))


def test_no_insert_no_mass():
    with pytest.raises(RefusedInput, match="insert_hu is not stated"):
        CalciumAndInsert(insert_mg_per_cm3=200, insert_hu=None, water_hu=0, lesion_mean_hu=300, volume_mm3=1)


def test_volume_says_whether_it_was_interpolated():
    voxels = {"n_voxels_ge_130": 10, "dx_mm": 0.5, "dy_mm": 0.5, "increment_mm": 3, **SCAN}
    assert "not interpolated" in calcium_volume(CalciumVoxels(**voxels)).measurements[0].note
    with pytest.raises(RefusedInput, match="tube voltage is 100"):
        calcium_volume(CalciumVoxels(**{**voxels, "kvp": 100}))
