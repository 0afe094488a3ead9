"""Series of visits: growth and atrophy are those that were asked for, and the files of every visit hold them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hounsfield.core.errors import UsageError
from hounsfield.phantoms import write_phantom
from hounsfield.phantoms.brain_mr import BrainMrParameters, brain_visits, scan
from hounsfield.studies import read_studies

DAYS_PER_YEAR = 365.25


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("brain")
    return folder, write_phantom("brain-mr", folder, regions="seg", seed=4)


@pytest.fixture(scope="module")
def chest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chest")
    options = {"visit_days": (0, 120), "n_slices": 90, "matrix_px": 128}
    return folder, write_phantom("lung-nodule-followup", folder, regions="tracked", seed=4, **options)


def lesions_of(image, key="lesions"):
    return {one["name"]: one for one in image.truth[key]}


def test_lesions_double_and_halve_in_the_time_asked_for(brain):
    _, study = brain
    first, last = (lesions_of(study.images[f"day-{day}-flair"]) for day in (0, 365))
    for name, doubling_days in (("lesion-1", 240.0), ("lesion-2", -400.0)):
        ratio = last[name]["volume_mm3"] / first[name]["volume_mm3"]
        assert ratio == pytest.approx(2 ** (365 / doubling_days))
    assert first["lesion-1"]["volume_mm3"] == pytest.approx(math.pi / 6 * 16**3)


def test_masks_hold_the_true_volumes(brain):
    """Voxels whose centre lies inside: 3 % for lesions and hippocampi of some hundred voxels."""
    _, study = brain
    for image in study.images.values():
        voxel_mm3 = image.grid.voxel_volume_mm3
        for name, lesion in lesions_of(image).items():
            assert image.masks[name].sum() * voxel_mm3 == pytest.approx(lesion["volume_mm3"], rel=0.05)
        for name, mm3 in image.truth["hippocampi_mm3"].items():
            assert image.masks[name].sum() * voxel_mm3 == pytest.approx(mm3, rel=0.05)
        assert image.masks["ventricles"].sum() * voxel_mm3 == pytest.approx(
            image.truth["ventricles_mm3"], rel=0.03
        )


def test_brain_shrinks_and_ventricles_grow_at_the_rates_asked_for(brain):
    _, study = brain
    first, last = (study.images[f"day-{day}-t1"].truth for day in (0, 365))
    years = 365 / DAYS_PER_YEAR
    assert last["ventricles_mm3"] / first["ventricles_mm3"] == pytest.approx(1 + 0.08 * years)
    for name, mm3 in first["hippocampi_mm3"].items():
        assert last["hippocampi_mm3"][name] / mm3 == pytest.approx(1 - 0.04 * years)
    # The parameter is of the folded envelope; ventricles that grow take their part.
    assert 0.97 < last["brain_mm3"] / first["brain_mm3"] < 0.992


def test_lesions_lie_where_the_truth_says_in_every_visit(brain):
    _, study = brain
    for image in study.images.values():
        for name, lesion in lesions_of(image).items():
            centre_mm = image.grid.index_to_mm(np.argwhere(image.masks[name])).mean(axis=0)
            np.testing.assert_allclose(centre_mm, lesion["centre_mm"], atol=0.5)


def test_the_head_lies_differently_unless_asked_not_to():
    moved, still = (brain_visits(BrainMrParameters(moves=moves)) for moves in (True, False))
    assert len({visit.frame_of_reference_uid for visit in moved}) == 3
    assert len({visit.frame_of_reference_uid for visit in still}) == 1
    assert np.abs(moved[2].lying.shift_mm).max() > 0.5
    assert not still[2].lying.shift_mm.any()


def test_noise_is_that_of_magnitude_images():
    """Where there is no signal, Rician noise is Rayleigh: mean sigma sqrt(pi/2), sd sigma sqrt(2 - pi/2)."""
    parameters = BrainMrParameters(noise=0.03, visit_days=(0,))
    made = scan(parameters, brain_visits(parameters)[0], "t1")
    air = made.array[-3:, :12, :12].astype(float)
    assert air.mean() == pytest.approx(30 * math.sqrt(math.pi / 2), rel=0.05)
    assert air.std() == pytest.approx(30 * math.sqrt(2 - math.pi / 2), rel=0.1)


def test_contrasts_are_those_of_t1_and_flair(brain):
    """Fluid is dark on both; the lesion is darker than white matter on T1 and brighter on FLAIR."""
    _, study = brain
    for name, sign in (("day-0-t1", -1), ("day-0-flair", 1)):
        image = study.images[name]
        lesion = image.array[image.masks["lesion-1"]].mean()
        index = np.round(image.grid.mm_to_index(np.array([0.0, 40.0, 30.0]))).astype(int)
        white = image.array[tuple(slice(i - 2, i + 3) for i in index)].mean()
        assert sign * (lesion - white) > 0.1 * white
        assert image.array[image.masks["ventricles"]].mean() < 0.6 * white


def test_lesion_that_comes_later_or_vanishes_is_not_there():
    parameters = BrainMrParameters(
        lesion_diameters_mm=(14.0, 8.0, 7.0),
        lesion_doubling_days=(300.0, 200.0, -70.0),
        lesion_first_days=(0, 180, 0),
    )
    there = [sorted(visit.head.lesions) for visit in brain_visits(parameters)]
    assert there == [["lesion-1", "lesion-3"], ["lesion-1", "lesion-2", "lesion-3"], ["lesion-1", "lesion-2"]]


@pytest.mark.parametrize("which", ["brain", "chest"])
def test_every_visit_is_a_study_of_the_one_patient_with_its_regions(which, request):
    folder, written = request.getfixturevalue(which)
    found = read_studies(folder / "dicom")
    days = sorted({image.day for image in written.images.values()})
    assert not found.refused
    assert len(found.studies) == len(days)
    assert len({study.tags["PatientID"] for study in found.studies}) == 1
    assert len({study.tags["StudyDate"] for study in found.studies}) == len(days)
    for study in found.studies:
        (given,) = [s for s in study.series if s.kind == "regions"]
        (key,) = given.tags["referenced_series"]
        (series,) = [s for s in study.series if s.key == key]
        regions = given.regions(series.grid)
        sizes = [region.n_voxels for region in regions]
        assert sizes == sorted(sizes, reverse=True)
        assert {region.name for region in regions} == {f"lesion-{n}" for n in range(1, len(sizes) + 1)}


def test_nodules_double_and_halve_in_the_time_asked_for(chest):
    _, study = chest
    first, last = (lesions_of(study.images[name], "nodules") for name in ("day-0", "day-120"))
    for name, doubling_days in (("nodule-1", 150.0), ("nodule-2", -300.0), ("nodule-3", 1e9)):
        ratio = last[name]["volume_mm3"] / first[name]["volume_mm3"]
        assert ratio == pytest.approx(2 ** (120 / doubling_days))
        image = study.images["day-120"]
        centre_mm = image.grid.index_to_mm(np.argwhere(image.masks[name])).mean(axis=0)
        np.testing.assert_allclose(centre_mm, last[name]["centre_mm"], atol=0.7)
        assert image.array[image.masks[name]].mean() > -150


def test_later_chest_differs_in_nodules_and_noise_alone(chest):
    _, study = chest
    first, last = study.images["day-0"], study.images["day-120"]
    np.testing.assert_array_equal(first.masks["left-lung"], last.masks["left-lung"])
    shift_mm = np.array(last.truth["shift_mm"])
    np.testing.assert_allclose(np.array(last.grid.origin_mm) - first.grid.origin_mm, shift_mm, atol=1e-6)
    difference = last.array.astype(float) - first.array
    assert 0.7 < difference[first.masks["left-lung"]].std() / (12 * math.sqrt(2)) < 1.5
    assert first.grid.frame_of_reference_uid != last.grid.frame_of_reference_uid


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("brain-mr", {"visit_days": (0, 90, 30)}, "begin with 0 and rise"),
        ("brain-mr", {"lesion_doubling_days": (100.0,)}, "one number for each"),
        ("brain-mr", {"lesion_doubling_days": (60.0, 0.0)}, "grows to"),
        ("brain-mr", {"ventricle_growth_percent": 90.0}, "ventricle_growth_percent"),
        ("lung-nodule-followup", {"nodule_doubling_days": (30.0, 0.0, 0.0)}, "becomes"),
        ("lung-nodule-followup", {"visit_days": (5,)}, "begin with 0"),
    ],
)
def test_impossible_courses_are_refused(kind, options, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        write_phantom(kind, tmp_path / "new", **options)
