"""From a card and a model's outputs to what a reading tells of its sureness; no network is run here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.calibration import EXCLUSIVE_CALIBRATORS, ConformalSets, Uncertainty, uncertainty_of
from hounsfield.core import Agreement, Certainty, GuardVerdict, PossibleSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hounsfield.zoo import Conformal, ModelCard


def certainty_of(
    card: ModelCard,
    *,
    guard_distance: float | None,
    probabilities: NDArray[Any] | None,
    answers: NDArray[Any] | None,
) -> Certainty:
    """What the card's guard, conformal limits and tuning part say of one picture.

    probabilities: (classes,) calibrated, None without a calibrator; answers: (m, classes) calibrated probabilities of
    several answers, or None. Without a calibrator nothing is said of classes: a raw score has no entropy.
    """
    guard = None
    if card.guard is not None and guard_distance is not None:
        guard = GuardVerdict(float(guard_distance), card.guard.threshold)
    if card.calibrator is None or probabilities is None:
        return Certainty(guard=guard)
    return Certainty(
        guard=guard,
        agreement=_agreement(card, answers) if answers is not None else None,
        possible=_possible(card, card.conformal, probabilities) if card.conformal else None,
        calibrator=card.calibrator.name,
        shares=dict(card.calibrator.shares),
    )


def entropies(card: ModelCard, answers: NDArray[Any]) -> Uncertainty:
    """Uncertainty of calibrated answers (m, ..., classes); labels that do not exclude each other have each their own.

    For such labels mean and spread are (..., labels, 2), absent first, and the entropies (..., labels).
    """
    if card.calibrator is not None and card.calibrator.name in EXCLUSIVE_CALIBRATORS:
        return uncertainty_of(answers)
    return uncertainty_of(np.stack([1 - np.asarray(answers), np.asarray(answers)], axis=-1))


def _agreement(card: ModelCard, answers: NDArray[Any]) -> Agreement:
    found, settings = entropies(card, answers), card.inference.answers
    # Of several labels the mean: it is compared with the same mean of the tuning part.
    open_bits, disagreeing_bits = float(np.mean(found.expected)), float(np.mean(found.disagreement))
    compared = card.agreement
    return Agreement(
        way=settings.way if settings else "copies",
        n_answers=len(answers),
        open_bits=open_bits,
        disagreeing_bits=disagreeing_bits,
        open_place=_place(open_bits, compared.open_bits) if compared else None,
        disagreeing_place=_place(disagreeing_bits, compared.disagreeing_bits) if compared else None,
        n_compared=compared.n if compared else 0,
    )


def _place(value: float, quantiles: Sequence[float]) -> float:
    """Share of the tuning part below `value`: between its quantiles at equal steps from 0 to 1 lines are drawn."""
    shares = np.linspace(0, 1, len(quantiles))
    return float(np.interp(value, quantiles, shares))


def _possible(card: ModelCard, conformal: Conformal, probabilities: NDArray[Any]) -> PossibleSet:
    by_class = set(conformal.limits) != {""}
    limits = {
        str(card.class_names.index(name)) if by_class else "": value
        for name, value in conformal.limits.items()
    }
    sets = ConformalSets(
        conformal.method, conformal.coverage, limits, dict.fromkeys(limits, 0), "class" if by_class else ""
    )
    inside = sets.sets(np.asarray(probabilities)[None])[0]
    order = [index for index in np.argsort(-np.asarray(probabilities), kind="stable") if inside[index]]
    measured = conformal.measured
    return PossibleSet(
        names=tuple(card.class_names[index] for index in order),
        coverage=conformal.coverage,
        method=conformal.method,
        n_fitted=sum(conformal.n_fitted.values()),
        holds_for=conformal.holds_for,
        measured=measured.value if measured else None,
        low95=measured.low95 if measured else None,
        high95=measured.high95 if measured else None,
    )
