"""Probabilities of classes that exclude each other: areas between classes, scores, and how well they are calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics.auroc import auroc
from hounsfield.metrics.calibration_error import calibration_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SMALLEST = 1e-15


def class_auroc(
    truth: NDArray[Any], probability: NDArray[Any], average: Literal["macro", "weighted", "micro"] = "macro"
) -> float:
    """Area of each class against all others, averaged. truth: class indices (n,). probability: (n, classes).

    macro: plain mean over the classes that occur beside others. weighted: by how often each occurs. micro: all pairs of
    case and class as one label, which frequent classes rule. nan where no class has both kinds of cases.
    """
    true, said = _checked(truth, probability)
    one_hot = true[:, None] == np.arange(said.shape[1])
    if average == "micro":
        return float(auroc(one_hot.ravel(), said.ravel()))
    areas = np.array([auroc(one_hot[:, k], said[:, k]) for k in range(said.shape[1])])
    counts = one_hot.sum(axis=0) if average == "weighted" else np.ones(said.shape[1])
    defined = np.isfinite(areas)
    return float(np.average(areas[defined], weights=counts[defined])) if defined.any() else float("nan")


def pairwise_auroc(truth: NDArray[Any], probability: NDArray[Any]) -> float:
    """Mean over all pairs of classes of the area between those two alone: not moved by how frequent classes are.

    Arguments as `class_auroc`. Source: Hand and Till 2001, Machine Learning 45:171, their M.
    """
    true, said = _checked(truth, probability)
    classes = np.unique(true)
    areas = []
    for number, i in enumerate(classes):
        for j in classes[number + 1 :]:
            pair = (true == i) | (true == j)
            of_i = auroc(true[pair] == i, said[pair, i])
            of_j = auroc(true[pair] == j, said[pair, j])
            areas.append((of_i + of_j) / 2)
    return float(np.mean(areas)) if areas else float("nan")


def class_brier(truth: NDArray[Any], probability: NDArray[Any]) -> float:
    """Mean over cases of the squared distance of the probabilities to the truth, 0 to 2 (Brier 1950, Mon Weather Rev 78:1).

    With two classes it is twice the score of one label. Arguments as `class_auroc`.
    """
    true, said = _checked(truth, probability)
    return float(((said - (true[:, None] == np.arange(said.shape[1]))) ** 2).sum(axis=1).mean())


def class_log_loss(truth: NDArray[Any], probability: NDArray[Any]) -> float:
    """Mean of -ln of the true class's probability, in nats; one of exactly 0 counts as 1e-15.

    Arguments as `class_auroc`.
    """
    true, said = _checked(truth, probability)
    return float(-np.log(said[np.arange(true.size), true].clip(_SMALLEST)).mean())


def top_k_accuracy(truth: NDArray[Any], probability: NDArray[Any], k: int) -> float:
    """Share of cases whose class is among the k likeliest; one tied with the k-th counts only by the order of classes."""
    true, said = _checked(truth, probability)
    if not 1 <= k <= said.shape[1]:
        raise RefusedInput(f"k is {k}; 1 to {said.shape[1]} classes can be named.")
    named = np.argsort(-said, axis=1, kind="stable")[:, :k]
    return float((named == true[:, None]).any(axis=1).mean())


def classwise_calibration_error(
    truth: NDArray[Any], probability: NDArray[Any], *, n_bins: int = 15
) -> NDArray[np.float64]:
    """Debiased calibration error of each class's probability against all others, (classes,).

    Arguments as `class_auroc`; the estimator is that of `calibration_error`. Source: Kull 2019, NeurIPS 32.
    """
    true, said = _checked(truth, probability)
    return np.array(
        [calibration_error(true == k, said[:, k], n_bins=n_bins).debiased for k in range(said.shape[1])]
    )


def exact_match(truth: NDArray[Any], decision: NDArray[Any]) -> float:
    """Share of cases whose labels were all decided right. truth, decision: bool (n, labels)."""
    true, said = np.asarray(truth, dtype=bool), np.asarray(decision, dtype=bool)
    return float((true == said).all(axis=1).mean()) if len(true) else float("nan")


def hamming_loss(truth: NDArray[Any], decision: NDArray[Any]) -> float:
    """Share of all decisions that are wrong. truth, decision: bool (n, labels)."""
    true, said = np.asarray(truth, dtype=bool), np.asarray(decision, dtype=bool)
    return float((true != said).mean()) if true.size else float("nan")


def _checked(truth: NDArray[Any], probability: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    true, said = np.asarray(truth, dtype=np.intp), np.asarray(probability, dtype=np.float64)
    if said.ndim != 2 or true.shape != said.shape[:1] or not true.size:
        raise RefusedInput(
            f"truth {true.shape} and probabilities {said.shape} do not fit; give a class and a row a case."
        )
    if true.min() < 0 or true.max() >= said.shape[1]:
        raise RefusedInput(
            f"classes {true.min()} to {true.max()} occur; there are {said.shape[1]}, from 0 on."
        )
    if not np.allclose(said.sum(axis=1), 1.0, atol=1e-4):
        raise RefusedInput("the probabilities of a case do not sum to 1; calibrate the scores first.")
    return true, said
