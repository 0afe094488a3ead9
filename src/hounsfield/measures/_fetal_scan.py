"""What every rule on a fetus asks of the scan, and which sizes a fetus can have.

A factor of ten between centimetres (Hadlock) and millimetres (INTERGROWTH-21st, crown-rump length) is the
classic error, so sizes that no fetus has are refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Code, Given, RuleInput
from hounsfield.core.errors import RefusedInput

GESTATIONAL_AGE = Code("18185-9", "LN", "Gestational age")
# Accepted ranges in cm, both ends in.
BPD_CM, HC_CM, AC_CM, FL_CM = (1.0, 11.0), (4.0, 40.0), (4.0, 42.0), (0.3, 8.5)
BPD_MM, HC_MM, AC_MM, FL_MM = ((10 * low, 10 * high) for low, high in (BPD_CM, HC_CM, AC_CM, FL_CM))
# The largest crown-rump length that dates a pregnancy; beyond it the head does.
LONGEST_CRL_MM = 84


@dataclass(frozen=True, slots=True, kw_only=True)
class FetalScan(RuleInput):
    """Whether the scan can be measured on, and which fetus it shows."""

    is_calibrated: Annotated[bool, Given("", "the image is calibrated in millimetres")] = True
    is_plane_confirmed: Annotated[bool, Given("", "the standard plane is confirmed")] = True
    n_fetuses: Annotated[int, Given("1", "fetuses in this pregnancy", at_least=1, at_most=10)] = 1
    fetus: Annotated[str, Given("", "label of the fetus, where there are several")] = ""

    def check(self) -> None:
        """Raise RefusedInput without calibration, plane, or the label of one of several fetuses."""
        if not self.is_calibrated:
            raise RefusedInput(
                "the image is not calibrated, so it holds no millimetres. Use a calibrated image."
            )
        if not self.is_plane_confirmed:
            raise RefusedInput(
                "the standard plane is not confirmed, so the size means nothing. Measure in the plane."
            )
        if self.n_fetuses > 1 and not self.fetus.strip():
            raise RefusedInput(
                f"there are {self.n_fetuses} fetuses and none is named: state which one was measured."
            )


def head_circumference_mm(*, bpd_outer_mm: float, ofd_mm: float) -> float:
    """Perimeter of the ellipse through both outer diameters, after Ramanujan (1914).

    With the biparietal diameter outer to inner (Hadlock) the skull's width is missing: name what was
    measured. pi x (BPD + OFD) / 2 is the usual approximation, a little smaller.
    """
    a, b = bpd_outer_mm / 2, ofd_mm / 2
    return math.pi * (3 * (a + b) - math.sqrt((3 * a + b) * (a + 3 * b)))
