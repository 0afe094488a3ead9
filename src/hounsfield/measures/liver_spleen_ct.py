"""Signs of a fatty liver on unenhanced CT: attenuation of liver and spleen."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Annotated, Literal

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

LIVER_BELOW_HU = 40
DIFFERENCE_AT_MOST_HU = -10
RATIO_BELOW_TENTHS = 8
VALIDATED_KV = 120
DIFFERENCE = private_code("LIVER_MINUS_SPLEEN", "Attenuation of the liver minus that of the spleen")
RATIO = private_code("LIVER_OVER_SPLEEN", "Attenuation of the liver over that of the spleen")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiverSpleenInputs(RuleInput):
    """Mean attenuation of both organs, and how the CT was made."""

    liver_hu: Annotated[
        float,
        Given("[hnsf'U]", "mean of 3 or more regions of 1 cm2 in both lobes", at_least=-150, at_most=150),
    ]
    spleen_hu: Annotated[
        float, Given("[hnsf'U]", "mean of 1 to 3 regions in the spleen", at_least=1, at_most=150)
    ]
    phase: Annotated[
        Literal["unenhanced", "arterial", "portal-venous", "delayed"], Given("", "contrast phase")
    ]
    tube_voltage_kv: Annotated[float, Given("kV", "tube voltage", at_least=50, at_most=160)]
    amiodarone_or_iron: Annotated[bool | None, Given("", "amiodarone or iron in the liver")] = None


CARD = RuleCard(
    name="liver-spleen-ct",
    version="1.0.0",
    source="Park 2006, Radiology 239:105 (ratio below 0.8); liver below 40 HU and liver - spleen at "
    "most -10 HU as guidelines summarise them",
    takes="numbers",
    inputs=LiverSpleenInputs,
    formula="signs: liver < 40 HU; liver - spleen <= -10 HU; liver / spleen < 0.8",
    population="adults, unenhanced CT at 120 kV; signs of moderate to severe steatosis",
    refuses=("CT after contrast", "spleen at 0 HU or below"),
)


@dataclass(frozen=True, slots=True)
class SteatosisSigns:
    """Which of the three published signs are there."""

    liver_below_40_hu: bool
    difference_at_most_minus_10_hu: bool
    ratio_below_0_8: bool


SIGN_TEXTS = ("liver below 40 HU", "liver - spleen at most -10 HU", "liver / spleen below 0.8")


def steatosis_signs(*, liver_hu: float, spleen_hu: float) -> SteatosisSigns:
    """The three signs, compared in decimals. spleen_hu above 0."""
    liver, spleen = exact(liver_hu), exact(spleen_hu)
    return SteatosisSigns(
        liver_below_40_hu=liver < LIVER_BELOW_HU,
        difference_at_most_minus_10_hu=liver - spleen <= DIFFERENCE_AT_MOST_HU,
        ratio_below_0_8=10 * liver < RATIO_BELOW_TENTHS * spleen,
    )


@measure(CARD)
def liver_spleen_ct(inputs: LiverSpleenInputs) -> Outcome:
    """Liver minus spleen in HU, liver over spleen, and which of three signs of steatosis are there.

    Raises RefusedInput after contrast. At another tube voltage than 120 kV the numbers are given and the
    signs are not.
    """
    if inputs.phase != "unenhanced":
        raise RefusedInput(
            f"the phase is {inputs.phase}: liver and spleen take up contrast at different times, so this rule "
            "needs an unenhanced CT."
        )
    liver, spleen = exact(inputs.liver_hu), exact(inputs.spleen_hu)
    numbers = [
        CARD.number("liver-minus-spleen", liver - spleen, unit="[hnsf'U]", quantity=DIFFERENCE),
        CARD.number("liver-over-spleen", liver / spleen, unit="1", quantity=RATIO),
    ]
    steps = [
        f"liver - spleen = {shown(liver)} - {shown(spleen)} = {shown(liver - spleen)} HU",
        f"liver / spleen = {shown(liver / spleen)}",
    ]
    conditions = _conditions(inputs)
    if exact(inputs.tube_voltage_kv) != VALIDATED_KV:
        return CARD.outcome(measurements=numbers, conditions=conditions, steps=steps)
    signs = astuple(steatosis_signs(liver_hu=inputs.liver_hu, spleen_hu=inputs.spleen_hu))
    there = [text for text, present in zip(SIGN_TEXTS, signs, strict=True) if present]
    category = CARD.category(
        "steatosis-signs",
        str(len(there)),
        "; ".join(there) or "no sign of moderate to severe steatosis",
        based_on=inputs.to_json(),
    )
    steps.append(f"signs: {'; '.join(there) or 'none'}")
    return CARD.outcome(measurements=numbers, categories=[category], conditions=conditions, steps=steps)


def _conditions(inputs: LiverSpleenInputs) -> list[Condition]:
    found = []
    if inputs.amiodarone_or_iron:
        text = "Amiodarone or iron raises the liver's attenuation and can hide fat."
        found.append(Condition("liver-density-raised", "warning", text))
    if exact(inputs.tube_voltage_kv) != VALIDATED_KV:
        text = (
            f"The limits hold at {VALIDATED_KV} kV; this CT was made at {shown(inputs.tube_voltage_kv)} kV, so "
            "the signs are not given."
        )
        found.append(Condition("outside-population", "warning", text))
    return found
