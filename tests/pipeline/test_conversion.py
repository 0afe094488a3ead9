"""DICOM to NIfTI and back: the voxel at a place in the patient is the same, and what cannot be is said."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from tests.tiny_dicom import ORIENTATIONS, ct_instance, write_ct_series

from hounsfield.core.errors import ResultError, UsageError
from hounsfield.pipeline import AsDicom, convert
from hounsfield.studies import read_study

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def write_nifti(path: Path, values, affine) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


def at_places(path: Path, points_ras_mm) -> np.ndarray:
    """Values of a NIfTI file at places that must be centres of its voxels."""
    image = nib.load(path)
    index = nib.affines.apply_affine(np.linalg.inv(image.affine), points_ras_mm)
    assert np.abs(index - index.round()).max() < 2e-3, "not on a voxel"
    return np.asanyarray(image.dataobj)[tuple(index.round().astype(int).T)]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_voxel_of_a_series_is_at_its_place_in_the_nifti(orientation, tmp_path):
    write_ct_series(tmp_path / "in", 4, order=[2, 0, 3, 1], orientation=ORIENTATIONS[orientation])
    (one,) = convert(tmp_path / "in", tmp_path / "out").converted
    for file in (tmp_path / "in").iterdir():
        ds = pydicom.dcmread(file)
        row, column = np.array(ds.ImageOrientationPatient[:3]), np.array(ds.ImageOrientationPatient[3:])
        j, i = (axis.ravel() for axis in np.mgrid[: ds.Rows, : ds.Columns])
        lps = ds.ImagePositionPatient + np.outer(i * ds.PixelSpacing[1], row)
        lps = lps + np.outer(j * ds.PixelSpacing[0], column)
        hu = ds.pixel_array.astype(int).ravel() + int(ds.RescaleIntercept)
        assert np.array_equal(at_places(one.path, lps * [-1, -1, 1]), hu)


def test_nifti_states_both_forms_units_and_the_type_of_its_values(tmp_path):
    write_ct_series(tmp_path / "in", 3)
    (one,) = convert(tmp_path / "in", tmp_path / "out").converted
    image = nib.load(one.path)
    assert image.get_data_dtype() == np.int16
    assert np.allclose(image.get_sform(coded=True)[0], image.get_qform(coded=True)[0], atol=1e-4)
    assert image.header["sform_code"] == image.header["qform_code"] == 1
    assert image.header.get_xyzt_units()[0] == "mm"
    side = json.loads(one.path.with_name("CT-3-tiny.json").read_text())
    assert side["unit"] == "HU"
    assert np.allclose(side["affine_ras"], image.affine)
    assert "SYN-1" not in json.dumps(side["tags"]) + one.path.name


def tilted(folder: Path, n: int = 5, tilt_mm: float = 0.7) -> Path:
    """A stack whose slices are shifted along the columns, as a tilted gantry makes them."""
    folder.mkdir()
    for k in range(n):
        ds = ct_instance(k)
        ds.ImagePositionPatient[1] = float(ds.ImagePositionPatient[1]) + k * tilt_mm
        ds.save_as(folder / f"{k}.dcm", enforce_file_format=True)
    return folder


def test_tilt_is_straightened_and_both_forms_say_so(tmp_path):
    (one,) = convert(tilted(tmp_path / "in"), tmp_path / "out").converted
    assert "gantry-tilt" in {c.code for c in one.conditions}
    image = nib.load(one.path)
    assert image.header["qform_code"] == 1
    data = np.asanyarray(image.dataobj)
    for k in range(5):
        # The third row of each slice; values rise by 32 a row, so between two rows they are linear.
        ras = np.array([-10.0, -20.0 + 0.7 * k + 2 * 0.8, 30.0 + 2.5 * k]) * [-1, -1, 1]
        i, j, slot = np.linalg.solve(image.affine, [*ras, 1.0])[:3]
        np.testing.assert_allclose([i, slot], [0, k], atol=1e-4)
        below = int(np.floor(j))
        low, high = (float(value) for value in data[0, below : below + 2, k])
        assert low + (j - below) * (high - low) == pytest.approx(1 + 32 * 2 + 1024 * k - 1024, abs=0.01)


@st.composite
def affines(draw):
    """Rotated, flipped, anisotropic: every affine whose axes are at right angles."""
    turn = Rotation.from_euler("xyz", draw(st.tuples(*[st.floats(-180, 180)] * 3)), degrees=True).as_matrix()
    spacing = draw(st.tuples(*[st.floats(0.3, 5.0)] * 3))
    flips = draw(st.tuples(*[st.sampled_from((-1.0, 1.0))] * 3))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(np.array(spacing) * flips)
    affine[:3, 3] = draw(st.tuples(*[st.floats(-300, 300)] * 3))
    return affine


@settings(max_examples=15, deadline=None)
@given(
    affines(),
    st.sampled_from([("CT", np.int16), ("MR", np.uint16), ("PT", np.int16)]),
    st.integers(0, 2**32 - 1),
)
def test_nifti_to_dicom_and_back_moves_no_voxel(tmp_path_factory, affine, kind, seed):
    modality, dtype = kind
    folder = tmp_path_factory.mktemp("round")
    values = np.random.default_rng(seed).integers(0, 3000, (5, 4, 3)).astype(dtype)
    before = write_nifti(folder / "in" / "volume.nii.gz", values, affine)
    unit = "SUVbw" if modality == "PT" else None
    (there,) = convert(before, folder / "dicom", as_dicom=AsDicom(modality, unit)).converted
    (back,) = convert(there.path, folder / "out").converted
    index = np.argwhere(np.ones_like(values))
    places = nib.affines.apply_affine(affine, index)
    assert np.array_equal(at_places(back.path, places), values.ravel())


@given(st.floats(-5.0, 5.0), st.floats(0.1, 1e4), st.sampled_from(["CT", "MR", "PT"]))
@settings(max_examples=15, deadline=None)
def test_values_between_whole_numbers_are_rounded_by_no_more_than_is_told(
    tmp_path_factory, low, width, modality
):
    folder = tmp_path_factory.mktemp("rounded")
    values = (low + width * np.random.default_rng(3).random((6, 5, 4))).astype(np.float32)
    before = write_nifti(folder / "volume.nii.gz", values, np.eye(4))
    unit = "Bq/ml" if modality == "PT" else None
    (there,) = convert(before, folder / "dicom", as_dicom=AsDicom(modality, unit)).converted
    (told,) = [c.text for c in there.conditions if c.code == "values-rounded"]
    largest = float(told.partition("at most ")[2].partition(" off")[0])
    (back,) = convert(there.path, folder / "out").converted
    places = nib.affines.apply_affine(np.eye(4), np.argwhere(np.ones_like(values)))
    apart = np.abs(at_places(back.path, places) - values.ravel())
    assert apart.max() <= largest * 1.01 + 1e-6 * abs(values).max()


def test_same_volume_gives_the_same_uids_and_another_gives_others(tmp_path):
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    uids = []
    for name, added in (("a", 0), ("b", 0), ("c", 1)):
        path = write_nifti(tmp_path / name / "ct.nii.gz", values + np.int16(added), np.eye(4))
        convert(path, tmp_path / name / "out", as_dicom=AsDicom("CT"))
        headers = [pydicom.dcmread(p) for p in sorted((tmp_path / name / "out" / "ct").iterdir())]
        uids.append([(h.SOPInstanceUID, h.SeriesInstanceUID, h.StudyInstanceUID) for h in headers])
    assert uids[0] == uids[1]
    assert not {uid for row in uids[0] for uid in row} & {uid for row in uids[2] for uid in row}


def test_converted_series_says_what_it_is_and_names_no_patient(tmp_path):
    path = write_nifti(tmp_path / "ct.nii.gz", np.zeros((4, 4, 2), np.int16), np.eye(4))
    (one,) = convert(path, tmp_path / "out", as_dicom=AsDicom("CT")).converted
    ds = pydicom.dcmread(next(one.path.iterdir()))
    assert ds.ImageType[:2] == ["DERIVED", "SECONDARY"]
    assert "Research use only" in ds.DerivationDescription
    assert (ds.PatientName, ds.PatientBirthDate, ds.StudyDate) == ("Anonymous^Volume", "", "")
    assert ds.RescaleType == "HU"


def test_like_takes_patient_study_and_on_the_same_grid_the_frame(tmp_path):
    write_ct_series(tmp_path / "study", 4)
    (there,) = convert(tmp_path / "study", tmp_path / "nifti").converted
    (same,) = convert(there.path, tmp_path / "a", as_dicom=AsDicom("CT", like=tmp_path / "study")).converted
    moved = write_nifti(tmp_path / "moved.nii.gz", np.zeros((3, 3, 3), np.int16), np.eye(4))
    (other,) = convert(moved, tmp_path / "b", as_dicom=AsDicom("CT", like=tmp_path / "study")).converted
    original = pydicom.dcmread(tmp_path / "study" / "0000.dcm")
    for one, shares_frame in ((same, True), (other, False)):
        ds = pydicom.dcmread(one.path / "00001.dcm")
        assert (ds.PatientID, ds.StudyInstanceUID) == (original.PatientID, original.StudyInstanceUID)
        assert ds.SeriesInstanceUID != original.SeriesInstanceUID
        assert (ds.FrameOfReferenceUID == original.FrameOfReferenceUID) is shares_frame


def test_what_cannot_be_converted_is_listed_with_its_reason(tmp_path):
    folder = tmp_path / "in"
    sheared = np.eye(4)
    sheared[0, 1] = 0.2
    write_nifti(folder / "sheared.nii.gz", np.zeros((3, 3, 3), np.int16), sheared)
    write_nifti(folder / "moving.nii.gz", np.zeros((3, 3, 3, 2), np.int16), np.eye(4))
    unplaced = nib.Nifti1Image(np.zeros((3, 3, 3), np.int16), None)
    nib.save(unplaced, folder / "unplaced.nii.gz")
    done = convert(folder, tmp_path / "out", as_dicom=AsDicom("CT"))
    reasons = {one.description: one.reason for one in done.converted}
    assert "not at right angles" in reasons["sheared"]
    assert "time or colour" in reasons["moving"]
    assert "no position" in reasons["unplaced"]
    assert all("--modality" in one.reason for one in convert(folder, tmp_path / "out").converted)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (AsDicom("US"), "none of CT, MR, PT"),
        (AsDicom("PT"), "say which with --unit"),
        (AsDicom("CT", "SUVbw"), "does not belong to CT"),
    ],
)
def test_words_that_do_not_fit_are_refused(asked, says, tmp_path):
    path = write_nifti(tmp_path / "x.nii.gz", np.zeros((3, 3, 3), np.int16), np.eye(4))
    with pytest.raises(UsageError, match=says):
        convert(path, tmp_path / "out", as_dicom=asked)


def test_another_folder_of_files_is_not_replaced(tmp_path):
    path = write_nifti(tmp_path / "x.nii.gz", np.zeros((3, 3, 3), np.int16), np.eye(4))
    convert(path, tmp_path / "out", as_dicom=AsDicom("CT"))
    convert(path, tmp_path / "out", as_dicom=AsDicom("CT"))
    (tmp_path / "out" / "x" / "mine.txt").write_text("keep me")

    with pytest.raises(ResultError, match=r"mine\.txt"):
        convert(path, tmp_path / "out", as_dicom=AsDicom("CT"))


@pytest.mark.peer
@pytest.mark.parametrize(("modality", "unit"), [("CT", None), ("MR", None), ("PT", "SUVbw"), ("PT", "Bq/ml")])
def test_dciodvfy_finds_no_error_in_converted_series(modality, unit, tmp_path, peer_program):
    values = np.random.default_rng(1).random((5, 4, 3)).astype(np.float32)
    path = write_nifti(tmp_path / "x.nii.gz", values, np.diag([-1.0, -1.5, 2.0, 1.0]))
    (one,) = convert(path, tmp_path / "out", as_dicom=AsDicom(modality, unit)).converted
    answer = subprocess.run(
        [peer_program("dciodvfy"), one.path / "00001.dcm"], capture_output=True, text=True, check=False
    )
    assert "Error" not in answer.stderr, answer.stderr


def test_converted_series_is_read_as_what_was_stated(tmp_path):
    path = write_nifti(tmp_path / "x.nii.gz", np.full((5, 4, 3), 2.5, np.float32), np.eye(4))
    (one,) = convert(path, tmp_path / "out", as_dicom=AsDicom("PT", "SUVbw")).converted
    (series,) = read_study(one.path).series
    assert series.unit == "SUVbw"
    assert series.image().array.mean() == pytest.approx(2.5, rel=1e-4)
