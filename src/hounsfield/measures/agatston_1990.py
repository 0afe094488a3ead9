"""Agatston score of coronary calcium at 120 kVp."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from hounsfield.core import Code, Given, Outcome
from hounsfield.core.exact import band, exact, shown
from hounsfield.measures._calcium_scan import (
    CALCIUM_SCORE,
    MIN_AREA_MM2,
    ORIGINAL_INCREMENT_MM,
    REFUSES,
    CalciumScan,
    SliceCalcium,
    calcium_on_slices,
    increment_mm,
    refuse_unfit,
    scan_conditions,
    score_name,
    score_quantity,
)
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from hounsfield.core import Image, Measurement, Region

AGATSTON_METHOD = Code("112055", "DCM", "Agatston scoring method")
# Lower limits of the factors 1 to 4; half-open, so 199.6 HU has factor 1.
FACTOR_LIMITS_HU = (130, 200, 300, 400)
KVP = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class CalciumLesions(CalciumScan):
    """Every component of every slice, and how far the slices lie apart."""

    lesions: Annotated[tuple[SliceCalcium, ...], Given("", "components of calcium, slice by slice")]
    slice_increment_mm: Annotated[
        float, Given("mm", "distance between slice positions along the normal", above=0, at_most=10)
    ]


CARD = RuleCard(
    name="agatston-1990",
    version="1.0.0",
    source="Agatston 1990, J Am Coll Cardiol 15:827; increment / 3 mm: McCollough 2007, Radiology 243:527",
    quantity=CALCIUM_SCORE,
    unit="1",
    image_unit="HU",
    takes="numbers",
    inputs=CalciumLesions,
    formula="sum over slices and components of at least 1 mm2 of area x factor (130, 200, 300, 400 HU: 1 to 4), "
    "x increment / 3 mm",
    population="adults, CT of the heart without contrast agent at 120 kVp, triggered by the ECG",
    refuses=REFUSES,
    uncertainty="two scans of one patient differ by some 10 to 20 %, more at low scores",
)


@measure(CARD)
def agatston_1990(calcium: CalciumLesions) -> Outcome:
    """Agatston score: area x density factor over slices, with the slice increment counted for.

    Gives `agatston-score`, and one for each vessel that is named; `...-ungated` where the scan was
    not triggered. Raises RefusedInput for contrast, another tube voltage, or an incomplete heart.
    Source: Agatston 1990; scaling by increment: McCollough 2007.
    """
    refuse_unfit(calcium, kvps=(KVP,))
    return score_outcome(CARD, calcium, FACTOR_LIMITS_HU)


def agatston_of_image(image: Image, vessels: Sequence[Region], **scan: Any) -> Outcome:
    """The score of the calcium inside `vessels` on an axial CT in HU; `scan`: fields of CalciumScan.

    vessels: masks on the image's grid ("lm", "lad", "lcx", "rca" for a score each). Components join
    over edges and corners within a slice; the factor follows the component's maximum on that slice.
    Raises as `agatston_1990` does, and UnitError or GeometryError for an image that does not fit.
    """
    lesions = calcium_on_slices(CARD, image, vessels)
    outcome = agatston_1990(CalciumLesions(lesions=lesions, slice_increment_mm=increment_mm(image), **scan))
    return on_regions(outcome, vessels)


def on_regions(outcome: Outcome, vessels: Sequence[Region]) -> Outcome:
    """The outcome with the regions that each number came from: its own vessel, or all for the whole."""
    names = tuple(vessel.name for vessel in vessels)
    return replace(outcome, measurements=tuple(_on_regions(m, names) for m in outcome.measurements))


def _on_regions(measured: Measurement, names: tuple[str, ...]) -> Measurement:
    own = tuple(name for name in names if measured.name.removesuffix("-ungated").endswith(f"-{name.lower()}"))
    return replace(measured, regions=own or names)


def density_factor(max_hu: float, limits_hu: Sequence[float] = FACTOR_LIMITS_HU) -> int:
    """0 below the threshold, then 1 to 4; a value at a limit has the higher factor."""
    limits = [(limit, str(number)) for number, limit in enumerate(limits_hu, start=1)]
    return int(band(max_hu, limits, below="0"))


def score_outcome(card: RuleCard, calcium: CalciumLesions, limits_hu: Sequence[float]) -> Outcome:
    """The score, and that of each named vessel, with factors from `limits_hu`."""
    increment = exact(calcium.slice_increment_mm)
    names = [
        name for name in ("LM", "LAD", "LCx", "RCA") if any(one.vessel == name for one in calcium.lesions)
    ]
    parts = {"": calcium.lesions} | {
        f"-{name.lower()}": tuple(one for one in calcium.lesions if one.vessel == name) for name in names
    }
    steps, numbers = [], []
    for suffix, lesions in parts.items():
        area_score = sum((_weighted(one, limits_hu) for one in lesions), exact(0))
        score = area_score * increment / ORIGINAL_INCREMENT_MM
        terms = " + ".join(
            f"{shown(one.area_mm2)} mm² x {density_factor(one.max_hu, limits_hu)}"
            for one in lesions
            if _weighted(one, limits_hu)
        )
        numbers.append(
            card.number(
                score_name(calcium, f"agatston-score{suffix}"),
                score,
                quantity=score_quantity(calcium),
                note=AGATSTON_METHOD.meaning,
            )
        )
        steps.append(
            f"({terms or '0'}) x {shown(increment)} mm / 3 mm = {shown(score)}{suffix.replace('-', ' in ')}"
        )
    return card.outcome(measurements=numbers, conditions=scan_conditions(calcium), steps=steps)


def _weighted(one: SliceCalcium, limits_hu: Sequence[float]) -> Decimal:
    area = exact(one.area_mm2)
    return area * density_factor(one.max_hu, limits_hu) if area >= MIN_AREA_MM2 else exact(0)
