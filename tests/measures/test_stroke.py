"""Stroke: scores, volumes and mismatches from both sides of every limit, and what is refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.measures import (
    AspectsRegions,
    CoreAndDeficit,
    CoreAndHypoperfusion,
    DelayedTissue,
    HaemorrhageLengths,
    HaemorrhageOfPatient,
    SeptumAndInnerTable,
    abc2,
    aspects,
    dawn,
    defuse3_mismatch,
    hir,
    ich_score,
    midline_shift,
)

REGIONS = ["C", "L", "IC", "I", "M1", "M2", "M3", "M4", "M5", "M6"]


@given(st.lists(st.sampled_from(REGIONS)))
def test_aspects_counts_each_region_once(affected):
    assert aspects(AspectsRegions(affected=affected)).value("aspects") == 10 - len(set(affected))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"slice_thickness_mm": 5.1}, "5.1 mm thick"),
        ({"has_haemorrhage": True}, "haemorrhage"),
        ({"is_bilateral": True}, "both hemispheres"),
        ({"is_posterior": True}, "posterior circulation"),
    ],
)
def test_aspects_is_refused(more, message):
    with pytest.raises(RefusedInput, match=message):
        aspects(AspectsRegions(affected=["M1"], **more))


def test_aspects_at_5_mm_and_unknown_region():
    assert aspects(AspectsRegions(affected=["M1"], slice_thickness_mm=5)).value("aspects") == 9
    with pytest.raises(RefusedInput, match="affected"):
        AspectsRegions(affected=["M7"])


def blood(*areas_cm2, **more):
    lengths = {"a_cm": 4, "b_cm": 3, "slice_spacing_cm": 1, **more}
    return abc2(HaemorrhageLengths(slice_areas_cm2=areas_cm2, **lengths))


@pytest.mark.parametrize(
    ("area_cm2", "weight"),
    [(10, 1), (7.51, 1), (7.5, 0.5), (7.49, 0.5), (2.51, 0.5), (2.5, 0.5), (2.49, 0), (0, 0)],
)
def test_weight_of_a_slice(area_cm2, weight):
    assert blood(10, area_cm2).value("c") == 1 + weight


@given(st.floats(0.5, 8), st.floats(0.5, 8), st.floats(0.1, 1), st.integers(1, 10))
def test_whole_slices_give_half_the_box(a_cm, b_cm, spacing_cm, n):
    longer, shorter = max(a_cm, b_cm), min(a_cm, b_cm)
    volume_ml = blood(*[5.0] * n, a_cm=longer, b_cm=shorter, slice_spacing_cm=spacing_cm).value("abc2-volume")
    assert volume_ml == pytest.approx(a_cm * b_cm * n * spacing_cm / 2)


@pytest.mark.parametrize("shape", ["irregular", "multifocal", "intraventricular", "subdural"])
def test_other_shapes_are_refused(shape):
    with pytest.raises(RefusedInput, match=f"the blood is {shape}"):
        blood(10, shape=shape)


def test_lengths_must_fit():
    with pytest.raises(RefusedInput, match="no slice holds blood"):
        blood(0.0)
    with pytest.raises(RefusedInput, match="b_cm is longer"):
        blood(10, b_cm=4.1)


PATIENT = {"gcs": 15, "volume_ml": 10, "ivh": False, "infratentorial": False, "age_years": 50}


@pytest.mark.parametrize(
    ("more", "score"),
    [({"gcs": gcs}, points) for gcs, points in ((3, 2), (4, 2), (5, 1), (6, 1), (12, 1), (13, 0), (14, 0))]
    + [({"volume_ml": ml}, points) for ml, points in ((29.99, 0), (30, 1), (30.01, 1))]
    + [({"age_years": years}, points) for years, points in ((79.99, 0), (80, 1), (81, 1))]
    + [({"ivh": True}, 1), ({"infratentorial": True}, 1)],
)
def test_points_of_the_ich_score(more, score):
    assert ich_score(HaemorrhageOfPatient(**{**PATIENT, **more})).value("ich-score") == score


@pytest.mark.parametrize("gcs", [2, 16])
def test_impossible_coma_scale_is_refused(gcs):
    with pytest.raises(RefusedInput, match="gcs is"):
        HaemorrhageOfPatient(**{**PATIENT, "gcs": gcs})


@pytest.mark.parametrize(
    ("septum_mm", "shift_mm", "flag"),
    [
        (70, 0, "not above 5 mm"),
        (65.1, 4.9, "not above 5 mm"),
        (65, 5, "not above 5 mm"),
        (64.9, 5.1, "above 5 mm"),
        (75.1, 5.1, "above 5 mm"),
    ],
)
def test_midline_shift(septum_mm, shift_mm, flag):
    outcome = midline_shift(SeptumAndInnerTable(inner_table_width_mm=140, inner_table_to_septum_mm=septum_mm))
    assert outcome.value("midline-shift") == pytest.approx(shift_mm)
    assert outcome.category("midline-shift-flag") == flag


@given(st.floats(100, 180), st.floats(0, 1))
def test_side_does_not_matter_for_the_shift(width_mm, part):
    left, right = (
        midline_shift(SeptumAndInnerTable(inner_table_width_mm=width_mm, inner_table_to_septum_mm=mm)).value(
            "midline-shift"
        )
        for mm in (part * width_mm, (1 - part) * width_mm)
    )
    assert math.isclose(left, right, abs_tol=1e-9)


@pytest.mark.parametrize("rotation_deg", [5.1, -5.1])
def test_rotated_head_is_refused(rotation_deg):
    head = {"inner_table_width_mm": 140, "inner_table_to_septum_mm": 70}
    with pytest.raises(RefusedInput, match="rotated by"):
        midline_shift(SeptumAndInnerTable(**head, rotation_deg=rotation_deg))
    assert midline_shift(SeptumAndInnerTable(**head, rotation_deg=5)).value("midline-shift") == 0


def test_septum_outside_the_skull_is_refused():
    with pytest.raises(RefusedInput, match="outside the inner table"):
        SeptumAndInnerTable(inner_table_width_mm=140, inner_table_to_septum_mm=140.1)


def mismatch(core_ml, tmax_gt6_ml, **more):
    return defuse3_mismatch(CoreAndHypoperfusion(core_ml=core_ml, tmax_gt6_ml=tmax_gt6_ml, **more))


@pytest.mark.parametrize(
    ("core_ml", "tmax_gt6_ml", "result"),
    [
        (69.99, 200, "present"),
        (70, 200, "absent"),
        (70.01, 200, "absent"),
        (10, 24.99, "absent"),
        (10, 25, "present"),
        (10, 25.01, "present"),
        (55, 98.99, "absent"),
        (55, 99, "present"),
        (55, 99.01, "present"),
        (0, 15, "present"),
        (30, 20, "absent"),
    ],
)
def test_target_mismatch_at_every_limit(core_ml, tmax_gt6_ml, result):
    assert mismatch(core_ml, tmax_gt6_ml).category("target-mismatch") == result


POPULATION = [
    ("hours_since_last_well", (5.99, 16.01), (6, 16)),
    ("age_years", (17.9, 90.1), (18, 90)),
    ("nihss", (5,), (6,)),
    ("is_ica_or_m1", (False,), (True,)),
]


@pytest.mark.parametrize(("name", "outside", "inside"), POPULATION)
def test_outside_the_trial_there_is_no_class(name, outside, inside):
    for value in outside:
        outcome = mismatch(20, 100, **{name: value})
        assert outcome.categories == ()
        assert outcome.value("mismatch") == 80
        assert [c.code for c in outcome.conditions] == ["outside-population"]
    for value in inside:
        assert mismatch(20, 100, **{name: value}).category("target-mismatch") == "present"


@pytest.mark.parametrize(
    ("more", "at_limit", "message"),
    [
        ({"acquisition_time_s": 59.9}, {"acquisition_time_s": 60}, "59.9 s"),
        ({"sampling_interval_s": 3.51}, {"sampling_interval_s": 3.5}, "3.51 s apart"),
        ({"coverage_cm": 3.9}, {"coverage_cm": 4}, "3.9 cm"),
        ({"has_both_peaks": False}, {}, "peak is missing"),
        ({"is_motion_corrected": False}, {}, "motion"),
    ],
)
def test_volumes_that_cannot_be_trusted_are_refused(more, at_limit, message):
    deficit = {"age_years": 70, "nihss": 15, "core_ml": 10}
    delayed = {"tmax_gt10_ml": 10, "tmax_gt6_ml": 100}
    for rule, typed, values in (
        (defuse3_mismatch, CoreAndHypoperfusion, {"core_ml": 20, "tmax_gt6_ml": 100}),
        (dawn, CoreAndDeficit, deficit),
        (hir, DelayedTissue, delayed),
    ):
        with pytest.raises(RefusedInput, match=message):
            rule(typed(**values, **more))
        assert rule(typed(**values, **at_limit)).categories


@pytest.mark.parametrize(
    ("age_years", "nihss", "core_ml", "group"),
    [
        (80, 10, 20.99, "A"),
        (80, 9, 20, None),
        (80, 10, 21, None),
        (80, 25, 40, None),
        (79.99, 10, 20.99, "B"),
        (79.99, 10, 30.99, "B"),
        (79.99, 9, 30, None),
        (79.99, 19, 31, None),
        (79.99, 20, 30.99, "B"),
        (79.99, 20, 31, "C"),
        (79.99, 20, 50.99, "C"),
        (79.99, 20, 51, None),
    ],
)
def test_groups_of_dawn(age_years, nihss, core_ml, group):
    outcome = dawn(CoreAndDeficit(age_years=age_years, nihss=nihss, core_ml=core_ml))
    assert outcome.category("dawn-group") == group
    assert bool(outcome.conditions) == (group is None)


@pytest.mark.parametrize(("hours", "group"), [(5.9, None), (6, "B"), (24, "B"), (24.1, None)])
def test_hours_of_dawn(hours, group):
    patient = CoreAndDeficit(age_years=70, nihss=15, core_ml=10, hours_since_last_well=hours)
    assert dawn(patient).category("dawn-group") == group


@pytest.mark.parametrize(
    ("tmax_gt10_ml", "collaterals"),
    [(39.99, "favourable"), (40, "not favourable"), (40.01, "not favourable")],
)
def test_intensity_ratio(tmax_gt10_ml, collaterals):
    outcome = hir(DelayedTissue(tmax_gt10_ml=tmax_gt10_ml, tmax_gt6_ml=100))
    assert outcome.category("collaterals") == collaterals


def test_part_larger_than_the_whole_is_refused():
    with pytest.raises(RefusedInput, match="exchange them"):
        DelayedTissue(tmax_gt10_ml=100.1, tmax_gt6_ml=100)
    with pytest.raises(RefusedInput, match="tmax_gt6_ml is 0"):
        DelayedTissue(tmax_gt10_ml=0, tmax_gt6_ml=0)
