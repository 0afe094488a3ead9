"""Volume score of coronary calcium."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Code, Given, Outcome
from hounsfield.core.exact import exact, shown
from hounsfield.measures._calcium_scan import (
    CALCIUM_SCORE,
    REFUSES,
    CalciumScan,
    refuse_unfit,
    scan_conditions,
    score_name,
    score_quantity,
)
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.measures.agatston_1990 import KVP

VOLUME_METHOD = Code("112056", "DCM", "Volume scoring method")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalciumVoxels(CalciumScan):
    """Voxels of calcium, and the size of one."""

    n_voxels_ge_130: Annotated[
        int, Given("1", "voxels of at least 130 HU in components of at least 1 mm2", at_least=0)
    ]
    dx_mm: Annotated[float, Given("mm", "distance of columns", above=0, at_most=10)]
    dy_mm: Annotated[float, Given("mm", "distance of rows", above=0, at_most=10)]
    increment_mm: Annotated[float, Given("mm", "distance between slice positions", above=0, at_most=10)]
    is_interpolated: Annotated[bool, Given("", "data were interpolated to equal voxels first")] = False


CARD = RuleCard(
    name="calcium-volume",
    version="1.0.0",
    source="Callister 1998, Radiology 208:807",
    quantity=CALCIUM_SCORE,
    unit="mm3",
    takes="numbers",
    inputs=CalciumVoxels,
    formula="voxels of at least 130 HU in kept components x column distance x row distance x increment",
    population="adults, CT of the heart without contrast agent at 120 kVp, triggered by the ECG",
    refuses=REFUSES,
)


@measure(CARD)
def calcium_volume(calcium: CalciumVoxels) -> Outcome:
    """Volume of coronary calcium in mm3: voxels times the size of one.

    The original interpolated to equal voxels first; the note says whether this was done. Raises
    RefusedInput for contrast, another tube voltage than 120 kV, or an incomplete heart.
    """
    refuse_unfit(calcium, kvps=(KVP,))
    dx, dy, dz = exact(calcium.dx_mm), exact(calcium.dy_mm), exact(calcium.increment_mm)
    volume_mm3 = calcium.n_voxels_ge_130 * dx * dy * dz
    note = "interpolated to equal voxels" if calcium.is_interpolated else "not interpolated"
    name = score_name(calcium, "calcium-volume")
    return CARD.outcome(
        measurements=[
            CARD.number(
                name, volume_mm3, quantity=score_quantity(calcium), note=f"{VOLUME_METHOD.meaning}; {note}"
            )
        ],
        conditions=scan_conditions(calcium),
        steps=[
            f"{calcium.n_voxels_ge_130} x {shown(dx)} x {shown(dy)} x {shown(dz)} mm = {shown(volume_mm3)} mm³"
        ],
    )
