"""The SR says what the reading says: read back with highdicom and with pydicom."""

from __future__ import annotations

from dataclasses import replace

import highdicom as hd
import pydicom
import pytest
from pydicom.sr.codedict import codes
from tests.results.readings import DIGEST, findings, headers_of, reading_of, series_of, write_all

from hounsfield.core import Condition, Grid, Measurement, Reading
from hounsfield.core.code import VOLUME


def written(folder, reading=None, **parts):
    series = series_of(headers_of())
    write_all(folder / "r", series, reading or reading_of(series, **parts))
    return pydicom.dcmread(folder / "r" / "dicom" / "measurements.dcm")


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    return written(tmp_path_factory.mktemp("sr"), method="model")


@pytest.fixture(scope="module")
def report(document):
    return hd.sr.Comprehensive3DSR.from_dataset(document).content


def texts(item, name: str) -> list[str]:
    """Every TEXT below `item` whose concept name has that meaning."""
    found = []
    for child in item.get("ContentSequence", []):
        named = child.get("ConceptNameCodeSequence")
        if child.ValueType == "TEXT" and named and named[0].CodeMeaning == name:
            found.append(child.TextValue)
        found += texts(child, name)
    return found


def test_flags(document):
    assert (document.CompletionFlag, document.VerificationFlag) == ("COMPLETE", "UNVERIFIED")
    assert document.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert document.SOPClassUID.name == "Comprehensive 3D SR Storage"


def test_partial_reading_is_partial(tmp_path):
    series = series_of(headers_of())
    assert written(tmp_path, replace(reading_of(series), status="partial")).CompletionFlag == "PARTIAL"


def test_observer_is_a_device(report):
    context = report.get_observer_contexts(observer_type=codes.DCM.Device)
    assert context[0].observer_identifying_attributes.name == "Hounsfield"
    assert context[0].observer_identifying_attributes.model_name == "lung_ct"


def test_groups_and_segments_share_tracking_and_numbers(tmp_path):
    document = written(tmp_path)
    seg = pydicom.dcmread(tmp_path / "r" / "dicom" / "segmentation.dcm")
    truth = {s.TrackingUID: (s.TrackingID, s.SegmentNumber) for s in seg.SegmentSequence}
    groups = hd.sr.Comprehensive3DSR.from_dataset(document).content.get_volumetric_roi_measurement_groups()
    found = {}
    for group in groups:
        [image] = [item for item in group[0].ContentSequence if item.ValueType == "IMAGE"]
        [reference] = image.ReferencedSOPSequence
        assert reference.ReferencedSOPInstanceUID == seg.SOPInstanceUID
        assert reference.ReferencedSOPClassUID == seg.SOPClassUID
        found[group.tracking_uid] = (group.tracking_identifier, reference.ReferencedSegmentNumber)
    assert found == truth


def test_measurements_come_back_exactly(report):
    values = {}
    for group in report.get_volumetric_roi_measurement_groups() + report.get_image_measurement_groups():
        for measurement in group.get_measurements():
            values[group.tracking_identifier, measurement.name.meaning] = (
                measurement.value,
                measurement.unit.value,
            )
    assert values == {
        ("lung_ct:left-lung", "Volume"): (1.2345678901234567, "ml"),
        ("lung_ct:left-lung", "Mean attenuation"): (-812.5, "[hnsf'U]"),
        ("lung_ct:reading", "Low attenuation area below -950 HU"): (12.5, "%"),
        ("lung_ct:right-lung", "Calibrated probability"): (0.875, "1"),
    }


def test_uncertainty_derivation_and_rule_stand_below_the_number(report):
    [left] = [g for g in report.get_volumetric_roi_measurement_groups() if "left" in g.tracking_identifier]
    volume, mean = left.get_measurements()
    items = {item.name.meaning: item for item in volume[0].ContentSequence}
    assert items["Half width of the 95 percent interval"].value == 0.25
    assert items["Algorithm Name"].value == "sum-of-voxels"
    assert items["Algorithm Version"].value == "1.0"
    assert mean.derivation == codes.SCT.Mean


def test_findings_carry_presence_site_and_reason(report):
    [tumour] = [g for g in report.get_volumetric_roi_measurement_groups() if "right" in g.tracking_identifier]
    assert tumour.finding_type.meaning == "Glioma"
    assert tumour.finding_sites[0].value.value == "39607008"
    assert tumour.finding_sites[0].laterality.meaning == "Right"
    presence = {e.name.meaning: e.value.value for e in tumour.get_qualitative_evaluations()}
    assert presence["Presence of the finding"] == "52101004"
    [absent] = [
        g for g in report.get_image_measurement_groups() if g.tracking_identifier.endswith("finding:other")
    ]
    assert absent.finding_type.value == "4147007"
    presence = {e.name.meaning: e.value.value for e in absent.get_qualitative_evaluations()}
    assert presence["Presence of the finding"] == "272519000"
    assert texts(tumour[0], "Comment") == ["The network says so, with a margin."]


def test_model_digest_and_calibrator_are_parameters(report):
    [tumour] = [g for g in report.get_volumetric_roi_measurement_groups() if "right" in g.tracking_identifier]
    parameters = [
        item.value for item in tumour[0].ContentSequence if item.name.meaning == "Algorithm Parameters"
    ]
    assert any(DIGEST in text for text in parameters)
    [probability] = tumour.get_measurements()
    below = [
        item.value for item in probability[0].ContentSequence if item.name.meaning == "Algorithm Parameters"
    ]
    assert "calibrator temperature" in below


def test_score_that_nothing_calibrated_is_no_number_of_the_report(document):
    assert "3.2" not in str(document)


def test_conditions_status_and_use_are_told(document):
    told = texts(document, "Condition of the reading")
    assert told == ["contrast-unstated (warning): Contrast is not stated; 3 mm2 asked."]
    assert texts(document, "Intended use of this report") == ["Research use only. Not a medical device."]


def test_evidence_lists_every_instance_that_the_tree_names(document):
    listed = {
        item.ReferencedSOPInstanceUID
        for study in document.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    named = {
        reference.ReferencedSOPInstanceUID
        for item in walk(document)
        for reference in item.get("ReferencedSOPSequence", [])
    }
    assert listed == named
    assert {h.SOPInstanceUID for h in headers_of()} < listed


def walk(item):
    for child in item.get("ContentSequence", []):
        yield child
        yield from walk(child)


def test_refused_reading_is_told_apart_from_an_empty_one(tmp_path):
    series = series_of(headers_of())
    full = reading_of(series)
    refused = Reading.refused(Condition("slices-missing", "refusal", "Two slices seem to be missing."))
    refused = replace(
        refused, application="lung_ct", inputs=full.inputs, provenance=full.provenance, title="Lungs on CT"
    )
    document = written(tmp_path, refused)
    assert texts(document, "Condition of the reading")[0].startswith("slices-missing (refusal)")
    status = [i.ConceptCodeSequence[0].CodeValue for i in walk(document) if i.ValueType == "CODE"]
    assert "REFUSED" in status


def test_region_without_segment_keeps_its_measurements(tmp_path):
    """Where no SEG can be written (a resampled image), the numbers are still in the report."""
    headers = headers_of()
    series = series_of(headers)
    affine = series.grid.affine.copy()
    affine[:3, 0] *= 1.3
    moved = series_of(headers, Grid(series.grid.shape, affine, series.grid.frame_of_reference_uid))
    result = write_all(tmp_path / "r", moved, reading_of(moved))
    assert "segmentation" in result.left_out
    report = hd.sr.srread(tmp_path / "r" / "dicom" / "measurements.dcm").content
    assert not report.get_volumetric_roi_measurement_groups()
    names = [m.name.meaning for g in report.get_image_measurement_groups() for m in g.get_measurements()]
    assert sorted(names) == [
        "Calibrated probability",
        "Low attenuation area below -950 HU",
        "Mean attenuation",
        "Volume",
    ]


def test_two_findings_of_one_region_have_a_group_each(tmp_path):
    one, two = findings()
    own = Measurement("volume", VOLUME, 3.0, "ml", "sum-of-voxels", "1.0", regions=("right-lung",))
    two = replace(two, regions=("right-lung",), presence="indeterminate", measurements=(own,))
    document = written(tmp_path, findings=(one, two))
    report = hd.sr.Comprehensive3DSR.from_dataset(document).content
    [right] = [g for g in report.get_volumetric_roi_measurement_groups() if "right" in g.tracking_identifier]
    assert [m.name.meaning for m in right.get_measurements()] == ["Volume", "Calibrated probability"]
    other = [g.tracking_identifier for g in report.get_image_measurement_groups()]
    assert other == ["lung_ct:reading", "lung_ct:finding:other"]


def test_finding_of_several_regions_has_its_own_group(tmp_path):
    one, two = findings()
    both = replace(one, regions=("left-lung", "right-lung"))
    report = hd.sr.Comprehensive3DSR.from_dataset(written(tmp_path, findings=(both, two))).content
    assert len(report.get_volumetric_roi_measurement_groups()) == 2
    assert "lung_ct:finding:glioma" in [g.tracking_identifier for g in report.get_image_measurement_groups()]


def test_long_texts_and_unknown_modality(tmp_path):
    headers = headers_of()
    for header in headers:
        header.Modality = "OPT"
    series = series_of(headers)
    long = Condition("too-long", "note", "word " * 2000)
    write_all(tmp_path / "r", series, reading_of(series, conditions=(long,)))
    document = pydicom.dcmread(tmp_path / "r" / "dicom" / "measurements.dcm")
    assert len(texts(document, "Condition of the reading")[0]) <= 4096


def test_reading_without_any_region(tmp_path):
    document = written(tmp_path, regions=(), measurements=(), maps=(), findings=findings()[1:])
    report = hd.sr.Comprehensive3DSR.from_dataset(document).content
    assert not report.get_volumetric_roi_measurement_groups()
    assert len(report.get_image_measurement_groups()) == 2
