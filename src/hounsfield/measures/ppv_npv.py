"""Predictive values and likelihood ratios, as a rule; the arithmetic is that of metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.exact import shown
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.metrics import predictive_values

QUANTITIES = {
    "ppv": private_code("PPV", "Positive predictive value"),
    "npv": private_code("NPV", "Negative predictive value"),
    "lr-positive": private_code("LR_POSITIVE", "Likelihood ratio of a positive answer"),
    "lr-negative": private_code("LR_NEGATIVE", "Likelihood ratio of a negative answer"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictiveInputs(RuleInput):
    """Three fractions; the prevalence is that of the intended use, not of an enriched test set."""

    sensitivity: Annotated[float, Given("1", "sensitivity as a fraction", at_least=0, at_most=1)]
    specificity: Annotated[float, Given("1", "specificity as a fraction", at_least=0, at_most=1)]
    prevalence: Annotated[float, Given("1", "prevalence at the intended use", at_least=0, at_most=1)]


CARD = RuleCard(
    name="ppv-npv",
    version="1.0.0",
    source="Altman and Bland 1994, BMJ 309:102 (Bayes' theorem)",
    takes="numbers",
    inputs=PredictiveInputs,
    formula="PPV = se p / (se p + (1 - sp)(1 - p)); NPV = sp (1 - p) / (sp (1 - p) + (1 - se) p); LR+ = se / (1 - sp); "
    "LR- = (1 - se) / sp",
    population="the prevalence that is stated",
    refuses=("a percentage where a fraction is asked for",),
    evidence="verified",
)


@measure(CARD)
def ppv_npv(inputs: PredictiveInputs) -> Outcome:
    """Predictive values at the prevalence of use, and likelihood ratios; one that divides by zero is absent."""
    found = predictive_values(
        sensitivity=inputs.sensitivity, specificity=inputs.specificity, prevalence=inputs.prevalence
    )
    values = {
        "ppv": found.positive,
        "npv": found.negative,
        "lr-positive": found.likelihood_ratio_positive,
        "lr-negative": found.likelihood_ratio_negative,
    }
    undefined = [name for name, value in values.items() if value is None]
    text = f"{', '.join(undefined)}: the denominator is zero, so there is no value."
    return CARD.outcome(
        measurements=[
            CARD.number(name, value, unit="1", quantity=QUANTITIES[name])
            for name, value in values.items()
            if value is not None
        ],
        conditions=[Condition("ratio-undefined", "note", text)] if undefined else [],
        steps=[f"{name} = {shown(value)}" for name, value in values.items() if value is not None],
    )
