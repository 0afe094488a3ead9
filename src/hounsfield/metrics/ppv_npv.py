"""What a positive or negative answer is worth at the prevalence where it will be used."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hounsfield.core.errors import RefusedInput


@dataclass(frozen=True, slots=True)
class PredictiveValues:
    """Predictive values and likelihood ratios; None where the denominator is zero."""

    positive: float | None
    negative: float | None
    likelihood_ratio_positive: float | None
    likelihood_ratio_negative: float | None


def predictive_values(*, sensitivity: float, specificity: float, prevalence: float) -> PredictiveValues:
    """PPV, NPV and likelihood ratios from three fractions of 0 to 1.

    prevalence: that of the intended use, not of an enriched test set. Raises RefusedInput if a fraction
    lies outside 0 to 1. Source: Altman and Bland 1994, BMJ 309:102 (Bayes' theorem).
    """
    stated = {"sensitivity": sensitivity, "specificity": specificity, "prevalence": prevalence}
    for name, fraction in stated.items():
        _require_fraction(name, fraction)
    true_positive = sensitivity * prevalence
    false_positive = (1.0 - specificity) * (1.0 - prevalence)
    true_negative = specificity * (1.0 - prevalence)
    false_negative = (1.0 - sensitivity) * prevalence
    return PredictiveValues(
        positive=_ratio(true_positive, true_positive + false_positive),
        negative=_ratio(true_negative, true_negative + false_negative),
        likelihood_ratio_positive=_ratio(sensitivity, 1.0 - specificity),
        likelihood_ratio_negative=_ratio(1.0 - sensitivity, specificity),
    )


def at_prevalence(probability: float, *, calibrated_at: float, used_at: float) -> float:
    """A probability calibrated at one prevalence, moved to another by the logit of both.

    Assumes that scores of the sick and of the well are distributed alike in both places. All three lie
    between 0 and 1, both excluded for prevalences; a probability of 0 or 1 stays. Raises RefusedInput
    otherwise. Source: Saerens 2002, Neural Comput 14:21.
    """
    _require_fraction("probability", probability)
    for name, prevalence in (("calibrated_at", calibrated_at), ("used_at", used_at)):
        if not 0.0 < prevalence < 1.0:
            raise RefusedInput(f"{name} is {prevalence:g}; a prevalence between 0 and 1 is needed.")
    if probability in {0.0, 1.0}:
        return probability
    odds = math.exp(_logit(probability) + _logit(used_at) - _logit(calibrated_at))
    return odds / (1.0 + odds)


def _require_fraction(name: str, fraction: float) -> None:
    if not 0.0 <= fraction <= 1.0:
        raise RefusedInput(
            f"{name} is {fraction:g}; a fraction of 0 to 1 is needed. Divide a percentage by 100."
        )


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator else None


def _logit(fraction: float) -> float:
    return math.log(fraction) - math.log1p(-fraction)
