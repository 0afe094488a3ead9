"""Which series of a study an application takes, and why it does not take the others.

The order of checks is that of the clinical conventions: readable at all, modality, geometry, unit.
A check that fails ends the questions, because what follows would only repeat it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core import Condition
from hounsfield.studies.purposes import NOT_TO_BE_MEASURED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hounsfield.core import Application, Grid, Role, Series, Study

# Reasons that concern what a series is, not how good it is: nobody expects an application to take it.
NOT_MEANT = frozenset(
    {
        *("not-an-image", "modality-not-taken", "modality-unstated", "raster-not-taken"),
        *("no-region-given", "visits-missing", "description-not-met", "view-not-met"),
        *NOT_TO_BE_MEASURED,
    }
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one application says to one series. reasons: empty if it takes the series."""

    application: str
    series: Series
    role: str
    reasons: tuple[Condition, ...]

    @property
    def is_taken(self) -> bool:
        """Whether the application takes the series."""
        return not self.reasons

    @property
    def was_meant(self) -> bool:
        """Whether the series is of the kind that the application reads, taken or not."""
        return not any(reason.code in NOT_MEANT for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Selection:
    """What an application does with a study.

    matches: one mapping of role to series for each time that the application runs. verdicts: one a
    series for the main role.
    """

    matches: tuple[Mapping[str, Series], ...]
    verdicts: tuple[Verdict, ...]

    @property
    def near_misses(self) -> tuple[Verdict, ...]:
        """Series of the right kind that were refused."""
        return tuple(v for v in self.verdicts if not v.is_taken and v.was_meant)


def judge(series: Series, role: Role) -> tuple[Condition, ...]:
    """The reasons why `series` cannot take `role`; empty if it can."""
    instances = series.files[:1]

    def no(code: str, text: str) -> tuple[Condition, ...]:
        return (Condition(code, "refusal", text, instances),)

    reason = _what_it_is(series, role)
    if reason is not None:
        return no(*reason)
    refusals = tuple(c for c in series.conditions if c.severity == "refusal" and not _is_of_unit(c))
    if refusals:
        return refusals
    reason = _geometry(series, role)
    if reason is not None:
        return no(*reason)
    if role.unit is not None and series.unit != role.unit:
        unit_reasons = tuple(c for c in series.conditions if _is_of_unit(c))
        return unit_reasons or no(
            "unit-not-met",
            f"The pixels of this series are in {series.unit or 'an unstated unit'}, {role.unit} is needed. "
            "Use the original series of the scanner.",
        )
    return ()


def _is_of_unit(condition: Condition) -> bool:
    """Whether a condition says why the pixels have no unit; it stops only who needs the unit."""
    return condition.severity != "note" and condition.code.startswith(("suv-", "unit-", "rescale-"))


def _what_it_is(series: Series, role: Role) -> tuple[str, str] | None:
    if series.kind == "raster":
        text = "A PNG or JPEG file states no modality, position or unit. Use the DICOM original."
        return _view(series, role) if role.raster else ("raster-not-taken", text)
    if series.kind != role.kind:
        return "not-an-image", f"This is not an image series (modality {series.modality or 'unstated'})."
    if role.modalities and series.modality not in role.modalities:
        return _wrong_modality(series, " or ".join(role.modalities))
    if not _is_described(series, role):
        text = (
            f"The series calls itself {series.description or 'nothing'!r}; for {role.name} a description, protocol or file "
            f"name with {' and '.join(map(repr, role.words))} is needed."
        )
        return "description-not-met", text
    purpose = next((c for c in series.conditions if c.code in NOT_TO_BE_MEASURED), None)
    if purpose is None or (purpose.code == "secondary-capture" and role.raster):
        return _view(series, role)
    return purpose.code, purpose.text


def _view(series: Series, role: Role) -> tuple[str, str] | None:
    """Why a series is not of the role's view: by its header, or by the file's name where there is none."""
    if role.view is None:
        return None
    side = series.tags.get("ImageLaterality") or series.tags.get("Laterality")
    stated = {str(part).upper() for part in (side, series.tags.get("ViewPosition")) if part}
    if series.kind == "raster":
        stated = set(re.findall(r"[A-Z0-9]+", " ".join(Path(name).stem for name in series.files[:1]).upper()))
    if set(role.view) <= stated:
        return None
    text = (
        f"The view {'-'.join(role.view)} is needed; this one states {' '.join(sorted(stated)) or 'none'} (0020,0062; "
        "0018,5101; of PNG and JPEG the file name)."
    )
    return "view-not-met", text


def _is_described(series: Series, role: Role) -> bool:
    """Whether the series' names hold all words of the role, as words of their own."""
    said = (series.description, series.tags.get("SeriesDescription"), series.tags.get("ProtocolName"))
    names = " ".join(str(text or "") for text in (*said, *(Path(name).name for name in series.files[:1])))
    found = set(re.findall(r"[a-z0-9]+", names.lower()))
    return all(word.lower() in found for word in role.words)


def _wrong_modality(series: Series, needed: str) -> tuple[str, str]:
    if series.modality is not None:
        return "modality-not-taken", f"Modality {series.modality}; {needed} is needed."
    text = (
        f"The file does not say of which modality it is; {needed} is needed. "
        "Say so with --state FILE=MODALITY:UNIT, or use the DICOM original."
    )
    return "modality-unstated", text


def _geometry(series: Series, role: Role) -> tuple[str, str] | None:
    grid = series.grid
    if grid is None:
        return "geometry-unstated", "This series has no grid that could be read from its headers."
    n_slices = grid.shape[0]
    if role.geometry == "slice" and n_slices != 1:
        text = (
            f"One slice is needed, this series has {n_slices}. "
            "Give the slice to be read as a file of its own."
        )
        return "not-a-single-slice", text
    return _volume(grid, role) if role.geometry == "volume" else None


def _volume(grid: Grid, role: Role) -> tuple[str, str] | None:
    if not grid.has_millimetres:
        return (
            "millimetres-unstated",
            "This image states no position in millimetres. Use the DICOM original.",
        )
    n_slices, least = grid.shape[0], max(2, role.min_slices)
    if n_slices < least:
        text = f"A volume of at least {least} slices is needed, this series has {n_slices}."
        return "too-few-slices", text
    if role.spacing_mm is not None and grid.spacing_mm[0] > role.spacing_mm:
        text = (
            f"Slices lie {grid.spacing_mm[0]:.2f} mm apart, at most {role.spacing_mm:g} mm are needed. "
            "Use a thinner reconstruction."
        )
        return "slices-too-far-apart", text
    return None


def _companions(study: Study, application: Application, main: Series) -> dict[str, Series] | None:
    """The other image roles beside `main`: same frame of reference first; None if one is missing."""
    match: dict[str, Series] = {application.needs.main.name: main}
    for role in application.needs.roles[1:]:
        if role.kind == "regions":
            continue  # every SEG, RTSTRUCT and mask of the study is offered to the application
        fitting = [s for s in study.series if s is not main and not judge(s, role)]
        near = [s for s in fitting if _shares_frame(s, main)] or fitting
        if near:
            match[role.name] = near[0]
        elif not role.optional:
            return None
    return match


def _without_regions(study: Study, application: Application, main: Series) -> Condition | None:
    """Why `main` is not read where regions are needed and the study holds none that lie on it."""
    needed = [role for role in application.needs.roles if role.kind == "regions" and not role.optional]
    given = [s for s in study.series if s.kind == "regions" and not s.is_refused]
    if not needed or any(main.key in s.tags.get("referenced_series", ()) for s in given):
        return None
    text = (
        f"No SEG, RTSTRUCT or mask of {needed[0].name} lies on this series. Put the file that outlines them into the "
        "same folder."
    )
    return Condition("no-region-given", "refusal", text, main.files[:1])


def _shares_frame(series: Series, other: Series) -> bool:
    if series.grid is None or other.grid is None:
        return False
    uid = series.grid.frame_of_reference_uid
    return uid is not None and uid == other.grid.frame_of_reference_uid


def select(study: Study, application: Application) -> Selection:
    """Match the series of `study` with the roles of `application`."""
    main = application.needs.main
    verdicts = [
        Verdict(application.name, series, main.name, judge(series, main))
        for series in _candidates(study.series)
    ]
    matches = []
    for index, verdict in enumerate(verdicts):
        if not verdict.is_taken:
            continue
        reason = _without_regions(study, application, verdict.series)
        if reason is not None:
            verdicts[index] = Verdict(application.name, verdict.series, main.name, (reason,))
            continue
        match = _companions(study, application, verdict.series)
        if match is not None:
            matches.append(match)
            continue
        missing = ", ".join(r.name for r in application.needs.roles if not r.optional and r is not main)
        reason = Condition("companion-missing", "refusal", f"The study holds no series that fits: {missing}.")
        verdicts[index] = Verdict(application.name, verdict.series, main.name, (reason,))
    return Selection(tuple(matches), tuple(verdicts))


def _candidates(series: Iterable[Series]) -> list[Series]:
    return [item for item in series if item.kind in {"image", "raster"}]
