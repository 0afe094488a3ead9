"""CAC-DRS: category of coronary calcium and number of vessels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import band, exact, shown
from hounsfield.measures._calcium_classes import score_conditions
from hounsfield.measures._rule import RuleCard, measure

# Half-open: a score of 100 is A2, of 300 A3. Other systems put 100 and 400 on the other side.
LIMITS = ((100, "A2"), (300, "A3"))
MEANINGS = ("no coronary calcium", "mild", "moderate", "moderate to severe")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalciumBurden(RuleInput):
    """The Agatston score of a triggered scan, or a reader's visual grade; vessels with calcium."""

    agatston: Annotated[float | None, Given("1", "Agatston score", at_least=0)] = None
    visual_grade: Annotated[int | None, Given("1", "visual grade by a reader", at_least=0, at_most=3)] = None
    n_vessels: Annotated[
        int | None, Given("1", "vessels with calcium of LM, LAD, LCx, RCA", at_least=0, at_most=4)
    ] = None
    is_gated: Annotated[bool, Given("", "the scan was triggered by the ECG")] = True

    def check(self) -> None:
        """Either a score or a grade; no vessels without calcium, no calcium without a vessel."""
        if (self.agatston is None) == (self.visual_grade is None):
            raise RefusedInput("CAC-DRS needs either agatston (score) or visual_grade (0 to 3, by a reader).")
        has_calcium = bool(self.agatston or self.visual_grade)
        if self.n_vessels is not None and has_calcium != (self.n_vessels > 0):
            raise RefusedInput(
                f"the score or grade says {'calcium' if has_calcium else 'no calcium'}, n_vessels says "
                f"{self.n_vessels}: one of them is wrong."
            )


CARD = RuleCard(
    name="cac-drs-2018",
    version="1.0.0",
    source="Hecht 2018, J Cardiovasc Comput Tomogr 12:185 (CAC-DRS)",
    takes="numbers",
    inputs=CalciumBurden,
    formula="A0: 0; A1: above 0, below 100; A2: 100 to below 300; A3: from 300; /N number of vessels; "
    "V0 to V3 by eye on a scan that was not triggered",
    population="adults, CT of the heart without contrast agent, triggered; V: any chest CT without contrast agent",
    refuses=("neither score nor visual grade", "score and number of vessels contradict each other"),
)


@measure(CARD)
def cac_drs_2018(burden: CalciumBurden) -> Outcome:
    """CAC-DRS category, written A2 or A2/N3; V0 to V3 from a reader's visual grade.

    A score from a scan that was not triggered gets no A category. Raises RefusedInput for a score
    that contradicts the number of vessels.
    """
    vessels = f"/N{burden.n_vessels}" if burden.n_vessels is not None else ""
    if burden.agatston is None:
        grade = burden.visual_grade or 0
        value = f"V{grade}{vessels}"
        seen = CARD.category("cac-drs", value, f"{MEANINGS[grade]} (by eye)", based_on=burden.to_json())
        return CARD.outcome(categories=[seen], steps=[f"visual grade {grade}: {value}"])
    conditions = score_conditions(burden.agatston, is_gated=burden.is_gated)
    letter = band(burden.agatston, LIMITS, below="A1" if exact(burden.agatston) > 0 else "A0")
    value = f"{letter}{vessels}"
    scored = CARD.category("cac-drs", value, MEANINGS[int(letter[1])], based_on=burden.to_json())
    return CARD.outcome(
        categories=[scored] if burden.is_gated else [],
        conditions=conditions,
        steps=[f"score {shown(burden.agatston)}: {value if burden.is_gated else 'no class, not triggered'}"],
    )
