"""The path from files to readings: refusals become readings, conditions travel, two runs are equal."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.tiny_dicom import ct_instance, write_ct_series

import hounsfield
from hounsfield.core import Measurement, Needs, Reading, Region, Role, applications
from hounsfield.core.application import Application
from hounsfield.core.code import LUNG, MAXIMUM
from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.pipeline import run

THORAX = Role("thorax", modalities=("CT",), unit="HU", min_slices=4)


def brightest(inputs) -> Reading:
    """Say how bright the brightest voxel is."""
    image = inputs["thorax"].image()
    if image.array.max() > 30000:
        raise RefusedInput("the image holds 30000 HU, more than any tissue; check the rescale")
    mask = image.array == image.array.max()
    return Reading.complete(
        regions=[Region("brightest", LUNG, image.grid, mask)],
        measurements=[
            Measurement(
                "maximum",
                MAXIMUM,
                float(image.array.max()),
                "[hnsf'U]",
                "maximum",
                "1",
                regions=("brightest",),
            )
        ],
    )


@pytest.fixture
def app(monkeypatch):
    """A small application, registered for the test alone."""
    made = Application("brightest", "Brightest voxel", "1.0", Needs((THORAX,)), brightest)
    monkeypatch.setitem(applications._members, "brightest", made)
    return "brightest"


def test_reading_carries_inputs_provenance_and_uid(tmp_path, app):
    write_ct_series(tmp_path, 6)
    (reading,) = hounsfield.read(tmp_path, applications=[app])
    assert reading.status == "complete"
    # 1 + i + 32 j + 1024 k - 1024 HU at the last voxel of tests/tiny_dicom.py
    assert reading.measurements[0].value == 1 + 31 + 32 * 23 + 1024 * 5 - 1024
    assert reading.inputs[0].role == "thorax"
    assert len(reading.inputs[0].sop_instance_uids) == 6
    assert len(reading.inputs[0].pixel_sha256) == 64
    assert reading.provenance.application == "brightest"
    assert reading.provenance.method == "rule"
    assert reading.uid.startswith("2.25.")


def test_two_runs_are_equal_but_for_the_time(tmp_path, app):
    write_ct_series(tmp_path / "a", 6)
    write_ct_series(tmp_path / "b", 6, order=[3, 1, 5, 0, 2, 4])
    records = []
    for folder in ("a", "a", "b"):
        record = hounsfield.read(tmp_path / folder, applications=[app])[0].to_json()
        record["provenance"].pop("timing_s")
        record["inputs"][0].pop("files")  # the order of the file names is what differs in b
        records.append(json.dumps(record, sort_keys=True))
    assert records[0] == records[1] == records[2]


def test_missing_slices_make_the_reading_partial(tmp_path, app):
    write_ct_series(tmp_path, order=[0, 1, 2, 4, 5, 6])
    (reading,) = hounsfield.read(tmp_path, applications=[app])
    assert reading.status == "partial"
    assert "slices-missing" in {condition.code for condition in reading.conditions}


def test_series_of_the_right_kind_that_does_not_fit_is_a_refused_reading(tmp_path, app):
    write_ct_series(tmp_path, 2)
    done = run(tmp_path, applications=[app])
    (reading,) = done.readings
    assert reading.status == "refused"
    assert [condition.code for condition in reading.conditions] == ["too-few-slices"]
    assert reading.measurements == ()


def test_series_of_another_kind_is_not_taken_and_the_reason_is_kept(tmp_path, app):
    for k in range(5):
        instance = ct_instance(k)
        instance.Modality = "MR"
        instance.SOPClassUID = instance.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        del instance.RescaleSlope, instance.RescaleIntercept, instance.RescaleType
        instance.save_as(tmp_path / f"{k}.dcm", enforce_file_format=True)
    done = run(tmp_path, applications=[app])
    assert done.readings == ()
    assert done.not_taken[0].reasons[0].code == "modality-not-taken"


def test_image_without_content_is_refused_before_anything_is_computed(tmp_path, app):
    for k in range(5):
        instance = ct_instance(k)
        instance.PixelData = np.full((24, 32), 1024, "<u2").tobytes()
        instance.save_as(tmp_path / f"{k}.dcm", enforce_file_format=True)
    (reading,) = hounsfield.read(tmp_path, applications=[app])
    assert [c.code for c in reading.conditions if c.severity == "refusal"] == ["image-is-uniform"]


def test_refusal_of_the_application_becomes_a_condition(tmp_path, app):
    for k in range(5):
        instance = ct_instance(k)
        instance.RescaleSlope = 10
        instance.save_as(tmp_path / f"{k}.dcm", enforce_file_format=True)
    (reading,) = hounsfield.read(tmp_path, applications=[app])
    assert reading.status == "refused"
    assert "30000 HU" in reading.conditions[0].text


def test_unknown_application_names_the_nearest(tmp_path, app):
    write_ct_series(tmp_path, 5)
    with pytest.raises(UsageError, match="Did you mean 'lung_ct'"):
        hounsfield.read(tmp_path, applications=["lung_tc"])
    assert app
