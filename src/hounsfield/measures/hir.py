"""Hypoperfusion intensity ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Given, Outcome
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._perfusion_scan import REFUSES, PerfusionScan, refuse_unfit
from hounsfield.measures._rule import RuleCard, measure

FAVOURABLE_BELOW = exact("0.4")


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedTissue(PerfusionScan):
    """Volumes of delayed tissue at two limits."""

    tmax_gt10_ml: Annotated[float, Given("ml", "tissue with Tmax above 10 s", at_least=0, at_most=2000)]
    tmax_gt6_ml: Annotated[float, Given("ml", "tissue with Tmax above 6 s", above=0, at_most=2000)]

    def check(self) -> None:
        """The part is not larger than the whole."""
        if exact(self.tmax_gt10_ml) > exact(self.tmax_gt6_ml):
            raise RefusedInput(
                "tmax_gt10_ml is larger than tmax_gt6_ml, of which it is a part: exchange them."
            )


CARD = RuleCard(
    name="hir",
    version="1.0.0",
    source="Olivot 2014, Stroke 45:1018",
    quantity=private_code("HYPOPERFUSION_RATIO", "Hypoperfusion intensity ratio"),
    unit="1",
    takes="numbers",
    inputs=DelayedTissue,
    formula="HIR = V(Tmax > 10 s) / V(Tmax > 6 s); favourable below 0.4",
    population="adults with acute occlusion of a large artery",
    refuses=(*REFUSES, "no tissue with Tmax above 6 s"),
)


@measure(CARD)
def hir(tissue: DelayedTissue) -> Outcome:
    """Hypoperfusion intensity ratio, and whether it is below 0.4 (favourable collaterals).

    Raises RefusedInput for a scan whose volumes cannot be trusted, or without delayed tissue.
    """
    refuse_unfit(tissue)
    ratio = exact(tissue.tmax_gt10_ml) / exact(tissue.tmax_gt6_ml)
    value = "favourable" if ratio < FAVOURABLE_BELOW else "not favourable"
    return CARD.outcome(
        measurements=[CARD.number("hir", ratio)],
        categories=[
            CARD.category(
                "collaterals", value, f"collaterals {value}", based_on={**tissue.to_json(), "hir": ratio}
            )
        ],
        steps=[f"{shown(tissue.tmax_gt10_ml)} / {shown(tissue.tmax_gt6_ml)} = {shown(ratio)}: {value}"],
    )
