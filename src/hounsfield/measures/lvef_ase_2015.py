"""Ejection fraction of the left ventricle with its ASE grade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from hounsfield.core import Code, Condition, Given, Outcome
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import band, exact, round_half_up, shown
from hounsfield.measures._left_ventricle import EchoLoop, loop_conditions, refuse_unfit
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from decimal import Decimal

    from hounsfield.core import Category
    from hounsfield.core.category import Evidence

LVEF = Code("79991-6", "LN", "Left ventricular ejection fraction biplane (MOD)")
EDV_INDEX = private_code("LV_EDV_BY_BSA", "LV end diastolic volume by body surface")
TEST_RETEST_POINTS = 10  # 95 %, 2D without contrast agent (Thavendiranathan 2013)

# Lower limits in % of EF rounded half up to an integer.
GRADES = {
    "M": ((30, "moderately"), (41, "mildly"), (52, "normal"), (73, "above_range")),
    "F": ((30, "moderately"), (41, "mildly"), (54, "normal"), (75, "above_range")),
}
MEANINGS = {
    "severely": "severely abnormal",
    "moderately": "moderately abnormal",
    "mildly": "mildly abnormal",
    "normal": "within the reference range",
    "above_range": "above the reference range",
}
HEART_FAILURE_BANDS = ((41, "HFmrEF"), (50, "HFpEF"))
# Lowest and highest end-diastolic volume, ml and ml/m2 of body surface.
EDV_RANGE_ML = {"M": (62, 150), "F": (46, 106)}
EDV_INDEX_RANGE_ML_M2 = {"M": (34, 74), "F": (29, 61)}


@dataclass(frozen=True, slots=True, kw_only=True)
class VentricleVolumes(EchoLoop):
    """Volumes at end-diastole and end-systole of the same beat."""

    edv_ml: Annotated[float, Given("ml", "end-diastolic volume", above=0, at_most=1000)]
    esv_ml: Annotated[float, Given("ml", "end-systolic volume", at_least=0, at_most=1000)]
    sex: Annotated[Literal["M", "F"] | None, Given("", "sex, for the reference range")] = None
    bsa_m2: Annotated[float | None, Given("m2", "body surface", at_least=0.5, at_most=4)] = None

    def check(self) -> None:
        """The ventricle is not larger at end-systole."""
        if exact(self.esv_ml) > exact(self.edv_ml):
            raise RefusedInput(
                f"esv_ml {shown(self.esv_ml)} is larger than edv_ml {shown(self.edv_ml)}: the phases seem exchanged."
            )


CARD = RuleCard(
    name="lvef-ase-2015",
    version="1.0.0",
    source="Lang 2015, J Am Soc Echocardiogr 28:1; bands: universal definition of heart failure, Bozkurt 2021",
    takes="numbers",
    inputs=VentricleVolumes,
    formula="EF = 100 (EDV - ESV) / EDV, rounded half up; normal 52-72 % men, 54-74 % women; mildly from 41, "
    "moderately from 30, below severely abnormal",
    population="adults, two-dimensional biplane echocardiography without contrast agent",
    refuses=(
        "contrast echo or 3D data",
        "unequal or unknown scale",
        "less than one full cycle",
        "ESV above EDV",
    ),
    uncertainty="test against retest about +-10 points (95 %)",
)


@measure(CARD)
def lvef_ase_2015(volumes: VentricleVolumes) -> Outcome:
    """Ejection fraction in %, its ASE grade by sex, and the heart-failure band.

    The band is a label for patients who have heart failure, never a diagnosis. Without sex there is
    no grade. Raises RefusedInput for 3D or contrast data, or ESV above EDV.
    """
    refuse_unfit(volumes)
    edv, esv = exact(volumes.edv_ml), exact(volumes.esv_ml)
    ef = 100 * (edv - esv) / edv
    rounded = round_half_up(ef)
    based_on = {"ef_percent": ef, "ef_rounded_percent": rounded, "sex": volumes.sex}
    hf_band = band(rounded, HEART_FAILURE_BANDS, below="HFrEF")
    categories = [
        CARD.category(
            "hf-band", hf_band, "band by EF, only with a diagnosis of heart failure", based_on=based_on
        )
    ]
    conditions = loop_conditions(volumes)
    steps = [f"EF = 100 x ({shown(edv)} - {shown(esv)}) / {shown(edv)} = {shown(ef)} %, rounded {rounded} %"]
    if volumes.sex is None:
        text = "The sex is not stated: the ASE grade needs it and is not given."
        conditions.append(Condition("sex-unstated", "warning", text))
    else:
        grade = band(rounded, GRADES[volumes.sex], below="severely")
        steps.append(f"{rounded} % ({'men' if volumes.sex == 'M' else 'women'}): {MEANINGS[grade]}")
        categories += [
            CARD.category("ase-grade", grade, MEANINGS[grade], based_on=based_on),
            *_sizes(volumes),
        ]
    note = f"rounded half up: {rounded} +- {TEST_RETEST_POINTS} %"
    numbers = [CARD.number("lvef", ef, unit="%", quantity=LVEF, uncertainty=TEST_RETEST_POINTS, note=note)]
    if volumes.bsa_m2 is not None:
        numbers.append(
            CARD.number("lv-edv-index", edv / exact(volumes.bsa_m2), unit="ml/m2", quantity=EDV_INDEX)
        )
    return CARD.outcome(measurements=numbers, categories=categories, conditions=conditions, steps=steps)


def _sizes(volumes: VentricleVolumes) -> list[Category]:
    """Size of the ventricle against the range of that sex, absolute and by body surface."""
    sex, edv = volumes.sex or "M", exact(volumes.edv_ml)
    known: Evidence = "secondary" if sex == "M" else "unverified"
    found = [_size("lv-edv-range", {"edv_ml": edv}, EDV_RANGE_ML[sex], evidence=known)]
    if volumes.bsa_m2 is not None:
        index = {"edv_index_ml_m2": edv / exact(volumes.bsa_m2)}
        found.append(_size("lv-edv-index-range", index, EDV_INDEX_RANGE_ML_M2[sex], evidence="secondary"))
    return found


def _size(name: str, size: dict[str, Decimal], limits: tuple[int, int], *, evidence: Evidence) -> Category:
    [value] = size.values()
    place = "below" if value < limits[0] else "above" if value > limits[1] else "within"
    return CARD.category(name, place, f"range {limits[0]} to {limits[1]}", based_on=size, evidence=evidence)
