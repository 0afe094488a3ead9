"""From a path to readings and results: what the command, Python and later the node call."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hounsfield import __version__
from hounsfield.core import (
    Condition,
    InputReference,
    Inputs,
    ModelReference,
    Provenance,
    Reading,
    Silent,
)
from hounsfield.core import applications as registered
from hounsfield.core.errors import MissingModel, RefusedInput, StudyError
from hounsfield.core.progress import step
from hounsfield.core.uid import derive_uid
from hounsfield.pipeline.gate import INCOMPLETE, judge_pixels, pixel_sha256, region_sha256
from hounsfield.pipeline.selection import Verdict, select
from hounsfield.pipeline.writing import ResultFolder
from hounsfield.studies import read_studies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hounsfield.core import Application, Grid, Image, Model, Progress, Region, Series, Study


class Models(Protocol):
    """Where models come from; opened once and kept."""

    def __call__(self, name: str) -> Model:
        """The model of that name; raises MissingModel."""


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


def read(
    path: Path | str,
    *,
    applications: Sequence[str] | None = None,
    out: Path | str | None = None,
    stated: Mapping[str, tuple[str, str]] | None = None,
    progress: Progress | None = None,
) -> list[Reading]:
    """Read every study below `path` with every application that takes it.

    path: DICOM folder, zip or file, NIfTI, or PNG/JPEG. applications: names, or None for all. out:
    folder for results (reading.json, DICOM, NIfTI, report); nothing is written without it. stated:
    modality and unit by file stem, for files that state none. Returns one Reading for each time that
    an application ran or refused. Raises StudyError or RefusedInput if nothing can be read, UsageError
    for an unknown application.
    """
    return list(run(path, applications=applications, out=out, stated=stated, progress=progress).readings)


def run(
    path: Path | str,
    *,
    applications: Sequence[str] | None = None,
    out: Path | str | None = None,
    stated: Mapping[str, tuple[str, str]] | None = None,
    progress: Progress | None = None,
    model_folders: Sequence[Path] = (),
) -> Run:
    """As `read`, and tell also what was not taken and what could not be read."""
    request = Request(Path(path), applications, stated or {}, model_folders)
    folder = ResultFolder(Path(out), datetime.now(UTC)) if out is not None else None
    done = carry_out(request, folder, progress)
    if folder is not None:
        folder.finish(done.refused, done.not_taken)
    return done


def carry_out(request: Request, folder: ResultFolder | None, progress: Progress | None = None) -> Run:
    """Read what `request` names; results go to `folder`, whose overview is left to the caller."""
    session = _Session(
        [registered.get(name) for name in (request.applications or registered.names())],
        _opened_once(request.model_folders),
        folder,
        progress or Silent(),
    )
    found = read_studies(request.path, progress=session.progress, stated=request.stated, only=request.only)
    for number, study in enumerate(found.studies):
        step(session.progress, f"study {number + 1} of {len(found.studies)}", number / len(found.studies))
        session.read_study(study)
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
    readings: list[Reading] = field(default_factory=list)
    not_taken: list[Verdict] = field(default_factory=list)

    def read_study(self, study: Study) -> None:
        """Ask every application; run each as often as series match."""
        for application in self.applications:
            selection = select(study, application)
            self.not_taken += [verdict for verdict in selection.verdicts if not verdict.is_taken]
            if not selection.matches and selection.near_misses:
                miss = selection.near_misses[0].series
                job = _Job(study, application, {application.needs.main.name: miss})
                self._keep(job, _refused(job, selection.near_misses), None)
            for match in selection.matches:
                job = _Job(study, application, match)
                reading, image = job.run(self.models, self.progress)
                self._keep(job, reading, image)

    def _keep(self, job: _Job, reading: Reading, image: Image | None) -> None:
        self.readings.append(reading)
        if self.folder is not None:
            step(self.progress, f"{job.application.name}: writing results", 0.0)
            self.folder.add(reading, study=job.study, series=job.match, image=image)


def _opened_once(folders: Sequence[Path]) -> Models:
    opened: dict[str, Model] = {}

    def model(name: str) -> Model:
        if name not in opened:
            from hounsfield.inference import load_model
            from hounsfield.zoo import default_search, find_bundle, open_bundle

            opened[name] = load_model(open_bundle(find_bundle(name, (*folders, *default_search()))))
        return opened[name]

    return model


@dataclass(slots=True)
class _Job:
    """One application on one match of series, and what became known on the way.

    drawn: the series whose regions the application asked for, with the digest of what it got.
    """

    study: Study
    application: Application
    match: Mapping[str, Series]
    models: dict[str, Model] = field(default_factory=dict)
    pixel_sha256: str | None = None
    drawn: dict[str, tuple[Series, str]] = field(default_factory=dict)
    timing_s: dict[str, float] = field(default_factory=dict)

    @property
    def main(self) -> Series:
        """The series of the application's main role."""
        return self.match[self.application.needs.main.name]

    def run(self, models: Models, progress: Progress) -> tuple[Reading, Image | None]:
        """Decode, gate and run; whatever refuses becomes a refused reading with its reason."""
        image, refusals = self._decode(progress)
        if not refusals:
            refusals = self._open_models(models)
        if refusals or image is None:
            return self.signed(self._with_conditions_of_inputs(Reading.refused(*refusals))), image
        reading = self._compute(image, progress)
        return self.signed(self._with_conditions_of_inputs(reading)), image

    def _decode(self, progress: Progress) -> tuple[Image | None, tuple[Condition, ...]]:
        step(progress, f"{self.application.name}: reading pixels", 0.0)
        with _timed(self.timing_s, "decode"):
            try:
                image = self.main.image()
            except (RefusedInput, StudyError) as refusal:
                return None, (Condition("image-refused", "refusal", str(refusal), self.main.files[:1]),)
            self.pixel_sha256 = pixel_sha256(image)
            return image, judge_pixels(image)

    def _open_models(self, models: Models) -> tuple[Condition, ...]:
        try:
            self.models = {name: models(name) for name in self.application.models}
        except MissingModel as missing:
            return (Condition("model-missing", "refusal", str(missing)),)
        return ()

    def _compute(self, image: Image, progress: Progress) -> Reading:
        decoded = replace(self.main, load_image=lambda: image)
        inputs = Inputs(
            self.study,
            {**self.match, self.application.needs.main.name: decoded},
            tuple(self._watched(s) for s in self.study.series if s.kind == "regions" and not s.is_refused),
            self.models,
            (),
            progress,
        )
        step(progress, f"{self.application.name}: computing", 0.0)
        with _timed(self.timing_s, "run"):
            try:
                return self.application.run(inputs)
            except RefusedInput as refusal:
                return Reading.refused(
                    Condition("input-refused", "refusal", str(refusal), self.main.files[:1])
                )

    def _watched(self, series: Series) -> Series:
        """The same regions; that they were asked for makes them an input of the reading."""

        def load(grid: Grid) -> Sequence[Region]:
            regions = series.regions(grid)
            self.drawn.setdefault(series.key, (series, region_sha256(regions)))
            return regions

        return replace(series, load_regions=load)

    def _with_conditions_of_inputs(self, reading: Reading) -> Reading:
        used = (*self.match.values(), *(series for series, _ in self.drawn.values()))
        own = tuple(c for series in used for c in series.conditions)
        known = set(reading.conditions)
        reading = replace(reading, conditions=reading.conditions + tuple(c for c in own if c not in known))
        if reading.status == "complete" and any(c.code in INCOMPLETE for c in own):
            return reading.as_partial()
        return reading

    def signed(self, reading: Reading) -> Reading:
        """Add what the pipeline knows: inputs, provenance, UID."""
        application = self.application
        references = (
            *(
                self._reference(role, series, self.pixel_sha256 if series is self.main else None)
                for role, series in self.match.items()
            ),
            *(self._reference("regions", series, digest) for series, digest in self.drawn.values()),
        )
        provenance = Provenance(
            application.name,
            application.version,
            __version__,
            "model" if application.models else "rule",
            tuple(ModelReference(m.name, m.version, m.digest, m.card) for m in self.models.values()),
            dict(self.timing_s),
        )
        return replace(
            reading,
            application=application.name,
            title=application.title,
            uid=self._uid(references),
            study_instance_uid=self.study.study_instance_uid,
            inputs=references,
            provenance=provenance,
        )

    def _reference(self, role: str, series: Series, sha256: str | None) -> InputReference:
        return InputReference(
            role,
            series.key,
            series.modality,
            self.study.study_instance_uid,
            series.series_instance_uid,
            series.sop_instance_uids,
            series.files,
            sha256,
        )

    def _uid(self, references: Sequence[InputReference]) -> str:
        identity = [part for ref in references for part in (ref.role, ref.series, *ref.sop_instance_uids)]
        identity += [digest for _, digest in self.drawn.values()]
        return derive_uid(
            "reading",
            self.application.name,
            self.application.version,
            __version__,
            *(model.digest for model in self.models.values()),
            self.pixel_sha256 or "",
            *identity,
        )


def _refused(job: _Job, misses: Sequence[Verdict]) -> Reading:
    """No series fits, though some are of the right kind: say for each why not."""
    reasons = tuple(dict.fromkeys(reason for miss in misses for reason in miss.reasons))
    return job.signed(Reading.refused(*(replace(reason, severity="refusal") for reason in reasons)))


@contextmanager
def _timed(timing_s: dict[str, float], stage: str) -> Iterator[None]:
    """Store the seconds spent inside the block."""
    started_s = time.perf_counter()
    yield
    timing_s[stage] = round(time.perf_counter() - started_s, 3)
