"""ASPECTS: early ischaemic change of the middle cerebral artery's territory on CT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

N_REGIONS = 10
MAX_THICKNESS_MM = 5

AspectsRegion = Literal["C", "L", "IC", "I", "M1", "M2", "M3", "M4", "M5", "M6"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AspectsRegions(RuleInput):
    """Regions of one hemisphere with early ischaemic change, on CT without contrast agent."""

    affected: Annotated[tuple[AspectsRegion, ...], Given("", "regions with early ischaemic change")]
    slice_thickness_mm: Annotated[float | None, Given("mm", "slice thickness", above=0)] = None
    has_haemorrhage: Annotated[bool, Given("", "haemorrhage is present")] = False
    is_bilateral: Annotated[bool, Given("", "both hemispheres are affected")] = False
    is_posterior: Annotated[bool, Given("", "infarct of the posterior circulation")] = False


CARD = RuleCard(
    name="aspects",
    version="1.0.0",
    source="Barber 2000, Lancet 355:1670",
    quantity=private_code("ASPECTS", "Alberta stroke programme early CT score"),
    unit="1",
    takes="numbers",
    inputs=AspectsRegions,
    formula="10 - number of the regions C, L, IC, I, M1 to M6 with early ischaemic change, each counted once",
    population="adults with suspected stroke of one middle cerebral artery, CT without contrast agent",
    refuses=("slices above 5 mm", "posterior circulation", "both hemispheres", "haemorrhage"),
    uncertainty="readers agree with kappa 0.5 to 0.6 on the score cut in two",
)


@measure(CARD)
def aspects(regions: AspectsRegions) -> Outcome:
    """ASPECTS, 0 to 10: ten minus the affected regions; a region counts once.

    The number alone is given, never eligibility for treatment. Raises RefusedInput for haemorrhage,
    both hemispheres, posterior circulation, or slices above 5 mm.
    """
    thickness_mm = regions.slice_thickness_mm
    reasons = [
        (
            thickness_mm is not None and exact(thickness_mm) > MAX_THICKNESS_MM,
            f"slices are {shown(thickness_mm or 0)} mm thick, at most {MAX_THICKNESS_MM} mm can be scored",
        ),
        (regions.has_haemorrhage, "haemorrhage is present"),
        (regions.is_bilateral, "both hemispheres are affected"),
        (regions.is_posterior, "the posterior circulation is affected"),
    ]
    for is_so, reason in reasons:
        if is_so:
            raise RefusedInput(f"{reason}: ASPECTS is not defined for this scan.")
    affected = sorted(set(regions.affected))
    score = N_REGIONS - len(affected)
    return CARD.outcome(
        measurements=[CARD.number("aspects", score, note=f"affected: {', '.join(affected) or 'none'}")],
        steps=[f"10 - {len(affected)} ({', '.join(affected) or 'none'}) = {score}"],
    )
