"""Moving pictures with their times, dose grids, nuclear medicine and ultrasound volumes, made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.studies.reading import codes, condition, only_series, save
from tests.tiny_dicom import AXIAL, ct_instance

from hounsfield.core.errors import RefusedInput

US_CINE = "1.2.840.10008.5.1.4.1.1.3.1"
NM = "1.2.840.10008.5.1.4.1.1.20"
RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
US_VOLUME = "1.2.840.10008.5.1.4.1.1.6.2"
TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1.3"
PLANE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleType")


def frames(sop_class, modality, n=4, **attributes):
    """n frames of 8 x 6 pixels in one file; frame k holds 100 * k + 6 * row + column."""
    ds = ct_instance(0, shape_yx=(8, 6))
    for keyword in (*PLANE, "RescaleIntercept", "RescaleSlope"):
        delattr(ds, keyword)
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.Modality, ds.NumberOfFrames = modality, n
    j, i = np.mgrid[:8, :6]
    ds.PixelData = np.stack([100 * k + 6 * j + i for k in range(n)]).astype("<u2").tobytes()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def item(**attributes):
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def series_of(tmp_path, ds):
    return only_series(save(tmp_path, [ds]))


@pytest.mark.parametrize(
    ("attributes", "times_s"),
    [
        ({"FrameTime": 40.0}, (0.0, 0.04, 0.08, 0.12)),
        # The first step of a vector leads from a frame that is not there.
        ({"FrameTimeVector": [0.0, 30.0, 30.0, 60.0]}, (0.0, 0.03, 0.06, 0.12)),
        ({"FrameTimeVector": [30.0, 30.0, 30.0, 60.0], "FrameTime": 99.0}, (0.0, 0.03, 0.06, 0.12)),
        ({"FrameTimeVector": [0.0, 30.0], "FrameTime": 50.0}, (0.0, 0.05, 0.10, 0.15)),
        ({"FrameIncrementPointer": 0x00181063, "FrameTime": 20.0}, (0.0, 0.02, 0.04, 0.06)),
    ],
)
def test_frames_of_a_cine_have_times(tmp_path, attributes, times_s):
    series = series_of(tmp_path, frames(US_CINE, "US", **attributes))
    assert series.frame_time_s == pytest.approx(times_s)
    cine = series.cine()
    assert cine.frame_time_s == series.frame_time_s
    assert cine.image.array.shape == (4, 1, 8, 6)
    assert cine.image.array[2, 0, 3, 5] == 223
    assert "frame-times-unstated" not in codes(series)


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, "states no usable Frame Time"),
        ({"FrameTime": 0.0}, "states no usable Frame Time"),
        ({"FrameTimeVector": [0.0, -5.0, 3.0, 3.0]}, "states no usable Frame Time"),
        ({"CineRate": 25}, "recommends a display of 25 frames a second"),
    ],
)
def test_unstated_times_stay_unstated(tmp_path, attributes, said):
    series = series_of(tmp_path, frames(US_CINE, "US", **attributes))
    assert series.frame_time_s == ()
    assert said in condition(series, "frame-times-unstated").text
    assert series.image().array.shape == (4, 1, 8, 6)
    with pytest.raises(RefusedInput, match="states no times of frames"):
        series.cine()


def test_frames_of_detectors_are_no_time(tmp_path):
    ds = frames(
        NM, "NM", FrameIncrementPointer=[0x00540010, 0x00540020], ImageType=["ORIGINAL", "PRIMARY", "STATIC"]
    )
    said = condition(series_of(tmp_path, ds), "frames-not-in-time").text
    assert "differ by energy window and detector" in said


def test_dynamic_nuclear_medicine_counts_phases(tmp_path):
    phases = [
        item(ActualFrameDuration=1000, NumberOfFramesInPhase=2, PauseBetweenFrames=500),
        item(ActualFrameDuration=2000, NumberOfFramesInPhase=2),
    ]
    ds = frames(NM, "NM", ImageType=["ORIGINAL", "PRIMARY", "DYNAMIC"], PhaseInformationSequence=phases)
    assert series_of(tmp_path, ds).frame_time_s == pytest.approx((0.0, 1.0, 2.5, 4.5))


def test_enhanced_frames_are_timed_by_their_moments(tmp_path):
    moments = ["20240101101010.00", "20240101101010.25", "20240101101011.00", "20240101101012.00"]
    groups = [item(FrameContentSequence=[item(FrameReferenceDateTime=moment)]) for moment in moments]
    ds = frames("1.2.840.10008.5.1.4.1.1.12.1.1", "XA", PerFrameFunctionalGroupsSequence=groups)
    series = series_of(tmp_path, ds)
    assert series.frame_time_s == pytest.approx((0.0, 0.25, 1.0, 2.0))


def dose(**attributes):
    plane = {
        "ImagePositionPatient": [10.0, 20.0, 30.0],
        "ImageOrientationPatient": list(AXIAL),
        "PixelSpacing": [2.0, 3.0],
        "GridFrameOffsetVector": [0.0, 2.5, 5.0, 7.5],
        "DoseGridScaling": 0.01,
        "DoseUnits": "GY",
        "FrameIncrementPointer": 0x3004000C,
    }
    return frames(RT_DOSE, "RTDOSE", **{**plane, **attributes})


@pytest.mark.parametrize(
    ("offsets", "orientation", "corner_mm"),
    [
        ([0.0, 2.5, 5.0, 7.5], AXIAL, (25.0, 34.0, 37.5)),
        # z coordinates in place of offsets
        ([30.0, 32.5, 35.0, 37.5], AXIAL, (25.0, 34.0, 37.5)),
        # planes that go down, sorted upwards in the image: the place is what counts
        ([0.0, -2.5, -5.0, -7.5], AXIAL, (25.0, 34.0, 22.5)),
        # rows towards the front: the normal points down
        ([0.0, 2.5, 5.0, 7.5], (1.0, 0.0, 0.0, 0.0, -1.0, 0.0), (25.0, 6.0, 22.5)),
    ],
)
def test_dose_is_in_gray_where_its_planes_say(tmp_path, offsets, orientation, corner_mm):
    ds = dose(GridFrameOffsetVector=offsets, ImageOrientationPatient=list(orientation))
    series = series_of(tmp_path, ds)
    image = series.image()
    assert (series.unit, image.unit) == ("Gy", "Gy")
    z, y, x = np.rint(image.grid.mm_to_index(np.array(corner_mm))).astype(int)
    # last frame, last row, last column: 300 + 42 + 5 counts of 0.01 Gy
    assert image.array[z, y, x] == pytest.approx(3.47)
    np.testing.assert_allclose(image.grid.index_to_mm(np.array([z, y, x])), corner_mm, atol=1e-6)


def test_relative_dose_has_no_unit(tmp_path):
    series = series_of(tmp_path, dose(DoseUnits="RELATIVE"))
    assert series.unit is None
    assert "Dose Units (3004,0002) is RELATIVE" in condition(series, "dose-units-not-gray").text


@pytest.mark.parametrize("spacing_mm", [4.0, -4.0])
def test_reconstructed_nuclear_medicine_is_a_volume(tmp_path, spacing_mm):
    """The sign of Spacing Between Slices is the direction of the stack (PS3.3 C.8.4.15)."""
    detector = item(ImagePositionPatient=[1.0, 2.0, 3.0], ImageOrientationPatient=list(AXIAL))
    ds = frames(
        NM,
        "NM",
        ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"],
        DetectorInformationSequence=[detector],
        SpacingBetweenSlices=spacing_mm,
        PixelSpacing=[2.0, 2.0],
        SliceVector=[1, 2, 3, 4],
        FrameIncrementPointer=0x00540080,
    )
    image = series_of(tmp_path, ds).image()
    assert image.array.shape == (4, 8, 6)
    z, y, x = np.rint(image.grid.mm_to_index(np.array([1.0, 2.0, 3.0 + 2 * spacing_mm]))).astype(int)
    assert image.array[z, y, x] == 200


def test_gated_nuclear_medicine_is_parted_by_time_slot(tmp_path):
    detector = item(ImagePositionPatient=[1.0, 2.0, 3.0], ImageOrientationPatient=list(AXIAL))
    ds = frames(
        NM,
        "NM",
        ImageType=["ORIGINAL", "PRIMARY", "RECON GATED TOMO", "EMISSION"],
        DetectorInformationSequence=[detector],
        SpacingBetweenSlices=4.0,
        PixelSpacing=[2.0, 2.0],
        SliceVector=[1, 2, 1, 2],
        TimeSlotVector=[1, 1, 2, 2],
    )
    from hounsfield.studies import read_study

    first, second = read_study(save(tmp_path, [ds])).series
    assert first.image().array[:, 0, 0].tolist() == [0, 100]
    assert second.image().array[:, 0, 0].tolist() == [200, 300]
    assert "time slot" in condition(first, "series-split").text


def enhanced(sop_class, modality, place_of, **names):
    """One file whose functional groups place its frames; names: of the sequences and attributes."""
    groups = []
    for k in range(4):
        place = item(**{names["position"]: place_of(k)})
        groups.append(item(**{names["position_sequence"]: [place]}))
    shared = item(
        PixelMeasuresSequence=[item(PixelSpacing=[0.5, 0.5], SliceThickness=1.0)],
        **{names["orientation_sequence"]: [item(**{names["orientation"]: list(AXIAL)})]},
    )
    return frames(
        sop_class,
        modality,
        PerFrameFunctionalGroupsSequence=groups,
        SharedFunctionalGroupsSequence=[shared],
    )


def test_ultrasound_volume_is_true_in_size_and_says_what_its_directions_are(tmp_path):
    ds = enhanced(
        US_VOLUME,
        "US",
        lambda k: [0.0, 0.0, 1.5 * k],
        position="ImagePositionVolume",
        position_sequence="PlanePositionVolumeSequence",
        orientation="ImageOrientationVolume",
        orientation_sequence="PlaneOrientationVolumeSequence",
    )
    ds.VolumeFrameOfReferenceUID = "2.25.4711"
    series = series_of(tmp_path, ds)
    assert series.grid.spacing_mm == pytest.approx((1.5, 0.5, 0.5))
    assert series.grid.frame_of_reference_uid == "2.25.4711"
    assert "frame of its transducer" in condition(series, "directions-of-transducer").text
    assert series.image().array[3, 0, 0] == 300


def test_tomosynthesis_is_a_volume_with_side_and_view(tmp_path):
    ds = enhanced(
        TOMOSYNTHESIS,
        "MG",
        lambda k: [0.0, 0.0, -1.0 * k],
        position="ImagePositionPatient",
        position_sequence="PlanePositionSequence",
        orientation="ImageOrientationPatient",
        orientation_sequence="PlaneOrientationSequence",
    )
    series = series_of(tmp_path, ds)
    image = series.image()
    assert series.grid.spacing_mm == pytest.approx((1.0, 0.5, 0.5))
    # Frames that go down are sorted upwards.
    assert image.array[:, 0, 0].tolist() == [300, 200, 100, 0]
    assert series.tags["Side"] == "unknown"
    assert "laterality-unstated" in codes(series)
