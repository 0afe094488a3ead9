"""Reports and structures beside their images, made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.studies.reading import codes, condition, only_series, save
from tests.tiny_dicom import ct_instance

from hounsfield.core.errors import RefusedInput
from hounsfield.studies import read_study


def code(value, meaning, scheme="SCT"):
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, scheme, meaning
    return ds


def content(value_type, name, **attributes):
    """One content item; `name` is a code or None."""
    ds = Dataset()
    ds.ValueType = value_type
    if name is not None:
        ds.ConceptNameCodeSequence = [name]
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def numeric(name, value, unit):
    measured = Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = value, [code(unit, unit, "UCUM")]
    return content("NUM", name, MeasuredValueSequence=[measured])


def report(items, sop_class="1.2.840.10008.5.1.4.1.1.88.33"):
    ds = ct_instance(0, name="report")
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "FrameOfReferenceUID"):
        delattr(ds, keyword)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = sop_class
    ds.Modality, ds.ValueType, ds.SeriesDescription = "SR", "CONTAINER", ""
    ds.ConceptNameCodeSequence = [code("126000", "Imaging Measurement Report", "DCM")]
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    ds.ContentSequence = items
    return ds


def test_numbers_of_a_report_stand_with_name_unit_and_place(tmp_path):
    group = content(
        "CONTAINER",
        code("125007", "Measurement Group", "DCM"),
        ContentSequence=[
            content("TEXT", code("112039", "Tracking Identifier", "DCM"), TextValue="lesion 1"),
            content(
                "CODE", code("121071", "Finding", "DCM"), ConceptCodeSequence=[code("108369006", "Tumour")]
            ),
            content(
                "CODE", code("363698007", "Finding Site"), ConceptCodeSequence=[code("39607008", "Lung")]
            ),
            numeric(code("118565006", "Volume"), 12.5, "ml"),
            content("NUM", code("81827009", "Diameter")),
        ],
    )
    outside = content(
        "CONTAINER", None, ContentSequence=[numeric(code("113811", "CTDIvol", "DCM"), 7, "mGy")]
    )
    series = only_series(save(tmp_path, [report([group, outside])]))
    assert series.kind == "other"
    assert series.description == "Imaging Measurement Report"
    assert series.tags["CompletionFlag"] == "COMPLETE"
    volume = {"name": "Volume", "code": "118565006", "value": 12.5, "unit": "ml"}
    unstated = {"name": "Diameter", "code": "81827009", "value": None, "unit": ""}
    dose = {"name": "CTDIvol", "code": "113811", "value": 7.0, "unit": "mGy"}
    assert series.tags["MeasurementGroups"] == (
        {
            "tracking_identifier": "lesion 1",
            "finding": "Tumour",
            "finding_site": "Lung",
            "measurements": (volume, unstated),
        },
        {"tracking_identifier": "", "finding": "", "finding_site": "", "measurements": (dose,)},
    )
    assert "with 3 numbers in 2 groups" in condition(series, "not-an-image").text
    with pytest.raises(RefusedInput):
        series.image()


def test_dose_report_is_named_as_one(tmp_path):
    series = only_series(save(tmp_path, [report([], "1.2.840.10008.5.1.4.1.1.88.67")]))
    assert condition(series, "dose-report").severity == "note"


def test_report_that_is_deeper_than_any_is_refused_and_the_image_beside_it_read(tmp_path):
    item = content("TEXT", None, TextValue="bottom")
    for _ in range(60):
        item = content("CONTAINER", None, ContentSequence=[item])
    deep = report([item])
    slices = [ct_instance(k) for k in range(2)]
    deep.StudyInstanceUID = slices[0].StudyInstanceUID
    image, refused = read_study(save(tmp_path, [*slices, deep])).series
    assert image.image().array.shape == (2, 24, 32)
    assert "deeper than 40 levels" in condition(refused, "object-damaged").text


def structures(contour_data):
    """An RTSTRUCT on the slices of ct_instance, with one contour on slice 1."""
    ds = ct_instance(0)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = "2.25.11"
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated"):
        delattr(ds, keyword)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    ds.Modality, ds.SeriesInstanceUID = "RTSTRUCT", "2.25.12"
    roi, contours, contour = Dataset(), Dataset(), Dataset()
    roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = 1, "lesion", ds.FrameOfReferenceUID
    contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(contour_data) // 3
    contour.ContourData = contour_data
    contours.ReferencedROINumber, contours.ContourSequence = 1, [contour]
    ds.StructureSetROISequence, ds.ROIContourSequence = [roi], [contours]
    return ds


def rectangle_mm(first_column, n_columns, first_row, n_rows):
    """The outline around these pixels of slice 1: origin (-10, -20, 30), spacing 0.7 and 0.8 mm."""
    left, top = -10.0 + 0.7 * (first_column - 0.5), -20.0 + 0.8 * (first_row - 0.5)
    right, bottom = left + 0.7 * n_columns, top + 0.8 * n_rows
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return [round(number, 4) for x, y in corners for number in (x, y, 32.5)]


def test_structure_is_filled_on_the_slice_on_which_it_was_drawn(tmp_path):
    drawn = structures(rectangle_mm(4, 5, 10, 3))
    image, series = read_study(save(tmp_path, [*(ct_instance(k) for k in range(3)), drawn])).series
    [region] = series.regions(image.grid)
    expected = np.zeros((3, 24, 32), dtype=bool)
    expected[1, 10:13, 4:9] = True
    np.testing.assert_array_equal(region.mask, expected)


@pytest.mark.parametrize("numbers", [[1.0, 2.0, 3.0, 4.0], [0.0] * 8])
def test_contour_of_half_a_point_is_refused_and_the_image_read(tmp_path, numbers):
    image, series = read_study(
        save(tmp_path, [*(ct_instance(k) for k in range(2)), structures(numbers)])
    ).series
    said = condition(series, "object-damaged").text
    assert f"has {len(numbers)} values in Contour Data (3006,0050), which are no triples" in said
    assert codes(image) == []


def test_contour_of_words_is_refused(tmp_path):
    drawn = structures(rectangle_mm(4, 5, 10, 3))
    folder = save(tmp_path, [drawn])
    content_bytes = (folder / "0000.dcm").read_bytes()
    (folder / "0000.dcm").write_bytes(content_bytes.replace(b"\\32.5", b"\\ABCD"))
    assert "no triples of numbers" in condition(only_series(folder), "object-damaged").text
