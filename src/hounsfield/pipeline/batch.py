"""Many studies: looked through by their headers, read one task a study, resumed where it stopped.

Every task goes through `carry_out` of run.py, as a single study does. The journal says what is done; engines
(local_workers.py, dask_cluster.py) take tasks and give outcomes; this file brings them together.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield import __version__
from hounsfield.core import Silent
from hounsfield.core import applications as registered
from hounsfield.core.errors import ModelError, ResultError
from hounsfield.core.progress import step
from hounsfield.pipeline.archive_pages import readings_document, write_overview
from hounsfield.pipeline.bundle_application import asked_applications
from hounsfield.pipeline.dask_cluster import read_on_cluster
from hounsfield.pipeline.journal import JOURNAL_NAME, Journal, open_journal, shared_task
from hounsfield.pipeline.local_workers import default_workers, read_locally
from hounsfield.pipeline.study_task import StudyTask
from hounsfield.results import remove_half_written, remove_result
from hounsfield.studies import find_archive_files
from hounsfield.studies.dicomweb import web_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hounsfield.core import Progress
    from hounsfield.pipeline.study_task import ArchiveRequest, Outcome

# A whole-body CT with a network on two slow cores takes minutes; an hour is a hang.
TIME_LIMIT_S = 3600.0
# The overview is renewed while studies are read, but never for more than a tenth of the time.
_OVERVIEW_EVERY_S = 30.0
_OVERVIEW_SHARE = 10.0
_REPORT_EVERY_FILES = 200
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Engine:
    """Who reads the studies. n_workers: processes on this machine, None to decide by cores and memory.

    cluster: address of a Dask scheduler that is used instead. time_limit_s: most for one study.
    """

    n_workers: int | None = None
    cluster: str | None = None
    time_limit_s: float = TIME_LIMIT_S


@dataclass(frozen=True, slots=True)
class ArchiveSummary:
    """What came of an archive. n_studies: found now; n_before: done by an earlier run and unchanged.

    n_failed: of those found now. readings: how many of each application and status, earlier ones included.
    shown: the first outcomes, failed ones before others, at most MOST_SHOWN of them.
    """

    out: Path
    n_studies: int
    n_before: int
    n_failed: int
    readings: Mapping[tuple[str, str], int] = field(default_factory=dict)
    shown: tuple[Outcome, ...] = ()

    def document(self) -> Iterator[str]:
        """What `hu read --json` prints of the archive, in parts."""
        with closing(Journal(str(self.out / JOURNAL_NAME))) as journal:
            yield from readings_document(journal, self.out, with_folders=False)


def holds_many(path: Path | str, out: Path | str) -> bool:
    """Whether `path` is to be read as an archive: several studies, or `out` holds the journal of one.

    Headers only, and no further than the second study. What a DICOMweb address gives is read in one go.
    """
    if web_address(path) is not None:
        return False
    if (Path(out) / JOURNAL_NAME).exists():
        return True
    journal, keys, folders = Journal(":memory:"), set(), set()
    with closing(journal):
        for file in find_archive_files(path):
            if file.kind in {"dicom", "picture"}:
                keys.add(file.study_uid or shared_task(file) or file.name)
            if len(keys) > 1:
                return True
            # One instance stands for the others of its folder: only what lies beside what matters here.
            if file.kind != "dicom" or file.folder not in folders:
                journal.add_file(file)
                folders.add(file.folder)
        journal.settle("")
        return journal.n_tasks() > 1


def read_archive(
    request: ArchiveRequest, *, engine: Engine | None = None, progress: Progress | None = None
) -> ArchiveSummary:
    """Read every study below `request.path` that is not done yet; results lie in `request.out`.

    A study whose files, applications or models changed is read again, one that failed too. What is finished
    stays finished whatever happens: give the same call again to go on. Raises UsageError for an unknown
    application or a journal of another archive, ResultError if results cannot be written.
    """
    request, engine, progress = request.settled(), engine or Engine(), progress or Silent()
    settings = _settings(request)
    out = Path(request.out)
    with open_journal(out) as journal:
        journal.belong_to(request.path)
        if journal.begin():
            remove_half_written(out)
        _look_through(request.path, journal, settings, progress)
        n_before = journal.n_tasks("done")
        _read_waiting(journal, request, engine, progress)
        n_failed = journal.n_tasks("failed")
        if n_failed:
            remove_half_written(out)  # of processes that were ended
        write_overview(journal, out)
        journal.end()
        readings = Counter(
            (r.application, r.status) for outcome in journal.outcomes() for r in outcome.readings
        )
        return ArchiveSummary(out, journal.n_tasks(), n_before, n_failed, readings, _shown(journal))


def _shown(journal: Journal) -> tuple[Outcome, ...]:
    failed = (outcome for outcome in journal.outcomes() if outcome.state == "failed")
    others = (outcome for outcome in journal.outcomes() if outcome.state == "done")
    return tuple(islice(chain(failed, others), MOST_SHOWN))


def _settings(request: ArchiveRequest) -> str:
    """What decides results besides the files, as text. Raises UsageError for an unknown application."""
    from hounsfield.zoo import default_search, find_bundle, open_bundle

    folders = (*(Path(folder) for folder in request.model_folders), *default_search())
    asked = asked_applications(request.applications, [Path(folder) for folder in request.model_folders])
    models: dict[str, str] = {}
    for name in sorted({name for application in asked for name in application.models}):
        try:
            models[name] = open_bundle(find_bundle(name, folders)).digest
        except ModelError as error:
            models[name] = type(error).__name__
    versions = {application.name: application.version for application in asked}
    record = {"code": __version__, "applications": versions, "models": models, "stated": dict(request.stated)}
    if request.prevalence:  # absent otherwise, so that a journal of before is read on
        record["prevalence"] = dict(request.prevalence)
    if request.explain:
        record["maps"] = list(request.explain)
    return json.dumps(record, sort_keys=True)


def _look_through(path: str, journal: Journal, settings: str, progress: Progress) -> None:
    n_files = 0
    for n_files, file in enumerate(find_archive_files(path, journal.known), 1):
        journal.add_file(file)
        if n_files % _REPORT_EVERY_FILES == 0:
            step(progress, f"looking through the archive: {n_files} files", 0.0)
    step(progress, f"looked through the archive: {n_files} files", 0.0)
    journal.settle(settings)


def _tasks(journal: Journal, request: ArchiveRequest) -> Iterator[StudyTask]:
    for key in journal.waiting():
        yield StudyTask(key, journal.files_of(key), request)


def _read_waiting(journal: Journal, request: ArchiveRequest, engine: Engine, progress: Progress) -> None:
    tasks = _tasks(journal, request)
    n_waiting, n_done = journal.n_tasks("waiting"), journal.n_tasks("done")
    if engine.cluster is not None:
        outcomes = read_on_cluster(tasks, address=engine.cluster, time_limit_s=engine.time_limit_s)
    else:
        n_workers = min(engine.n_workers or default_workers(), max(n_waiting, 1))
        outcomes = read_locally(tasks, n_workers=n_workers, time_limit_s=engine.time_limit_s)
    overview = _Overview(journal, Path(request.out))
    n_failed = 0
    with closing(outcomes):
        for number, outcome in enumerate(outcomes, 1):
            _keep(journal, outcome, request)
            n_failed += outcome.state == "failed"
            failed = f", {n_failed} failed" if n_failed else ""
            said = f"{n_done + number} of {n_done + n_waiting} studies{failed}"
            step(progress, said, (n_done + number) / (n_done + n_waiting))
            overview.renew_sometimes()


def _keep(journal: Journal, outcome: Outcome, request: ArchiveRequest) -> None:
    """Note the outcome; results of an earlier state of the study that it does not give any more go."""
    if outcome.stops_all:
        raise ResultError(
            f"{outcome.reason} {journal.n_tasks('done')} studies are done; give the same command again and it goes on "
            "from there."
        )
    asked = set(request.applications or registered.names())
    kept = {reading.folder for reading in outcome.readings}
    stale = [folder for application, folder in journal.folders_of(outcome.key) if application in asked]
    journal.finish(outcome)
    if outcome.state == "done":
        for folder in stale:
            if folder not in kept:
                remove_result(Path(request.out) / folder)


class _Overview:
    """Writes index.html and readings.json now and then, less often the longer that takes."""

    def __init__(self, journal: Journal, out: Path) -> None:
        self._journal, self._out = journal, out
        self._next_s = time.monotonic() + _OVERVIEW_EVERY_S

    def renew_sometimes(self) -> None:
        """Write them if it is time to."""
        started_s = time.monotonic()
        if started_s < self._next_s:
            return
        write_overview(self._journal, self._out)
        lasted_s = time.monotonic() - started_s
        self._next_s = time.monotonic() + max(_OVERVIEW_EVERY_S, _OVERVIEW_SHARE * lasted_s)
