"""Liver observations in patients at risk: the diagnostic table of CT/MRI LI-RADS v2018."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hounsfield.core import Code, Condition, Given, Outcome, RuleInput
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, round_half_up, shown
from hounsfield.measures._rule import RuleCard, measure

AT_RISK = ("cirrhosis", "chronic-hepatitis-b", "hcc")
YOUNGEST_YEARS = 18
LONGEST_GROWTH_MONTHS = 6
DIAMETER = Code("81827009", "SCT", "Diameter")
MEANINGS = {
    "LR-3": "intermediate probability of malignancy",
    "LR-4": "probably hepatocellular carcinoma",
    "LR-5": "definitely hepatocellular carcinoma",
}


@dataclass(frozen=True, slots=True)
class MajorFeatures:
    """Major features besides size; one that is unsure is absent."""

    nonrim_aphe: bool
    capsule: bool
    washout: bool
    threshold_growth: bool

    @property
    def n_additional(self) -> int:
        """Of capsule, washout and threshold growth."""
        return self.capsule + self.washout + self.threshold_growth


def table_category(features: MajorFeatures, size_mm: float) -> str:
    """LR-3, LR-4 or LR-5 by enhancement, size (rounded half up to whole mm) and the number of other features."""
    size, more = int(round_half_up(exact(size_mm))), features.n_additional
    if not features.nonrim_aphe:
        return "LR-4" if more >= (2 if size < 20 else 1) else "LR-3"
    if size < 10:
        return "LR-4" if more else "LR-3"
    if size >= 20:
        return "LR-5" if more else "LR-4"
    if more == 0:
        return "LR-3"
    return "LR-4" if more == 1 and features.capsule else "LR-5"


def threshold_growth(*, prior_mm: float, current_mm: float, months: float) -> bool:
    """At least 50 % larger within 6 months; both sizes are rounded half up to whole mm first."""
    prior, current = round_half_up(exact(prior_mm)), round_half_up(exact(current_mm))
    return exact(months) <= LONGEST_GROWTH_MONTHS and 2 * current >= 3 * prior


@dataclass(frozen=True, slots=True, kw_only=True)
class LiradsInputs(RuleInput):
    """One observation in one patient; growth is stated or follows from two sizes."""

    age_years: Annotated[float, Given("a", "age", at_least=0, at_most=120)]
    risk: Annotated[
        Literal[
            "cirrhosis",
            "chronic-hepatitis-b",
            "hcc",
            "congenital-hepatic-fibrosis",
            "vascular-cirrhosis",
            "none",
        ],
        Given("", "why the patient is at risk"),
    ]
    agent: Annotated[Literal["extracellular", "gadoxetate"], Given("", "contrast agent")]
    size_mm: Annotated[float, Given("mm", "largest diameter, outer edge", at_least=1, at_most=400)]
    nonrim_aphe: Annotated[bool, Given("", "nonrim arterial phase hyperenhancement")]
    capsule: Annotated[bool, Given("", "enhancing capsule")]
    washout: Annotated[bool, Given("", "nonperipheral washout")]
    washout_phase: Annotated[
        Literal["portal-venous", "delayed", "none"], Given("", "phase of the washout")
    ] = "none"
    threshold_growth: Annotated[
        bool | None, Given("", "threshold growth, where it is not given by sizes")
    ] = None
    prior_mm: Annotated[float | None, Given("mm", "size before", at_least=1, at_most=400)] = None
    months: Annotated[float | None, Given("mo", "time since then", at_least=0, at_most=600)] = None
    before_the_table: Annotated[
        Literal["none", "LR-NC", "LR-TIV", "LR-1", "LR-2", "LR-M"],
        Given("", "category by the reader before the table"),
    ] = "none"

    def check(self) -> None:
        """Raise RefusedInput if growth is stated twice, or an earlier size without its time."""
        if (self.prior_mm is None) != (self.months is None):
            raise RefusedInput(
                "an earlier size and the months since then belong together: state both or neither."
            )
        if self.prior_mm is not None and self.threshold_growth is not None:
            raise RefusedInput(
                "threshold growth is stated and given by two sizes as well: state one of them."
            )


CARD = RuleCard(
    name="lirads-ctmr-2018",
    version="1.0.0",
    source="ACR CT/MRI LI-RADS v2018 Core, diagnostic table",
    takes="numbers",
    inputs=LiradsInputs,
    formula="table of nonrim arterial enhancement, size (whole mm, half up) and the number of capsule, washout, threshold "
    "growth (>= 50 % in <= 6 months)",
    population="18 years or more with cirrhosis, chronic hepatitis B, or present or past hepatocellular carcinoma; "
    "not congenital hepatic fibrosis or vascular cirrhosis",
    refuses=("patients not at risk, or younger than 18 years", "growth both stated and given by sizes"),
    evidence="verified",
)


@measure(CARD)
def lirads_ctmr_2018(inputs: LiradsInputs) -> Outcome:
    """LR-3, LR-4 or LR-5 by the table, or the reader's LR-NC, LR-TIV, LR-1, LR-2, LR-M that comes before it.

    Ancillary features are the reader's. Raises RefusedInput outside the population.
    """
    if exact(inputs.age_years) < YOUNGEST_YEARS or inputs.risk not in AT_RISK:
        raise RefusedInput(
            "LI-RADS is for patients of 18 years or more with cirrhosis, chronic hepatitis B or hepatocellular "
            f"carcinoma; this one is {shown(inputs.age_years)} years old with {inputs.risk}. No category is given."
        )
    size_mm = round_half_up(exact(inputs.size_mm))
    note = f"{shown(inputs.size_mm)} mm rounded half up to whole mm"
    size = CARD.number("size", size_mm, unit="mm", quantity=DIAMETER, note=note)
    if inputs.before_the_table != "none":
        category = CARD.category(
            "lirads",
            inputs.before_the_table,
            "given by the reader before the table",
            based_on=inputs.to_json(),
        )
        return CARD.outcome(
            measurements=[size], categories=[category], steps=["the reader's category stands"]
        )
    features, conditions = _features(inputs)
    found = table_category(features, inputs.size_mm)
    told = f"{'' if features.nonrim_aphe else 'no '}nonrim arterial hyperenhancement, {features.n_additional} of capsule, washout and growth"
    return CARD.outcome(
        measurements=[size],
        categories=[
            CARD.category(
                "lirads", found, MEANINGS[found], based_on={**inputs.to_json(), "size_whole_mm": int(size_mm)}
            )
        ],
        conditions=conditions,
        steps=[note, f"{told}, {size_mm} mm: {found}"],
    )


def _features(inputs: LiradsInputs) -> tuple[MajorFeatures, list[Condition]]:
    """What counts for the table, and what does not and why."""
    conditions = []
    washout, grown = inputs.washout, inputs.threshold_growth
    if washout and inputs.agent == "gadoxetate" and inputs.washout_phase != "portal-venous":
        washout = False
        text = "With gadoxetate washout counts in the portal venous phase only; it was not counted."
        conditions.append(Condition("washout-not-portal", "warning", text))
    if inputs.prior_mm is not None and inputs.months is not None:
        grown = threshold_growth(prior_mm=inputs.prior_mm, current_mm=inputs.size_mm, months=inputs.months)
    if grown is None:
        text = (
            "Neither threshold growth nor an earlier size with its date is stated: growth counts as absent."
        )
        conditions.append(Condition("growth-not-assessed", "note", text))
    features = MajorFeatures(
        nonrim_aphe=inputs.nonrim_aphe,
        capsule=inputs.capsule,
        washout=washout,
        threshold_growth=bool(grown),
    )
    return features, conditions
