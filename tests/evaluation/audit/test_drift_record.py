"""The record: what a line may hold, that it only grows, and that nobody's crash or haste spoils it."""

from __future__ import annotations

import json
from importlib.resources import files
from multiprocessing import get_context

import jsonschema
import pytest

from hounsfield.core.errors import StudyError, UsageError
from hounsfield.evaluation.audit import (
    CaseLine,
    LabelLine,
    TableColumns,
    append_record,
    cases_of,
    hashed_identifier,
    lines_of_readings,
    lines_of_table,
    read_record,
    read_study_rows,
    salt_beside,
)
from hounsfield.evaluation.audit.drift_record import Record

SALT = bytes(range(32))
CASE = CaseLine(
    "c1", "p1", "2026-01-02T10:00:00", "m1", {"guard_distance": 1.25}, (0.5, 2.0), {"rotated": "warning"},
    {"scanner": "A"}, {"nodule": 0.25},
)  # fmt: skip
LABEL = LabelLine("c1", "2026-03-01", {"nodule": True})


def test_what_is_written_is_read_and_has_the_published_form(tmp_path):
    path = tmp_path / "cases.jsonl"
    append_record(path, [CASE])
    append_record(path, [LABEL])
    assert read_record(path) == Record((CASE,), (LABEL,))
    schema = json.loads(
        files("hounsfield.evaluation.audit").joinpath("drift_record.schema.json").read_text("utf-8")
    )
    for line in path.read_text(encoding="utf-8").splitlines():
        jsonschema.validate(json.loads(line), schema)


def test_a_torn_last_line_is_told_and_does_not_swallow_the_next(tmp_path):
    path = tmp_path / "cases.jsonl"
    append_record(path, [CASE])
    with path.open("ab") as file:
        file.write(b'{"form":"hounsfield-drift-1","kind":"ca')
    assert read_record(path).left_out == (
        "1 of its lines cannot be read, as a crash while writing leaves them",
    )
    append_record(path, [LABEL])
    found = read_record(path)
    assert (found.cases, found.labels) == ((CASE,), (LABEL,))


def _append_many(path, name):
    for number in range(50):
        append_record(path, [CaseLine(f"{name}{number}", name, "2026-01-01", scores={"nodule": 0.5})])


def test_programs_that_write_at_once_lose_nothing(tmp_path):
    path = tmp_path / "cases.jsonl"
    context = get_context("spawn")
    writers = [context.Process(target=_append_many, args=(path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = read_record(path)
    assert len({line.case for line in found.cases}) == 100
    assert not found.left_out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": "yesterday"}, "is not of the form 2026-03-01"),
        ({"case": ""}, "give the name of a case"),
        ({"scores": {"nodule": float("nan")}}, "where a finite number belongs"),
        ({"features": {"x": "wide"}}, "where a finite number belongs"),
    ],
)
def test_a_line_that_cannot_be_compared_is_refused(change, message):
    with pytest.raises(UsageError, match=message):
        CaseLine(**{"case": "c", "patient": "p", "time": "2026-01-01", **change})


def test_labels_are_true_or_false():
    with pytest.raises(UsageError, match="true or false"):
        LabelLine("c", "2026-01-01", {"nodule": 1})


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.jsonl"
    path.write_text('{"name": "somebody"}\n', encoding="utf-8")
    with pytest.raises(StudyError, match="no record of cases"):
        read_record(path)
    with pytest.raises(UsageError, match="there is no record"):
        read_record(tmp_path / "absent.jsonl")


def test_a_hashed_name_is_stable_and_hangs_on_the_salt():
    one = hashed_identifier("4711", SALT)
    assert one == hashed_identifier("4711", SALT) != hashed_identifier("4711", SALT[::-1])
    assert len(one) == 32
    assert "4711" not in one
    with pytest.raises(UsageError, match="does not protect"):
        hashed_identifier("4711", b"short")


def test_the_salt_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "cases.jsonl"
    assert salt_beside(path) == salt_beside(path)
    assert (tmp_path / "cases.jsonl.salt").stat().st_mode & 0o077 == 0


def test_columns_keep_the_first_line_of_a_case_and_the_last_label(tmp_path):
    lines = (CASE, CaseLine("c0", "p0", "2026-01-01", scores={"nodule": 0.75}), CASE)
    labels = (
        LabelLine("c1", "2026-04-01", {"nodule": False}),
        LABEL,
        LabelLine("x", "2026-04-01", {"a": True}),
    )
    columns, told = cases_of(Record(lines, labels))
    assert columns.cases.tolist() == ["c0", "c1"]
    assert columns.labels["nodule"].tolist()[1] == 0.0
    assert columns.told_at.tolist() == ["", "2026-03-01"]
    assert columns.gates["rare gates together"].tolist() == ["nothing said", "spoke"]
    assert told == (
        "1 lines repeat a case; its first line holds",
        "1 lines of labels name a case that the record does not hold",
    )


def test_a_table_becomes_lines_without_its_identifiers(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "image,patient_id,time,view,dose,prob_nodule,nodule\nf1,4711,2026-01-01,PA,2.5,0.25,1\n"
        "f2,4711,2026-01-02,,,0.5,\n",
        encoding="utf-8",
    )
    columns = TableColumns(score_prefix="prob_", labels=("nodule",), features=("dose",), tags=("view",))
    first, label, second = lines_of_table(path, columns, SALT, model="m")
    assert (first.features, first.tags, first.scores) == ({"dose": 2.5}, {"view": "PA"}, {"nodule": 0.25})
    assert label.labels == {"nodule": True}
    assert first.patient == second.patient
    assert (second.features, second.tags) == ({}, {})
    assert "4711" not in repr((first, label, second))


def test_a_cell_that_is_no_label_is_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image,time,nodule\nf1,2026-01-01,maybe\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"t\.csv line 2: column 'nodule' holds 'maybe'"):
        lines_of_table(path, TableColumns(labels=("nodule",)), SALT)


READING = {
    "schema_version": "1.0",
    "uid": "2.25.7",
    "study_instance_uid": "1.2.3",
    "application": "lung_ct",
    "status": "complete",
    "inputs": [{"modality": "CT"}],
    "findings": [{"name": "emphysema", "probability": None, "score": 0.3}],
    "measurements": [{"name": "volume", "value": 5.1}],
    "conditions": [{"code": "contrast-unstated", "severity": "note"}],
    "provenance": {"models": [{"digest": "abc"}]},
}


def test_a_reading_becomes_a_line_with_what_the_table_of_studies_adds(tmp_path):
    (tmp_path / "readings" / "a").mkdir(parents=True)
    (tmp_path / "readings" / "a" / "reading.json").write_text(json.dumps(READING), encoding="utf-8")
    table = tmp_path / "studies.csv"
    table.write_text(
        "study_instance_uid,patient_id,time,scanner\n1.2.3,4711,2026-02-03,X1\n", encoding="utf-8"
    )
    (line,) = lines_of_readings(tmp_path / "readings", SALT, studies=read_study_rows(table)).lines
    assert (line.time, line.model, line.scores) == ("2026-02-03", "abc", {"emphysema": 0.3})
    assert line.features == {"volume": 5.1}
    assert line.gates == {"contrast-unstated": "note", "status": "complete"}
    assert line.tags == {"scanner": "X1", "modality": "CT", "application": "lung_ct"}
    assert line.patient == hashed_identifier("patient 4711", SALT)


def test_readings_without_a_time_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "reading.json").write_text(json.dumps(READING), encoding="utf-8")
    with pytest.raises(UsageError, match="no reading has a time"):
        lines_of_readings(tmp_path, SALT)
    with pytest.raises(UsageError, match=r"no reading\.json below"):
        lines_of_readings(tmp_path / "b", SALT)
    (tmp_path / "a" / "reading.json").write_text("[]", encoding="utf-8")
    with pytest.raises(StudyError, match="is no reading"):
        lines_of_readings(tmp_path, SALT, time="2026-01-01")
