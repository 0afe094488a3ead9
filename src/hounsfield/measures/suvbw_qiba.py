"""SUV by body weight: the factor from stored PET values, or the named reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.core.code import SUV_BW
from hounsfield.core.errors import UnitError
from hounsfield.measures._pet_header import injection_time, reference_time
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.measures._suv_refusals import suv_refusal, suv_remarks

if TYPE_CHECKING:
    from hounsfield.core import Condition
    from hounsfield.measures._pet_header import PetHeader, ReferenceSource

CARD = RuleCard(
    name="suvbw-qiba",
    version="1.0.0",
    source="QIBA FDG-PET/CT Profile, vendor-neutral pseudo-code for SUV (Clunie); PS3.3 C.8.9.1",
    quantity=SUV_BW,
    unit="g/ml{SUVbw}",
    takes="header",
    evidence="verified",
)


@dataclass(frozen=True, slots=True)
class SuvFactor:
    """How stored PET values become SUV: SUVbw = pixel value x `suvbw_per_unit`.

    The pixel value is stored x slope + intercept of its own instance. uptake_s: from injection to
    the reference time, None where it is not needed. decayed_dose_bq: dose that the pixel values
    refer to, None where the file holds SUV already. reference_from: where the reference time came
    from. conditions: what had to be concluded.
    """

    suvbw_per_unit: float
    uptake_s: float | None
    decayed_dose_bq: float | None
    reference_from: ReferenceSource
    conditions: tuple[Condition, ...] = ()


@measure(CARD)
def suv_factor(header: PetHeader) -> SuvFactor:
    """SUVbw per unit of pixel value: weight(kg) x 1000 / decayed dose(Bq), or the file's own factor.

    Raises UnitError naming the attribute if anything is missing, zero, implausible or of another
    kind; `suv_refusal` gives the same reason as a Condition. No partial SUV is ever returned.
    Source: QIBA FDG-PET/CT Profile, SUV pseudo-code.
    """
    refusal = suv_refusal(header)
    if refusal is not None:
        raise UnitError(refusal.text)
    conditions = suv_remarks(header)
    if header.own_factor is not None:
        return SuvFactor(header.own_factor, None, None, "not needed", conditions)
    dose_bq, uptake_s = header.total_dose_bq or 0.0, None
    reference_from: ReferenceSource = "injection"
    if header.decay_correction == "START":
        reference, reference_from = reference_time(header)
        if reference is not None:
            uptake_s = (reference - injection_time(header, reference)).total_seconds()
            dose_bq = decayed_dose_bq(dose_bq, half_life_s=header.half_life_s or 0.0, uptake_s=uptake_s)
    per_unit_bq_ml = (header.philips_activity_factor or 0.0) if header.units == "CNTS" else 1.0
    factor = per_unit_bq_ml * (header.weight_kg or 0.0) * 1000.0 / dose_bq
    return SuvFactor(factor, uptake_s, dose_bq, reference_from, conditions)


def decayed_dose_bq(dose_bq: float, *, half_life_s: float, uptake_s: float) -> float:
    """Dose left `uptake_s` after it was measured: dose x 2^(-uptake / half-life)."""
    return float(dose_bq * 2.0 ** (-uptake_s / half_life_s))
