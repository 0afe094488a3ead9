"""The SEG marks the right voxels: patient positions are computed here from the file, by the standard."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedCTImageStorage
from tests.results.readings import (
    DIGEST,
    grid_of,
    headers_of,
    letter_f,
    reading_of,
    regions_on,
    series_of,
    write_all,
)
from tests.tiny_dicom import ORIENTATIONS

from hounsfield.core import Grid, Region, Series, SourceFrame
from hounsfield.core.code import LEFT, LESION, LUNG, MORPHOLOGICALLY_ABNORMAL_STRUCTURE

BACKWARDS = {name: (*(-v for v in c[:3]), *c[3:]) for name, c in ORIENTATIONS.items()}
ALL = ORIENTATIONS | {f"{name}-mirrored": cosines for name, cosines in BACKWARDS.items()}


def written(folder, series, **parts):
    """The data set of the segmentation of a reading on `series`."""
    write_all(folder / "r", series, reading_of(series, **parts))
    return pydicom.dcmread(folder / "r" / "dicom" / "segmentation.dcm")


def marked_mm(seg, number: int) -> np.ndarray:
    """LPS positions of the voxels of one segment, sorted: our own reading of bits and planes (C.7.6.2.1.1)."""
    bits = np.unpackbits(np.frombuffer(seg.PixelData, dtype=np.uint8), bitorder="little")
    frames = bits[: seg.NumberOfFrames * seg.Rows * seg.Columns].reshape(-1, seg.Rows, seg.Columns)
    shared = seg.SharedFunctionalGroupsSequence[0]
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float)
    row_mm, column_mm = (float(v) for v in shared.PixelMeasuresSequence[0].PixelSpacing)
    points = []
    for frame, groups in zip(frames, seg.PerFrameFunctionalGroupsSequence, strict=True):
        identification = groups if "SegmentIdentificationSequence" in groups else shared
        if identification.SegmentIdentificationSequence[0].ReferencedSegmentNumber != number:
            continue
        origin = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        for row, column in np.argwhere(frame):
            points.append(origin + column * column_mm * cosines[:3] + row * row_mm * cosines[3:])
    return ordered(np.array(points))


def ordered(points: np.ndarray) -> np.ndarray:
    rounded = np.round(points, 2) + 0.0
    return points[np.lexsort(rounded.T)]


def source_mm(headers, mask: np.ndarray) -> np.ndarray:
    """LPS positions of marked voxels from the source's own headers; mask axis 0 follows the headers."""
    points = []
    for k, row, column in np.argwhere(mask):
        header = headers[k]
        cosines = np.array(header.ImageOrientationPatient, dtype=float)
        row_mm, column_mm = (float(v) for v in header.PixelSpacing)
        origin = np.array(header.ImagePositionPatient, dtype=float)
        points.append(origin + column * column_mm * cosines[:3] + row * row_mm * cosines[3:])
    return ordered(np.array(points))


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_voxel_lies_where_the_source_has_it(tmp_path, name):
    headers = headers_of(ALL[name])
    series = series_of(headers)
    regions = regions_on(series.grid)
    seg = written(tmp_path, series)
    for number, region in enumerate(regions, start=1):
        np.testing.assert_allclose(marked_mm(seg, number), source_mm(headers, region.mask), atol=1e-3)


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_frame_names_the_instance_that_it_was_drawn_on(tmp_path, name):
    headers = headers_of(ALL[name])
    seg = written(tmp_path, series_of(headers))
    by_uid = {h.SOPInstanceUID: h for h in headers}
    for groups in seg.PerFrameFunctionalGroupsSequence:
        [source] = groups.DerivationImageSequence[0].SourceImageSequence
        header = by_uid[source.ReferencedSOPInstanceUID]
        assert source.ReferencedSOPClassUID == header.SOPClassUID
        assert source.SpatialLocationsPreserved == "YES"
        assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
        position = groups.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(position, header.ImagePositionPatient, atol=1e-6)


def test_order_of_the_headers_does_not_matter(tmp_path):
    headers = headers_of()
    series = series_of(headers)
    shuffled = Series(
        **{
            f: getattr(series, f)
            for f in ("key", "kind", "modality", "series_instance_uid", "unit", "grid", "source")
        },
        load_headers=lambda: [headers[k] for k in (3, 0, 5, 1, 4, 2)],
    )
    mask = letter_f(series.grid.shape)
    seg = written(tmp_path, shuffled)
    np.testing.assert_allclose(marked_mm(seg, 1), source_mm(headers, mask), atol=1e-3)


def test_sheared_grid_of_a_tilted_gantry_is_exact_slice_by_slice(tmp_path):
    headers = headers_of()
    for k, header in enumerate(headers):
        x, y, z = (float(v) for v in header.ImagePositionPatient)
        header.ImagePositionPatient = [x, y + 0.7 * k, z]
    series = series_of(headers)
    seg = written(tmp_path, series)
    np.testing.assert_allclose(
        marked_mm(seg, 1), source_mm(headers, regions_on(series.grid)[0].mask), atol=1e-3
    )


def test_cosines_that_differ_in_the_sixth_digit_are_one_orientation(tmp_path):
    headers = headers_of()
    headers[3].ImageOrientationPatient = [1, 0.000001, 0, -0.000001, 1, 0]
    seg = written(tmp_path, series_of(headers))
    assert seg.NumberOfFrames > 1


def test_overlapping_regions_keep_all_their_voxels(tmp_path):
    headers = headers_of()
    series = series_of(headers)
    inner = np.zeros(series.grid.shape, dtype=bool)
    inner[2, 3:5, 5:9] = True
    outer = letter_f(series.grid.shape)
    assert (inner & outer).any()
    lesion = Region("lesion", LESION, series.grid, inner, category=MORPHOLOGICALLY_ABNORMAL_STRUCTURE)
    lung = Region("lung", LUNG, series.grid, outer)
    seg = written(tmp_path, series, regions=(lung, lesion), measurements=(), findings=(), maps=())
    assert seg.SegmentsOverlap == "YES"
    np.testing.assert_allclose(marked_mm(seg, 1), source_mm(headers, outer), atol=1e-3)
    np.testing.assert_allclose(marked_mm(seg, 2), source_mm(headers, inner), atol=1e-3)


def test_frames_that_fill_no_whole_bytes(tmp_path):
    """17 x 23 pixels are 391 bits: all frames but the first begin within a byte, and the last is filled up."""
    headers = headers_of(n=9, shape_yx=(17, 23))
    series = series_of(headers)
    seg = written(tmp_path, series)
    assert seg.NumberOfFrames == 7 + 2
    assert len(seg.PixelData) == -(-9 * 391 // 16) * 2
    for number, region in enumerate(regions_on(series.grid), start=1):
        np.testing.assert_array_equal(marked_mm(seg, number), source_mm(headers, region.mask))


def test_dimensions_count_segments_and_marked_slices(tmp_path):
    series = series_of(headers_of())
    seg = written(tmp_path, series)
    groups = seg.PerFrameFunctionalGroupsSequence
    found = [tuple(group.FrameContentSequence[0].DimensionIndexValues) for group in groups]
    assert found == [(1, 1), (1, 2), (1, 3), (1, 4), (2, 2), (2, 3)]
    pointers = [item.DimensionIndexPointer for item in seg.DimensionIndexSequence]
    assert pointers == [0x0062000B, 0x00200032]
    numbers = [group.SegmentIdentificationSequence[0].ReferencedSegmentNumber for group in groups]
    assert numbers == [number for number, _ in found]


@pytest.mark.parametrize("charset", ["ISO_IR 192", "ISO_IR 100", ["", "ISO 2022 IR 87"], None])
def test_character_set_of_the_source_is_kept(tmp_path, charset):
    headers = headers_of()
    for header in headers:
        header.PatientName = "Synthetic^Test"
        if charset is not None:
            header.SpecificCharacterSet = charset
    seg = written(tmp_path, series_of(headers))
    assert seg.PatientName == "Synthetic^Test"
    assert seg.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence


def enhanced(headers):
    """One multi-frame object with the planes of single-frame headers, in an order that is not theirs."""
    first = headers[0]
    order = [2, 0, 4, 1, 5, 3]
    ds = Dataset()
    for keyword in (
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "FrameOfReferenceUID",
        "Rows",
        "Columns",
        "Modality",
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "StudyDate",
        "StudyTime",
    ):
        setattr(ds, keyword, first.get(keyword))
    ds.SOPClassUID, ds.SOPInstanceUID, ds.NumberOfFrames = EnhancedCTImageStorage, "1.2.3.4.5", len(headers)
    orientation, measures, shared = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = first.ImageOrientationPatient
    measures.PixelSpacing, measures.SliceThickness = first.PixelSpacing, first.SliceThickness
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence = [shared], []
    for k in order:
        position, frame = Dataset(), Dataset()
        position.ImagePositionPatient = headers[k].ImagePositionPatient
        frame.PlanePositionSequence = [position]
        ds.PerFrameFunctionalGroupsSequence.append(frame)
    source = tuple(SourceFrame("1.2.3.4.5", order.index(k) + 1) for k in range(len(headers)))
    return ds, source


@pytest.mark.parametrize("name", sorted(ORIENTATIONS))
def test_enhanced_multi_frame_source(tmp_path, name):
    headers = headers_of(ORIENTATIONS[name])
    ds, source = enhanced(headers)
    grid = grid_of(headers)
    series = Series(
        "e",
        "image",
        "CT",
        str(ds.SeriesInstanceUID),
        unit="HU",
        grid=grid,
        source=source,
        load_headers=lambda: [ds],
    )
    seg = written(tmp_path, series)
    mask = regions_on(grid)[0].mask
    np.testing.assert_allclose(marked_mm(seg, 1), source_mm(headers, mask), atol=1e-3)
    for groups in seg.PerFrameFunctionalGroupsSequence:
        [reference] = groups.DerivationImageSequence[0].SourceImageSequence
        assert reference.ReferencedSOPInstanceUID == "1.2.3.4.5"
        assert reference.ReferencedSOPClassUID == EnhancedCTImageStorage
        frame = ds.PerFrameFunctionalGroupsSequence[reference.ReferencedFrameNumber - 1]
        np.testing.assert_allclose(
            frame.PlanePositionSequence[0].ImagePositionPatient,
            groups.PlanePositionSequence[0].ImagePositionPatient,
            atol=1e-6,
        )
    [referenced] = seg.ReferencedSeriesSequence
    assert [item.ReferencedSOPInstanceUID for item in referenced.ReferencedInstanceSequence] == ["1.2.3.4.5"]


def test_single_slice(tmp_path):
    headers = headers_of(n=1)
    series = series_of(headers)
    seg = written(tmp_path, series)
    np.testing.assert_allclose(
        marked_mm(seg, 1), source_mm(headers, regions_on(series.grid)[0].mask), atol=1e-3
    )


def test_radiograph_without_frame_of_reference(tmp_path):
    headers = headers_of(n=1)
    del headers[0].FrameOfReferenceUID, headers[0].ImagePositionPatient, headers[0].ImageOrientationPatient
    headers[0].SOPClassUID, headers[0].Modality = "1.2.840.10008.5.1.4.1.1.1.1", "DX"
    series = series_of(headers, grid=Grid((1, 24, 32)))
    seg = written(tmp_path, series)
    assert "FrameOfReferenceUID" not in seg
    bits = np.unpackbits(np.frombuffer(seg.PixelData, dtype=np.uint8), bitorder="little")
    np.testing.assert_array_equal(bits[: 24 * 32].reshape(24, 32), regions_on(series.grid)[0].mask[0])


def test_module_and_segments(tmp_path):
    seg = written(tmp_path, series_of(headers_of()))
    assert (seg.SegmentationType, seg.Modality, seg.ContentQualification) == ("BINARY", "SEG", "RESEARCH")
    assert (seg.BitsAllocated, seg.SegmentsOverlap) == (1, "NO")
    assert seg.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    left, right = seg.SegmentSequence
    assert [s.SegmentNumber for s in seg.SegmentSequence] == [1, 2]
    assert (left.SegmentLabel, right.SegmentLabel) == ("left-lung", "right-lung")
    kind = left.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("39607008", "SCT")
    assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeValue == LEFT.value
    assert left.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "91723000"
    assert (left.SegmentAlgorithmType, left.SegmentAlgorithmName) == ("AUTOMATIC", "lung_ct")
    identification = left.SegmentationAlgorithmIdentificationSequence[0]
    assert identification.AlgorithmFamilyCodeSequence[0].CodeValue == "123104"
    assert "rule" in identification.AlgorithmParameters
    assert left.RecommendedDisplayCIELabValue != right.RecommendedDisplayCIELabValue
    assert left.TrackingUID != right.TrackingUID


def test_model_is_named_with_its_digest(tmp_path):
    seg = written(tmp_path, series_of(headers_of()), method="model")
    identification = seg.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert identification.AlgorithmFamilyCodeSequence[0].CodeMeaning == "Artificial Intelligence"
    assert DIGEST in identification.AlgorithmParameters


def test_references_hold_every_source_instance_and_no_frame_is_empty(tmp_path):
    headers = headers_of()
    seg = written(tmp_path, series_of(headers))
    [series] = seg.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == headers[0].SeriesInstanceUID
    referenced = [item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence]
    assert referenced == [h.SOPInstanceUID for h in headers]
    assert seg.NumberOfFrames == 4 + 2  # the F on slices 1 to 4; the other region on slices 2 and 3


def test_empty_regions_take_no_number(tmp_path):
    series = series_of(headers_of())
    _, right = regions_on(series.grid)
    empty = Region("left-lung", LUNG, series.grid, np.zeros(series.grid.shape, dtype=bool))
    seg = written(tmp_path, series, regions=(empty, right))
    assert [s.SegmentLabel for s in seg.SegmentSequence] == ["right-lung"]
    report = pydicom.dcmread(tmp_path / "r" / "dicom" / "measurements.dcm")
    assert "left-lung" not in str(report.get("CurrentRequestedProcedureEvidenceSequence"))


def reason(folder, series, **parts) -> str:
    result = write_all(folder / "r", series, reading_of(series, **parts))
    assert not (folder / "r" / "dicom" / "segmentation.dcm").exists()
    return result.left_out["segmentation"]


def test_nothing_marked_gives_no_segmentation_and_a_reason(tmp_path):
    series = series_of(headers_of())
    empty = Region("left-lung", LUNG, series.grid, np.zeros(series.grid.shape, dtype=bool))
    text = reason(tmp_path, series, regions=(empty,), measurements=(), findings=())
    assert text.startswith("the reading marks no voxel")
    assert text in (tmp_path / "r" / "README.txt").read_text()


def test_resampled_image_gives_a_reason(tmp_path):
    headers = headers_of()
    affine = grid_of(headers).affine.copy()
    affine[:3, 0] *= 1.3
    series = series_of(headers, Grid((6, 24, 32), affine, str(headers[0].FrameOfReferenceUID)))
    assert "voxels away from its source frame" in reason(tmp_path, series)


def test_grid_of_other_slices_than_the_files_gives_a_reason(tmp_path):
    headers = headers_of()
    series = series_of(
        headers, Grid((7, 24, 32), grid_of(headers).affine, str(headers[0].FrameOfReferenceUID))
    )
    assert "7 slices and its files 6 frames" in reason(tmp_path, series)


def test_region_on_another_grid_gives_a_reason(tmp_path):
    series = series_of(headers_of())
    moved = grid_of(headers_of(origin_mm=(0.0, 0.0, 0.0)))
    assert "do not lie on the grid" in reason(
        tmp_path, series, regions=regions_on(moved), measurements=(), findings=(), maps=()
    )


def test_source_without_frame_of_reference_gives_a_reason(tmp_path):
    headers = headers_of()
    grid = Grid((6, 24, 32), grid_of(headers).affine)
    for header in headers:
        del header.FrameOfReferenceUID
    assert "Frame of Reference UID (0020,0052)" in reason(tmp_path, series_of(headers, grid))


def test_headers_that_break_rules_are_no_obstacle(tmp_path):
    """What highdicom refuses in real headers: wrong dates, unknown sex, missing attributes."""
    headers = headers_of()
    for header in headers:
        del header.AccessionNumber, header.StudyID, header.SliceThickness, header.ReferringPhysicianName
        header["PatientSex"].value = "X"
        header.add_new("PatientBirthDate", "DA", "")
    seg = written(tmp_path, series_of(headers))
    assert (seg.PatientSex, seg.AccessionNumber, seg.StudyID) == ("X", "", "")
    assert "SliceThickness" not in seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
