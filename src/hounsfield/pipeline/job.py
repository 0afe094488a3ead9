"""One application on one match of series: decode, gate, run, and say where it all came from."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hounsfield import __version__
from hounsfield.core import (
    Condition,
    InputReference,
    Inputs,
    ModelReference,
    Provenance,
    Reading,
)
from hounsfield.core.errors import MissingModel, RefusedInput, StudyError
from hounsfield.core.progress import step
from hounsfield.core.uid import derive_uid
from hounsfield.pipeline.gate import INCOMPLETE, judge_pixels, pixel_sha256, region_sha256
from hounsfield.pipeline.prevalence import at_stated_prevalence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hounsfield.core import Application, BundledModel, Grid, Image, Progress, Region, Series, Study
    from hounsfield.pipeline.opened_models import Models
    from hounsfield.pipeline.selection import Verdict
    from hounsfield.pipeline.visits import Visit


@dataclass(slots=True)
class Job:
    """One application on one match of series, and what became known on the way.

    drawn: the series whose regions the application asked for, with the digest of what it got and their study.
    earlier: of an application over several visits those before `study`, which is on `day`; pixels: digest of the
    main image of each; told: what was left out of them.
    explain: names of the maps that were asked for.
    """

    study: Study
    application: Application
    match: Mapping[str, Series]
    models: dict[str, BundledModel] = field(default_factory=dict)
    pixel_sha256: str | None = None
    drawn: dict[str, tuple[Series, str, Study]] = field(default_factory=dict)
    timing_s: dict[str, float] = field(default_factory=dict)
    day: int = 0
    earlier: tuple[Visit, ...] = ()
    pixels: list[str] = field(default_factory=list)
    told: tuple[Condition, ...] = ()
    explain: tuple[str, ...] = ()

    @classmethod
    def over(cls, application: Application, visits: Sequence[Visit], told: tuple[Condition, ...] = ()) -> Job:
        """The job of an application over several visits: it belongs to the last one's study."""
        last = visits[-1]
        return cls(last.study, application, last.match, day=last.day, earlier=tuple(visits[:-1]), told=told)

    @property
    def main(self) -> Series:
        """The series of the application's main role."""
        return self.match[self.application.needs.main.name]

    def run(
        self, models: Models, progress: Progress, prevalence: Mapping[str, float]
    ) -> tuple[Reading, Image | None]:
        """Decode, gate and run; whatever refuses becomes a refused reading with its reason."""
        image, refusals = self._decode(progress)
        for visit in self.earlier:
            refusals = refusals or self._check_earlier(visit)
        if not refusals:
            refusals = self._open_models(models)
        if refusals or image is None:
            return self.signed(self._with_conditions_of_inputs(Reading.refused(*refusals))), image
        reading = at_stated_prevalence(self._compute(image, progress), prevalence)
        if self.explain and reading.status != "refused" and not reading.maps:
            text = f"{self.application.title} makes no maps, so {', '.join(self.explain)} was not made."
            reading = replace(
                reading, conditions=(*reading.conditions, Condition("maps-not-made", "note", text))
            )
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

    def _check_earlier(self, visit: Visit) -> tuple[Condition, ...]:
        """Decode an earlier image to know that there is something in it; it is decoded again when it is needed."""
        series = visit.match[self.application.needs.main.name]
        with _timed(self.timing_s, "decode"):
            try:
                image = series.image()
            except (RefusedInput, StudyError) as refusal:
                return (Condition("image-refused", "refusal", str(refusal), series.files[:1]),)
            self.pixels.append(pixel_sha256(image))
            return judge_pixels(image)

    def _open_models(self, models: Models) -> tuple[Condition, ...]:
        try:
            self.models = {name: models(name) for name in self.application.models}
        except MissingModel as missing:
            return (Condition("model-missing", "refusal", str(missing)),)
        return ()

    def _compute(self, image: Image, progress: Progress) -> Reading:
        decoded = replace(self.main, load_image=lambda: image)
        earlier = tuple(
            Inputs(v.study, v.match, self._regions_of(v.study), self.models, (), progress, v.day)
            for v in self.earlier
        )
        inputs = Inputs(
            self.study,
            {**self.match, self.application.needs.main.name: decoded},
            self._regions_of(self.study),
            self.models,
            (),
            progress,
            self.day,
            earlier,
            self.explain,
        )
        step(progress, f"{self.application.name}: computing", 0.0)
        with _timed(self.timing_s, "run"):
            try:
                return self.application.run(inputs)
            except RefusedInput as refusal:
                return Reading.refused(
                    Condition("input-refused", "refusal", str(refusal), self.main.files[:1])
                )

    def _regions_of(self, study: Study) -> tuple[Series, ...]:
        return tuple(
            self._watched(s, study) for s in study.series if s.kind == "regions" and not s.is_refused
        )

    def _watched(self, series: Series, study: Study) -> Series:
        """The same regions; that they were asked for makes them an input of the reading."""

        def load(grid: Grid) -> Sequence[Region]:
            regions = series.regions(grid)
            self.drawn.setdefault(series.key, (series, region_sha256(regions), study))
            return regions

        return replace(series, load_regions=load)

    def _with_conditions_of_inputs(self, reading: Reading) -> Reading:
        before = (series for visit in self.earlier for series in visit.match.values())
        used = (*self.match.values(), *before, *(series for series, _, _ in self.drawn.values()))
        own = (*self.told, *dict.fromkeys(c for series in used for c in series.conditions))
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
                _reference(role, series, self.pixel_sha256 if series is self.main else None, self.study)
                for role, series in self.match.items()
            ),
            *(
                _reference(f"{role}, day {visit.day}", visit.match[role], digest, visit.study)
                for visit, digest in zip(self.earlier, self.pixels, strict=False)
                for role in (application.needs.main.name,)
            ),
            *(_reference("regions", *drawn) for drawn in self.drawn.values()),
        )
        provenance = Provenance(
            application.name,
            application.version,
            __version__,
            "model" if application.models else "rule",
            self._references(),
            dict(self.timing_s),
        )
        return replace(
            reading,
            application=application.name,
            title=application.title,
            uid=self._uid(references, reading),
            study_instance_uid=self.study.study_instance_uid,
            inputs=references,
            provenance=provenance,
        )

    def _references(self) -> tuple[ModelReference, ...]:
        return tuple(
            ModelReference(m.name, m.version, m.digest, m.card, getattr(m, "runtime", None))
            for m in self.models.values()
        )

    def _uid(self, references: Sequence[InputReference], reading: Reading) -> str:
        identity = [part for ref in references for part in (ref.role, ref.series, *ref.sop_instance_uids)]
        identity += [*self.pixels, *(digest for _, digest, _ in self.drawn.values())]
        identity += [f"map {name}" for name in self.explain]
        stated = (f for f in reading.findings if f.prevalence is not None)
        identity += [f"prevalence of {finding.name}: {finding.prevalence!r}" for finding in stated]
        return derive_uid(
            "reading",
            self.application.name,
            self.application.version,
            __version__,
            *(model.identity for model in self._references()),
            self.pixel_sha256 or "",
            *identity,
        )


def _reference(role: str, series: Series, sha256: str | None, study: Study) -> InputReference:
    return InputReference(
        role,
        series.key,
        series.modality,
        study.study_instance_uid,
        series.series_instance_uid,
        series.sop_instance_uids,
        series.files,
        sha256,
    )


def as_refusals(reasons: Sequence[Condition]) -> tuple[Condition, ...]:
    """The conditions, each once, as refusals."""
    return tuple(replace(reason, severity="refusal") for reason in dict.fromkeys(reasons))


def refused(job: Job, misses: Sequence[Verdict]) -> Reading:
    """No series fits, though some are of the right kind: say for each why not."""
    return job.signed(Reading.refused(*as_refusals([reason for miss in misses for reason in miss.reasons])))


@contextmanager
def _timed(timing_s: dict[str, float], stage: str) -> Iterator[None]:
    """Store the seconds spent inside the block."""
    started_s = time.perf_counter()
    yield
    timing_s[stage] = round(timing_s.get(stage, 0.0) + time.perf_counter() - started_s, 3)
