"""Skeletal muscle index at the third lumbar vertebra."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.code import MEAN_ATTENUATION, private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._patient_size import HEIGHT_RANGE_M
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from hounsfield.core import Measurement

# Ranges of tissue on the slice, both ends in: what whoever segments it for this rule counts.
MUSCLE_HU = (-29, 150)
SUBCUTANEOUS_FAT_HU = (-190, -30)
VISCERAL_FAT_HU = (-150, -50)
# Least index in cm2/m2 that is not low.
MARTIN = {"F": (Decimal(41), Decimal(41)), "M": (Decimal(43), Decimal(53))}  # BMI below 25, from 25
PRADO = {"F": Decimal("38.5"), "M": Decimal("52.4")}
MYOSTEATOSIS_BELOW_HU = (41, 33)  # BMI below 25, from 25
OVERWEIGHT_FROM_BMI, OBESE_FROM_BMI = 25, 30
THICKEST_MM, VALIDATED_KV = 5, 120
MUSCLE_INDEX = private_code("SMI_L3", "Skeletal muscle index at L3")
WORDS = {True: "low", False: "not low", None: "does not apply below a BMI of 30"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmiInputs(RuleInput):
    """Muscle of one axial slice at mid-L3, and the patient's size."""

    muscle_area_cm2: Annotated[
        float, Given("cm2", "area of skeletal muscle, -29 to 150 HU", at_least=1, at_most=600)
    ]
    height_m: Annotated[float, Given("m", "height", at_least=HEIGHT_RANGE_M[0], at_most=HEIGHT_RANGE_M[1])]
    sex: Annotated[Literal["M", "F"], Given("", "sex")]
    bmi_kg_m2: Annotated[float, Given("kg/m2", "body mass index", at_least=8, at_most=90)]
    classify_by: Annotated[
        Literal["none", "martin-2013", "prado-2008"], Given("", "limits to classify by")
    ] = "none"
    muscle_hu: Annotated[
        float | None,
        Given("[hnsf'U]", "mean attenuation of the muscle", at_least=MUSCLE_HU[0], at_most=MUSCLE_HU[1]),
    ] = None
    phase: Annotated[
        Literal["unenhanced", "arterial", "portal-venous", "delayed"] | None, Given("", "contrast phase")
    ] = None
    thickness_mm: Annotated[float | None, Given("mm", "slice thickness", at_least=0.1, at_most=20)] = None
    tube_voltage_kv: Annotated[float | None, Given("kV", "tube voltage", at_least=50, at_most=160)] = None
    is_cut_off: Annotated[bool, Given("", "muscle cut off by the field of view")] = False


CARD = RuleCard(
    name="smi-l3",
    version="1.0.0",
    source="Martin 2013, J Clin Oncol 31:1539; Prado 2008, Lancet Oncol 9:629",
    takes="numbers",
    inputs=SmiInputs,
    formula="muscle area / height^2. Low: Martin 2013 women < 41, men < 43 (BMI below 25) or < 53; "
    "Prado 2008 (BMI from 30) women < 38.5, men < 52.4 cm2/m2",
    population="adults; both sets of limits come from cancer cohorts in North America. In 420 healthy kidney "
    "donors the 5th centiles were 41.6 (men) and 32.0 (women) cm2/m2 (van der Werf 2018): many healthy people "
    "are low by them",
    refuses=("height missing or impossible", "muscle cut off by the field of view"),
)


@dataclass(frozen=True, slots=True)
class LowMuscle:
    """Whether the index is low, by each set of limits; None where a set does not apply."""

    martin_2013: bool
    prado_2008: bool | None


def low_muscle(inputs: SmiInputs) -> LowMuscle:
    """Compared as area below limit x height squared, exact in decimals."""
    area, squared = exact(inputs.muscle_area_cm2), exact(inputs.height_m) ** 2
    martin = MARTIN[inputs.sex][_is_overweight(inputs)]
    obese = exact(inputs.bmi_kg_m2) >= OBESE_FROM_BMI
    return LowMuscle(
        martin_2013=area < martin * squared,
        prado_2008=area < PRADO[inputs.sex] * squared if obese else None,
    )


@measure(CARD)
def smi_l3(inputs: SmiInputs) -> Outcome:
    """Muscle area over height squared in cm2/m2; a class only by the limits that are asked for.

    The note says what each set of limits would call it. Raises RefusedInput if muscle is cut off.
    """
    if inputs.is_cut_off:
        raise RefusedInput(
            "the field of view cuts muscle off, so its area is too small by an unknown amount. Use a "
            "reconstruction of the whole body."
        )
    low = low_muscle(inputs)
    index = exact(inputs.muscle_area_cm2) / exact(inputs.height_m) ** 2
    note = f"Martin 2013: {WORDS[low.martin_2013]}; Prado 2008: {WORDS[low.prado_2008]}"
    numbers = [CARD.number("smi-l3", index, unit="cm2/m2", quantity=MUSCLE_INDEX, note=note)]
    if inputs.muscle_hu is not None:
        numbers.append(_muscle_attenuation(inputs, inputs.muscle_hu))
    chosen = {"none": None, "martin-2013": low.martin_2013, "prado-2008": low.prado_2008}[inputs.classify_by]
    categories = []
    if chosen is not None:
        meaning = f"muscle {WORDS[chosen]} by {inputs.classify_by}"
        categories.append(
            CARD.category(
                "muscle-state", WORDS[chosen], meaning, based_on={**inputs.to_json(), "smi_cm2_m2": index}
            )
        )
    step = f"SMI = {shown(inputs.muscle_area_cm2)} / {shown(inputs.height_m)}^2 = {shown(index)} cm2/m2"
    return CARD.outcome(
        measurements=numbers, categories=categories, conditions=_conditions(inputs), steps=[step, note]
    )


def _is_overweight(inputs: SmiInputs) -> bool:
    return exact(inputs.bmi_kg_m2) >= OVERWEIGHT_FROM_BMI


def _muscle_attenuation(inputs: SmiInputs, muscle_hu: float) -> Measurement:
    limit_hu = MYOSTEATOSIS_BELOW_HU[_is_overweight(inputs)]
    side = "below" if exact(muscle_hu) < limit_hu else "not below"
    note = f"{side} {limit_hu} HU (myosteatosis, Martin 2013); phase: {inputs.phase or 'not stated'}"
    return CARD.number("muscle-attenuation", muscle_hu, unit="[hnsf'U]", quantity=MEAN_ATTENUATION, note=note)


def _conditions(inputs: SmiInputs) -> list[Condition]:
    found = []
    if inputs.thickness_mm is not None and exact(inputs.thickness_mm) > THICKEST_MM:
        text = f"The slice is {shown(inputs.thickness_mm)} mm thick; {THICKEST_MM} mm or less is meant."
        found.append(Condition("slice-thick", "warning", text))
    if inputs.tube_voltage_kv is not None and exact(inputs.tube_voltage_kv) != VALIDATED_KV:
        text = f"The limits in HU hold at {VALIDATED_KV} kV; this CT was made at {shown(inputs.tube_voltage_kv)} kV."
        found.append(Condition("kvp-not-validated", "warning", text))
    if inputs.phase not in {None, "unenhanced"}:
        text = f"Contrast ({inputs.phase}) raises the attenuation of muscle by some HU."
        found.append(Condition("contrast-raises-muscle", "note", text))
    if inputs.classify_by == "prado-2008" and exact(inputs.bmi_kg_m2) < OBESE_FROM_BMI:
        text = "The limits of Prado 2008 hold for a BMI of 30 or more only; no class is given."
        found.append(Condition("outside-population", "warning", text))
    return found
