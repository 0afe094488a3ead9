"""From calcium in the coronary arteries to score, volume, classes and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hounsfield.applications._coronary_arteries import ARTERIES
from hounsfield.core import Code, Condition, Finding, Urgency
from hounsfield.core.code import private_code
from hounsfield.measures import (
    AgatstonScore,
    CalciumBurden,
    CalciumVoxels,
    agatston_of_image,
    cac_bands_rumberger,
    cac_drs_2018,
    calcium_volume,
)
from hounsfield.measures.agatston_kvp_graeni_2018 import agatston_kvp_of_image
from hounsfield.studies.ct_header import is_gated, is_sharp, stated_contrast, stated_kernel

if TYPE_CHECKING:
    from hounsfield.applications._coronary_arteries import Artery
    from hounsfield.core import Image, Measurement, Outcome, Region, Series
    from hounsfield.core.finding import Presence

USUAL_KVP = 120
MIN_AREA_MM2 = 1.0  # Agatston 1990: smaller components are no calcium; exactly 1 mm2 stays
ACTIONABLE = "A3"  # from 300: to be acted on within days (ACR Actionable Reporting, class 3)
CALCIFICATION = Code("18115005", "SCT", "Pathologic calcification")
CORONARY_ARTERY = Code("41801008", "SCT", "Coronary artery")

NO_MASS = Condition(
    "calcium-mass-left-out",
    "note",
    "The mass of calcium is left out: it needs a calibration insert in the scan, or one of exactly this scanner, voltage "
    "and kernel. With one, use the rule calcium-mass.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Calcium:
    """What is scored: calcium by artery (or all as one region), what lies beside it, and what is to be told.

    given: the arteries for which a region was given, with or without calcium in it; () if none was.
    """

    scored: tuple[Region, ...]
    given: tuple[Artery, ...] = ()
    elsewhere: tuple[Region, ...] = ()
    conditions: tuple[Condition, ...] = ()
    has_metal: bool = False


def score_calcium(series: Series, image: Image, calcium: Calcium) -> Score:
    """Agatston score and, at 120 kV, volume: of the whole and of each artery with calcium.

    Raises RefusedInput as the rules do.
    """
    scan = scan_facts(series, calcium)
    gated = is_gated(series.tags)
    score = agatston_of_image if scan["kvp"] == USUAL_KVP else agatston_kvp_of_image
    outcome = score(image, calcium.scored, **scan)
    measurements, conditions = [*outcome.measurements], [*outcome.conditions, *_header_remarks(series, scan)]
    if scan["kvp"] == USUAL_KVP:
        measurements += _volumes(image, calcium, scan)
    else:
        text = "The volume of calcium is left out: its threshold holds for 120 kV."
        conditions.append(Condition("calcium-volume-left-out", "note", text))
    if gated is None:
        # The rule was told that there was no trigger, so that the number bears the name ungated.
        text = (
            "It is not stated whether the ECG triggered the scan (0018,9037; 0018,1060; 0018,0022): the number is named "
            "ungated and has no class. A reader may grade what is seen from V0 to V3 (rule cac-drs-2018)."
        )
        unstated = Condition("gating-unstated", "warning", text, series.files[:1])
        conditions = [unstated if c.code == "ct-not-gated" else c for c in conditions]
    is_whole = len(calcium.given) == len(ARTERIES) or not calcium.elsewhere
    may_classify = (
        bool(gated)
        and scan["kvp"] == USUAL_KVP
        and (is_whole if calcium.given else not calcium.scored)
        and not any(c.code == "calcium-metal" for c in calcium.conditions)
    )
    made = Score(calcium, tuple(measurements), (*conditions, NO_MASS), bool(gated), may_classify)
    mentions = made.drs().conditions if may_classify else ()
    return replace(made, conditions=(*made.conditions, *mentions))


def scan_facts(series: Series, calcium: Calcium) -> dict[str, Any]:
    """What the rules must know of the scan, as its header states it; the heart was found to be covered."""
    thickness_mm = series.tags.get("SliceThickness")
    return {
        "kvp": series.tags["KVP"],
        "contrast": stated_contrast(series.tags),
        "is_gated": bool(is_gated(series.tags)),
        "slice_thickness_mm": thickness_mm if isinstance(thickness_mm, int | float) else None,
        "is_sharp_kernel": is_sharp(stated_kernel(series.tags)),
        "has_metal": calcium.has_metal,
    }


def _header_remarks(series: Series, scan: dict[str, Any]) -> list[Condition]:
    """What the header leaves open of what raises or lowers a score."""
    found = []
    if not stated_kernel(series.tags):
        found.append(
            ("kernel-unstated", "The kernel (0018,1210) is not stated; a sharp one raises the score.")
        )
    if scan["slice_thickness_mm"] is None:
        text = "The slice thickness (0018,0050) is not stated; scores were made for 2.5 to 3 mm."
        found.append(("thickness-unstated", text))
    return [Condition(code, "warning", text, series.files[:1]) for code, text in found]


def _volumes(image: Image, calcium: Calcium, scan: dict[str, Any]) -> list[Measurement]:
    """The volume score of the whole and of each artery; the name of an artery's ends like that of its score."""
    z_mm, y_mm, x_mm = image.grid.spacing_mm
    parts: list[tuple[str, tuple[Region, ...]]] = [("", calcium.scored)]
    parts += [(f"-{region.name}", (region,)) for region in calcium.scored if calcium.given]
    made = []
    for suffix, regions in parts:
        voxels = CalciumVoxels(
            n_voxels_ge_130=sum(region.n_voxels for region in regions),
            dx_mm=x_mm,
            dy_mm=y_mm,
            increment_mm=z_mm,
            **scan,
        )
        (volume,) = calcium_volume(voxels).measurements
        name = volume.name.replace("calcium-volume", f"calcium-volume{suffix}")
        made.append(replace(volume, name=name, regions=tuple(region.name for region in regions)))
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """The numbers by name, and what they rest on. may_classify: the classes hold for this scan."""

    calcium: Calcium
    measurements: tuple[Measurement, ...]
    conditions: tuple[Condition, ...]
    is_gated: bool
    may_classify: bool

    def findings(self) -> list[Finding]:
        """The coronary calcium as a whole, its class, and that of each given artery."""
        parts = [self._of_artery(artery) for artery in self.calcium.given]
        return [self._whole(), *self._classified(), *parts]

    def total(self) -> float:
        """The score of the whole."""
        return self._of("")[0].value

    def _of(self, suffix: str) -> tuple[Measurement, ...]:
        """Score and volume of the whole ("") or of one artery ("-lad")."""
        names = {
            f"{name}{suffix}{tail}"
            for name in ("agatston-score", "calcium-volume")
            for tail in ("", "-ungated")
        }
        return tuple(m for m in self.measurements if m.name in names)

    def _is_open(self) -> bool:
        """Whether calcium lies in the heart of which it is not known if it is coronary, or metal may hide some."""
        if self._has_metal():
            return True
        if not self.calcium.given:
            return bool(self.calcium.scored)
        return len(self.calcium.given) < len(ARTERIES) and bool(self.calcium.elsewhere)

    def _has_metal(self) -> bool:
        return self.calcium.has_metal or any(c.code == "calcium-metal" for c in self.calcium.conditions)

    def _whole(self) -> Finding:
        presence: Presence
        total = self.total()
        places = "the given arteries" if self.calcium.given else "the heart region"
        if total == 0.0:
            presence = "absent" if self.is_gated and not self._is_open() else "indeterminate"
            reason = (
                f"No component of at least {MIN_AREA_MM2:g} mm² at or above the threshold lies in {places}."
            )
            if not self.is_gated:
                reason += " The scan is not known to be triggered by the ECG, and motion may hide calcium."
        else:
            presence = "present" if self.calcium.given else "indeterminate"
            kind = "Agatston score" if self.is_gated else "ungated Agatston score"
            reason = (
                f"The {kind} of {places} is {total:.0f}{self._classes()}. Two scans of one patient differ by some 10 to "
                "20 %, more at low scores."
            )
        return Finding(
            "coronary-calcium",
            CALCIFICATION,
            presence,
            reason,
            site=CORONARY_ARTERY,
            regions=tuple(region.name for region in self.calcium.scored),
            measurements=self._of(""),
            urgency=Urgency.U3
            if self.may_classify and self.drs().categories[0].value.startswith(ACTIONABLE)
            else Urgency.U0,
        )

    def _classes(self) -> str:
        if not self.may_classify:
            return ""
        (drs,), band = self.drs().categories, cac_bands_rumberger(AgatstonScore(agatston=self.total()))
        return f": CAC-DRS {drs.value}, and {band.category('calcium-band')} after Rumberger (limits of both unverified)"

    def drs(self) -> Outcome:
        """The CAC-DRS class, for a scan that may be classified."""
        return cac_drs_2018(CalciumBurden(agatston=self.total(), n_vessels=len(self.calcium.scored)))

    def _classified(self) -> list[Finding]:
        if not self.may_classify or self.total() == 0.0:
            return []
        (drs,) = self.drs().categories
        letter = drs.value.partition("/")[0]
        concept = private_code(f"CAC_DRS_{letter}", f"CAC-DRS {letter}, {drs.meaning} coronary calcium")
        reason = f"Score {self.total():.0f} in {len(self.calcium.scored)} arteries: {drs.value}, rule {drs.rule} {drs.rule_version}."
        return [Finding("cac-drs", concept, "present", reason)]

    def _of_artery(self, artery: Artery) -> Finding:
        presence: Presence
        own = self._of(f"-{artery.name}")
        names = tuple(region.name for region in self.calcium.scored if region.name == artery.name)
        if names:
            presence, reason = "present", f"The Agatston score of the {artery.title} is {own[0].value:.0f}."
        elif any(c.code == "calcium-metal" and artery.title in c.text for c in self.calcium.conditions):
            presence, reason = "indeterminate", f"The {artery.title} holds metal and was left out."
        else:
            presence = "absent" if self.is_gated else "indeterminate"
            reason = f"The region of the {artery.title} holds no calcium of at least {MIN_AREA_MM2:g} mm²."
        return Finding(
            f"calcium-{artery.name}",
            CALCIFICATION,
            presence,
            reason,
            site=artery.site,
            regions=names,
            measurements=own,
        )
