"""The one thing that an application returns, and what reading.json is made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from hounsfield.core.certainty import Certainty
    from hounsfield.core.code import Code
    from hounsfield.core.condition import Condition
    from hounsfield.core.finding import Finding
    from hounsfield.core.grid import Grid
    from hounsfield.core.measurement import Measurement
    from hounsfield.core.region import Region
    from hounsfield.core.trend import Trend

SCHEMA_VERSION = "1.0"
RESEARCH_USE = "Research use only. Not a medical device."

Status = Literal["complete", "partial", "refused"]


@dataclass(frozen=True, slots=True, eq=False)
class ExplanationMap:
    """A map that says where a model looked: values in [0, 1], float32 (z, y, x), on `grid`.

    method: code of the method (GRAD_CAM); finding: name of the Finding that it explains; evidence:
    one sentence on how far the map may be believed.
    """

    name: str
    method: Code
    finding: str
    grid: Grid
    values: NDArray[Any]
    evidence: str

    def to_json(self) -> dict[str, Any]:
        """Everything but the values."""
        return {
            "name": self.name,
            "method": self.method.to_json(),
            "finding": self.finding,
            "evidence": self.evidence,
        }


@dataclass(frozen=True, slots=True)
class InputReference:
    """One series that a reading was made from: by UIDs where there are any, else by file names."""

    role: str
    series: str
    modality: str | None
    study_instance_uid: str | None
    series_instance_uid: str | None
    sop_instance_uids: tuple[str, ...]
    files: tuple[str, ...]
    pixel_sha256: str | None

    def to_json(self) -> dict[str, Any]:
        """The form used in `reading.json`."""
        return {
            "role": self.role,
            "series": self.series,
            "modality": self.modality,
            "study_instance_uid": self.study_instance_uid,
            "series_instance_uid": self.series_instance_uid,
            "sop_instance_uids": list(self.sop_instance_uids),
            "files": list(self.files),
            "pixel_sha256": self.pixel_sha256,
        }


@dataclass(frozen=True, slots=True)
class ModelReference:
    """The model behind a reading; a reading by rules has none.

    runtime: what ran it, how far from torch in 32 bits on a sample and by which tolerance; None for torch in 32 bits.
    """

    name: str
    version: str
    digest: str
    card: Mapping[str, Any] = field(default_factory=dict)
    runtime: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Name, version, digest and any runtime; the card itself is in the report and in the bundle."""
        record: dict[str, Any] = {"name": self.name, "version": self.version, "digest": self.digest}
        if self.runtime is not None:
            record["runtime"] = dict(self.runtime)
        return record

    @property
    def identity(self) -> str:
        """What results are told apart by: the digest, with the runtime where it is not torch in 32 bits."""
        return self.digest if self.runtime is None else f"{self.digest} {self.runtime['name']}"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a reading came from. `timing_s` is the only part that differs between two equal runs."""

    application: str
    application_version: str
    code_version: str
    method: Literal["rule", "model"]
    models: tuple[ModelReference, ...] = ()
    timing_s: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The form used in `reading.json`."""
        return {
            "application": self.application,
            "application_version": self.application_version,
            "code_version": self.code_version,
            "method": self.method,
            "models": [model.to_json() for model in self.models],
            "timing_s": dict(self.timing_s),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Findings, measurements, regions, maps and trends of one application on one study.

    An application makes it by `Reading.complete` (and `.as_partial`) or `Reading.refused`; the
    pipeline adds inputs, provenance, the conditions of the inputs, and the UID. Every region and map
    lies on the grid of the application's main role. certainty: None where no model spoke.
    """

    status: Status
    findings: tuple[Finding, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    regions: tuple[Region, ...] = ()
    maps: tuple[ExplanationMap, ...] = ()
    conditions: tuple[Condition, ...] = ()
    application: str = ""
    title: str = ""
    uid: str = ""
    study_instance_uid: str | None = None
    inputs: tuple[InputReference, ...] = ()
    provenance: Provenance | None = None
    trends: tuple[Trend, ...] = ()
    certainty: Certainty | None = None

    def __post_init__(self) -> None:
        names = [region.name for region in self.regions]
        if len(names) != len(set(names)):
            raise ValueError(f"two regions of one reading share a name: {sorted(names)}")
        if self.status == "refused" and not any(c.severity == "refusal" for c in self.conditions):
            raise ValueError("a refused reading states no refusal")
        results = (self.findings, self.measurements, self.regions, self.maps, self.trends)
        if self.status == "refused" and any(results):
            raise ValueError("a refused reading must hold no result: nothing is computed on refused input")
        self._check_certainty()
        for measurement in self.all_measurements():
            unknown = set(measurement.regions) - set(names)
            if unknown:
                raise ValueError(f"measurement {measurement.name!r} names unknown regions {sorted(unknown)}")

    def _check_certainty(self) -> None:
        if self.certainty is None:
            return
        if self.status == "refused" and self.certainty != self.certainty.of_guard_alone():
            raise ValueError(
                "a refused reading may state the guard's verdict, and no set, answers or calibrator"
            )
        known = {finding.name for finding in self.findings}
        unknown = set(self.certainty.possible.names) - known if self.certainty.possible else set()
        if unknown:
            raise ValueError(f"the set of what cannot be excluded names unknown findings {sorted(unknown)}")

    @classmethod
    def complete(
        cls,
        *,
        findings: Iterable[Finding] = (),
        measurements: Iterable[Measurement] = (),
        regions: Iterable[Region] = (),
        maps: Iterable[ExplanationMap] = (),
        conditions: Iterable[Condition] = (),
        trends: Iterable[Trend] = (),
    ) -> Reading:
        """A reading that answers all that its application asks."""
        return cls(
            "complete",
            tuple(findings),
            tuple(measurements),
            tuple(regions),
            tuple(maps),
            tuple(conditions),
            trends=tuple(trends),
        )

    @classmethod
    def refused(cls, *conditions: Condition, certainty: Certainty | None = None) -> Reading:
        """Nothing was computed; at least one condition is a refusal and says why. certainty: of the guard alone."""
        return cls("refused", conditions=conditions, certainty=certainty)

    def with_certainty(self, certainty: Certainty | None) -> Reading:
        """The same reading, with how sure its model is."""
        return replace(self, certainty=certainty)

    def as_partial(self) -> Reading:
        """The same reading, marked as made from an incomplete input."""
        return replace(self, status="partial")

    def region(self, name: str) -> Region:
        """The region of that name; raises KeyError."""
        for region in self.regions:
            if region.name == name:
                return region
        raise KeyError(name)

    def all_measurements(self) -> tuple[Measurement, ...]:
        """Measurements of the reading itself and of its findings."""
        return self.measurements + tuple(m for f in self.findings for m in f.measurements)

    def to_json(self) -> dict[str, Any]:
        """The record of `reading.json`; its schema is published with the package."""
        return {
            "schema_version": SCHEMA_VERSION,
            "notice": RESEARCH_USE,
            "application": self.application,
            "title": self.title,
            "uid": self.uid,
            "status": self.status,
            "study_instance_uid": self.study_instance_uid,
            "inputs": [reference.to_json() for reference in self.inputs],
            "findings": [finding.to_json() for finding in self.findings],
            "measurements": [measurement.to_json() for measurement in self.measurements],
            "regions": [region.to_json() for region in self.regions],
            "maps": [item.to_json() for item in self.maps],
            "trends": [trend.to_json() for trend in self.trends],
            "certainty": self.certainty.to_json() if self.certainty else None,
            "conditions": [condition.to_json() for condition in self.conditions],
            "provenance": self.provenance.to_json() if self.provenance else None,
        }
