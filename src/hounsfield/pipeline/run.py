"""From a path to readings and results: what the command, Python and later the node call."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hounsfield.core import (
    Condition,
    Reading,
    Silent,
)
from hounsfield.core.progress import step
from hounsfield.explain import check_maps
from hounsfield.pipeline.bundle_application import asked_applications
from hounsfield.pipeline.job import Job, as_refusals, refused
from hounsfield.pipeline.opened_models import opened_once
from hounsfield.pipeline.picture_views import is_asked, joined_pictures
from hounsfield.pipeline.prevalence import check_prevalence
from hounsfield.pipeline.selection import Verdict, select
from hounsfield.pipeline.visits import by_patient, select_visits
from hounsfield.pipeline.writing import ResultFolder
from hounsfield.studies import read_studies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hounsfield.core import Application, Image, Progress, Study
    from hounsfield.pipeline.opened_models import Models


@dataclass(frozen=True, slots=True)
class Run:
    """All that came of reading a path.

    readings: in the order of studies and applications. not_taken: series that an application did not
    take, with reasons. refused: files that could not be read. out: the folder of results, if any.
    """

    readings: tuple[Reading, ...]
    not_taken: tuple[Verdict, ...]
    refused: tuple[Condition, ...]
    out: Path | None = None

    def to_json(self, *, with_readings: bool = True) -> dict[str, Any]:
        """`{"readings": [...], "not_taken": [...], "refused": [...]}`."""
        return {
            "readings": [reading.to_json() for reading in self.readings] if with_readings else [],
            "not_taken": [
                {
                    "application": verdict.application,
                    "series": verdict.series.key,
                    "reasons": [reason.to_json() for reason in verdict.reasons],
                }
                for verdict in self.not_taken
            ],
            "refused": [condition.to_json() for condition in self.refused],
        }


@dataclass(frozen=True, slots=True)
class Request:
    """What to read and with what. only: names of files below `path`, None for all; the rest as for `run`."""

    path: Path
    applications: Sequence[str] | None = None
    stated: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    model_folders: Sequence[Path] = ()
    only: frozenset[str] | None = None
    runtime: str = "torch"
    prevalence: Mapping[str, float] = field(default_factory=dict)
    explain: tuple[str, ...] = ()


def read(
    path: Path | str,
    *,
    applications: Sequence[str] | None = None,
    out: Path | str | None = None,
    stated: Mapping[str, tuple[str, str]] | None = None,
    prevalence: Mapping[str, float] | None = None,
    progress: Progress | None = None,
) -> list[Reading]:
    """Read every study below `path` with every application that takes it.

    path: DICOM folder, zip or file, NIfTI, or PNG/JPEG. applications: names, or None for all. out:
    folder for results (reading.json, DICOM, NIfTI, report); nothing is written without it. stated:
    modality and unit by file stem, for files that state none. prevalence: share of each finding at
    your site, by its name, for which probabilities are corrected too. Returns one Reading for each time that
    an application ran or refused. Raises StudyError or RefusedInput if nothing can be read, UsageError
    for an unknown application.
    """
    done = run(
        path, applications=applications, out=out, stated=stated, prevalence=prevalence, progress=progress
    )
    return list(done.readings)


def run(
    path: Path | str,
    *,
    applications: Sequence[str] | None = None,
    out: Path | str | None = None,
    stated: Mapping[str, tuple[str, str]] | None = None,
    prevalence: Mapping[str, float] | None = None,
    progress: Progress | None = None,
    model_folders: Sequence[Path] = (),
    runtime: str = "torch",
    explain: Sequence[str] = (),
) -> Run:
    """As `read`, and tell also what was not taken and what could not be read. runtime: as for `inference.load_model`.

    explain: names of maps, as for `explain.chosen_maps`.
    """
    request = Request(
        Path(path),
        applications,
        stated or {},
        model_folders,
        runtime=runtime,
        prevalence=prevalence or {},
        explain=tuple(explain),
    )
    folder = ResultFolder(Path(out), datetime.now(UTC)) if out is not None else None
    done = carry_out(request, folder, progress)
    if folder is not None:
        folder.finish(done.refused, done.not_taken)
    return done


def carry_out(request: Request, folder: ResultFolder | None, progress: Progress | None = None) -> Run:
    """Read what `request` names; results go to `folder`, whose overview is left to the caller."""
    check_prevalence(request.prevalence)
    check_maps(request.explain)
    session = _Session(
        asked_applications(request.applications, request.model_folders),
        opened_once(request.model_folders, request.runtime),
        folder,
        progress or Silent(),
        request.prevalence,
        request.explain,
    )
    found = read_studies(request.path, progress=session.progress, stated=request.stated, only=request.only)
    every = [*found.studies, *joined_pictures(found.studies)] if session.reads_views else found.studies
    for number, study in enumerate(every):
        step(session.progress, f"study {number + 1} of {len(every)}", number / len(every))
        session.read_study(study)
    for studies in by_patient(found.studies):
        session.read_visits(studies)
    return Run(
        tuple(session.readings),
        tuple(session.not_taken),
        tuple(found.refused),
        folder.out if folder is not None else None,
    )


@dataclass(slots=True)
class _Session:
    """One call of `run`: what it uses, and what has come of it so far."""

    applications: Sequence[Application]
    models: Models
    folder: ResultFolder | None
    progress: Progress
    prevalence: Mapping[str, float] = field(default_factory=dict)
    explain: tuple[str, ...] = ()
    readings: list[Reading] = field(default_factory=list)
    not_taken: list[Verdict] = field(default_factory=list)

    @property
    def reads_views(self) -> bool:
        """Whether an application needs several views of one examination."""
        return any(role.view is not None for one in self.applications for role in one.needs.roles)

    def read_study(self, study: Study) -> None:
        """Ask every application that reads studies one by one; run each as often as series match."""
        for application in self.applications:
            if application.needs.visits > 1 or not is_asked(application, study):
                continue
            selection = select(study, application)
            self.not_taken += [verdict for verdict in selection.verdicts if not verdict.is_taken]
            if not selection.matches and selection.near_misses:
                miss = selection.near_misses[0].series
                job = Job(study, application, {application.needs.main.name: miss})
                self._keep(job, refused(job, selection.near_misses), None)
            for match in selection.matches:
                job = Job(study, application, match, explain=self.explain)
                reading, image = job.run(self.models, self.progress, self.prevalence)
                self._keep(job, reading, image)

    def read_visits(self, studies: Sequence[Study]) -> None:
        """Ask every application over several visits about all studies of one patient."""
        for application in (one for one in self.applications if one.needs.visits > 1):
            selection = select_visits(studies, application)
            self.not_taken += [verdict for verdict in selection.verdicts if not verdict.is_taken]
            if selection.refused_on is not None:
                job = Job.over(application, (selection.refused_on,))
                self._keep(job, job.signed(Reading.refused(*as_refusals(selection.refusals))), None)
            for visits in selection.matches:
                job = Job.over(application, visits, selection.conditions)
                reading, image = job.run(self.models, self.progress, self.prevalence)
                self._keep(job, reading, image)

    def _keep(self, job: Job, reading: Reading, image: Image | None) -> None:
        self.readings.append(reading)
        if self.folder is not None:
            step(self.progress, f"{job.application.name}: writing results", 0.0)
            self.folder.add(reading, study=job.study, series=job.match, image=image)
