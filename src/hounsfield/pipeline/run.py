"""From a path to readings and results: what the command, Python and later the node call."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
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
from hounsfield.core.errors import MissingModel, RefusedInput
from hounsfield.core.progress import step
from hounsfield.core.uid import derive_uid
from hounsfield.pipeline.gate import INCOMPLETE, judge_pixels, pixel_sha256
from hounsfield.pipeline.selection import Verdict, select
from hounsfield.pipeline.writing import ResultFolder
from hounsfield.studies import read_studies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hounsfield.core import Application, Image, Model, Progress, Series, Study


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

    def to_json(self) -> dict[str, Any]:
        """`{"readings": [...], "not_taken": [...], "refused": [...]}`."""
        return {
            "readings": [reading.to_json() for reading in self.readings],
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
    progress = progress or Silent()
    chosen = [registered.get(name) for name in (applications or registered.names())]
    found = read_studies(path, progress=progress, stated=stated or {})
    models = _opened_once(model_folders)
    folder = ResultFolder(Path(out), datetime.now(UTC)) if out is not None else None
    readings: list[Reading] = []
    not_taken: list[Verdict] = []
    for number, study in enumerate(found.studies):
        step(progress, f"study {number + 1} of {len(found.studies)}", number / len(found.studies))
        for application in chosen:
            selection = select(study, application)
            not_taken += [verdict for verdict in selection.verdicts if not verdict.is_taken]
            if not selection.matches and selection.near_misses:
                reading = _refused_by_selection(study, application, selection.near_misses)
                readings.append(reading)
                if folder is not None:
                    folder.add(reading, study=study, series={}, image=None)
            for match in selection.matches:
                reading, image = _run_one(study, application, match, models, progress)
                if folder is not None:
                    reading = folder.add(reading, study=study, series=match, image=image)
                readings.append(reading)
    if folder is not None:
        folder.finish(found.refused, not_taken)
    return Run(tuple(readings), tuple(not_taken), tuple(found.refused), folder.out if folder else None)


def _opened_once(folders: Sequence[Path]) -> Models:
    opened: dict[str, Model] = {}

    def model(name: str) -> Model:
        if name not in opened:
            from hounsfield.inference import load_model
            from hounsfield.zoo import default_search, find_bundle, open_bundle

            opened[name] = load_model(open_bundle(find_bundle(name, (*folders, *default_search()))))
        return opened[name]

    return model


def _run_one(
    study: Study, application: Application, match: Mapping[str, Series], models: Models, progress: Progress
) -> tuple[Reading, Image | None]:
    """Decode, gate and run; whatever refuses becomes a refused reading with its reason."""
    main = match[application.needs.main.name]
    timing_s: dict[str, float] = {}
    image: Image | None = None
    digest: str | None = None
    used: dict[str, Model] = {}
    with _timed(timing_s, "decode"):
        step(progress, f"{application.name}: reading pixels", 0.0)
        try:
            image = main.image()
            refusals = judge_pixels(image)
            digest = pixel_sha256(image)
        except RefusedInput as refusal:
            refusals = (Condition("image-refused", "refusal", str(refusal), main.files[:1]),)
    if image is not None and not refusals:
        try:
            used = {name: models(name) for name in application.models}
        except MissingModel as missing:
            refusals = (Condition("model-missing", "refusal", str(missing)),)
    if refusals or image is None:
        reading = Reading.refused(*refusals)
    else:
        decoded = replace(main, load_image=_keep(image))
        inputs = Inputs(
            study,
            {**match, application.needs.main.name: decoded},
            tuple(s for s in study.series if s.kind == "regions" and not s.is_refused),
            used,
            (),
            progress,
        )
        with _timed(timing_s, "run"):
            step(progress, f"{application.name}: computing", 0.0)
            try:
                reading = application.run(inputs)
            except RefusedInput as refusal:
                reading = Reading.refused(Condition("input-refused", "refusal", str(refusal), main.files[:1]))
    reading = _with_conditions_of_inputs(reading, match)
    return _signed(reading, study, application, match, used, digest, timing_s), image


def _keep(image: Image) -> Any:
    return lambda: image


def _with_conditions_of_inputs(reading: Reading, match: Mapping[str, Series]) -> Reading:
    own = tuple(c for series in match.values() for c in series.conditions)
    known = set(reading.conditions)
    reading = replace(reading, conditions=reading.conditions + tuple(c for c in own if c not in known))
    if reading.status == "complete" and any(c.code in INCOMPLETE for c in own):
        return reading.as_partial()
    return reading


def _reference(role: str, series: Series, study: Study, digest: str | None) -> InputReference:
    return InputReference(
        role,
        series.key,
        series.modality,
        study.study_instance_uid,
        series.series_instance_uid,
        series.sop_instance_uids,
        series.files,
        digest,
    )


def _signed(  # noqa: PLR0913  every part of the provenance comes from another place
    reading: Reading,
    study: Study,
    application: Application,
    match: Mapping[str, Series],
    used: Mapping[str, Model],
    digest: str | None,
    timing_s: Mapping[str, float],
) -> Reading:
    """Add what the pipeline knows: inputs, provenance, UID."""
    main = application.needs.main.name
    references = tuple(_reference(r, s, study, digest if r == main else None) for r, s in match.items())
    model_references = tuple(
        ModelReference(model.name, model.version, model.digest, model.card) for model in used.values()
    )
    provenance = Provenance(
        application.name,
        application.version,
        __version__,
        "model" if application.models else "rule",
        model_references,
        dict(timing_s),
    )
    identity = [part for ref in references for part in (ref.role, ref.series, *ref.sop_instance_uids)]
    uid = derive_uid(
        "reading",
        application.name,
        application.version,
        __version__,
        *(model.digest for model in used.values()),
        digest or "",
        *identity,
    )
    return replace(
        reading,
        application=application.name,
        title=application.title,
        uid=uid,
        study_instance_uid=study.study_instance_uid,
        inputs=references,
        provenance=provenance,
    )


def _refused_by_selection(study: Study, application: Application, misses: Sequence[Verdict]) -> Reading:
    """No series fits, though some are of the right kind: say for each why not."""
    reasons = tuple(dict.fromkeys(reason for miss in misses for reason in miss.reasons))
    as_refusals = tuple(replace(reason, severity="refusal") for reason in reasons)
    match = {application.needs.main.name: misses[0].series}
    return _signed(Reading.refused(*as_refusals), study, application, match, {}, None, {})


class _timed:  # noqa: N801  used as a word in a with statement
    """Adds the seconds spent inside the block to `timing_s[stage]`."""

    def __init__(self, timing_s: dict[str, float], stage: str) -> None:
        self.timing_s, self.stage = timing_s, stage

    def __enter__(self) -> None:
        self.started_s = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        self.timing_s[self.stage] = round(time.perf_counter() - self.started_s, 3)
