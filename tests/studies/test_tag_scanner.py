"""The quick scan of headers and the straight way of pixels give what pydicom gives, or leave the file to it."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.datadict import keyword_for_tag
from tests.tiny_dicom import ct_instance

from hounsfield.core.errors import HounsfieldError
from hounsfield.studies import instances
from hounsfield.studies.header_values import numbers, quiet_pydicom, texts
from hounsfield.studies.pixel_arrays import PixelPlan
from hounsfield.studies.plain_slices import read_plain_slices
from hounsfield.studies.sources import find_sources
from hounsfield.studies.tag_scanner import BeyondBuffer, Unusual

KEYWORDS = [word for word in map(keyword_for_tag, instances._TAGS) if word]
WITH_HEADERS = 1 << 20


def is_dicom(path):
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def installed_files():
    """Every DICOM file inside the packages that bring some."""
    folders = [Path(package.__file__).parent for package in (pydicom, nibabel)]
    found = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if path.suffix not in {".py", ".pyc"} and is_dicom(path))


def real_files(folder):
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if path.suffix in {".dcm", ".ima", ".IMA", ""} and is_dicom(path))


def scanned(path):
    """The header of a file by the scanner, None where it leaves the file to pydicom."""
    try:
        return instances._SCANNER.scan(path.read_bytes()[:WITH_HEADERS])
    except (BeyondBuffer, Unusual):
        return None


def differing_tags(path, header):
    """Keywords whose value is not that of pydicom, with both, as the reader asks for them."""
    ds = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    different = []
    for keyword in KEYWORDS:
        try:
            ours = numbers(header, keyword), texts(header, keyword)
        except Unusual:
            continue  # then the whole file is read with pydicom
        theirs = numbers(ds, keyword), texts(ds, keyword)
        if keyword in header and ds[keyword].VR == "SQ":
            continue  # only that it is there matters
        # As text a number may keep or lose zeros; as numbers they are equal.
        if ours[0] != theirs[0] or (ours[0] is None and ours[1] != theirs[1]):
            different.append((keyword, ours, theirs))
    return different


def check(paths, *, least_scanned):
    """Tags, records and pixels of every file; the scan must not have left nearly all of them to pydicom."""
    n_scanned = 0
    with quiet_pydicom():
        for path in paths:
            header = scanned(path)
            n_scanned += header is not None
            if header is not None:
                assert differing_tags(path, header) == [], path.name
            check_record(path)
    assert n_scanned >= least_scanned * len(paths), f"{n_scanned} of {len(paths)}"


def outcome(read, source):
    try:
        return read(source), None
    except HounsfieldError as error:
        return None, error


def check_record(path):
    """The record that sorting and decoding use is the same by both ways."""
    (source,) = find_sources(path)
    (ours, error), (theirs, other) = (
        outcome(read, source) for read in (instances.read_instance, instances.read_instance_with_pydicom)
    )
    assert type(error) is type(other), path.name
    if ours is None:
        return
    assert record_of(ours) == record_of(theirs), path.name
    check_pixels(path, ours)


def record_of(instance):
    """All that a record holds but where its file lies; frames have no equality of their own."""
    return {
        field.name: [asdict(frame) for frame in instance.frames]
        if field.name == "frames"
        else getattr(instance, field.name)
        for field in fields(instance)
        if field.name != "source"
    }


def check_pixels(path, instance):
    """The straight way, where a file goes it, gives stored values times slope plus intercept."""
    if not instance.frames or instance.pixels is None:
        return
    plan = PixelPlan(((instance, instance.frames[0]),), (0,), 1)
    try:
        plain = read_plain_slices(plan)
    except HounsfieldError:
        return  # cut off: told as such elsewhere
    if plain is None:
        return
    ds = pydicom.dcmread(path, force=True)
    if "PixelRepresentation" not in ds:
        return  # pydicom decodes no such file
    stored = ds.pixel_array.reshape(-1, ds.Rows, ds.Columns)[0].astype(np.int64)
    frame = instance.frames[0]
    np.testing.assert_array_equal(plain.array[0], stored + int(frame.intercept or 0), err_msg=path.name)


def test_installed_files():
    paths = installed_files()
    assert len(paths) > 100
    check(paths, least_scanned=0.4)


@pytest.mark.real_data
def test_real_files(real_data):
    paths = real_files(real_data)
    assert len(paths) > 200
    check(paths, least_scanned=0.7)


CHANGES = {
    "SOPInstanceUID": "2.25.77",
    "ImagePositionPatient": [1, 2, 3.5],
    "ImageOrientationPatient": [0, 1, 0, 0, 0, -1],
    "PixelSpacing": [0.5, 0.25],
    "RescaleSlope": 2,
    "RescaleIntercept": -1000,
    "AcquisitionDate": "20200202",
    "AcquisitionTime": "111213.5",
    "ContentTime": "121314",
    "TriggerTime": 250,
    "EchoTime": 4.76,
    "AcquisitionNumber": 9,
    "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"],
    "Modality": "MR",
    "SeriesInstanceUID": "2.25.78",
    "FrameOfReferenceUID": "2.25.79",
    "PixelRepresentation": 1,
    "PixelPaddingValue": 5,
}


@pytest.mark.parametrize("keyword", CHANGES)
def test_slice_that_differs_from_the_last_one_in_one_attribute_is_read_as_it_states(keyword, tmp_path):
    """What slices share is remembered: each must still have what it states itself, and lack what it lacks."""
    plain, changed, bare = (ct_instance(0) for _ in range(3))
    setattr(changed, keyword, CHANGES[keyword])
    if keyword in bare:
        delattr(bare, keyword)
    paths = [tmp_path / name for name in ("1.dcm", "2.dcm", "3.dcm", "4.dcm")]
    for path, ds in zip(paths, (plain, changed, bare, plain), strict=True):
        ds.save_as(path, enforce_file_format=True)
    records = []
    for path in paths:
        check_record(path)
        (source,) = find_sources(path)
        records.append(record_of(instances.read_instance(source)))
    assert records[0] == records[3] != records[1]
