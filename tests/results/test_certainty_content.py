"""How sure a reading is, as others read it in the structured report."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import highdicom as hd
import pydicom
import pytest
from tests.results.readings import headers_of, reading_of, series_of, write_all

from hounsfield.core import Agreement, Certainty, Condition, GuardVerdict, PossibleSet, Reading


def report_of(folder, certainty, *, refused=False):
    series = series_of(headers_of())
    known = reading_of(series, method="model")
    reading = replace(known, certainty=certainty)
    if refused:
        refusal = Reading.refused(Condition("foreign", "refusal", "Not of this kind."), certainty=certainty)
        kept = ("application", "title", "uid", "inputs", "provenance")
        reading = replace(refusal, **{name: getattr(known, name) for name in kept})
    write_all(folder / "r", series, reading)
    return reading, folder / "r" / "dicom" / "measurements.dcm"


def whole():
    names = tuple(finding.name for finding in reading_of(series_of(headers_of())).findings)
    return Certainty(
        GuardVerdict(1.25, 1.5),
        Agreement("copies", 8, 0.5, 0.0625, 0.7, 0.9, 138),
        PossibleSet(names[:2], 0.9, "lac", 15, "patients", 0.95, 0.9, 1.0),
        "identity",
    )


def reading_group(path):
    content = hd.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(path)).content
    return next(
        g for g in content.get_image_measurement_groups() if g.tracking_identifier == "lung_ct:reading"
    )


def test_numbers_of_guard_and_answers_come_back_exactly(tmp_path):
    _, path = report_of(tmp_path, whole())
    found = {m.name.value: (float(m.value), m.unit.value) for m in reading_group(path).get_measurements()}
    expected = {
        "GUARD_DISTANCE": (1.25, "1"),
        "GUARD_LIMIT": (1.5, "1"),
        "OPEN_ENTROPY": (0.5, "bit"),
        "DISAGREEMENT": (0.0625, "bit"),
    }
    assert {name: found[name] for name in expected} == expected


def test_verdict_and_set_are_codes_and_the_promise_is_text(tmp_path):
    reading, path = report_of(tmp_path, whole())
    evaluations = [(e.name.value, e.value.value) for e in reading_group(path).get_qualitative_evaluations()]
    concepts = [f.concept.value for f in reading.findings[:2]]
    assert evaluations == [("GUARD_VERDICT", "KNOWN"), *(("NOT_EXCLUDED", value) for value in concepts)]
    assert "Measured coverage 0.950 (0.900 to 1.000)" in path.read_bytes().decode("latin-1")


def test_refused_reading_tells_the_verdict_alone(tmp_path):
    _, path = report_of(tmp_path, Certainty(guard=GuardVerdict(3.0, 1.5)), refused=True)
    group = reading_group(path)
    assert [(e.name.value, e.value.value) for e in group.get_qualitative_evaluations()] == [
        ("GUARD_VERDICT", "FOREIGN")
    ]
    assert {m.name.value for m in group.get_measurements()} == {"GUARD_DISTANCE", "GUARD_LIMIT"}


@pytest.mark.peer
def test_dciodvfy_finds_no_error(tmp_path, peer_program):
    _, path = report_of(tmp_path, whole())
    done = subprocess.run(
        [peer_program("dciodvfy"), str(path)], capture_output=True, check=False, timeout=60, text=True
    )
    assert [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")] == []
