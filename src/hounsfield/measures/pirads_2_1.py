"""Prostate lesions on MR: the category of PI-RADS v2.1, gland volume and PSA density."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.code import VOLUME, private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

MEANINGS = {
    1: "clinically significant cancer is highly unlikely",
    2: "clinically significant cancer is unlikely",
    3: "clinically significant cancer is equivocal",
    4: "clinically significant cancer is likely",
    5: "clinically significant cancer is highly likely",
}
PSA_DENSITY = private_code("PSA_DENSITY", "PSA density")
INADEQUATE = "X"
ELLIPSOID = Decimal("0.52")
PSA_DENSITY_FROM = Decimal("0.15")
LARGE_FROM_CM = Decimal("1.5")
HAEMORRHAGE_WEEKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PiradsInputs(RuleInput):
    """Scores of one lesion by sequence; size and gland where known."""

    zone: Annotated[Literal["PZ", "TZ"], Given("", "zone of the lesion")]
    t2w: Annotated[Literal["1", "2", "3", "4", "5"], Given("", "T2W score")]
    dwi: Annotated[Literal["1", "2", "3", "4", "5", "X"], Given("", "DWI score, X if inadequate")]
    dce: Annotated[
        Literal["+", "-", "X", "none"], Given("", "early enhancement, X if inadequate, none if not done")
    ]
    lesion_cm: Annotated[
        float | None, Given("cm", "greatest dimension of the lesion", at_least=0.1, at_most=10)
    ] = None
    is_extraprostatic: Annotated[bool | None, Given("", "definite extraprostatic extension")] = None
    biopsy_weeks: Annotated[float | None, Given("wk", "time since a biopsy", at_least=0, at_most=1000)] = None
    gland_cm: Annotated[
        tuple[float, float, float] | None, Given("cm", "gland: length, width, height", at_least=1, at_most=15)
    ] = None
    psa_ng_ml: Annotated[
        float | None, Given("ng/ml", "prostate-specific antigen", at_least=0, at_most=10000)
    ] = None


CARD = RuleCard(
    name="pirads-2.1",
    version="1.0.0",
    source="Turkbey 2019, Eur Urol 76:340",
    takes="numbers",
    inputs=PiradsInputs,
    formula="PZ: DWI decides, 3 with early enhancement is 4. TZ: T2W decides, 2 with DWI 4 or 5 is 3, 3 with DWI 5 is "
    "4. Gland volume = L x W x H x 0.52; PSA density limit 0.15",
    population="men with suspected cancer of an untreated prostate; T2W in two planes of 3 mm, DWI with b of 1400 or more",
    refuses=("DWI and early enhancement are both inadequate",),
)


def lesion_category(*, zone: str, t2w: str, dwi: str, dce: str) -> int:
    """The category, 1 to 5, of a lesion from its scores.

    Peripheral zone: DWI decides, and 3 with early enhancement is 4. Transition zone: T2W decides, 2 with DWI
    4 or 5 is 3, and 3 with DWI 5 is 4. With inadequate DWI T2W decides; in the peripheral zone early
    enhancement raises its 3 to 4. Raises RefusedInput if DWI and enhancement are both missing.
    """
    if dwi == INADEQUATE:
        if dce in {INADEQUATE, "none"}:
            raise RefusedInput(
                "neither DWI nor contrast enhancement is adequate: only extension can be staged, no category given. "
                "Repeat the examination."
            )
        return 4 if (zone, t2w, dce) == ("PZ", "3", "+") else int(t2w)
    if zone == "PZ":
        return 4 if (dwi, dce) == ("3", "+") else int(dwi)
    if t2w == "2" and int(dwi) >= 4:
        return 3
    return 4 if (t2w, dwi) == ("3", "5") else int(t2w)


def gland_volume_ml(gland_cm: Sequence[float]) -> Decimal:
    """Length x width x height x 0.52, in cm and mL."""
    length, width, height = (exact(cm) for cm in gland_cm)
    return length * width * height * ELLIPSOID


@measure(CARD)
def pirads_2_1(inputs: PiradsInputs) -> Outcome:
    """Category of one lesion; with the gland's three dimensions its volume, with PSA the density too.

    Raises RefusedInput as `lesion_category`.
    """
    found = lesion_category(zone=inputs.zone, t2w=inputs.t2w, dwi=inputs.dwi, dce=inputs.dce)
    scores = {"zone": inputs.zone, "t2w": inputs.t2w, "dwi": inputs.dwi, "dce": inputs.dce}
    categories = [CARD.category("pirads", str(found), MEANINGS[found], based_on=scores)]
    told = ", ".join(f"{name} {value}" for name, value in scores.items())
    numbers, steps = [], [f"{told}: PI-RADS {found}"]
    if inputs.gland_cm is not None:
        volume_ml = gland_volume_ml(inputs.gland_cm)
        numbers.append(
            CARD.number(
                "volume", volume_ml, unit="ml", quantity=VOLUME, note="length x width x height x 0.52"
            )
        )
        if inputs.psa_ng_ml is not None:
            psa = exact(inputs.psa_ng_ml)
            density = psa / volume_ml
            is_raised = psa >= PSA_DENSITY_FROM * volume_ml
            numbers.append(CARD.number("psa-density", density, unit="ng/ml/ml", quantity=PSA_DENSITY))
            categories.append(
                CARD.category(
                    "psa-density-limit",
                    "reached" if is_raised else "not reached",
                    "0.15 ng/mL per mL, commonly used",
                    based_on={"psa_ng_ml": inputs.psa_ng_ml, "volume_ml": volume_ml},
                )
            )
            steps.append(f"PSA density = {shown(psa)} / {shown(volume_ml)} = {shown(density)}")
    return CARD.outcome(
        measurements=numbers, categories=categories, conditions=_conditions(inputs, found), steps=steps
    )


def _conditions(inputs: PiradsInputs, category: int) -> list[Condition]:
    decisive = inputs.dwi if inputs.zone == "PZ" else inputs.t2w
    is_large = inputs.is_extraprostatic or (
        inputs.lesion_cm is not None and exact(inputs.lesion_cm) >= LARGE_FROM_CM
    )
    recent = inputs.biopsy_weeks is not None and exact(inputs.biopsy_weeks) < HAEMORRHAGE_WEEKS
    no_enhancement = inputs.dce in {INADEQUATE, "none"} and (inputs.zone, inputs.dwi) == ("PZ", "3")
    found = (
        (
            inputs.dwi == INADEQUATE,
            Condition(
                "dwi-inadequate", "warning", "DWI is inadequate; the category rests on T2W and enhancement."
            ),
        ),
        (
            no_enhancement,
            Condition(
                "dce-missing", "note", "Without early enhancement a peripheral DWI score of 3 stays 3."
            ),
        ),
        (
            recent,
            Condition(
                "biopsy-recent",
                "warning",
                "A biopsy less than 6 weeks ago: haemorrhage can look like cancer.",
            ),
        ),
        (
            bool(is_large) and decisive == str(category) == "4",
            Condition(
                "score-below-size",
                "warning",
                "A lesion of 1.5 cm or more, or with definite extension, is scored 5; this one was scored 4. "
                "Check the score.",
            ),
        ),
    )
    return [condition for there, condition in found if there]
