"""Conformal risk control: the threshold of a mask at which the expected share of missed lesion stays below a level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class RiskControl:
    """The least careful setting whose expected loss is at most `level`.

    setting: what was chosen among those offered. mean_loss: that of the fit at it. n_fitted: cases. is_vacuous: the
    cases are too few for this level, so that only the most careful setting keeps the promise.
    """

    level: float
    setting: float
    mean_loss: float
    n_fitted: int
    is_vacuous: bool


def fit_risk_control(
    losses: NDArray[Any], settings: Sequence[float], *, level: float, largest_loss: float = 1.0
) -> RiskControl:
    """Choose among `settings` (k,), ordered from careless to careful, by losses (n, k) of n patients.

    The loss of every patient must not rise with care: a loss that does voids the guarantee and is refused (UsageError,
    with the row). The last setting must be so careful that its loss is 0, such as "all of the picture is lesion".
    Chosen is the first setting with (n mean + largest_loss) / (n + 1) <= level.
    Source: Angelopoulos 2024, ICLR, theorem 1.
    """
    values = np.asarray(losses, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(settings) or not len(values):
        raise UsageError(
            f"losses {values.shape} and {len(settings)} settings do not fit; give a row a patient"
        )
    if not ((values >= 0) & (values <= largest_loss)).all():
        raise UsageError(f"losses must lie between 0 and {largest_loss:g}")
    rising = (np.diff(values, axis=1) > _ROUNDING).any(axis=1)
    if rising.any():
        raise UsageError(
            f"the loss of row {int(np.argmax(rising))} rises with care ({int(rising.sum())} such rows): nothing can "
            "be promised for it; take a loss that only falls, such as the share of lesion missed"
        )
    if float(values[:, -1].max()) > _ROUNDING:
        raise UsageError("the most careful setting still has a loss; add one that misses nothing, such as 0")
    n = len(values)
    means = values.mean(axis=0)
    kept = np.flatnonzero((n * means + largest_loss) / (n + 1) <= level + _ROUNDING)
    at = int(kept[0]) if kept.size else len(settings) - 1
    return RiskControl(level, float(settings[at]), float(means[at]), n, is_vacuous=not kept.size)


def missed_share(
    probability: NDArray[Any], truth: NDArray[Any], thresholds: Sequence[float]
) -> NDArray[np.float64]:
    """Share of the true region that a mask of `probability >= threshold` misses, (k,) for thresholds (k,).

    probability: float and truth: bool of one shape. nan without a true region: such a picture says nothing of misses.
    Falls as the threshold falls, so thresholds in falling order are settings of `fit_risk_control`.
    """
    said, true = np.asarray(probability), np.asarray(truth, dtype=np.bool_)
    if said.shape != true.shape:
        raise UsageError(f"the probability has shape {said.shape}, the truth {true.shape}")
    inside = np.sort(said[true])
    if not inside.size:
        return np.full(len(thresholds), np.nan)
    return np.asarray(np.searchsorted(inside, np.asarray(thresholds)) / inside.size, dtype=np.float64)
