"""Slices of one series in every order and orientation, and with every fault, made by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.studies.reading import codes, condition, only_series, save
from tests.tiny_dicom import AXIAL, CORONAL, ORIENTATIONS, ct_instance, write_ct_series

from hounsfield.core.errors import RefusedInput, StudyError, UsageError
from hounsfield.core.uid import derive_uid
from hounsfield.studies import read_studies, read_study

SPACING_MM = (2.5, 0.8, 0.7)
ORIGIN_MM = np.array([-10.0, -20.0, 30.0])


def hu_at(k, j, i):
    """The value that ct_instance puts at slice k, row j, column i."""
    return 1 + i + 32 * j + 1024 * k - 1024


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_every_voxel_lies_where_its_slice_says(tmp_path, name):
    orientation = ORIENTATIONS[name]
    write_ct_series(tmp_path, n=5, order=[3, 0, 4, 1, 2], orientation=orientation)
    series = only_series(tmp_path)
    image = series.image()
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    for k, j, i in [(0, 0, 0), (4, 23, 31), (2, 5, 17), (1, 20, 3)]:
        truth_mm = ORIGIN_MM + k * 2.5 * normal + j * 0.8 * column + i * 0.7 * row
        index = image.grid.mm_to_index(truth_mm).round(4)
        np.testing.assert_allclose(index, [k, j, i], atol=2e-3)
        assert image.array[k, j, i] == hu_at(k, j, i)
    assert codes(series) == []
    assert image.unit == series.unit == "HU"
    assert image.array.dtype == np.int16


def test_instance_number_orders_nothing(tmp_path):
    """ct_instance numbers slices backwards; file names are shuffled too."""
    write_ct_series(tmp_path, n=4, order=[2, 0, 3, 1])
    series = only_series(tmp_path)
    assert series.sop_instance_uids == tuple(derive_uid("test", "tiny", str(k)) for k in range(4))
    assert [header.SOPInstanceUID for header in series.headers()] == list(series.sop_instance_uids)
    assert series.files == ("0001.dcm", "0003.dcm", "0000.dcm", "0002.dcm")


def test_headers_are_read_without_pixels(tmp_path):
    write_ct_series(tmp_path, n=3)
    assert all("PixelData" not in header for header in only_series(tmp_path).headers())


def test_tags_are_plain_python(tmp_path):
    write_ct_series(tmp_path, n=3)
    tags = only_series(tmp_path).tags
    assert tags["KVP"] == 120.0
    assert tags["ConvolutionKernel"] == "STANDARD"
    assert tags["ImageType"] == ("ORIGINAL", "PRIMARY", "AXIAL")
    assert "ContrastBolusAgent" not in tags
    assert {type(value) for value in tags.values()} <= {str, int, float, tuple}


def test_study_keeps_patient_attributes_as_they_stand(tmp_path):
    write_ct_series(tmp_path, n=3)
    study = read_study(tmp_path)
    assert study.tags["PatientName"] == "Synthetic^Test"
    assert study.tags["PatientBirthDate"] == ""
    assert "PatientWeight" not in study.tags
    assert study.study_instance_uid == derive_uid("test", "tiny", "study")


def test_missing_slice_leaves_an_empty_place(tmp_path):
    write_ct_series(tmp_path, order=[0, 1, 2, 4, 5, 6])
    series = only_series(tmp_path)
    image = series.image()
    assert image.array.shape == (7, 24, 32)
    assert image.array[4, 5, 6] == hu_at(4, 5, 6)
    assert image.padding[3].all()
    assert image.padding.sum() == 24 * 32
    assert (image.array[3] == image.array.min()).all()
    assert image.grid.spacing_mm == pytest.approx(SPACING_MM)
    missing = condition(series, "slices-missing")
    assert missing.severity == "warning"
    assert (
        "1 of 7 slices are missing: 1 between (-10.0, -20.0, 35.0) mm and (-10.0, -20.0, 40.0) mm"
        in missing.text
    )
    assert "(0002.dcm, 0003.dcm)" in missing.text
    assert missing.instances == tuple(derive_uid("test", "tiny", str(k)) for k in (2, 4))


def test_slices_on_one_place_without_a_key_are_refused(tmp_path):
    slices = [ct_instance(k) for k in range(4)]
    again = ct_instance(2)
    again.SOPInstanceUID = again.file_meta.MediaStorageSOPInstanceUID = "2.25.77"
    series = only_series(save(tmp_path, [*slices, again]))
    refusal = condition(series, "duplicate-positions")
    assert refusal.severity == "refusal"
    assert "2 slices share 1 places" in refusal.text
    assert "0002.dcm, 0004.dcm" in refusal.text
    assert series.is_refused
    with pytest.raises(RefusedInput, match=r"no attribute .* tells the volumes apart"):
        series.image()


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("TemporalPositionIdentifier", (1, 2)),
        ("EchoTime", (4.76, 9.52)),
        ("DiffusionBValue", (0, 1000)),
        ("ConvolutionKernel", ("B30f", "B70f")),
        ("AcquisitionNumber", (1, 2)),
        ("TriggerTime", (0, 350)),
    ],
)
def test_volumes_on_one_place_are_told_apart_by_their_key(tmp_path, keyword, values):
    slices = []
    for number, value in enumerate(values):
        for k in range(3):
            ds = ct_instance(k)
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number + 1}{k}"
            setattr(ds, keyword, value)
            slices.append(ds)
    first, second = read_study(save(tmp_path, slices[::-1])).series
    uid = derive_uid("test", "tiny", "series")
    assert (first.key, second.key) == (uid, f"{uid}#2")
    assert first.sop_instance_uids == ("2.25.10", "2.25.11", "2.25.12")
    assert second.sop_instance_uids == ("2.25.20", "2.25.21", "2.25.22")
    said = condition(first, "series-split")
    assert said.severity == "note"
    assert {"EchoTime": "echo time", "DiffusionBValue": "b-value"}.get(keyword, "") in said.text
    assert first.image().array.shape == (3, 24, 32)


def test_two_keys_together_tell_four_volumes_apart(tmp_path):
    slices = []
    for number, (echo, phase) in enumerate(itertools.product((1, 2), (1, 2))):
        for k in range(2):
            ds = ct_instance(k)
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number + 1}{k}"
            ds.EchoNumbers, ds.TemporalPositionIdentifier = echo, phase
            slices.append(ds)
    series = read_study(save(tmp_path, slices)).series
    assert [s.grid.shape[0] for s in series] == [2, 2, 2, 2]
    assert "temporal position and echo number" in condition(series[0], "series-split").text


def test_localizer_of_another_orientation_is_parted(tmp_path):
    scout = ct_instance(0, orientation=CORONAL)
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    scout.SOPInstanceUID = scout.file_meta.MediaStorageSOPInstanceUID = "2.25.5"
    del scout.RescaleType
    volume, single = read_study(save(tmp_path, [*(ct_instance(k) for k in range(3)), scout])).series
    assert volume.grid.shape == (3, 24, 32)
    assert codes(volume) == ["series-split"]
    assert "localizer" in codes(single)
    assert single.unit is None
    assert "rescale-type-not-hu" in codes(single)


def test_sizes_and_frames_of_reference_are_parted(tmp_path):
    small = [ct_instance(k, shape_yx=(8, 8), name="small") for k in range(2)]
    other = [ct_instance(k, name="other") for k in range(2)]
    for ds in (*small, *other):
        ds.SeriesInstanceUID = derive_uid("test", "tiny", "series")
        ds.StudyInstanceUID = derive_uid("test", "tiny", "study")
    for ds in small:
        ds.FrameOfReferenceUID = derive_uid("test", "tiny", "frame")
    series = read_study(save(tmp_path, [*(ct_instance(k) for k in range(3)), *small, *other])).series
    assert [s.grid.shape for s in series] == [(3, 24, 32), (2, 24, 32), (2, 8, 8)]
    assert "rows and columns and frame of reference" in condition(series[0], "series-split").text


def test_cosines_that_differ_in_the_sixth_digit_are_one_volume(tmp_path):
    slices = [ct_instance(k) for k in range(3)]
    slices[1].ImageOrientationPatient = [1.0, 0.00001, 0, -0.00001, 1.0, 0]
    assert only_series(save(tmp_path, slices)).grid.shape[0] == 3


def test_tilted_gantry_is_straightened_and_voxels_stay_where_they_were_measured(tmp_path):
    slices = [ct_instance(k) for k in range(6)]
    shift_mm = 2.5 * np.tan(np.radians(18.5))
    for k, ds in enumerate(slices):
        ds.ImagePositionPatient = [-10.0, round(-20.0 - k * shift_mm, 6), 30.0 + 2.5 * k]
    series = only_series(save(tmp_path, slices))
    tilt = condition(series, "gantry-tilt")
    assert "a tilt of 18.5 degrees" in tilt.text
    assert tilt.severity == "warning"
    image = series.image()
    np.testing.assert_allclose(image.grid.spacing_mm, [2.5, 0.8, 0.7], atol=1e-9)
    np.testing.assert_allclose(image.grid.affine[:3, 0], [0.0, 0.0, 2.5], atol=1e-9)
    # Values rise by 32 a row, so linear interpolation gives them back at every place between rows.
    for k, j, i in [(0, 2, 3), (5, 2, 3), (3, 20, 31), (4, 7.5, 0)]:
        truth_mm = np.array([-10.0 + 0.7 * i, -20.0 - k * shift_mm + 0.8 * j, 30.0 + 2.5 * k])
        z, y, x = image.grid.mm_to_index(truth_mm)
        np.testing.assert_allclose([z, x], [k, i], atol=1e-4)
        below = int(np.floor(y))
        between = image.array[k, below : below + 2, i]
        assert between[0] + (y - below) * (between[1] - between[0]) == pytest.approx(hu_at(k, j, i), abs=0.01)
    assert image.source == ()
    n_measured = 6 * 24 * 32
    assert n_measured - 6 * 32 <= int((~image.padding).sum()) <= n_measured


def test_tilt_with_a_missing_slice_is_straightened_with_its_place_left_empty(tmp_path):
    slices = [ct_instance(k) for k in range(7) if k != 3]
    for ds in slices:
        x, y, z = ds.ImagePositionPatient
        ds.ImagePositionPatient = [x, round(float(y) - (float(z) - 30.0) * 0.32, 6), z]
    series = only_series(save(tmp_path, slices))
    assert {"gantry-tilt", "slices-missing"} <= set(codes(series))
    image = series.image()
    assert image.grid.shape == (7, 24 + 6, 32)
    assert image.padding[3].all()
    # One slice step is 0.8 mm, one row: every slice sits one row higher than the one below it.
    assert image.array[6, 5, 3] == hu_at(6, 5, 3)
    assert image.array[0, 6 + 5, 3] == hu_at(0, 5, 3)


def test_varying_spacing_is_evened_out_and_told(tmp_path):
    heights = [0.0, 2.5, 5.0, 7.5, 12.5, 17.5, 22.5]
    slices = []
    for k, height in enumerate(heights):
        ds = ct_instance(k)
        ds.ImagePositionPatient = [0.0, 0.0, height]
        stored = np.full((24, 32), 1000 + 10 * height, dtype="<u2")
        ds.PixelData = stored.tobytes()
        slices.append(ds)
    series = only_series(save(tmp_path, slices))
    varying = condition(series, "slice-spacing-varies")
    assert "varies from 2.50 to 5.00 mm" in varying.text
    image = series.image()
    places_mm = image.grid.index_to_mm(np.array([[k, 0, 0] for k in range(image.grid.shape[0])]))[:, 2]
    np.testing.assert_allclose(image.array[:, 4, 4], 10 * places_mm - 24, atol=1e-3)
    assert image.source == ()
    assert len(series.source) == 7


def test_small_jitter_is_tolerated_with_its_tolerance(tmp_path):
    slices = [ct_instance(k) for k in range(6)]
    slices[3].ImagePositionPatient = [-10.0, -20.0, 37.55]
    jitter = condition(only_series(save(tmp_path, slices)), "slice-spacing-jitter")
    assert jitter.severity == "note"
    assert "within the tolerance of 0.10 mm" in jitter.text


def test_equal_copies_of_an_instance_are_taken_once(tmp_path):
    write_ct_series(tmp_path / "a", n=3)
    write_ct_series(tmp_path / "b", n=2)
    series = only_series(tmp_path)
    assert series.grid.shape[0] == 3
    assert "2 files repeat instances" in condition(series, "duplicate-instance").text


def test_one_uid_with_two_contents_is_refused(tmp_path):
    slices = [ct_instance(k) for k in range(3)]
    other = ct_instance(1)
    other.PixelData = bytes(24 * 32 * 2)
    series = only_series(save(tmp_path, [*slices, other]))
    refusal = condition(series, "duplicate-instance-differs")
    assert "0001.dcm, 0003.dcm" in refusal.text
    with pytest.raises(RefusedInput, match="cannot be known which one is right"):
        series.image()


def test_single_slice_says_what_stands_for_its_third_axis(tmp_path):
    ct_instance(0).save_as(tmp_path / "one.dcm", enforce_file_format=True)
    series = only_series(tmp_path / "one.dcm")
    assert series.grid.shape == (1, 24, 32)
    assert "thickness of 2.5 mm" in condition(series, "single-slice").text


def test_slices_without_position_are_single_pictures(tmp_path):
    slices = [ct_instance(k) for k in range(2)]
    for ds in slices:
        del ds.ImagePositionPatient
    series = read_study(save(tmp_path, slices)).series
    assert len(series) == 2
    assert not series[0].grid.has_millimetres
    assert "lacks Image Position (0020,0032)" in condition(series[0], "position-unstated").text


def test_animals_are_refused(tmp_path):
    slices = [ct_instance(k) for k in range(2)]
    for ds in slices:
        ds.AnatomicalOrientationType = "QUADRUPED"
    with pytest.raises(RefusedInput, match="QUADRUPED"):
        only_series(save(tmp_path, slices)).image()


def test_absent_frame_of_reference_is_told(tmp_path):
    slices = [ct_instance(k) for k in range(2)]
    for ds in slices:
        del ds.FrameOfReferenceUID
    assert "frame-of-reference-unstated" in codes(only_series(save(tmp_path, slices)))


def test_damaged_slice_is_refused_and_the_rest_is_read(tmp_path):
    paths = write_ct_series(tmp_path, n=5)
    content = paths[2].read_bytes()
    paths[2].write_bytes(content[:-300])
    found = read_studies(tmp_path)
    [refused] = found.refused
    assert refused.code == "file-damaged"
    assert refused.instances == ("0002.dcm",)
    assert "holds 1236 bytes of pixels and its header declares 1536" in refused.text
    [study] = found.studies
    assert "slices-missing" in codes(study.series[0])
    assert [c.code for c in study.conditions] == ["files-left-out"]


def test_header_cut_off_is_refused(tmp_path):
    write_ct_series(tmp_path, n=2)
    whole = (tmp_path / "0000.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(whole[:400])
    [refused] = read_studies(tmp_path).refused
    assert "cut.dcm is a CT Image Storage without Rows and Columns" in refused.text


def test_impossible_size_is_refused_before_memory_is_taken(tmp_path):
    ds = ct_instance(0)
    ds.Rows = ds.Columns = 65000
    ds.save_as(tmp_path / "huge.dcm", enforce_file_format=True)
    with pytest.raises(StudyError, match="holds 1536 bytes of pixels and its header declares 8450000000"):
        read_studies(tmp_path)


def test_several_studies_are_listed_and_not_chosen_from(tmp_path):
    write_ct_series(tmp_path / "a", n=2, name="a")
    write_ct_series(tmp_path / "b", n=2, name="b")
    assert len(read_studies(tmp_path).studies) == 2
    with pytest.raises(UsageError, match="holds 2 studies, one is needed"):
        read_study(tmp_path)


def test_orientation_of_the_first_slice_alone_is_not_trusted(tmp_path):
    """A slice of another orientation in the middle is parted, not forced into the stack."""
    slices = [ct_instance(k) for k in range(4)]
    slices[0].ImageOrientationPatient = list(CORONAL)
    shapes = [s.grid.shape[0] for s in read_study(save(tmp_path, slices)).series]
    assert sorted(shapes) == [1, 3]
    assert AXIAL != CORONAL


class Stopped:
    """Progress that asks to stop at once."""

    def __init__(self):
        self.seen = []

    def report(self, stage, done):
        self.seen.append((stage, done))

    def should_stop(self):
        return False


def test_progress_is_reported(tmp_path):
    write_ct_series(tmp_path, n=3)
    progress = Stopped()
    read_studies(tmp_path, progress=progress)
    assert progress.seen[0] == ("reading headers", 0.0)
    assert progress.seen[-1] == ("reading headers", 1.0)
