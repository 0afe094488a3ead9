"""What `hu inspect` shows: every series, its geometry and conditions, who takes it and who does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hounsfield.core import Silent, applications
from hounsfield.pipeline.selection import select
from hounsfield.pipeline.visits import by_patient, select_visits
from hounsfield.studies import read_studies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hounsfield.core import Condition, Progress, Series, Study
    from hounsfield.pipeline.selection import Verdict

_SHOWN_TAGS = (
    "BodyPartExamined",
    "ConvolutionKernel",
    "SliceThickness",
    "ContrastBolusAgent",
    "ViewPosition",
)


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """One series of an inspected study; verdicts by application name."""

    study: Study
    series: Series
    verdicts: Mapping[str, Verdict]

    @property
    def accepted_by(self) -> tuple[str, ...]:
        """Applications that take this series."""
        return tuple(name for name, verdict in self.verdicts.items() if verdict.is_taken)

    def to_json(self) -> dict[str, Any]:
        """The form printed by `hu inspect --json`; no patient attribute is in it."""
        series, grid = self.series, self.series.grid
        has_mm = grid is not None and grid.has_millimetres
        return {
            "series": series.key,
            "kind": series.kind,
            "modality": series.modality,
            "series_instance_uid": series.series_instance_uid,
            "description": series.description,
            "unit": series.unit,
            "n_instances": len(series.sop_instance_uids) or len(series.files),
            "files": list(series.files),
            "shape_zyx": list(grid.shape) if grid is not None else None,
            "spacing_zyx_mm": list(grid.spacing_mm) if grid is not None and has_mm else None,
            "plane": grid.plane if grid is not None and has_mm else None,
            "tags": {name: str(series.tags[name]) for name in _SHOWN_TAGS if series.tags.get(name)},
            "conditions": [condition.to_json() for condition in series.conditions],
            "accepted_by": list(self.accepted_by),
            "not_accepted_by": {
                name: [reason.to_json() for reason in verdict.reasons]
                for name, verdict in self.verdicts.items()
                if not verdict.is_taken
            },
        }


@dataclass(frozen=True, slots=True)
class Inspection:
    """All series below a path, by study, and the files that could not be read."""

    studies: tuple[tuple[Study, tuple[SeriesSummary, ...]], ...]
    refused: tuple[Condition, ...]

    def to_json(self) -> dict[str, Any]:
        """`{"studies": [...], "refused": [...]}`."""
        return {
            "studies": [
                {
                    "study": study.key,
                    "study_instance_uid": study.study_instance_uid,
                    "conditions": [condition.to_json() for condition in study.conditions],
                    "series": [summary.to_json() for summary in summaries],
                }
                for study, summaries in self.studies
            ],
            "refused": [condition.to_json() for condition in self.refused],
        }


def inspect(
    path: Path | str, *, progress: Progress | None = None, stated: Mapping[str, tuple[str, str]] | None = None
) -> Inspection:
    """Read the headers below `path` and ask every application about every series; decodes no pixels.

    stated: modality and unit by file stem, for files that state none (NIfTI). Raises StudyError or
    RefusedInput if nothing below `path` can be read.
    """
    found = read_studies(path, progress=progress or Silent(), stated=stated or {})
    verdicts = _verdicts(found.studies)
    return Inspection(
        tuple(
            (study, tuple(SeriesSummary(study, series, verdicts[id(series)]) for series in study.series))
            for study in found.studies
        ),
        tuple(found.refused),
    )


def _verdicts(studies: Sequence[Study]) -> dict[int, dict[str, Verdict]]:
    """By series and application; an application over several visits is asked about each patient's studies together."""
    found: dict[int, dict[str, Verdict]] = {id(series): {} for study in studies for series in study.series}
    groups = by_patient(studies)
    for application in applications:
        if application.needs.visits > 1:
            said = [verdict for group in groups for verdict in select_visits(group, application).verdicts]
        else:
            said = [verdict for study in studies for verdict in select(study, application).verdicts]
        for verdict in said:
            found[id(verdict.series)][application.name] = verdict
    return found
