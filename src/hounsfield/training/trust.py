"""What a card tells of a model's sureness: conformal limits and agreement, fixed on tuning, judged on test data."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal

import numpy as np

from hounsfield.calibration import (
    EXCLUSIVE_CALIBRATORS,
    ConformalSets,
    coverage_band,
    fit_sets_by_patient,
)
from hounsfield.inference import entropies
from hounsfield.metrics import auroc, cluster_bootstrap
from hounsfield.zoo import Agreement, Conformal, Estimate, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from hounsfield.calibration import Uncertainty
    from hounsfield.inference import TorchModel
    from hounsfield.training.fit import Pictures
    from hounsfield.zoo import Bundle, ModelCard

COVERAGE = 0.9
METHOD: Literal["lac"] = "lac"
KEPT = 0.8
_N_QUANTILES = 21
_BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One part of the split: calibrated probabilities (n, c), labels, groups (n,) of patients.

    labels: (n,) class indices, or (n, labels) of 0 and 1 where labels stand alone.
    answers: (m, n, c) calibrated probabilities of several answers, None where the card asks for none.
    """

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    groups: tuple[str, ...]
    answers: NDArray[np.float64] | None = None

    @property
    def n_groups(self) -> int:
        """How many patients, or what stands for them."""
        return len(set(self.groups))


def add_trust(
    bundle: Bundle,
    model: TorchModel,
    parts: Mapping[str, tuple[Pictures, NDArray[np.float32], tuple[str, ...]]],
    *,
    seed: int,
) -> Bundle:
    """Write the bundle anew with conformal limits and agreement in its card; weights and guard stay.

    model: of this bundle. parts: `tune` and `test`, each with pictures, logits (n, c) and groups. A bundle without
    calibrator is returned as it is: nothing can be promised of raw scores.
    """
    calibrate = model.calibrate
    if calibrate is None:
        return bundle
    judged = {
        part: Judged(calibrate(logits), data.labels, groups, _answers(model, data))
        for part, (data, logits, groups) in parts.items()
    }
    card = with_trust(bundle.card, judged["tune"], judged["test"], seed=seed)
    return write_bundle(
        bundle.folder, card=card, weights=bundle.weights(), guard_arrays=bundle.guard_arrays() or None
    )


def with_trust(card: ModelCard, tuning: Judged, test: Judged, *, seed: int) -> ModelCard:
    """The card with what the tuning part fixes and the test part shows of it."""
    exclusive = card.calibrator is not None and card.calibrator.name in EXCLUSIVE_CALIBRATORS
    changes: dict[str, object] = {
        "conformal": conformal(tuning, test, seed=seed) if exclusive else None,
        "agreement": agreement(card, tuning, test, seed=seed),
    }
    if card.calibrator is not None:
        counts = (
            np.bincount(tuning.labels, minlength=len(card.classes))
            if exclusive
            else tuning.labels.sum(axis=0)
        )
        shares = counts / len(tuning.labels)
        stated = dict(zip(card.class_names, (round(float(share), 4) for share in shares), strict=True))
        changes["calibrator"] = card.calibrator.model_copy(update={"shares": stated})
    return card.model_copy(update=changes)


def _answers(model: TorchModel, data: Pictures) -> NDArray[np.float64] | None:
    import torch

    batches = []
    for first in range(0, len(data.labels), _BATCH):
        inputs = torch.from_numpy(data.pictures[first : first + _BATCH]).unsqueeze(1)
        answers = model.answers(inputs.to(model.device))
        if answers is None:
            return None
        batches.append(answers)
    return np.concatenate(batches, axis=1)


def conformal(tuning: Judged, test: Judged, *, seed: int) -> Conformal | None:
    """Limits for new patients from the tuning groups, or for pictures alone where the groups are too few.

    None where even the pictures are too few for a set smaller than all classes. Measured: coverage in each test group,
    and the mean over groups, so that a patient with many slices weighs no more than one with few.
    """
    rng = np.random.default_rng(seed)
    by_patient = _limits_are_finite(tuning.n_groups)
    if not by_patient and not _limits_are_finite(len(tuning.labels)):
        return None
    units = tuning.groups if by_patient else tuple(str(index) for index in range(len(tuning.labels)))
    sets = fit_sets_by_patient(tuning.probabilities, tuning.labels, units, coverage=COVERAGE, method=METHOD)
    inside = sets.sets(test.probabilities)
    covered = inside[np.arange(len(test.labels)), test.labels].astype(np.float64)
    measured = _estimate(lambda index: _mean_over(covered, test.groups, index), test.groups, rng)
    return Conformal(
        method=METHOD,
        coverage=COVERAGE,
        limits={"": sets.limits[""]},
        n_fitted={"": int(sets.n_fitted[""])},
        holds_for="patients" if by_patient else "pictures",
        fitted_on=_fitted_on(tuning, by_patient=by_patient),
        measured=measured,
        n=len(test.labels),
        n_groups=test.n_groups,
        band95=coverage_band(n_fitted=sets.n_fitted[""], n_test=test.n_groups, coverage=COVERAGE),
        size=_estimate(
            lambda index: _mean_over(inside.sum(axis=1).astype(np.float64), test.groups, index),
            test.groups,
            rng,
        ),
        note=_note(sets, inside),
    )


def _limits_are_finite(n_cases: int) -> bool:
    return (n_cases + 1) * COVERAGE <= n_cases


def _fitted_on(tuning: Judged, *, by_patient: bool) -> str:
    if by_patient:
        return f"all slices of the tuning part, each of its {tuning.n_groups} groups with the same weight"
    return (
        f"all slices of the tuning part: its {tuning.n_groups} groups are too few, so that the promise is for "
        "slices like these and not for patients"
    )


def _note(sets: ConformalSets, inside: NDArray[np.bool_]) -> str:
    counts = np.bincount(inside.sum(axis=1), minlength=inside.shape[1] + 1) / len(inside)
    told = ", ".join(f"{size}: {share:.0%}" for size, share in enumerate(counts) if share > 0)
    return f"A class is in the set from a probability of {1 - sets.limits['']:.3g} on. Classes in a set, share of test slices: {told}."


def _mean_over(values: NDArray[np.float64], groups: tuple[str, ...], index: NDArray[np.intp]) -> float:
    """Mean over groups of the group's mean; a group drawn twice counts twice."""
    names = np.asarray(groups)
    own = {name: float(values[names == name].mean()) for name in set(groups)}
    counts = {name: int((names == name).sum()) for name in own}
    drawn, times = np.unique(names[index], return_counts=True)
    weights = np.array([times[k] / counts[name] for k, name in enumerate(drawn)])
    return float(np.average([own[name] for name in drawn], weights=weights))


def agreement(card: ModelCard, tuning: Judged, test: Judged, *, seed: int) -> Agreement | None:
    """Quantiles on the tuning part; how well each entropy tells wrong answers on the test part."""
    if tuning.answers is None or test.answers is None:
        return None
    on_tuning, on_test = entropies(card, tuning.answers), entropies(card, test.answers)
    steps = np.linspace(0, 1, _N_QUANTILES)
    opened, disagreed = (
        np.asarray(values).reshape(len(tuning.labels), -1).mean(axis=1)
        for values in (on_tuning.expected, on_tuning.disagreement)
    )
    found = Agreement(
        open_bits=tuple(np.quantile(opened, steps).tolist()),
        disagreeing_bits=tuple(np.quantile(disagreed, steps).tolist()),
        n=len(tuning.labels),
        n_groups=tuning.n_groups,
    )
    # Labels that stand alone are each right or wrong: there is no one error of a case to tell.
    return _with_errors(found, test, on_test, seed) if test.labels.ndim == 1 else found


def _with_errors(found: Agreement, test: Judged, on_test: Uncertainty, seed: int) -> Agreement:
    rng = np.random.default_rng(seed)
    wrong = np.argmax(test.probabilities, axis=1) != test.labels

    def area(score: NDArray[np.float64]) -> Estimate | None:
        return _estimate(lambda index: auroc(wrong[index], score[index]), test.groups, rng)

    areas = {"open": area(on_test.expected), "disagreeing": area(on_test.disagreement)}
    kept = np.zeros(len(wrong), dtype=bool)
    kept[np.argsort(on_test.disagreement, kind="stable")[: round(KEPT * len(wrong))]] = True
    return found.model_copy(
        update={
            "tells_errors": {name: one for name, one in areas.items() if one is not None},
            "kept": KEPT,
            "error_of_all": _estimate(lambda index: float(wrong[index].mean()), test.groups, rng),
            "error_of_kept": _estimate(lambda index: _share(wrong[index], kept[index]), test.groups, rng),
        }
    )


def _share(wrong: NDArray[np.bool_], kept: NDArray[np.bool_]) -> float:
    return float(wrong[kept].mean()) if kept.any() else float("nan")


def _estimate(
    statistic: Callable[[NDArray[np.intp]], float], groups: tuple[str, ...], rng: np.random.Generator
) -> Estimate | None:
    found = cluster_bootstrap(statistic, groups, rng=rng)
    if not isfinite(found.value) or not isfinite(found.low):
        return None
    # The percentiles need not hold the value itself; a card's interval does.
    return Estimate(value=found.value, low95=min(found.low, found.value), high95=max(found.high, found.value))
