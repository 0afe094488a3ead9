"""Which calibrator a model keeps, decided on tuning data alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.calibration.one_vs_rest import (
    BETA_ONE_VS_REST,
    ISOTONIC_ONE_VS_REST,
    apply_beta_one_vs_rest,
    apply_isotonic_one_vs_rest,
    fit_beta_one_vs_rest,
    fit_isotonic_one_vs_rest,
)
from hounsfield.calibration.per_label import (
    BETA_PER_LABEL,
    ISOTONIC_PER_LABEL,
    PLATT_PER_LABEL,
    SIGMOID,
    apply_beta_per_label,
    apply_isotonic_per_label,
    apply_platt_per_label,
    fit_beta_per_label,
    fit_isotonic_per_label,
    fit_platt_per_label,
    sigmoid,
)
from hounsfield.calibration.temperature import TEMPERATURE, apply_temperature, fit_temperature, softmax
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

IDENTITY = "identity"  # the softmax as it is, shown on tuning data to need no correction
# Calibrators by the name that a card gives: raw outputs (n, classes) and parameters to probabilities.
CALIBRATORS: dict[str, Callable[..., NDArray[Any]]] = {
    IDENTITY: softmax,
    TEMPERATURE: apply_temperature,
    BETA_ONE_VS_REST: apply_beta_one_vs_rest,
    ISOTONIC_ONE_VS_REST: apply_isotonic_one_vs_rest,
    SIGMOID: sigmoid,
    PLATT_PER_LABEL: apply_platt_per_label,
    BETA_PER_LABEL: apply_beta_per_label,
    ISOTONIC_PER_LABEL: apply_isotonic_per_label,
}

# Those whose probabilities sum to 1; the others give each label its own.
EXCLUSIVE_CALIBRATORS = frozenset({IDENTITY, TEMPERATURE, BETA_ONE_VS_REST, ISOTONIC_ONE_VS_REST})
FEWEST_FOR_STEPS = (
    1000  # cases of the tuning part below which isotonic steps are not tried: they fit what they see
)
MOST_FOLDS = 20  # groups are left out one by one up to so many, then in as many parts


@dataclass(frozen=True, slots=True)
class CalibratorChoice:
    """A calibrator and its parameters; log_loss: what each candidate reached on groups left out.

    n_groups: of the tuning part; n_folds: in how many parts they were left out.
    """

    name: str
    parameters: dict[str, Any]  # a number, or a tuple with one for each label
    log_loss: dict[str, float] = field(default_factory=dict)
    n_groups: int = 0
    n_folds: int = 0

    def apply(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """Calibrated probabilities of logits (..., classes)."""
        return CALIBRATORS[self.name](logits, **self.parameters)

    @property
    def reason(self) -> str:
        """The rule and its numbers, as a sentence for the card."""
        if not self.log_loss:
            told = (
                "One tuning group gives no choice" if self.n_groups < 2 else "Too few cases to leave some out"
            )
            what = (
                "the temperature was" if self.name == TEMPERATURE else "slope and offset of each label were"
            )
            return f"{told}: {what} fitted and kept."
        kept = "; the softmax is kept as it is" if self.name == IDENTITY else ""
        losses = ", ".join(f"{name} {loss:.3f}" for name, loss in self.log_loss.items())
        left_out = (
            f"each of {self.n_groups} tuning groups left out in turn"
            if self.n_folds in {0, self.n_groups}
            else f"{self.n_groups} tuning groups left out in {self.n_folds} parts"
        )
        return f"Chosen by the lowest log loss with {left_out}: {losses}{kept}."


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A calibrator that may be chosen: how it is fitted, on logits and truth, to its parameters."""

    name: str
    fit: Callable[[NDArray[Any], NDArray[Any]], dict[str, Any]]
    fewest_cases: int = 0


def _nothing(logits: NDArray[Any], truth: NDArray[Any]) -> dict[str, Any]:
    del logits, truth
    return {}


def _temperature(logits: NDArray[Any], labels: NDArray[Any]) -> dict[str, Any]:
    return {TEMPERATURE: fit_temperature(logits, labels)}


def _platt(logits: NDArray[Any], truth: NDArray[Any]) -> dict[str, Any]:
    return dict(zip(("slopes", "offsets"), fit_platt_per_label(logits, truth), strict=True))


# From the fewest parameters to the most: a tie keeps the earlier.
_EXCLUSIVE = (
    _Candidate(IDENTITY, _nothing),
    _Candidate(TEMPERATURE, _temperature),
    _Candidate(BETA_ONE_VS_REST, fit_beta_one_vs_rest),
    _Candidate(ISOTONIC_ONE_VS_REST, fit_isotonic_one_vs_rest, FEWEST_FOR_STEPS),
)
_ALONE = (
    _Candidate(SIGMOID, _nothing),
    _Candidate(PLATT_PER_LABEL, _platt),
    _Candidate(BETA_PER_LABEL, fit_beta_per_label),
    _Candidate(ISOTONIC_PER_LABEL, fit_isotonic_per_label, FEWEST_FOR_STEPS),
)


def choose_calibrator(logits: NDArray[Any], labels: NDArray[Any], groups: Sequence[Any]) -> CalibratorChoice:
    """Identity, temperature, beta or isotonic: whichever has the lowest log loss on groups that it was not fitted on.

    logits: (n, classes) of the tuning part. labels: (n,) class indices. groups: (n,) patients or what
    stands for them. What is fitted on few groups can be further from the truth than nothing; a tie keeps
    the fewer parameters, and isotonic steps are tried from FEWEST_FOR_STEPS cases on. With one group the
    temperature stays. Raises UsageError for input that does not fit.
    """
    values, true = np.asarray(logits), np.asarray(labels)
    folds = _folds(len(values), len(true), groups)
    losses = _losses(_EXCLUSIVE, values, true, folds)
    chosen = min(losses, key=lambda name: losses[name]) if losses else TEMPERATURE
    return _fitted(_EXCLUSIVE, chosen, (values, true), losses=losses, groups=groups, folds=folds)


def calibrate_per_label(logits: NDArray[Any], truth: NDArray[Any], groups: Sequence[Any]) -> CalibratorChoice:
    """One kind of calibrator for labels that stand alone, each label with its own parameters, chosen as above.

    logits and truth: (n, labels). groups: (n,). Platt's line is kept where a part cannot be left out, since some label
    then has no case with it or none without.
    """
    values, true = np.asarray(logits), np.asarray(truth, dtype=np.bool_)
    folds = _folds(len(values), len(true), groups)
    losses = _losses(_ALONE, values, true, folds)
    chosen = min(losses, key=lambda name: losses[name]) if losses else PLATT_PER_LABEL
    return _fitted(_ALONE, chosen, (values, true), losses=losses, groups=groups, folds=folds)


def _folds(n_logits: int, n_labels: int, groups: Sequence[Any]) -> NDArray[np.intp]:
    """(n,) which part each case is left out with: the cases of a group together."""
    if not n_logits == n_labels == len(groups):
        raise UsageError(f"{n_logits} logits, {n_labels} labels and {len(groups)} groups do not fit")
    _, inverse = np.unique(np.asarray(groups), return_inverse=True)
    return np.asarray(inverse % MOST_FOLDS, dtype=np.intp)


def _losses(
    candidates: Sequence[_Candidate], logits: NDArray[Any], truth: NDArray[Any], folds: NDArray[np.intp]
) -> dict[str, float]:
    """Log loss of each candidate on the parts left out; empty where there is one part, or one cannot be left out."""
    parts = np.unique(folds)
    if len(parts) < 2:
        return {}
    losses = {}
    for candidate in candidates:
        if len(logits) < candidate.fewest_cases:
            continue
        left_out = np.empty(logits.shape, dtype=np.float64)
        try:
            for part in parts:
                own = folds == part
                parameters = candidate.fit(logits[~own], truth[~own])
                left_out[own] = CALIBRATORS[candidate.name](logits[own], **parameters)
        except UsageError:
            # A class or label that one part alone holds: what needs it cannot be tried.
            continue
        losses[candidate.name] = _log_loss(left_out, truth)
    return losses if len(losses) > 1 else {}


def _fitted(
    candidates: Sequence[_Candidate],
    name: str,
    pairs: tuple[NDArray[Any], NDArray[Any]],
    *,
    losses: dict[str, float],
    groups: Sequence[Any],
    folds: NDArray[np.intp],
) -> CalibratorChoice:
    """The chosen candidate fitted on all cases; pairs: logits and truth."""
    candidate = next(one for one in candidates if one.name == name)
    n_groups = len(set(map(str, groups)))
    return CalibratorChoice(name, candidate.fit(*pairs), losses, n_groups, len(np.unique(folds)))


def _log_loss(probabilities: NDArray[np.float64], truth: NDArray[Any]) -> float:
    """Mean over cases of the class that was true; of labels that stand alone the mean over all labels too."""
    if truth.ndim == 1:
        said = probabilities[np.arange(len(truth)), truth]
    else:
        said = np.where(truth, probabilities, 1 - probabilities)
    return float(-np.log(np.maximum(said, 1e-12)).mean())
