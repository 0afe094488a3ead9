"""Probabilities for another population: the same evidence with another share of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EDGE = 1e-12


def at_prevalence(probabilities: NDArray[Any], *, fitted: float, target: float) -> NDArray[np.float64]:
    """Calibrated probabilities of one label, made for a share `fitted` of cases, as they are at the share `target`.

    probabilities: any shape, 0 to 1. The odds are multiplied by the ratio of the prior odds, which is right where
    only the share of cases differs and not how a case looks (prior shift). Raises UsageError for a share that does
    not lie between 0 and 1. Source: Saerens 2002, Neural Computation 14:21.
    """
    for name, share in (("fitted", fitted), ("target", target)):
        if not 0.0 < share < 1.0:
            raise UsageError(f"the {name} prevalence is {share:g}; it must lie between 0 and 1")
    stated = np.asarray(probabilities, dtype=np.float64)
    ratio = target / (1 - target) * (1 - fitted) / fitted
    return np.asarray(ratio * stated / (ratio * stated + (1 - stated)), dtype=np.float64)


def at_priors(
    probabilities: NDArray[Any], *, fitted: NDArray[Any], target: NDArray[Any]
) -> NDArray[np.float64]:
    """The same for exclusive classes: probabilities (..., classes), shares of the classes (classes,) that sum to 1."""
    before, after = (_shares(name, share) for name, share in (("fitted", fitted), ("target", target)))
    stated = np.asarray(probabilities, dtype=np.float64)
    if stated.shape[-1] != before.size or before.size != after.size:
        raise UsageError(
            f"{stated.shape[-1]} classes with {before.size} fitted and {after.size} target shares do not fit"
        )
    weighed = stated * (after / before)
    return np.asarray(weighed / weighed.sum(axis=-1, keepdims=True), dtype=np.float64)


def estimated_priors(
    probabilities: NDArray[Any], *, fitted: NDArray[Any], n_rounds: int = 1000
) -> NDArray[np.float64]:
    """Shares of the classes (classes,) in a population without labels, from calibrated probabilities (n, classes).

    Expectation maximisation of Saerens 2002: shares that the corrected probabilities then sum to. It believes the
    calibrator: where a scanner changed rather than the patients, the answer is wrong.
    """
    shares = _shares("fitted", fitted)
    for _ in range(n_rounds):
        found = at_priors(probabilities, fitted=_shares("fitted", fitted), target=shares).mean(axis=0)
        found = np.maximum(found, _EDGE)
        found /= found.sum()
        if float(np.abs(found - shares).max()) < 1e-9:
            return np.asarray(found, dtype=np.float64)
        shares = found
    return np.asarray(shares, dtype=np.float64)


def _shares(name: str, shares: NDArray[Any]) -> NDArray[np.float64]:
    values = np.asarray(shares, dtype=np.float64)
    if values.ndim != 1 or not (values > 0).all() or abs(float(values.sum()) - 1) > 1e-6:
        raise UsageError(
            f"the {name} shares of the classes must be above 0 and sum to 1, not {values.tolist()}"
        )
    return values
