"""How far several answers to one picture agree: ensembles, dropout at reading time, turned and mirrored copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import entr

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Uncertainty:
    """What m answers say together; entropies in bits, each of shape (...,) without the class axis.

    mean: (..., classes). total: entropy of the mean. expected: mean entropy of the answers, what a picture leaves open
    to each of them. disagreement: total minus expected (mutual information), what the answers do not know of each
    other: large on pictures unlike those that they learned from. spread: (..., classes) standard deviation over the m.
    """

    mean: NDArray[np.float64]
    total: NDArray[np.float64]
    expected: NDArray[np.float64]
    disagreement: NDArray[np.float64]
    spread: NDArray[np.float64]


def uncertainty_of(answers: NDArray[Any]) -> Uncertainty:
    """Split the uncertainty of answers (m, ..., classes), probabilities that sum to 1 over the last axis.

    Labels that do not exclude each other go in as pairs (present, absent). Raises UsageError for fewer than two answers.
    Source: Depeweg 2018, ICML, PMLR 80:1184; Gal 2016, ICML, PMLR 48:1050 (dropout), Lakshminarayanan 2017, NeurIPS 30
    (ensembles), Wang 2019, Neurocomputing 338:34 (transformed copies).
    """
    stated = np.asarray(answers, dtype=np.float64)
    if stated.ndim < 2 or len(stated) < 2:
        raise UsageError(f"answers {stated.shape} are too few to disagree; give two or more of one picture")
    if not np.allclose(stated.sum(axis=-1), 1.0, atol=1e-4) or (stated < 0).any():
        raise UsageError("answers must be probabilities that sum to 1 over their last axis")
    mean = stated.mean(axis=0)
    total = _bits(mean)
    expected = _bits(stated).mean(axis=0)
    # Rounding may leave a hair below zero where all agree.
    return Uncertainty(mean, total, expected, np.maximum(total - expected, 0.0), stated.std(axis=0, ddof=1))


def _bits(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(entr(probabilities).sum(axis=-1) / np.log(2), dtype=np.float64)


def risk_coverage(
    uncertainty: NDArray[Any], losses: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean loss of the answers kept when the least sure are withheld, by share kept: two arrays (n,).

    uncertainty: (n,), losses: (n,) such as 0 for right and 1 for wrong. Answers of equal uncertainty are kept or
    withheld together. A useful uncertainty gives a risk that falls towards small shares; the area under it is the AURC.
    Source: El-Yaniv 2010, J Mach Learn Res 11:1605; Geifman 2019, ICLR.
    """
    unsure, loss = np.asarray(uncertainty, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    if unsure.ndim != 1 or unsure.shape != loss.shape or not unsure.size:
        raise UsageError(
            f"uncertainty {unsure.shape} and losses {loss.shape} do not fit; give one of each a case"
        )
    order = np.argsort(unsure, kind="stable")
    last = np.append(np.flatnonzero(np.diff(unsure[order])), unsure.size - 1)
    kept = last + 1
    risk = np.cumsum(loss[order])[last] / kept
    # A tied run stands for all its shares: repeat it, so that the area weighs every case alike.
    counts = np.diff(np.concatenate([[0], kept]))
    return np.repeat(kept / unsure.size, counts), np.repeat(risk, counts)
