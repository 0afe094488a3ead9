"""Left ventricle: grades from both sides of every limit, refusals, volumes of known bodies."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.measures import (
    AreaAndLength,
    DiscsOfTwoViews,
    VentricleVolumes,
    lv_volume_area_length,
    lv_volume_biplane_discs,
    lvef_ase_2015,
)

# Lowest EF (rounded) of each grade, and the grade below it.
LIMITS = {
    "M": [
        (30, "severely", "moderately"),
        (41, "moderately", "mildly"),
        (52, "mildly", "normal"),
        (73, "normal", "above_range"),
    ],
    "F": [
        (30, "severely", "moderately"),
        (41, "moderately", "mildly"),
        (54, "mildly", "normal"),
        (75, "normal", "above_range"),
    ],
}
ROWS = [(sex, *row) for sex, rows in LIMITS.items() for row in rows]


def graded(ef_percent, sex=None, **more):
    """1000 ml and the ESV that gives the EF, both exact to 0.01 %."""
    return lvef_ase_2015(
        VentricleVolumes(edv_ml=1000, esv_ml=round(1000 - 10 * ef_percent, 3), sex=sex, **more)
    )


@pytest.mark.parametrize(("sex", "limit", "below", "at"), ROWS)
def test_grade_changes_half_a_percent_below_the_limit(sex, limit, below, at):
    """EF is rounded half up first: 51.5 counts as 52, 51.49 as 51."""
    assert graded(limit - 0.51, sex).category("ase-grade") == below
    assert graded(limit - 0.5, sex).category("ase-grade") == at
    assert graded(limit, sex).category("ase-grade") == at


@pytest.mark.parametrize(
    ("ef_percent", "band"),
    [
        (40, "HFrEF"),
        (40.49, "HFrEF"),
        (40.5, "HFmrEF"),
        (41, "HFmrEF"),
        (49.49, "HFmrEF"),
        (49.5, "HFpEF"),
        (50, "HFpEF"),
    ],
)
def test_heart_failure_band(ef_percent, band):
    assert graded(ef_percent).category("hf-band") == band


def test_without_sex_there_is_no_grade():
    outcome = graded(60)
    assert outcome.category("ase-grade") is None
    assert [c.code for c in outcome.conditions] == ["sex-unstated"]


def test_uncertainty_is_printed_with_the_ef():
    [ef] = graded(60, "M").measurements
    assert (ef.value, ef.unit, ef.uncertainty) == (60, "%", 10)
    assert "60 +- 10 %" in ef.note


@pytest.mark.parametrize(
    ("sex", "edv_ml", "place"),
    [
        ("M", 61.9, "below"),
        ("M", 62, "within"),
        ("M", 150, "within"),
        ("M", 150.1, "above"),
        ("F", 45.9, "below"),
        ("F", 46, "within"),
        ("F", 106, "within"),
        ("F", 106.1, "above"),
    ],
)
def test_size_of_the_ventricle(sex, edv_ml, place):
    outcome = lvef_ase_2015(VentricleVolumes(edv_ml=edv_ml, esv_ml=20, sex=sex))
    assert outcome.category("lv-edv-range") == place


@pytest.mark.parametrize(
    ("sex", "index", "place"),
    [
        ("M", 33.9, "below"),
        ("M", 34, "within"),
        ("M", 74, "within"),
        ("M", 74.1, "above"),
        ("F", 28.9, "below"),
        ("F", 29, "within"),
        ("F", 61, "within"),
        ("F", 61.1, "above"),
    ],
)
def test_size_by_body_surface(sex, index, place):
    outcome = lvef_ase_2015(VentricleVolumes(edv_ml=2 * index, esv_ml=20, sex=sex, bsa_m2=2))
    assert outcome.value("lv-edv-index") == pytest.approx(index)
    assert outcome.category("lv-edv-index-range") == place


def test_exchanged_phases_are_refused():
    with pytest.raises(RefusedInput, match="phases seem exchanged"):
        VentricleVolumes(edv_ml=50, esv_ml=50.1)
    assert lvef_ase_2015(VentricleVolumes(edv_ml=50, esv_ml=50)).value("lvef") == 0


@pytest.mark.parametrize(
    ("loop", "message"),
    [
        ({"has_spacing": False}, "spacing"),
        ({"is_contrast_or_3d": True}, "3D"),
        ({"is_full_cycle": False}, "cycle"),
    ],
)
def test_unfit_loop_is_refused(loop, message):
    for call in (
        lambda: graded(60, "M", **loop),
        lambda: lv_volume_area_length(AreaAndLength(area4_cm2=30, l4_cm=8, **loop)),
        lambda: lv_volume_biplane_discs(DiscsOfTwoViews(a_cm=[4] * 20, l4_cm=8, **loop)),
    ):
        with pytest.raises(RefusedInput, match=message):
            call()


@pytest.mark.parametrize(("n_unseen", "codes"), [(2, []), (3, ["segments-not-visible"])])
def test_unseen_segments_are_told(n_unseen, codes):
    assert [c.code for c in graded(60, "M", n_segments_unseen=n_unseen).conditions] == codes


@pytest.mark.parametrize(
    ("l2_cm", "codes"), [(9.01, []), (9.0, ["foreshortening"]), (11.11, []), (11.12, ["foreshortening"])]
)
def test_axes_that_differ_by_a_tenth_are_told(l2_cm, codes):
    views = DiscsOfTwoViews(a_cm=[4] * 20, b_cm=[4] * 20, l4_cm=10, l2_cm=l2_cm)
    assert [c.code for c in lv_volume_biplane_discs(views).conditions] == codes


@given(st.floats(2, 8), st.floats(2, 8), st.floats(5, 12))
def test_elliptic_cylinder_is_measured_exactly(a_cm, b_cm, length_cm):
    views = DiscsOfTwoViews(a_cm=[a_cm] * 20, b_cm=[b_cm] * 20, l4_cm=length_cm, l2_cm=length_cm * 0.95)
    assert lv_volume_biplane_discs(views).value("lv-volume") == pytest.approx(
        math.pi / 4 * a_cm * b_cm * length_cm
    )


@given(st.floats(2, 8), st.floats(5, 12))
def test_ellipsoid_by_area_and_length_is_exact(width_cm, length_cm):
    """A prolate ellipsoid: area pi/4 w l, volume pi/6 w^2 l."""
    views = AreaAndLength(area4_cm2=math.pi / 4 * width_cm * length_cm, l4_cm=length_cm)
    assert lv_volume_area_length(views).value("lv-volume") == pytest.approx(
        math.pi / 6 * width_cm**2 * length_cm
    )


def test_phase_gives_the_name_and_code():
    views = {"a_cm": [4] * 20, "b_cm": [4] * 20, "l4_cm": 8, "l2_cm": 8}
    [edv] = lv_volume_biplane_discs(DiscsOfTwoViews(**views, phase="ED")).measurements
    assert (edv.name, edv.quantity.value, edv.quantity.scheme) == ("lv-edv", "79996-5", "LN")
    [single] = lv_volume_biplane_discs(DiscsOfTwoViews(a_cm=[4] * 20, l4_cm=8, phase="ES")).measurements
    assert (single.name, single.quantity.meaning) == ("lv-esv", "Volume")
    assert "single plane" in single.note


def test_other_number_of_discs_is_refused():
    with pytest.raises(RefusedInput, match="a_cm holds 19 diameters"):
        DiscsOfTwoViews(a_cm=[4] * 19, l4_cm=8)


def test_half_a_second_view_is_refused():
    with pytest.raises(RefusedInput, match="both area2_cm2 and l2_cm"):
        AreaAndLength(area4_cm2=30, l4_cm=8, area2_cm2=28)
