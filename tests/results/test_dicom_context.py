"""What every derived object copies, states and is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pydicom
import pytest
from tests.results.readings import CREATED, headers_of, reading_of, series_of, write_all

from hounsfield.core.errors import ResultError
from hounsfield.results.dicom_context import COPIED, TYPE_2, coded, plain

OBJECTS = ("segmentation", "measurements", "picture-1", "picture-2", "report")
PRIVATE = "99HOUNSFIELD"


def objects(folder) -> dict:
    return {name: pydicom.dcmread(folder / "dicom" / f"{name}.dcm") for name in OBJECTS}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The headers and all objects of one reading."""
    folder, headers = tmp_path_factory.mktemp("out") / "r", headers_of()
    for header in headers:
        header.PatientAge, header.PatientIdentityRemoved, header.BodyPartExamined = "044Y", "YES", "CHEST"
        header.ManufacturerModelName, header.InstitutionName = "Scanner 9", "Test Hospital"
        header.ClinicalTrialProtocolID = "TRIAL-1"
    write_all(folder, series_of(headers))
    return headers, objects(folder)


@pytest.mark.parametrize("name", OBJECTS)
def test_patient_and_study_are_those_of_the_source(written, name):
    headers, found = written
    for keyword in COPIED:
        if keyword in headers[0]:
            assert found[name][keyword] == headers[0][keyword], keyword
        elif keyword not in TYPE_2:
            assert keyword not in found[name], keyword
    assert found[name].PatientBirthDate == ""  # empty stays empty


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_say_what_made_them(written, name):
    _, found = written
    ds = found[name]
    assert (ds.Manufacturer, ds.ManufacturerModelName, ds.SoftwareVersions) == (
        "Hounsfield",
        "lung_ct",
        "0.1.0",
    )
    assert ds.DeviceSerialNumber
    assert ds.ContentQualification == "RESEARCH"
    scanner, software = ds.ContributingEquipmentSequence
    assert scanner.PurposeOfReferenceCodeSequence[0].CodeValue == "109101"
    assert (scanner.Manufacturer, scanner.ManufacturerModelName) == ("Synthetic", "Scanner 9")
    assert scanner.InstitutionName == "Test Hospital"
    assert "InstitutionName" not in ds
    assert software.PurposeOfReferenceCodeSequence[0].CodeValue == "109102"
    assert "Research use only. Not a medical device." in software.ContributionDescription
    assert ds.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == PRIVATE


@pytest.mark.parametrize("name", OBJECTS)
def test_series_sorts_last_and_says_research_use(written, name):
    _, found = written
    assert found[name].SeriesNumber >= 900
    assert found[name].SeriesDescription.startswith("lung_ct ")
    assert found[name].SeriesDescription.endswith("research use")


@pytest.mark.parametrize("name", OBJECTS)
def test_times_are_those_of_creation(written, name):
    _, found = written
    ds = found[name]
    assert ds.ContentDate == ds.SeriesDate == ds.InstanceCreationDate == "20240304"
    assert ds.ContentTime == ds.SeriesTime == ds.InstanceCreationTime == "050607"
    assert "20240304" not in (ds.StudyDate, ds.get("AcquisitionDate"))


def test_pictures_share_a_series_and_nothing_else_does(written):
    _, found = written
    series = {name: ds.SeriesInstanceUID for name, ds in found.items()}
    assert series["picture-1"] == series["picture-2"]
    assert len(set(series.values())) == 4
    assert len({ds.SOPInstanceUID for ds in found.values()}) == 5
    assert len({ds.StudyInstanceUID for ds in found.values()}) == 1


def test_body_part_is_copied_to_images(written):
    _, found = written
    assert found["segmentation"].BodyPartExamined == found["picture-1"].BodyPartExamined == "CHEST"


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Test"),
        ("ISO_IR 144", "Тест^Phantom"),
        (["", "ISO 2022 IR 87"], "Yamada^Test=山田^太郎=やまだ^たろう"),
        ("ISO_IR 192", "Þór^Test=测试"),
        ("GB18030", "Wang^Test=王^小东"),
    ],
)
def test_name_in_any_character_set_is_copied_byte_for_byte(tmp_path, charset, name):
    headers = headers_of()
    for header in headers:
        header.SpecificCharacterSet, header.PatientName = charset, name
    headers[0].file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    headers[0].save_as(tmp_path / "source.dcm", enforce_file_format=True)
    expected = raw(tmp_path / "source.dcm", "PatientName")
    write_all(tmp_path / "r", series_of(headers))
    for path in (tmp_path / "r" / "dicom").iterdir():
        assert raw(path, "PatientName") == expected, path.name
        assert raw(path, "SpecificCharacterSet") == raw(tmp_path / "source.dcm", "SpecificCharacterSet")
        pydicom.dcmread(path).decode()  # every text of the object fits the character set


def raw(path, keyword: str) -> bytes:
    """The bytes of a value as they stand in the file."""
    ds = pydicom.dcmread(path)
    return ds.get_item(pydicom.datadict.tag_for_keyword(keyword)).value


def uids(folder) -> dict:
    """Every UID that the objects of a reading gave themselves."""
    found = {}
    for name, ds in objects(folder).items():
        found[name] = (ds.SOPInstanceUID, ds.SeriesInstanceUID)
        for number, segment in enumerate(ds.get("SegmentSequence", [])):
            found[f"segment {number}"] = segment.TrackingUID
    return found


def test_uids_depend_neither_on_time_nor_on_timing(tmp_path):
    series = series_of(headers_of())
    reading = reading_of(series)
    write_all(tmp_path / "a", series, reading)
    later = replace(reading, provenance=replace(reading.provenance, timing_s={"run": 99.0}))
    write_all(tmp_path / "b", series, later, created=CREATED + timedelta(days=400))
    assert uids(tmp_path / "a") == uids(tmp_path / "b")
    assert all(uid.startswith("2.25.") for uid, _ in (uids(tmp_path / "a")[name] for name in OBJECTS))


@pytest.mark.parametrize("change", ["application_version", "code_version", "model", "input", "pixels"])
def test_uids_depend_on_all_that_the_content_depends_on(tmp_path, change):
    series = series_of(headers_of())
    reading = reading_of(series, method="model")
    provenance, [reference] = reading.provenance, reading.inputs
    changed = {
        "application_version": lambda: replace(
            reading, provenance=replace(provenance, application_version="2")
        ),
        "code_version": lambda: replace(reading, provenance=replace(provenance, code_version="2")),
        "model": lambda: replace(
            reading, provenance=replace(provenance, models=(replace(provenance.models[0], digest="f" * 64),))
        ),
        "input": lambda: replace(reading, inputs=(replace(reference, sop_instance_uids=("1.2",)),)),
        "pixels": lambda: replace(reading, inputs=(replace(reference, pixel_sha256="e" * 64),)),
    }[change]()
    write_all(tmp_path / "a", series, reading)
    write_all(tmp_path / "b", series, changed)
    one, other = uids(tmp_path / "a"), uids(tmp_path / "b")
    assert not {str(v) for v in one.values()} & {str(v) for v in other.values()}


def test_two_runs_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_all(tmp_path / name, series_of(headers_of()))
    ours = {p.relative_to(tmp_path / "a"): p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    theirs = {
        p.relative_to(tmp_path / "b"): p.read_bytes() for p in (tmp_path / "b").rglob("*") if p.is_file()
    }
    assert ours.keys() == theirs.keys()
    assert not [str(path) for path in ours if ours[path] != theirs[path]]


def test_source_headers_are_not_changed(tmp_path):
    headers = headers_of()
    before = [header.to_json() for header in headers]
    write_all(tmp_path / "r", series_of(headers))
    assert [header.to_json() for header in headers] == before


def test_reading_without_provenance_is_refused(tmp_path):
    series = series_of(headers_of())
    with pytest.raises(ResultError, match="has no provenance"):
        write_all(tmp_path / "r", series, replace(reading_of(series), provenance=None))
    assert not (tmp_path / "r").exists()


def test_lossy_history_is_carried_on(tmp_path):
    headers = headers_of()
    for header in headers:
        header.LossyImageCompression, header.LossyImageCompressionRatio = "01", "12.5"
    write_all(tmp_path / "r", series_of(headers))
    found = objects(tmp_path / "r")
    for name in ("segmentation", "picture-1"):
        assert (found[name].LossyImageCompression, found[name].LossyImageCompressionRatio) == ("01", 12.5)


def test_scanner_without_a_name_is_said_to_be_unstated(tmp_path):
    headers = headers_of()
    for header in headers:
        header.Manufacturer = ""
    write_all(tmp_path / "r", series_of(headers))
    for ds in objects(tmp_path / "r").values():
        assert ds.ContributingEquipmentSequence[0].Manufacturer == "unstated"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 mm² \u2013 \u201cleft\u201d", '3 mm2 - "left"'),
        ("a\\b\r\nc\td", "a/b c d"),
        ("王", ""),
        ("x" * 100, "x" * 64),
        ("é", "e"),
    ],
)
def test_own_texts_fit_every_character_set(text, expected):
    assert plain(text, 64) == expected


def test_long_codes_are_long_code_values():
    from hounsfield.core import Code

    assert coded(Code("1234567890123456", "SCT", "x")).CodeValue
    assert coded(Code("12345678901234567", "SCT", "x")).LongCodeValue == "12345678901234567"
