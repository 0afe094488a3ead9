"""What one series of the scanner holds besides one volume: each kind told apart, named, and none lost."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.studies.reading import codes, condition, only_series, save
from tests.tiny_dicom import AXIAL, CORONAL, SAGITTAL, ct_instance

from hounsfield.studies import read_study

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


def numbered(number, k, **attributes):
    """Slice k of volume `number`, with an instance UID of its own."""
    ds = ct_instance(k)
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number + 1}{k:03d}"
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def volumes(*each, n=3):
    """Slices of several volumes on the same places, in an order that helps nobody."""
    slices = [numbered(number, k, **attributes) for number, attributes in enumerate(each) for k in range(n)]
    return slices[::2] + slices[1::2]


@pytest.mark.parametrize(
    ("each", "said"),
    [
        ([{"ImageType": ["ORIGINAL", "PRIMARY", "DIXON", kind]} for kind in "FW"], "image type"),
        ([{"EchoNumbers": 1}, {"EchoNumbers": 2}], "echo number"),
        ([{"NominalPercentageOfCardiacPhase": percent} for percent in (0, 40, 80)], "cardiac phase"),
        ([{"InversionTime": ms} for ms in (100, 400)], "inversion time"),
        ([{"ComplexImageComponent": kind} for kind in ("MAGNITUDE", "PHASE")], "complex component"),
        ([{"AcquisitionTime": f"1011{s}"} for s in (12, 24, 36)], "acquisition time"),
        ([{"ContentTime": f"1011{s}"} for s in (12, 24)], "content time"),
        ([{"FrameReferenceTime": ms} for ms in (0, 30000)], "frame reference time"),
    ],
)
def test_volumes_on_one_place_are_told_apart_and_the_reason_named(tmp_path, each, said):
    series = read_study(save(tmp_path, volumes(*each))).series
    assert len(series) == len(each)
    for number, one in enumerate(series):
        assert one.grid.shape == (3, 24, 32)
        assert one.sop_instance_uids == tuple(f"2.25.{number + 1}{k:03d}" for k in range(3))
        assert condition(one, "series-split").text.endswith(f"told apart by {said}.")
        assert codes(one) == ["series-split"]


def test_siemens_b_values_stand_in_a_private_attribute(tmp_path):
    slices = volumes({}, {})
    for ds in slices:
        block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0C, "IS", 0 if ds.SOPInstanceUID.startswith("2.25.1") else 800)
    assert "b-value" in condition(read_study(save(tmp_path, slices)).series[0], "series-split").text


def test_gradient_directions_and_the_volume_that_has_none(tmp_path):
    each = [{"DiffusionBValue": 0.0}]
    each += [
        {"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": direction}
        for direction in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
    ]
    series = read_study(save(tmp_path, volumes(*each))).series
    assert [one.grid.shape[0] for one in series] == [3, 3, 3, 3]
    assert "told apart by gradient direction" in condition(series[0], "series-split").text
    assert {one.sop_instance_uids[0] for one in series} == {f"2.25.{n}000" for n in (1, 2, 3, 4)}


def enhanced_diffusion():
    """One multi-frame file: two planes, without weighting and in two directions."""
    ds = ct_instance(0, shape_yx=(4, 4))
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = ENHANCED_MR
    ds.Modality, ds.NumberOfFrames = "MR", 6
    del ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType
    groups = []
    for direction in (None, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]):
        for z in (0.0, 3.0):
            group, place, diffusion = Dataset(), Dataset(), Dataset()
            place.ImagePositionPatient = [0.0, 0.0, z]
            diffusion.DiffusionBValue = 0.0 if direction is None else 700.0
            if direction is not None:
                turned = Dataset()
                turned.DiffusionGradientOrientation = direction
                diffusion.DiffusionGradientDirectionSequence = [turned]
            group.PlanePositionSequence, group.MRDiffusionSequence = [place], [diffusion]
            groups.append(group)
    shared, plane, measures = Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient, measures.PixelSpacing = list(AXIAL), [1.0, 1.0]
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [plane], [measures]
    ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence = [shared], groups
    ds.PixelData = np.repeat(np.arange(6, dtype="<u2"), 16).tobytes()
    return ds


def test_directions_in_one_multi_frame_file(tmp_path):
    series = read_study(save(tmp_path, [enhanced_diffusion()])).series
    assert [one.image().array[:, 0, 0].tolist() for one in series] == [[0, 1], [4, 5], [2, 3]]
    assert "gradient direction" in condition(series[0], "series-split").text


def test_localizer_in_three_planes_is_three_images_none_to_be_measured(tmp_path):
    slices = []
    for number, orientation in enumerate((AXIAL, CORONAL, SAGITTAL)):
        for k in range(2):
            ds = ct_instance(k, orientation=orientation, name=f"plane{number}")
            ds.SeriesInstanceUID, ds.StudyInstanceUID, ds.FrameOfReferenceUID = "2.25.1", "2.25.2", "2.25.3"
            ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
            slices.append(ds)
    series = read_study(save(tmp_path, slices)).series
    assert [one.grid.shape[0] for one in series] == [2, 2, 2]
    assert all({"localizer", "series-split"} <= set(codes(one)) for one in series)
    assert "told apart by orientation" in condition(series[0], "series-split").text


def test_capture_in_the_series_of_a_volume_is_parted(tmp_path):
    capture = numbered(5, 9)
    capture.file_meta.MediaStorageSOPClassUID = capture.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    volume, single = read_study(save(tmp_path, [*volumes({}), capture])).series
    assert volume.grid.shape[0] == 3
    assert codes(volume) == ["series-split"]
    assert "secondary-capture" in codes(single)


@pytest.mark.parametrize("missing", [0, 2])
def test_phase_without_its_first_or_last_slice_is_told_to_be_a_part(tmp_path, missing):
    slices = volumes({"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2})
    slices = [ds for ds in slices if ds.SOPInstanceUID != f"2.25.2{missing:03d}"]
    whole, part = read_study(save(tmp_path, slices)).series
    assert codes(whole) == ["series-split"]
    told = condition(part, "volume-partial")
    assert told.severity == "warning"
    assert "slices at 2 of the 3 places" in told.text


def test_series_of_which_most_is_missing_is_no_volume(tmp_path):
    series = only_series(save(tmp_path, [ct_instance(k) for k in (0, 1, 2, 20)]))
    refusal = condition(series, "slices-missing")
    assert refusal.severity == "refusal"
    assert "17 of 21 slices are missing" in refusal.text


def test_shift_that_no_gantry_makes_is_refused(tmp_path):
    slices = [ct_instance(k) for k in range(4)]
    for k, ds in enumerate(slices):
        ds.ImagePositionPatient = [-10.0, -20.0 + 4.0 * k, 30.0 + 2.5 * k]
    refusal = condition(only_series(save(tmp_path, slices)), "gantry-tilt")
    assert refusal.severity == "refusal"
    assert "tilt of 58.0 degrees, and no gantry tilts beyond 45" in refusal.text


def test_two_slices_far_apart_and_aside_do_not_make_a_giant_grid(tmp_path):
    slices = [ct_instance(k) for k in range(2)]
    slices[1].ImagePositionPatient = [-10.0, 39980.0, 80000.0]
    refusal = condition(only_series(save(tmp_path, slices)), "gantry-tilt")
    assert refusal.severity == "refusal"
    assert "a straight grid would be" in refusal.text


def moved(ds, x_mm, y_mm):
    x, y, z = ds.ImagePositionPatient
    ds.ImagePositionPatient = [x + x_mm, y + y_mm, z]
    return ds


def test_parallel_stacks_beside_each_other_are_told_apart(tmp_path):
    """One stack a disc of the spine, all in one orientation; two of them share their heights."""
    stacks = [(0.0, 0.0), (0.0, 30.0), (12.5, 60.0)]
    slices = [moved(numbered(n, k), *place) for n, place in enumerate(stacks) for k in range(4)]
    series = read_study(save(tmp_path, slices[::2] + slices[1::2])).series
    assert [one.grid.shape for one in series] == [(4, 24, 32)] * 3
    for number, (one, place) in enumerate(zip(series, stacks, strict=True)):
        assert one.sop_instance_uids == tuple(f"2.25.{number + 1}{k:03d}" for k in range(4))
        first = moved(numbered(number, 0), *place).ImagePositionPatient
        np.testing.assert_allclose(one.grid.index_to_mm(np.zeros(3)), [float(v) for v in first])
        assert condition(one, "series-split").text.endswith("told apart by line of positions.")


def test_single_slice_beside_the_line_is_a_wrong_position_and_refused(tmp_path):
    slices = [moved(numbered(0, k), 7.0 if k == 2 else 0.0, 0.0) for k in range(5)]
    series = only_series(save(tmp_path, slices))
    assert condition(series, "positions-off-line").severity == "refusal"
    assert series.load_image is None
