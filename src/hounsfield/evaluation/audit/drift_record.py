"""The record that drift is judged from: a line of JSON for each case, and for each label that came later.

The file only grows. A writer takes a lock, mends a line that a crash tore, writes whole lines and waits until the disk
has them; a reader counts lines that cannot be read and goes on. The form is published in drift_record.schema.json.
No identifier of a patient belongs here: `hashed_identifier` turns one into a name that only the holder of the salt can
tie to a person, and names given by the caller are stored as they are.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import ResultError, StudyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

FORM = "hounsfield-drift-1"
_MOST_LINES, _LONGEST_LINE = 5_000_000, 1 << 20
_SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class CaseLine:
    """What a model was given and what it said. Raises UsageError for a time without ISO form, or no finite number.

    case, patient: hashed names, or names by the caller that tell of no person. time: ISO 8601, stated by the caller.
    model: digest of the bundle. features: numbers of the input, such as guard_distance. vector: features of the network.
    gates: what each gate said. tags: of the acquisition. scores: by label, 0 to 1 where calibrated.
    """

    case: str
    patient: str
    time: str
    model: str = ""
    features: Mapping[str, float] = field(default_factory=dict)
    vector: tuple[float, ...] = ()
    gates: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_name(self.case)
        _check_name(self.patient)
        _check_time(self.time)
        for value in (*self.features.values(), *self.vector, *self.scores.values()):
            if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
                raise UsageError(
                    f"a line holds {value!r} where a finite number belongs; leave the field out."
                )


@dataclass(frozen=True, slots=True)
class LabelLine:
    """What a case was found to be, perhaps much later. labels: True or False by label."""

    case: str
    time: str
    labels: Mapping[str, bool]

    def __post_init__(self) -> None:
        _check_name(self.case)
        _check_time(self.time)
        if not self.labels or not all(isinstance(value, bool) for value in self.labels.values()):
            raise UsageError("a line of labels holds true or false by label, one at least.")


@dataclass(frozen=True, slots=True)
class Record:
    """All lines of a file in their order, and in sentences what could not be read."""

    cases: tuple[CaseLine, ...]
    labels: tuple[LabelLine, ...]
    left_out: tuple[str, ...] = ()


def hashed_identifier(identifier: str, salt: bytes) -> str:
    """32 hexadecimal characters for an identifier: equal ones for equal ones, none to be led back without the salt.

    HMAC-SHA-256 (RFC 2104). Raises UsageError for a salt below 16 bytes, with which short numbers could be guessed.
    """
    if len(salt) < 16:
        raise UsageError(f"a salt of {len(salt)} bytes does not protect; give 16 or more, kept secret.")
    return hmac.new(salt, identifier.encode(), "sha256").hexdigest()[:32]


def salt_beside(path: Path) -> bytes:
    """The salt in `<record>.salt`, made on first use, readable by its owner alone. Raises ResultError if it cannot be."""
    place = path.with_name(path.name + ".salt")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            held = file.read()
            if not held:
                held = secrets.token_bytes(_SALT_BYTES)
                file.write(held)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise ResultError(
            f"the salt {place} cannot be read or made: {error.strerror}. Name another file with --to."
        ) from error
    return held


def append_record(path: Path, lines: Sequence[CaseLine | LabelLine]) -> None:
    """Add whole lines to the record, after every line of others; returns when the disk has them.

    Several programs may append at once. Raises ResultError if the file cannot be written.
    """
    text = b"".join(_as_json(line) for line in lines)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                # What a crash left of a line must not swallow the next one.
                text = text if file.read(1) == b"\n" else b"\n" + text
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ResultError(
            f"the record {path} cannot be written: {error.strerror}. Free space or name another file."
        ) from error


def read_record(path: Path) -> Record:
    """The lines of a record. Raises UsageError if there is none, StudyError if the file is something else."""
    if not path.is_file():
        raise UsageError(f"there is no record {path}; `hu audit record` makes one.")
    cases: list[CaseLine] = []
    labels: list[LabelLine] = []
    n_damaged = 0
    for number, line in _lines(path):
        try:
            read = _from_json(line)
        except (ValueError, TypeError, KeyError, AttributeError, UsageError) as error:
            if number == 1:
                raise StudyError(
                    f"{path.name} is no record of cases (line 1: {error}). `hu audit record` makes one."
                ) from error
            n_damaged += 1
            continue
        (cases if isinstance(read, CaseLine) else labels).append(read)  # type: ignore[arg-type]
    told = f"{n_damaged} of its lines cannot be read, as a crash while writing leaves them"
    return Record(tuple(cases), tuple(labels), (told,) if n_damaged else ())


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE + 1), b""), 1):
            if number > _MOST_LINES or len(line) > _LONGEST_LINE:
                raise StudyError(
                    f"{path.name} goes beyond {_MOST_LINES} lines or {_LONGEST_LINE} bytes a line. Give a part of it."
                )
            yield number, line.decode("utf-8", errors="replace")


def _as_json(line: CaseLine | LabelLine) -> bytes:
    kind = "case" if isinstance(line, CaseLine) else "label"
    fields = {key: value for key, value in asdict(line).items() if value not in ("", {}, ())}
    return (
        json.dumps({"form": FORM, "kind": kind, **fields}, allow_nan=False, separators=(",", ":")) + "\n"
    ).encode()


def _from_json(line: str) -> CaseLine | LabelLine:
    fields: dict[str, Any] = json.loads(line)
    form, kind = fields.pop("form"), fields.pop("kind")
    if form != FORM:
        raise UsageError(f"its form is {form!r}, not {FORM!r}")
    if kind == "label":
        return LabelLine(**fields)
    if kind != "case":
        raise UsageError(f"its kind is {kind!r}, not case or label")
    return CaseLine(**{**fields, "vector": tuple(fields.get("vector", ()))})


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name:
        raise UsageError(f"a line names its case {name!r}; give the name of a case and of a patient.")


def _check_time(stated: str) -> None:
    try:
        datetime.fromisoformat(stated)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the time {stated!r} is not of the form 2026-03-01T12:00:00.") from error
