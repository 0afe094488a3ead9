"""Phantoms on disk: what truth.json says is what the files hold."""

from __future__ import annotations

import json
import math

import numpy as np
import pydicom
import pytest

from hounsfield.core.errors import UsageError
from hounsfield.phantoms import write_phantom
from hounsfield.phantoms.truth_files import read_masks
from hounsfield.studies import read_study

CHEST = {"n_slices": 24, "matrix_px": 96, "extent_mm": 150.0}


@pytest.fixture(scope="module")
def chest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chest")
    write_phantom("chest-ct", folder, seed=3, **CHEST)
    return folder


@pytest.fixture(scope="module")
def pet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pet")
    write_phantom("fdg-pet", folder, seed=3, n_slices=60, matrix_px=96)
    return folder


def truth_of(folder):
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


def image_of(folder):
    (series,) = [s for s in read_study(folder).series if s.kind == "image"]
    return series.image()


def test_chest_is_read_back_on_the_grid_of_its_truth(chest):
    image, grid = image_of(chest), truth_of(chest)["grid"]
    assert image.unit == grid["unit"] == "HU"
    assert list(image.array.shape) == grid["shape_zyx"]
    assert image.grid.affine == pytest.approx(np.array(grid["affine_zyx_to_lps_mm"]), abs=1e-3)


def test_lung_volume_and_density_are_those_of_the_masks(chest):
    image, truth, masks = image_of(chest), truth_of(chest), read_masks(chest)
    for name in ("left-lung", "right-lung"):
        millilitres = masks[name].sum() * image.grid.voxel_volume_mm3 / 1000
        assert millilitres == pytest.approx(truth[name]["volume_ml"], rel=1e-6)
        assert image.array[masks[name]].mean() == pytest.approx(truth[name]["mean_hu"], abs=3.0)


def test_left_lies_on_the_patients_left(chest):
    image, masks = image_of(chest), read_masks(chest)
    centre_mm = {
        n: image.grid.index_to_mm(np.argwhere(masks[n])).mean(axis=0)[0] for n in ("left-lung", "right-lung")
    }
    assert centre_mm["left-lung"] > 0 > centre_mm["right-lung"]


def test_suv_of_the_spheres_follows_from_the_headers(pet):
    """Stored values to SUV by the formula, without this project's reader."""
    truth = truth_of(pet)
    data_sets = sorted(
        (pydicom.dcmread(path) for path in (pet / "dicom").iterdir()),
        key=lambda ds: ds.ImagePositionPatient[2],
    )
    first = data_sets[0]
    drug = first.RadiopharmaceuticalInformationSequence[0]
    waited_s = truth["parameters"]["uptake_s"]
    dose_bq = float(drug.RadionuclideTotalDose) * 2 ** (-waited_s / float(drug.RadionuclideHalfLife))
    bq_ml = np.stack(
        [ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept) for ds in data_sets]
    )
    suv = bq_ml * float(first.PatientWeight) * 1000 / dose_bq
    masks = read_masks(pet)
    for sphere in truth["spheres"]:
        if sphere["name"] in masks and sphere["diameter_mm"] >= 22:
            assert suv[masks[sphere["name"]]].max() == pytest.approx(sphere["suv_max"], rel=0.25)
        assert sphere["volume_mm3"] == pytest.approx(math.pi / 6 * sphere["diameter_mm"] ** 3)


def test_objects_say_that_they_are_synthetic_and_for_research(chest, pet):
    for folder in (chest, pet):
        path = min((folder / "dicom").iterdir())
        said = str(pydicom.dcmread(path, stop_before_pixels=True)).lower()
        assert "synthetic" in said
        assert "Research use only" in truth_of(folder)["notice"]


def files_of(folder):
    return [path.read_bytes() for path in sorted((folder / "dicom").iterdir())]


def test_equal_seeds_give_equal_bytes_and_others_do_not(tmp_path, chest, pet):
    write_phantom("chest-ct", tmp_path / "chest", seed=3, **CHEST)
    assert files_of(tmp_path / "chest") == files_of(chest)
    for name, seed in (("same", 3), ("other", 4)):
        write_phantom("fdg-pet", tmp_path / name, seed=seed, n_slices=60, matrix_px=96)
    assert files_of(tmp_path / "same") == files_of(pet)
    assert files_of(tmp_path / "other") != files_of(pet)


def test_a_folder_of_others_is_not_overwritten(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds no phantom"):
        write_phantom("chest-ct", tmp_path, **CHEST)
    assert (tmp_path / "mine.txt").read_text() == "mine"
