"""Amyloid load on the Centiloid scale from PiB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

SLOPE, INTERCEPT = exact("93.7"), exact("-94.6")


@dataclass(frozen=True, slots=True, kw_only=True)
class PibUptake(RuleInput):
    """Cortical uptake of PiB 50 to 70 min after injection, against the whole cerebellum."""

    pib_suvr_whole_cerebellum: Annotated[
        float,
        Given("1", "SUVR of the standard cortical region against the whole cerebellum", above=0, at_most=10),
    ]
    tracer: Annotated[Literal["PiB"], Given("", "tracer; every other one needs its own equation")] = "PiB"
    is_standard_pipeline: Annotated[bool, Given("", "standard regions, reference and 50 to 70 min")] = True


CARD = RuleCard(
    name="centiloid-pib",
    version="1.0.0",
    source="Klunk 2015, Alzheimers Dement 11:1",
    quantity=private_code("CENTILOID", "Amyloid load on the Centiloid scale"),
    unit="{Centiloid}",
    takes="numbers",
    inputs=PibUptake,
    formula="CL = 93.7 SUVR - 94.6",
    population="adults, PiB PET 50 to 70 min, standard pipeline, whole cerebellum as reference",
    refuses=("another tracer", "another pipeline"),
)


@measure(CARD)
def centiloid_pib(uptake: PibUptake) -> Outcome:
    """Centiloids of PiB: 0 is the mean of young controls, 100 that of typical Alzheimer's disease.

    Raises RefusedInput for another tracer or pipeline: these need their own published equation.
    """
    if not uptake.is_standard_pipeline:
        raise RefusedInput(
            "the pipeline is not the standard one: it needs its own validation against Klunk 2015."
        )
    suvr = exact(uptake.pib_suvr_whole_cerebellum)
    centiloid = SLOPE * suvr + INTERCEPT
    return CARD.outcome(
        measurements=[CARD.number("centiloid", centiloid)],
        steps=[f"{SLOPE} x {shown(suvr)} - {-INTERCEPT} = {shown(centiloid)} CL"],
    )
