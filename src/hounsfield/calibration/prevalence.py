"""Probabilities of classes for another population: the same evidence with other shares of the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EDGE = 1e-12


def at_priors(
    probabilities: NDArray[Any], *, fitted: NDArray[Any], target: NDArray[Any]
) -> NDArray[np.float64]:
    """Calibrated probabilities made for the shares `fitted` of the classes, as they are at the shares `target`.

    probabilities: (..., classes); shares: (classes,), above 0 with sum 1. Each is weighed by the ratio of the shares,
    which is right where only these differ and not how a case looks (prior shift). One label alone:
    `metrics.at_prevalence`. Raises UsageError for shares that do not fit. Source: Saerens 2002, Neural Comput 14:21.
    """
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
