"""ICH score of an intracerebral haemorrhage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.exact import band, exact, shown
from hounsfield.measures._rule import RuleCard, measure

GCS_POINTS = ((5, "1"), (13, "0"))  # below 5: 2
VOLUME_FROM_ML = 30
AGE_FROM_YEARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class HaemorrhageOfPatient(RuleInput):
    """Volume, ventricles and site from the scan; coma scale and age from the clinician."""

    gcs: Annotated[int, Given("1", "Glasgow coma scale, by the clinician", at_least=3, at_most=15)]
    volume_ml: Annotated[float, Given("ml", "volume of the haemorrhage", at_least=0, at_most=500)]
    ivh: Annotated[bool, Given("", "blood in the ventricles")]
    infratentorial: Annotated[bool, Given("", "the haemorrhage began below the tentorium")]
    age_years: Annotated[float, Given("a", "age of the patient", at_least=0, at_most=120)]


CARD = RuleCard(
    name="ich-score",
    version="1.0.0",
    source="Hemphill 2001, Stroke 32:891",
    quantity=private_code("ICH_SCORE", "Intracerebral haemorrhage score"),
    unit="1",
    takes="numbers",
    inputs=HaemorrhageOfPatient,
    formula="GCS 3-4: 2, 5-12: 1, 13-15: 0; volume from 30 mL: 1; ventricles: 1; infratentorial: 1; age from 80: 1",
    population="adults with spontaneous intracerebral haemorrhage",
    refuses=("coma scale or age not stated",),
)


@measure(CARD)
def ich_score(patient: HaemorrhageOfPatient) -> Outcome:
    """ICH score, 0 to 6. Coma scale and age are clinical inputs: imaging alone gives no score.

    Raises RefusedInput where an input is not stated. Source: Hemphill 2001.
    """
    points = {
        f"GCS {patient.gcs}": int(band(patient.gcs, GCS_POINTS, below="2")),
        f"volume {shown(patient.volume_ml)} mL": int(exact(patient.volume_ml) >= VOLUME_FROM_ML),
        "ventricles": int(patient.ivh),
        "infratentorial": int(patient.infratentorial),
        f"age {shown(patient.age_years)} years": int(exact(patient.age_years) >= AGE_FROM_YEARS),
    }
    score = sum(points.values())
    told = " + ".join(f"{name} {value}" for name, value in points.items())
    return CARD.outcome(measurements=[CARD.number("ich-score", score)], steps=[f"{told} = {score}"])
