"""One study of an archive as a task: what it needs is text, what comes of it is text.

The same task gives the same results wherever and however often it runs: its folder of results is replaced
as a whole, so a task that is done twice leaves what one leaves.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hounsfield import __version__
from hounsfield.core.errors import HounsfieldError
from hounsfield.pipeline.run import Request, carry_out
from hounsfield.pipeline.writing import ResultFolder
from hounsfield.reports import IndexEntry
from hounsfield.results import is_disk_full
from hounsfield.studies import ArchiveFile, changed_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hounsfield.pipeline.run import Run

State = Literal["done", "failed"]


@dataclass(frozen=True, slots=True)
class ArchiveRequest:
    """What is asked of every study of an archive; all of it can be written as JSON.

    path: the archive, out: the folder of results, both as the workers see them. stated, applications,
    model_folders, runtime, prevalence, explain: as for `pipeline.run`. created: what the results state as their time (ISO 8601), "" for now.
    """

    path: str
    out: str
    applications: tuple[str, ...] | None = None
    stated: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    model_folders: tuple[str, ...] = ()
    created: str = ""
    code_version: str = __version__
    runtime: str = "torch"
    prevalence: Mapping[str, float] = field(default_factory=dict)
    explain: tuple[str, ...] = ()

    def settled(self) -> ArchiveRequest:
        """The same request for whoever stands in another folder, at another time."""
        return replace(
            self,
            path=str(Path(self.path).resolve()),
            out=str(Path(self.out).resolve()),
            model_folders=tuple(str(Path(folder).resolve()) for folder in self.model_folders),
            created=self.created or datetime.now(UTC).isoformat(),
        )

    def of_study(self, files: tuple[ArchiveFile, ...]) -> Request:
        """What is asked of the study that consists of `files`."""
        return Request(
            Path(self.path),
            self.applications,
            {stem: (modality, unit) for stem, (modality, unit) in self.stated.items()},
            tuple(Path(folder) for folder in self.model_folders),
            frozenset(file.name for file in files),
            self.runtime,
            self.prevalence,
            tuple(self.explain),
        )


@dataclass(frozen=True, slots=True)
class StudyTask:
    """One study to be read. key: its Study Instance UID, or the name of its file or folder."""

    key: str
    files: tuple[ArchiveFile, ...]
    request: ArchiveRequest

    def to_text(self) -> str:
        """The task as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> StudyTask:
        """The task that `to_text` wrote."""
        record = json.loads(text)
        request = record["request"]
        if request["applications"] is not None:
            request["applications"] = tuple(request["applications"])
        return cls(
            record["key"],
            tuple(ArchiveFile(**file) for file in record["files"]),
            ArchiveRequest(
                **{**request, **{name: tuple(request[name]) for name in ("model_folders", "explain")}}
            ),
        )


@dataclass(frozen=True, slots=True)
class WrittenReading:
    """A reading as the overview lists it. folder: below the folder of results."""

    application: str
    status: str
    folder: str
    entry: IndexEntry


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a study. reason: why it failed, "" if it did not. refused, not_taken: as `Run.to_json`.

    stops_all: the fault is not the study's and the next one would meet it too (the disk is full).
    """

    key: str
    state: State
    reason: str = ""
    readings: tuple[WrittenReading, ...] = ()
    refused: tuple[Mapping[str, Any], ...] = ()
    not_taken: tuple[Mapping[str, Any], ...] = ()
    duration_s: float = 0.0
    stops_all: bool = False

    def to_text(self) -> str:
        """The outcome as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Outcome:
        """The outcome that `to_text` wrote."""
        record = json.loads(text)
        readings = []
        for reading in record["readings"]:
            entry = {**reading["entry"], "findings": tuple(reading["entry"]["findings"])}
            readings.append(WrittenReading(**{**reading, "entry": IndexEntry(**entry)}))
        lists = {name: tuple(record[name]) for name in ("refused", "not_taken")}
        return cls(**{**record, **lists, "readings": tuple(readings)})


def read_task(task: StudyTask) -> Outcome:
    """Read the study of `task` and write its results; whatever goes wrong is the outcome's reason."""
    started_s = time.monotonic()
    try:
        outcome = _read(task)
    except HounsfieldError as error:
        outcome = Outcome(task.key, "failed", str(error), stops_all=is_disk_full(error))
    # What nobody foresaw must not stop the other studies; the kind of error holds no patient's data.
    except Exception as error:  # noqa: BLE001
        outcome = Outcome(task.key, "failed", f"{_internal(error)}")
    return _lasting(outcome, time.monotonic() - started_s)


def _internal(error: Exception) -> str:
    return (
        f"internal error: {type(error).__name__}. Please report it; `hu read` of this study alone with "
        "HOUNSFIELD_TRACEBACK=1 prints where it happened."
    )


def _lasting(outcome: Outcome, duration_s: float) -> Outcome:
    return replace(outcome, duration_s=round(duration_s, 3))


def _read(task: StudyTask) -> Outcome:
    request = task.request
    if request.code_version != __version__:
        return Outcome(
            task.key,
            "failed",
            f"this worker has hounsfield {__version__}, the command has {request.code_version}. Install the same "
            "version on every machine.",
        )
    changed = changed_files(request.path, task.files)
    if changed:
        return Outcome(
            task.key,
            "failed",
            f"{len(changed)} of its {len(task.files)} files changed or went away after the archive was looked "
            f"through, the first is {changed[0]}. Give the command again when the archive is at rest.",
        )
    folder = ResultFolder(Path(request.out), datetime.fromisoformat(request.created))
    run = carry_out(request.of_study(task.files), folder)
    return _outcome(task.key, run, folder)


def _outcome(key: str, run: Run, folder: ResultFolder) -> Outcome:
    record = run.to_json(with_readings=False)
    written = tuple(
        WrittenReading(reading.application, reading.status, name, entry)
        for reading, (name, entry) in zip(run.readings, folder.written, strict=True)
    )
    return Outcome(key, "done", "", written, tuple(record["refused"]), tuple(record["not_taken"]))
