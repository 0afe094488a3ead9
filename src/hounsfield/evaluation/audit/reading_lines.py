"""Readings that `hu read` wrote, and tables of predictions, as lines of the drift record.

Readings state no patient and no day: a table of studies adds them (study_instance_uid, patient_id, time, and any
columns more as tags of the acquisition). Identifiers are hashed on the way in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import StudyError, UsageError
from hounsfield.evaluation.audit.drift_record import CaseLine, LabelLine, hashed_identifier
from hounsfield.evaluation.case_table import read_rows
from hounsfield.evaluation.prediction_table import PATIENT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

STUDY_COLUMN, TIME_COLUMN = "study_instance_uid", "time"
_LARGEST_READING_BYTES = 64 << 20
_TRUE, _FALSE = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}


@dataclass(frozen=True, slots=True)
class TableColumns:
    """How a table of cases names its columns. case: None for the first. labels: columns of 0 and 1, blank unknown.

    score_prefix: what stands before the label in columns of scores. features: columns of numbers. tags: of words.
    """

    case: str | None = None
    patient: str | None = None
    time: str = TIME_COLUMN
    score_prefix: str = ""
    labels: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Readings:
    """Lines made of reading.json files, and how many readings were left out for want of a time."""

    lines: tuple[CaseLine, ...]
    n_without_time: int = 0


@dataclass(frozen=True, slots=True)
class StudyRows:
    """What a table says of studies: cells by column, by Study Instance UID."""

    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_study_rows(path: Path) -> StudyRows:
    """The table of studies. Raises UsageError if it has no column study_instance_uid."""
    header, rows = read_rows(path)
    if STUDY_COLUMN not in header:
        raise UsageError(f"{path.name} has no column {STUDY_COLUMN!r}; it has {', '.join(header[:12])}.")
    at = header.index(STUDY_COLUMN)
    return StudyRows({row[at].strip(): dict(zip(header, row, strict=True)) for row in rows})


def lines_of_readings(
    folder: Path, salt: bytes, *, studies: StudyRows | None = None, time: str | None = None
) -> Readings:
    """A line for each reading.json below `folder`. time: of all of them, where the table of studies states none.

    Refused readings are lines too: their gates spoke. A study without a patient in the table counts as a patient.
    Raises UsageError if there is no reading or no time, StudyError for a file that is no reading.
    """
    files = sorted(folder.rglob("reading.json"))
    if not files:
        raise UsageError(
            f"there is no reading.json below {folder}. `hu read ... --out {folder.name}` writes them."
        )
    lines, n_without = [], 0
    for file in files:
        reading = _load(file)
        uid = reading.get("study_instance_uid") or reading["uid"]
        row = dict((studies.rows if studies else {}).get(uid, {}))
        stated = row.get(TIME_COLUMN) or time
        if not stated:
            n_without += 1
            continue
        lines.append(_line(reading, uid, row, stated, salt))
    if not lines:
        raise UsageError("no reading has a time. Give --time, or --studies with a column time.")
    return Readings(tuple(lines), n_without)


def _line(reading: Mapping[str, Any], uid: str, row: Mapping[str, str], time: str, salt: bytes) -> CaseLine:
    patient = next((row[name] for name in PATIENT_COLUMNS if row.get(name)), "")
    provenance = reading.get("provenance") or {}
    models = sorted(model["digest"] for model in provenance.get("models", ()) if model.get("digest"))
    inputs = reading.get("inputs") or [{}]
    known = {STUDY_COLUMN, TIME_COLUMN, *PATIENT_COLUMNS}
    tags = {name: value for name, value in row.items() if name not in known and value}
    tags |= {"modality": inputs[0].get("modality") or "unstated", "application": reading["application"]}
    scores = {}
    for finding in reading.get("findings", ()):
        value = finding["probability"] if finding["probability"] is not None else finding["score"]
        if value is not None:
            scores[finding["name"]] = float(value)
    features = {one["name"]: float(one["value"]) for one in reading.get("measurements", ())}
    gates = {one["code"]: one["severity"] for one in reading.get("conditions", ())}
    return CaseLine(
        case=hashed_identifier(f"{uid} {reading['application']}", salt),
        patient=hashed_identifier(f"patient {patient}" if patient else f"study {uid}", salt),
        time=time,
        model=" ".join(models),
        features=features,
        gates={**gates, "status": reading["status"]},
        tags=tags,
        scores=scores,
    )


def lines_of_table(
    path: Path, columns: TableColumns, salt: bytes, *, model: str = ""
) -> list[CaseLine | LabelLine]:
    """A line for each row of a table of cases, and one for its labels where some are known, at the same time.

    Raises UsageError for a missing column, StudyError naming the line of a cell that is no number, label or time.
    """
    header, rows = read_rows(path)
    case = columns.case or header[0]
    patient = columns.patient or next((name for name in PATIENT_COLUMNS if name in header), case)
    for name in (case, patient, columns.time, *columns.labels, *columns.features, *columns.tags):
        if name not in header:
            raise UsageError(f"{path.name} has no column {name!r}; it has {', '.join(header[:20])}.")
    scores = [
        name
        for name in header
        if columns.score_prefix and name.startswith(columns.score_prefix) and name != columns.score_prefix
    ]
    lines: list[CaseLine | LabelLine] = []
    for number, row in enumerate(rows, 2):
        cell = dict(zip(header, row, strict=True))
        try:
            lines += _of_row(cell, (case, patient), columns, scores, (salt, model))
        except (UsageError, ValueError) as error:
            raise StudyError(f"{path.name} line {number}: {error}") from error
    return lines


def _of_row(
    cell: Mapping[str, str],
    names: tuple[str, str],
    columns: TableColumns,
    scores: Sequence[str],
    made_with: tuple[bytes, str],
) -> Iterator[CaseLine | LabelLine]:
    (case, patient), (salt, model) = names, made_with
    name = hashed_identifier(f"case {cell[case]}", salt)
    prefix = len(columns.score_prefix)
    yield CaseLine(
        case=name,
        patient=hashed_identifier(f"patient {cell[patient]}", salt),
        time=cell[columns.time].strip(),
        model=model,
        features=_numbers({one: cell[one] for one in columns.features}),
        tags={one: cell[one].strip() for one in columns.tags if cell[one].strip()},
        scores=_numbers({one[prefix:]: cell[one] for one in scores}),
    )
    labels = {one: cell[one].strip().lower() for one in columns.labels}
    wrong = next(
        (one for one, value in labels.items() if value not in _TRUE | _FALSE | {"", "nan", "-1"}), None
    )
    if wrong is not None:
        raise UsageError(f"column {wrong!r} holds {labels[wrong]!r}; 0, 1 or nothing is taken.")
    known = {one: value in _TRUE for one, value in labels.items() if value in _TRUE | _FALSE}
    if known:
        yield LabelLine(name, cell[columns.time].strip(), known)


def _numbers(cells: Mapping[str, str]) -> dict[str, float]:
    """The cells as numbers; blank and nan are left out."""
    found = {name: float(cell) for name, cell in cells.items() if cell.strip()}
    return {name: value for name, value in found.items() if isfinite(value)}


def _load(file: Path) -> Mapping[str, Any]:
    try:
        if file.stat().st_size > _LARGEST_READING_BYTES:
            raise StudyError(f"{file.parent.name}/{file.name} is larger than 64 MB; it is no reading.")
        loaded = json.loads(file.read_text(encoding="utf-8"))
        if loaded["schema_version"].split(".")[0] != "1" or not loaded["uid"]:
            raise StudyError(
                f"{file.parent.name}/{file.name} is of a form that is not known here; read again."
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StudyError(
            f"{file.parent.name}/{file.name} is no reading ({error}). Read the study again."
        ) from error
    return dict(loaded)
