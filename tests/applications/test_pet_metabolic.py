"""The PET application on images made by hand: what is measured, what is open, what is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.applications.pet_studies import (
    FDG,
    box,
    codes,
    given,
    grid_of,
    pet,
    read,
    text_of,
    values,
)

from hounsfield.applications.pet_metabolic import tracer_conditions
from hounsfield.core import Code, Condition
from hounsfield.core.code import (
    ANATOMICAL_STRUCTURE,
    INCREASED_UPTAKE,
    LESION,
    MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
    SPATIAL_CONCEPT,
)
from hounsfield.core.errors import GeometryError

SHAPE = (12, 14, 16)
VOXEL_ML = 3.0 * 4.0 * 4.0 / 1000.0
LESION_BOX = box(SHAPE, slice(4, 8), slice(5, 9), slice(6, 10))
ABNORMAL = {"category": MORPHOLOGICALLY_ABNORMAL_STRUCTURE}


def one_lesion():
    """Background 1; 64 voxels of a lesion: 32 of SUV 10, 16 of 4, 8 of 3, 8 of 2."""
    array = np.ones(SHAPE)
    array[LESION_BOX] = np.repeat([10.0, 4.0, 3.0, 2.0], [32, 16, 8, 8])
    return array


def test_every_measure_of_a_lesion_by_hand():
    reading = read(pet(one_lesion()), given(grid_of(SHAPE), {"tumour": LESION_BOX}, **ABNORMAL))
    measured = values(reading, "tumour")
    peak = measured.pop("suv-peak")
    # 41 % of 10 is 4.1: the voxels of SUV 10 alone.
    assert measured == pytest.approx(
        {
            "volume": 64 * VOXEL_ML,
            "suv-max": 10.0,
            "suv-mean": (320 + 64 + 24 + 16) / 64,
            "mtv-41": 32 * VOXEL_ML,
            "tlg-41": 320 * VOXEL_ML,
            "mtv-2.5": 56 * VOXEL_ML,
            "tlg-2.5": (320 + 64 + 24) * VOXEL_ML,
            "mtv-4.0": 48 * VOXEL_ML,
            "tlg-4.0": (320 + 64) * VOXEL_ML,
        }
    )
    assert 4.0 < peak < 10.0
    assert {m.unit for m in reading.measurements} == {"ml", "g", "g/ml{SUVbw}"}


def test_what_the_file_calls_a_lesion_is_present_under_its_own_concept():
    mass = Code("4147007", "SCT", "Mass")
    (finding,) = read(
        pet(one_lesion()), given(grid_of(SHAPE), {"tumour": LESION_BOX}, concept=mass, **ABNORMAL)
    ).findings
    assert (finding.concept, finding.presence, finding.regions) == (mass, "present", ("tumour",))
    (unnamed,) = read(pet(one_lesion()), given(grid_of(SHAPE), {"tumour": LESION_BOX}, **ABNORMAL)).findings
    assert unnamed.concept == LESION


def test_region_of_unstated_meaning_is_measured_and_open():
    reading = read(pet(one_lesion()), given(grid_of(SHAPE), {"pet-mask": LESION_BOX}, modality=None))
    (finding,) = reading.findings
    assert (finding.concept, finding.presence) == (LESION, "indeterminate")
    assert "does not say whether it is a lesion" in finding.reason
    assert "pet-mask" in text_of(reading, "regions-unstated")
    assert values(reading, "pet-mask")["suv-max"] == 10.0


def test_what_the_file_calls_anatomy_is_named_and_not_measured():
    grid = grid_of(SHAPE)
    organs = given(grid, {"liver": LESION_BOX}, key="organs.dcm", category=ANATOMICAL_STRUCTURE)
    reading = read(pet(one_lesion()), organs, given(grid, {"tumour": LESION_BOX}, **ABNORMAL))
    assert [region.name for region in reading.regions] == ["tumour"]
    assert "something else than a lesion: liver" in text_of(reading, "regions-not-lesions")


def test_organs_alone_are_no_lesion_so_uptake_is_searched():
    reading = read(
        pet(one_lesion()), given(grid_of(SHAPE), {"liver": LESION_BOX}, category=ANATOMICAL_STRUCTURE)
    )
    assert {"regions-not-lesions", "uptake-not-classified"} <= set(codes(reading))
    assert [finding.presence for finding in reading.findings] == ["indeterminate"]


def test_equal_names_in_two_files_are_told_apart():
    grid, other = grid_of(SHAPE), box(SHAPE, slice(1, 3), slice(1, 3), slice(1, 3))
    reading = read(
        pet(one_lesion()),
        given(grid, {"gtv": LESION_BOX}, key="a.dcm", **ABNORMAL),
        given(grid, {"gtv": other, "gtv-2": other}, key="b.dcm", **ABNORMAL),
    )
    assert [region.name for region in reading.regions] == ["gtv", "gtv-2", "gtv-2-2"]
    assert values(reading, "gtv")["suv-max"] == 10.0
    assert values(reading, "gtv-2")["suv-max"] == 1.0


def test_region_beyond_the_pet_is_told_with_its_share():
    larger = grid_of((20, 14, 16))
    mask = box(larger.shape, slice(9, 15), slice(5, 9), slice(6, 10))  # 3 of its 6 slices on the PET
    reading = read(pet(one_lesion()), given(larger, {"tumour": mask}, **ABNORMAL))
    assert text_of(reading, "region-outside-image").startswith("50.0% of region 'tumour'")
    assert reading.region("tumour").n_voxels == 3 * 16


@pytest.mark.parametrize("is_marked", [True, False])
def test_region_that_is_not_on_the_pet_is_told_and_uptake_is_searched(is_marked):
    elsewhere = grid_of(SHAPE, origin_mm=(-30.0, -20.0, 400.0))
    mask = LESION_BOX if is_marked else np.zeros_like(LESION_BOX)
    reading = read(pet(one_lesion()), given(elsewhere, {"tumour": mask}, **ABNORMAL))
    assert "marks no voxel of this PET" in text_of(reading, "region-not-on-image")
    assert [region.name for region in reading.regions] == ["uptake-1"]


def test_region_at_the_edge_is_told():
    array = np.full(SHAPE, 3.0)
    mask = box(SHAPE, slice(0, 6), slice(5, 9), slice(6, 10))
    reading = read(pet(array), given(grid_of(SHAPE), {"tumour": mask}, **ABNORMAL))
    assert "'tumour' reaches the edge" in text_of(reading, "region-at-edge")


def test_peak_that_does_not_fit_is_told_and_the_rest_measured():
    array = np.full((3, 14, 16), 3.0)
    mask = box(array.shape, slice(0, 3), slice(5, 9), slice(6, 10))
    reading = read(pet(array), given(grid_of(array.shape), {"tumour": mask}, **ABNORMAL))
    assert "Use the uncropped series" in text_of(reading, "suv-peak-refused")
    assert "suv-peak" not in values(reading, "tumour")
    assert values(reading, "tumour")["mtv-2.5"] == pytest.approx(48 * VOXEL_ML)


def test_lesion_without_any_uptake_has_no_metabolic_volume():
    reading = read(pet(np.zeros(SHAPE)), given(grid_of(SHAPE), {"tumour": LESION_BOX}, **ABNORMAL))
    measured = values(reading, "tumour")
    assert measured["volume"] == pytest.approx(64 * VOXEL_ML)
    assert [measured[name] for name in ("suv-max", "mtv-41", "tlg-41", "mtv-2.5")] == [0.0, 0.0, 0.0, 0.0]


def test_regions_that_cannot_be_drawn_are_told():
    def fail(_grid):
        raise GeometryError("a contour of 'gtv' spans 9.0 slices. Draw it on the PET.")

    broken = replace(given(grid_of(SHAPE), {}, key="rt.dcm"), grid=None, load_regions=fail)
    reading = read(pet(one_lesion()), broken)
    assert text_of(reading, "regions-not-drawn").startswith("The regions of rt.dcm were not used: a contour")
    assert reading.status == "complete"


def test_segmentation_that_could_not_be_read_is_told():
    refusal = Condition("segmentation-refused", "refusal", "seg.dcm has no segments. Send it again.")
    damaged = replace(given(grid_of(SHAPE), {}, key="seg.dcm"), kind="other", conditions=(refusal,))
    reading = read(pet(one_lesion()), study=(damaged,))
    assert "seg.dcm has no segments" in text_of(reading, "regions-unreadable")
    assert not any(condition.severity == "refusal" for condition in reading.conditions)


def test_found_uptake_is_indeterminate_and_says_why():
    array = np.ones(SHAPE)
    array[2:5, 2:5, 2:5], array[7:11, 8:12, 9:13] = 9.0, 66.5
    reading = read(pet(array))
    assert [(f.name, f.presence) for f in reading.findings] == [
        ("uptake-1", "indeterminate"),
        ("uptake-2", "indeterminate"),
    ]
    assert "SUV 66.5" in reading.findings[0].reason
    assert "bladder" in text_of(reading, "uptake-not-classified")
    np.testing.assert_array_equal(reading.region("uptake-1").mask, array == 66.5)
    assert {(r.concept, r.category) for r in reading.regions} == {(INCREASED_UPTAKE, SPATIAL_CONCEPT)}
    assert values(reading, "uptake-2")["mtv-2.5"] == pytest.approx(27 * VOXEL_ML)


def test_found_focus_states_no_volume_below_where_it_ends():
    array = np.ones(SHAPE)
    array[2:5, 2:5, 2:5], array[7:11, 8:12, 9:13] = 6.0, 6.2  # 41 %: 2.46 and 2.54
    reading = read(pet(array))
    assert "mtv-41" in values(reading, "uptake-1")
    assert not {"mtv-41", "tlg-41"} & set(values(reading, "uptake-2"))
    assert "uptake-2" in text_of(reading, "threshold-below-focus")


def test_found_foci_are_bounded_and_the_rest_is_counted():
    array = np.ones((30, 20, 20))
    for number in range(25):
        z, y = divmod(number, 5)
        array[6 * z : 6 * z + 3, 4 * y : 4 * y + 2, 4:8] = 10.0 + number
    array[2, 19, 19] = 50.0  # one voxel of 0.048 ml
    reading = read(pet(array))
    assert len(reading.findings) == len(reading.regions) == 20
    assert values(reading, "uptake-20")["suv-max"] == 15.0
    assert text_of(reading, "foci-left-out").startswith("5 further foci")
    assert text_of(reading, "foci-too-small").startswith("1 foci")


def test_no_focus_excludes_nothing():
    reading = read(pet(np.random.default_rng(1).uniform(0.5, 3.5, SHAPE)))
    (finding,) = reading.findings
    assert (finding.name, finding.presence, reading.regions) == ("uptake", "indeterminate", ())
    assert "none is excluded" in finding.reason


def test_several_time_points_are_refused():
    reading = read(pet(np.ones((3, *SHAPE))))
    assert reading.status == "refused"
    assert "holds 3 time points" in text_of(reading, "several-time-points")


@pytest.mark.parametrize("axes", [(0,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("is_given", [True, False])
def test_flipped_pet_gives_equal_figures(axes, is_given):
    rng = np.random.default_rng(7)
    array = (one_lesion() + rng.uniform(0.0, 0.5, SHAPE)).astype(np.float32)
    grid = grid_of(SHAPE)
    affine = np.array(grid.affine)
    for axis in axes:
        affine[:3, 3] += affine[:3, axis] * (SHAPE[axis] - 1)
        affine[:3, axis] *= -1
    flipped = replace(grid, affine=affine)
    regions = [given(grid, {"tumour": LESION_BOX}, **ABNORMAL)] if is_given else []
    plain, turned = read(pet(array, grid), *regions), read(pet(np.flip(array, axes), flipped), *regions)
    name = "tumour" if is_given else "uptake-1"
    assert values(turned, name) == pytest.approx(values(plain, name), rel=1e-6)
    np.testing.assert_array_equal(np.flip(turned.region(name).mask, axes), plain.region(name).mask)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (FDG, []),
        ({"Radiopharmaceutical": "FDG -- fluorodeoxyglucose", "RadiopharmaceuticalCode": "Y-X1743"}, []),
        ({"Radiopharmaceutical": "18F-FDG"}, []),
        ({"Radiopharmaceutical": "Fluordesoxyglukose"}, []),
        ({"Radiopharmaceutical": "Solution", "RadiopharmaceuticalCode": "C-B1031"}, []),
        ({"Radiopharmaceutical": "FDGal"}, ["tracer-not-fdg"]),
        ({"Radiopharmaceutical": "68Ga PSMA-11"}, ["tracer-not-fdg"]),
        ({"RadiopharmaceuticalCode": "C-B1036"}, ["tracer-not-fdg"]),
        ({}, ["tracer-unstated"]),
    ],
)
def test_tracer_that_is_not_fdg_is_told(tags, expected):
    found = tracer_conditions(pet(np.ones(SHAPE), tags=tags))
    assert [condition.code for condition in found] == expected
    assert all(condition.severity == "warning" for condition in found)


def test_same_input_gives_the_same_reading():
    series, regions = pet(one_lesion()), given(grid_of(SHAPE), {"tumour": LESION_BOX}, **ABNORMAL)
    assert read(series, regions).to_json() == read(series, regions).to_json()
    assert read(series).to_json() == read(series).to_json()
