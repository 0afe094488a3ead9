"""Weight, height and sex of a patient: what can be a person's; other numbers are a wrong unit and refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hounsfield.core import Given, RuleInput

# Project limits: 70000 as weight means grams, 175 as height means centimetres.
WEIGHT_RANGE_KG = (1.0, 400.0)
HEIGHT_RANGE_M = (0.3, 2.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class SulInputs(RuleInput):
    """A SUV by body weight, and the patient's size."""

    suvbw_g_ml: Annotated[float, Given("g/ml{SUVbw}", "SUV by body weight", at_least=0, at_most=1000)]
    weight_kg: Annotated[
        float, Given("kg", "weight", at_least=WEIGHT_RANGE_KG[0], at_most=WEIGHT_RANGE_KG[1])
    ]
    height_m: Annotated[float, Given("m", "height", at_least=HEIGHT_RANGE_M[0], at_most=HEIGHT_RANGE_M[1])]
    sex: Annotated[Literal["M", "F"], Given("", "sex; there is no formula for another")]
