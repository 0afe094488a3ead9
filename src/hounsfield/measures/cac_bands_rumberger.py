"""Bands of the Agatston score after Rumberger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.exact import exact, shown
from hounsfield.measures._calcium_classes import AgatstonScore, score_conditions
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from hounsfield.core import Outcome

# Closed above: 10 is minimal, 100 mild, 400 moderate. CAC-DRS puts 100 on the other side.
UPPER_LIMITS = ((0, "none"), (10, "minimal"), (100, "mild"), (400, "moderate"))

CARD = RuleCard(
    name="cac-bands-rumberger",
    version="1.0.0",
    source="Rumberger 1999, Mayo Clin Proc 74:243",
    takes="numbers",
    inputs=AgatstonScore,
    formula="0 none; up to 10 minimal; up to 100 mild; up to 400 moderate; above 400 severe",
    population="adults, CT of the heart without contrast agent at 120 kVp, triggered by the ECG",
    refuses=("a negative score",),
)


@measure(CARD)
def cac_bands_rumberger(score: AgatstonScore) -> Outcome:
    """Band of coronary calcium: none, minimal, mild, moderate or severe.

    A score from a scan that was not triggered gets no band. Source: Rumberger 1999.
    """
    value = next((name for limit, name in UPPER_LIMITS if exact(score.agatston) <= limit), "severe")
    found = CARD.category("calcium-band", value, f"{value} coronary calcium", based_on=score.to_json())
    return CARD.outcome(
        categories=[found] if score.is_gated else [],
        conditions=score_conditions(score.agatston, is_gated=score.is_gated),
        steps=[f"score {shown(score.agatston)}: {value if score.is_gated else 'no band, not triggered'}"],
    )
