"""Sums of diameters against baseline and nadir: what RECIST 1.1 and iRECIST share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.core import Code
from hounsfield.core.code import private_code
from hounsfield.core.exact import round_half_up, shown

if TYPE_CHECKING:
    from decimal import Decimal

    from hounsfield.core import Measurement
    from hounsfield.core.rule import RuleCard

PROGRESSION_PERCENT = 20  # of the nadir, and
PROGRESSION_MM = 5  # in absolute terms
PARTIAL_RESPONSE_PERCENT = 30  # of the baseline
SUM_OF_DIAMETERS = private_code("SUM_OF_TARGET_DIAMETERS", "Sum of diameters of target lesions")
CHANGE = private_code("CHANGE_OF_SUM", "Change of the sum of diameters")
RESPONSE_CODES = {
    "CR": Code("112041", "DCM", "Target Lesion Complete Response"),
    "PR": Code("112042", "DCM", "Target Lesion Partial Response"),
    "PD": Code("112043", "DCM", "Target Lesion Progressive Disease"),
    "SD": Code("112044", "DCM", "Target Lesion Stable Disease"),
}
MEANINGS = {
    "CR": "complete response",
    "PR": "partial response",
    "SD": "stable disease",
    "PD": "progressive disease",
    "NE": "not evaluable",
}


@dataclass(frozen=True, slots=True)
class Sums:
    """Baseline, smallest sum so far (baseline included) and current sum, in mm to one decimal."""

    baseline: Decimal
    nadir: Decimal
    current: Decimal

    @classmethod
    def of(cls, baseline_mm: float, nadir_mm: float, current_mm: float) -> Sums:
        """Round each half up to one decimal, as sums are reported."""
        return cls(*(round_half_up(mm, 1) for mm in (baseline_mm, nadir_mm, current_mm)))

    @property
    def is_progression(self) -> bool:
        """At least 20 % and at least 5 mm above the nadir; anything after a nadir of 0."""
        growth = self.current - self.nadir
        if self.nadir == 0:
            return growth > 0
        return 100 * growth >= PROGRESSION_PERCENT * self.nadir and growth >= PROGRESSION_MM

    @property
    def is_partial_response(self) -> bool:
        """At least 30 % below the baseline."""
        return 100 * (self.baseline - self.current) >= PARTIAL_RESPONSE_PERCENT * self.baseline > 0

    def numbers(self, card: RuleCard) -> list[Measurement]:
        """The current sum and its changes in %; no change against a sum of 0."""
        found = [
            card.number(
                "sum-of-diameters",
                self.current,
                unit="mm",
                quantity=SUM_OF_DIAMETERS,
                note="rounded to 0.1 mm",
            )
        ]
        for name, before in (("baseline", self.baseline), ("nadir", self.nadir)):
            if before > 0:
                change = 100 * (self.current - before) / before
                note = "two readers' sums differ by about +-20 % (95 %)"
                found.append(card.number(f"change-from-{name}", change, unit="%", quantity=CHANGE, note=note))
        return found

    @property
    def steps(self) -> list[str]:
        """Both comparisons with the numbers filled in."""
        told = []
        for name, before in (("baseline", self.baseline), ("nadir", self.nadir)):
            change = self.current - before
            percent = f" ({shown(100 * change / before)} %)" if before else ""
            told.append(f"{name}: {self.current} - {before} = {shown(change)} mm{percent}")
        return told
