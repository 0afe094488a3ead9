"""Which calibrator a model keeps, decided on tuning data alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.calibration.per_label import (
    PLATT_PER_LABEL,
    SIGMOID,
    apply_platt_per_label,
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
    SIGMOID: sigmoid,
    PLATT_PER_LABEL: apply_platt_per_label,
}

# Those whose probabilities sum to 1; the others give each label its own.
EXCLUSIVE_CALIBRATORS = frozenset({IDENTITY, TEMPERATURE})


@dataclass(frozen=True, slots=True)
class CalibratorChoice:
    """A calibrator and its parameters; log_loss: what each candidate reached on groups left out."""

    name: str
    parameters: dict[str, Any]  # a number, or a tuple with one for each label
    log_loss: dict[str, float] = field(default_factory=dict)
    n_groups: int = 0

    def apply(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """Calibrated probabilities of logits (..., classes)."""
        return CALIBRATORS[self.name](logits, **self.parameters)

    @property
    def reason(self) -> str:
        """The rule and its numbers, as a sentence for the card."""
        if self.name == PLATT_PER_LABEL:
            return "Slope and offset of each label were fitted, since the loss weighs positives more than they are frequent."
        if not self.log_loss:
            return "One tuning group gives no choice: the temperature was fitted and kept."
        kept = "; the softmax is kept as it is" if self.name == IDENTITY else ""
        losses = ", ".join(f"{name} {loss:.3f}" for name, loss in self.log_loss.items())
        return f"Chosen by the lowest log loss with each of {self.n_groups} tuning groups left out in turn: {losses}{kept}."


def choose_calibrator(logits: NDArray[Any], labels: NDArray[Any], groups: Sequence[Any]) -> CalibratorChoice:
    """Identity or temperature: whichever has the lower log loss on groups that it was not fitted on.

    logits: (n, classes) of the tuning part. labels: (n,) class indices. groups: (n,) patients or what
    stands for them. A temperature fitted on few groups can be further from the truth than none; a tie
    keeps the identity, and more parameters than one are not tried. With one group the temperature stays.
    """
    values, true, group = np.asarray(logits), np.asarray(labels), np.asarray(groups)
    if not len(values) == len(true) == len(group):
        raise UsageError(f"{len(values)} logits, {len(true)} labels and {len(group)} groups do not fit")
    fitted = fit_temperature(values, true)
    names = np.unique(group)
    if len(names) < 2:
        return CalibratorChoice(TEMPERATURE, {"temperature": fitted}, n_groups=len(names))
    left_out = np.empty_like(values, dtype=np.float64)
    for name in names:
        own = group == name
        left_out[own] = apply_temperature(values[own], fit_temperature(values[~own], true[~own]))
    losses = {IDENTITY: _log_loss(softmax(values), true), TEMPERATURE: _log_loss(left_out, true)}
    chosen = min(losses, key=lambda name: losses[name])
    parameters = {} if chosen == IDENTITY else {"temperature": fitted}
    return CalibratorChoice(chosen, parameters, losses, len(names))


def calibrate_per_label(logits: NDArray[Any], truth: NDArray[Any], groups: Sequence[Any]) -> CalibratorChoice:
    """Slope and offset of each label, fitted on the tuning part: logits and truth (n, labels), groups (n,)."""
    slopes, offsets = fit_platt_per_label(logits, truth)
    return CalibratorChoice(
        PLATT_PER_LABEL, {"slopes": slopes, "offsets": offsets}, n_groups=len(set(map(str, groups)))
    )


def _log_loss(probabilities: NDArray[np.float64], true: NDArray[Any]) -> float:
    return float(-np.log(np.maximum(probabilities[np.arange(len(true)), true], 1e-12)).mean())
