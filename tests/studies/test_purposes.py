"""View, side and calibrated regions; images that were not made to be measured."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.studies.reading import codes, condition, only_series, save
from tests.tiny_dicom import ct_instance

from hounsfield.core import Role
from hounsfield.pipeline.selection import judge


def item(**attributes):
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def projection(modality="DX", **attributes):
    ds = ct_instance(0)
    ds.Modality = modality
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleType"):
        delattr(ds, keyword)
    ds.ImageType = ["DERIVED", "PRIMARY"]
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def code(value, meaning):
    return item(CodeValue=value, CodingSchemeDesignator="SCT", CodeMeaning=meaning)


@pytest.mark.parametrize(
    ("attributes", "view", "side"),
    [
        ({}, "unknown", "unknown"),
        ({"ViewPosition": "PA", "Laterality": "U"}, "PA", "unknown"),
        (
            {"ViewCodeSequence": [code("399368009", "medio-lateral oblique")], "ImageLaterality": "R"},
            "MLO",
            "R",
        ),
        ({"ViewCodeSequence": [code("999", "sitting")], "Laterality": "L"}, "sitting", "L"),
        ({"ViewPosition": "CC", "ViewCodeSequence": [code("399162004", "cranio-caudal")]}, "CC", "unknown"),
        (
            {"ViewPosition": "AP", "ViewCodeSequence": [code("272479007", "postero-anterior")]},
            "unknown",
            "unknown",
        ),
        ({"ViewPosition": "LL", "ImageLaterality": "L", "Laterality": "R"}, "LL", "unknown"),
    ],
)
def test_view_and_side_are_those_of_the_tags(tmp_path, attributes, view, side):
    tags = only_series(save(tmp_path, [projection(**attributes)])).tags
    assert (tags["View"], tags["Side"]) == (view, side)


def test_views_that_contradict_are_told(tmp_path):
    ds = projection(ViewPosition="AP", ViewCodeSequence=[code("272479007", "postero-anterior")])
    said = condition(only_series(save(tmp_path, [ds])), "view-contradictory")
    assert "(0018,5101) says AP and View Code Sequence (0054,0220) PA" in said.text


def region(**attributes):
    plain = {
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.02,
        "PhysicalDeltaY": 0.03,
        "RegionSpatialFormat": 1,
        "RegionLocationMinX0": 2,
        "RegionLocationMinY0": 1,
        "RegionLocationMaxX1": 30,
        "RegionLocationMaxY1": 20,
    }
    return item(**{**plain, **attributes})


def test_regions_of_ultrasound_are_listed_with_their_millimetres(tmp_path):
    ds = projection(
        "US", SequenceOfUltrasoundRegions=[region(), region(RegionSpatialFormat=3, PhysicalUnitsXDirection=4)]
    )
    series = only_series(save(tmp_path, [ds]))
    [listed] = series.tags["UltrasoundRegions"]
    assert listed["box_yx"] == (1, 2, 20, 30)
    assert (listed["row_mm"], listed["column_mm"]) == pytest.approx((0.3, 0.2))
    spacing = series.image().plane_spacing
    assert (spacing.row_mm, spacing.column_mm, spacing.kind) == (
        pytest.approx(0.3),
        pytest.approx(0.2),
        "calibrated",
    )


def test_regions_of_two_scales_give_no_spacing(tmp_path):
    ds = projection("US", SequenceOfUltrasoundRegions=[region(), region(PhysicalDeltaX=0.05)])
    series = only_series(save(tmp_path, [ds]))
    assert series.image().plane_spacing is None
    assert "spacing-uncalibrated" in codes(series)
    assert len(series.tags["UltrasoundRegions"]) == 2


ANY = Role("any", geometry="any")


@pytest.mark.parametrize(
    ("image_type", "code_"),
    [
        (["ORIGINAL", "PRIMARY", "LOCALIZER"], "localizer"),
        (["DERIVED", "SECONDARY", "MPR"], "reformatted-image"),
        (["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"], "reformatted-image"),
        (["DERIVED", "SECONDARY", "MIP 5"], "projected-image"),
        (["DERIVED", "PRIMARY", "PROJECTION IMAGE"], "projected-image"),
        (["DERIVED", "SECONDARY", "OTHER", "VRT"], "projected-image"),
        (["DERIVED", "SECONDARY", "SCREEN SAVE"], "screen-capture"),
        (["DERIVED", "SECONDARY", "DOSE_INFO"], "dose-report"),
    ],
)
def test_what_was_not_made_to_be_measured_is_read_and_not_taken(tmp_path, image_type, code_):
    slices = [ct_instance(k) for k in range(2)]
    for ds in slices:
        ds.ImageType = image_type
    series = only_series(save(tmp_path, slices))
    assert code_ in codes(series)
    assert [reason.code for reason in judge(series, ANY)] == [code_]
    assert np.ptp(series.image().array) > 0


@pytest.mark.parametrize(
    "image_type",
    [["ORIGINAL", "PRIMARY", "AXIAL"], ["DERIVED", "PRIMARY", "AXIAL"], ["ORIGINAL", "PRIMARY", "M", "MIP"]],
)
def test_what_was_made_to_be_measured_is_taken(tmp_path, image_type):
    ds = ct_instance(0)
    ds.ImageType = image_type
    assert judge(only_series(save(tmp_path, [ds])), ANY) == ()


def test_secondary_capture_is_for_those_who_take_raster_files(tmp_path):
    ds = projection("CR")
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    series = only_series(save(tmp_path, [ds]))
    assert [reason.code for reason in judge(series, ANY)] == ["secondary-capture"]
    assert judge(series, Role("film", geometry="any", raster=True)) == ()
