"""Body composition on phantoms of known areas: at L3 given, estimated or unknown, and every warning and refusal.

The limits were set with seed 1 and on one half of a real CT; the seeds here are others.
"""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pydicom
import pytest

import hounsfield
from hounsfield.applications.body_composition_ct import (
    extent_conditions,
    image_conditions,
    muscle_index,
    read_body_composition_ct,
)
from hounsfield.core import Grid, Image, Inputs, Series, Study
from hounsfield.imaging.affine import ras_xyz_from_lps_zyx
from hounsfield.imaging.body_composition import Abdomen
from hounsfield.phantoms import write_phantom

SMALL = {"n_slices": 52, "matrix_px": 128}
TISSUES = ("skeletal-muscle", "subcutaneous-fat", "visceral-fat")
# Pixels of 3 mm blend 2 mm of skin with the fat under it: of a layer 20 mm thick that takes up to a tenth.
AREA_TOLERANCE = {"skeletal-muscle": 0.10, "subcutaneous-fat": 0.12, "visceral-fat": 0.08}
FINE_TOLERANCE = {"skeletal-muscle": 0.08, "subcutaneous-fat": 0.03, "visceral-fat": 0.04}


def read(folder, **options):
    (reading,) = hounsfield.read(folder, applications=["body_composition_ct"], **options)
    return reading


def codes(reading):
    return {condition.code for condition in reading.conditions}


def text_of(reading, code):
    (text,) = [c.text for c in reading.conditions if c.code == code]
    return text


def values(reading):
    return {m.name: m.value for m in reading.measurements}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A plain study with L3 given, and what became of it."""
    folder = tmp_path_factory.mktemp("abdomen")
    phantom = write_phantom("abdomen-ct", folder, seed=11, regions="seg", height_m=1.6, **SMALL)
    return folder, phantom


def without_region(folder, out):
    """The same study without its SEG."""
    (out / "dicom").mkdir(parents=True)
    for path in (folder / "dicom").glob("0*.dcm"):
        (out / "dicom" / path.name).write_bytes(path.read_bytes())
    return out


def test_areas_at_a_given_level_are_those_of_the_phantom(plain):
    folder, phantom = plain
    reading = read(folder)
    assert reading.status == "complete"
    assert codes(reading) == {"tissues-told-by-rules"}
    for tissue in TISSUES:
        truth = phantom.truth["l3_areas_cm2"][tissue]
        assert values(reading)[f"{tissue}-area"] == pytest.approx(truth, rel=AREA_TOLERANCE[tissue]), tissue
        drawn = np.flatnonzero(reading.region(f"{tissue}-l3").mask.any(axis=(1, 2)))
        assert drawn.tolist() == [phantom.truth["l3_slice"]]
    vertebra = reading.region("l3-vertebra").mask
    assert (vertebra & phantom.masks["l3-vertebra"]).sum() > 0.9 * vertebra.sum() > 0
    assert "at L3 (given)" in reading.measurements[0].note


def test_muscle_index_is_the_area_over_height_squared(plain):
    folder, phantom = plain
    found = values(read(folder))
    assert found["smi-l3"] == pytest.approx(found["skeletal-muscle-area"] / 1.6**2)
    # Pixels of 3 mm at the borders of a thin wall hold fat too.
    assert -10 < found["muscle-attenuation"] - phantom.truth["tissue_hu"]["skeletal-muscle"] < 0


def test_level_is_estimated_where_none_is_given_and_told_to_be_so(plain, tmp_path):
    folder, phantom = plain
    reading = read(without_region(folder, tmp_path))
    assert reading.status == "complete"
    (k,) = np.flatnonzero(reading.region("skeletal-muscle-l3").mask.any(axis=(1, 2)))
    off_mm = (k - phantom.truth["levels"]["L3"]["slice"]) * phantom.grid.spacing_mm[0]
    assert abs(off_mm) <= 8.0
    text = text_of(reading, "l3-estimated")
    assert f"slice {k + 1} of 52" in text
    assert "One vertebra higher: muscle" in text
    assert "one vertebra lower: muscle" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "options", "tolerance"),
    [
        (21, {"contrast": "iodine"}, AREA_TOLERANCE),
        (23, {"fat_mm": 40.0, "field_of_view_mm": 460.0}, AREA_TOLERANCE),
        (24, {"noise_hu": 20.0}, AREA_TOLERANCE),
        (25, {"n_slices": 60, "matrix_px": 320}, FINE_TOLERANCE),
        (22, {"fat_mm": 8.0, "matrix_px": 320}, {**FINE_TOLERANCE, "subcutaneous-fat": 0.08}),
    ],
)
def test_other_bodies_phases_and_resolutions(seed, options, tolerance, tmp_path):
    phantom = write_phantom("abdomen-ct", tmp_path, seed=seed, **{**SMALL, **options})
    reading = read(tmp_path)
    (k,) = np.flatnonzero(reading.region("skeletal-muscle-l3").mask.any(axis=(1, 2)))
    assert abs(k - phantom.truth["levels"]["L3"]["slice"]) * phantom.grid.spacing_mm[0] <= 8.0
    for tissue in TISSUES:
        truth = phantom.truth["areas_cm2"][tissue][k]
        assert values(reading)[f"{tissue}-area"] == pytest.approx(truth, rel=tolerance[tissue]), tissue


def test_without_crests_the_level_is_unknown_and_areas_are_given_per_slab(plain, tmp_path):
    folder, phantom = plain
    study = without_region(folder, tmp_path)
    for path in sorted((study / "dicom").iterdir())[:24]:
        path.unlink()
    reading = read(study)
    assert reading.status == "partial"
    assert "the scan does not show both iliac crests" in text_of(reading, "l3-unknown")
    assert not [m for m in reading.measurements if "smi" in m.name or m.name.endswith("-area")]
    areas = [m for m in reading.measurements if m.name.startswith("visceral-fat-area-slab-")]
    assert len(areas) == 5  # 28 slices of 4.9 mm in slabs of 30 mm
    assert areas[0].quantity.meaning == "Mean area of slab 1 of 5 from the feet"
    truth = phantom.truth["areas_cm2"]["visceral-fat"][24:]
    assert areas[0].value == pytest.approx(np.mean(truth[:6]), rel=0.08)


def test_level_given_as_a_mask_beside_nifti(plain, tmp_path):
    _, phantom = plain
    affine = ras_xyz_from_lps_zyx(phantom.grid.affine)
    for name, array in (("ct", phantom.array), ("l3_mask", phantom.masks["l3-vertebra"].astype(np.uint8))):
        nib.save(nib.Nifti1Image(array.transpose(2, 1, 0), affine), tmp_path / f"{name}.nii.gz")
    reading = read(tmp_path, stated={"ct": ("CT", "HU")})
    assert "at L3 (given)" in reading.measurements[0].note
    assert {"contrast-unstated", "kvp-unstated", "thickness-unstated", "patient-size-unstated"} <= codes(
        reading
    )
    assert "l3-estimated" not in codes(reading)
    assert "smi-l3" not in values(reading)
    assert "height (0010,1020), weight (0010,1030), sex F or M (0010,0040)" in text_of(
        reading, "patient-size-unstated"
    )
    assert values(reading)["mean-density"] == pytest.approx(
        phantom.truth["tissue_hu"]["skeletal-muscle"], abs=10.0
    )


def test_given_level_outside_the_abdomen_is_told_and_not_measured(plain, tmp_path):
    _, phantom = plain
    affine = ras_xyz_from_lps_zyx(phantom.grid.affine)
    low = np.zeros(phantom.array.shape, dtype=np.uint8)
    low[3, 60:70, 60:70] = 1  # in the pelvis
    for name, array in (("ct", phantom.array), ("l3_mask", low)):
        nib.save(nib.Nifti1Image(array.transpose(2, 1, 0), affine), tmp_path / f"{name}.nii.gz")
    reading = read(tmp_path, stated={"ct": ("CT", "HU")})
    assert reading.status == "partial"
    assert "lies on slice 4, outside the abdomen" in text_of(reading, "l3-not-measured")
    assert all("slab" in m.name for m in reading.measurements)


@pytest.mark.slow
def test_narrow_field_cuts_fat_then_muscle_and_refuses_the_index(tmp_path):
    write_phantom("abdomen-ct", tmp_path / "fat", seed=12, field_of_view_mm=325.0, **SMALL)
    reading = read(tmp_path / "fat")
    assert reading.status == "partial"
    assert "body-cut-off" in codes(reading)
    assert "smi-l3" in values(reading)
    write_phantom("abdomen-ct", tmp_path / "muscle", seed=12, field_of_view_mm=280.0, **SMALL)
    reading = read(tmp_path / "muscle")
    assert "muscle-cut-off" in codes(reading)
    assert "smi-l3" not in values(reading)
    assert "field of view cuts muscle off" in text_of(reading, "muscle-index-refused")


@pytest.mark.slow
def test_arms_and_metal_are_told_and_arms_are_not_counted(tmp_path):
    wide = {"field_of_view_mm": 600.0, "n_slices": 52, "matrix_px": 192}
    phantom = write_phantom("abdomen-ct", tmp_path, seed=13, arms=True, metal=True, **wide)
    reading = read(tmp_path)
    assert {"arms-in-field", "metal-in-field"} <= codes(reading)
    (k,) = np.flatnonzero(reading.region("skeletal-muscle-l3").mask.any(axis=(1, 2)))
    truth = phantom.truth["areas_cm2"]["skeletal-muscle"][k]
    assert values(reading)["skeletal-muscle-area"] == pytest.approx(truth, rel=0.12)


def series_of(**tags):
    return Series("1.2", "image", "CT", unit="HU", tags=tags, files=("a.dcm",))


ADULT = {"PatientSize": 1.7, "PatientWeight": 70.0, "PatientSex": "F", "ContrastBolusAgent": "NONE"}
SCAN = {"ContrastBolusAgent": "NONE", "KVP": 120.0, "SliceThickness": 3.0}


@pytest.fixture
def abdomen():
    """Ten slices of nothing, of which nothing has to be told."""
    empty, flags = np.zeros((10, 8, 8), dtype=bool), np.zeros(10, dtype=bool)
    return Abdomen(
        empty, empty, empty, empty, tuple(range(10)), None, 0.0, False, flags, flags, flags, np.full(10, 0.5)
    )


@pytest.fixture
def image():
    affine = np.diag([0.0, 1.0, 0.0, 1.0])
    affine[2, 0], affine[0, 2] = 3.0, 1.0
    return Image(np.zeros((10, 8, 8), dtype=np.int16), Grid((10, 8, 8), affine), "HU")


def test_plain_scan_needs_no_word(abdomen, image):
    assert image_conditions(series_of(**SCAN), image, abdomen) == []
    assert extent_conditions(abdomen, range(10)) == []


@pytest.mark.parametrize(
    ("tags", "code", "words"),
    [
        ({"ContrastBolusAgent": None}, "contrast-unstated", "states no contrast agent"),
        ({"ContrastBolusAgent": "Iohexol"}, "contrast-raises-muscle", "phase is not stated"),
        ({"KVP": None}, "kvp-unstated", "not stated (0018,0060)"),
        ({"KVP": 100.0}, "kvp-not-validated", "made at 100 kV"),
        ({"SliceThickness": None}, "thickness-unstated", "(0018,0050) is not stated"),
        ({"SliceThickness": 7.5}, "slice-thick", "7.5 mm thick; 5 mm or less"),
        ({"PatientAge": "012Y"}, "outside-population", "not adult"),
    ],
)
def test_what_shifts_densities_is_told(tags, code, words, abdomen, image):
    (condition,) = image_conditions(series_of(**{**SCAN, **tags}), image, abdomen)
    assert condition.code == code
    assert words in condition.text


def test_slices_of_5_mm_and_adults_of_18_are_within_the_limits(abdomen, image):
    stated = {**SCAN, "SliceThickness": 5.0, "PatientAge": "018Y"}
    assert image_conditions(series_of(**stated), image, abdomen) == []


def test_wall_that_is_hardly_seen_is_told(abdomen):
    seen = np.full(10, 0.2)
    (condition,) = extent_conditions(replace(abdomen, seen_share=seen), range(10))
    assert condition.code == "wall-hardly-seen"
    assert "Only 20%" in condition.text


@pytest.mark.parametrize("missing", ["PatientSize", "PatientWeight", "PatientSex"])
def test_no_index_without_the_patients_size_and_sex(missing):
    tags = {key: value for key, value in ADULT.items() if key != missing}
    index, (condition,) = muscle_index(series_of(**tags), 110.0, 45.0, is_cut=False)
    assert index == ()
    assert condition.code == "patient-size-unstated"
    index, told = muscle_index(series_of(**ADULT), 110.0, 45.0, is_cut=False)
    assert index[0].value == pytest.approx(110.0 / 1.7**2)
    assert told == []


def test_height_in_centimetres_is_refused_by_the_rule():
    index, (condition,) = muscle_index(
        series_of(**{**ADULT, "PatientSize": 170.0}), 110.0, 45.0, is_cut=False
    )
    assert index == ()
    assert condition.code == "muscle-index-refused"
    assert "height" in condition.text


def run_on(image):
    series = replace(series_of(**SCAN), grid=image.grid, load_image=lambda: image)
    return read_body_composition_ct(Inputs(Study("s", (series,)), {"abdomen": series}))


def test_coronal_slices_are_refused(image):
    affine = np.diag([0.0, 0.0, 0.0, 1.0])
    affine[1, 0], affine[2, 1], affine[0, 2] = 3.0, -1.0, 1.0
    reading = run_on(Image(image.array, Grid(image.grid.shape, affine), "HU"))
    assert reading.status == "refused"
    assert "The slices are coronal" in text_of(reading, "not-axial")


def test_what_is_no_trunk_is_refused():
    """A cylinder of 14 cm with a bone in it is a head or a thigh."""
    y, x = np.mgrid[-100:100:2, -100:100:2]
    section = np.where(np.hypot(x, y) < 70, 40, -1000).astype(np.int16)
    section[np.hypot(x, y - 30) < 20] = 400
    affine = np.diag([0.0, 2.0, 0.0, 1.0])
    affine[2, 0], affine[0, 2] = 3.0, 2.0
    array = np.repeat(section[None], 20, axis=0)
    reading = run_on(Image(array, Grid(array.shape, affine), "HU"))
    assert reading.status == "refused"
    assert "No abdomen was found" in text_of(reading, "no-abdomen-found")


def test_pelvis_alone_is_refused(plain, tmp_path):
    folder, _ = plain
    study = without_region(folder, tmp_path)
    for path in sorted((study / "dicom").iterdir())[14:]:
        path.unlink()
    assert codes(read(study)) >= {"no-abdomen-found"}


def test_files_in_any_order_give_the_same(plain, tmp_path):
    """What the conformance suite does not turn: files from head to feet without the SEG."""
    folder, _ = plain
    study = without_region(folder, tmp_path / "up")
    turned = tmp_path / "down" / "dicom"
    turned.mkdir(parents=True)
    for path in (study / "dicom").iterdir():
        ds = pydicom.dcmread(path)
        ds.InstanceNumber = 1000 - int(ds.InstanceNumber)
        ds.save_as(turned / path.name)
    assert values(read(study)) == values(read(turned.parent))


def test_given_level_that_cannot_be_read_is_told(plain, tmp_path):
    folder, _ = plain
    without_region(folder, tmp_path)
    seg = pydicom.dcmread(folder / "dicom" / "regions.dcm")
    del seg.SegmentSequence
    seg.save_as(tmp_path / "regions.dcm")
    reading = read(tmp_path)
    assert "regions.dcm" in text_of(reading, "regions-unreadable")
    assert "l3-estimated" in codes(reading)
