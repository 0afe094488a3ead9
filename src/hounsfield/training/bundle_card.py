"""The model card that a training run writes: words from the recipe, numbers from the run."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import hounsfield
from hounsfield.calibration import GUARD_METHOD
from hounsfield.core.errors import RecipeError
from hounsfield.evaluation import TableEvaluation
from hounsfield.zoo import (
    Calibrator,
    ClassCode,
    DataSource,
    Detection,
    Estimate,
    Figure,
    Guard,
    InferenceSettings,
    ModelCard,
    Network,
    Preprocessing,
    Threshold,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.calibration import CalibratorChoice
    from hounsfield.datasets import Dataset, Split
    from hounsfield.evaluation import Evaluation, LabelFigures
    from hounsfield.metrics import Interval
    from hounsfield.training.part_outputs import Tuned
    from hounsfield.training.recipe import Recipe

_AT_THRESHOLD = ("sensitivity", "specificity")
_PURPOSE = (
    "at most 5 % of the other classes' slices reach the upper threshold, and at most 5 % of the class's "
    "own lie at or below the lower one"
)


def describe(
    recipe: Recipe,
    dataset: Dataset,
    split: Split,
    *,
    tuned: Tuned,
    evaluation: Evaluation | TableEvaluation,
    rates: list[Detection],
) -> ModelCard:
    """The card of the bundle; raises RecipeError if the recipe gives a class no code."""
    words = recipe.card
    without = [name for name in dataset.classes if name not in words.codes]
    if without:
        raise RecipeError(
            f"card.codes gives no code for {', '.join(without)}; name value, scheme and meaning"
        )
    licence = f"{recipe.data.licence}. {recipe.data.licence_note}".strip()
    return ModelCard(
        name=recipe.name,
        version=words.version,
        title=words.title,
        classes=tuple(ClassCode(name=name, **words.codes[name].model_dump()) for name in dataset.classes),
        outputs="exclusive" if dataset.exclusive else "independent",
        task=words.task,
        modality=words.modality,
        intended_use=words.intended_use,
        not_for=words.not_for,
        evidence_level=words.evidence_level,
        data=(
            DataSource(
                name=recipe.data.name,
                source=recipe.data.source,
                citation=recipe.data.citation,
                licence=licence,
                n_cases=len(dataset.cases),
                n_groups=len(split.part_of_group),
            ),
        ),
        licence=licence,
        split_digest=split.digest,
        seed=recipe.seed,
        network=Network(
            name=recipe.network.name, arguments={"n_classes": len(dataset.classes), **recipe.network.options}
        ),
        preprocessing=Preprocessing(
            size_px=recipe.picture.size,
            percentile_low=recipe.picture.percentiles[0],
            percentile_high=recipe.picture.percentiles[1],
        ),
        inference=InferenceSettings(**recipe.inference.model_dump()),
        metrics=figures(evaluation),
        thresholds=locked(tuned.thresholds),
        calibrator=calibrator(tuned.calibrator, evaluation),
        guard=Guard(
            method=GUARD_METHOD,
            threshold=tuned.guard_threshold,
            quantile=1 - recipe.guard.false_refusals,
            fitted_on="features of the training part, threshold on the tuning part",
            false_refusal_rate=rates[0],
            detection=tuple(rates[1:]),
        ),
        known_shortcuts=words.known_shortcuts,
        recipe=recipe.model_dump(mode="json"),
        code_version=hounsfield.__version__,
    )


def locked(thresholds: dict[str, tuple[float, float]]) -> dict[str, Threshold]:
    """The card's thresholds from (present from, absent to) of each class."""
    return {
        name: Threshold(present_from=present, absent_to=absent, chosen_on="the tuning part", purpose=_PURPOSE)
        for name, (present, absent) in thresholds.items()
    }


def calibrator(choice: CalibratorChoice, evaluation: Evaluation | TableEvaluation) -> Calibrator:
    """The card's calibrator: why it was chosen, and its error beside that of chance."""
    own = Calibrator(
        name=choice.name, parameters=dict(choice.parameters), fitted_on="the tuning part", note=choice.reason
    )
    if isinstance(evaluation, TableEvaluation):
        return own
    perfect = evaluation.calibration["error_if_perfect"]
    low, high = perfect["ci95"]
    note = (
        f"{choice.reason} On {evaluation.n_cases} test slices a perfectly calibrated model would reach an "
        f"error of {perfect['value']:.3f} ({low:.3f} to {high:.3f}) by chance alone."
    )
    before, after = (_estimate(evaluation.figures[name].overall) for name in ("ece-uncalibrated", "ece"))
    return own.model_copy(update={"ece_before": before, "ece_after": after, "note": note})


def figures(evaluation: Evaluation | TableEvaluation) -> tuple[Figure, ...]:
    """Every figure of the evaluation as the card holds it."""
    if isinstance(evaluation, TableEvaluation):
        return _label_figures(evaluation)
    rows: list[Figure] = []
    counts = evaluation.n_cases, evaluation.n_groups
    for name, item in evaluation.figures.items():
        by_class = {
            own: estimate for own, i in item.by_class.items() if (estimate := _estimate(i)) is not None
        }
        overall = _estimate(item.overall)
        if overall is None:
            # Sensitivity and specificity belong to one class's threshold: there is no figure over all.
            where = " at its threshold" if name in _AT_THRESHOLD else ""
            rows += [
                _figure(f"{name} of {own}{where}", estimate, counts, {}) for own, estimate in by_class.items()
            ]
        else:
            rows.append(_figure(name, overall, counts, by_class))
    return tuple(rows)


def _label_figures(evaluation: TableEvaluation) -> tuple[Figure, ...]:
    """Areas over labels and of each, then what holds at each label's threshold; too few cases give no figure."""
    counts = len(evaluation.table.cases), evaluation.n_patients
    rows = []
    for name, interval in evaluation.macro.items():
        overall = _estimate(interval)
        if overall is not None:
            rows.append(_figure(name, overall, counts, _of_labels(evaluation.labels, name)))
    for name in ("sensitivity", "specificity"):
        rows += [
            _figure(f"{name} of {own} at its threshold", estimate, counts, {})
            for own, estimate in _of_labels(evaluation.labels, name).items()
        ]
    return tuple(rows)


def _of_labels(labels: Sequence[LabelFigures], name: str) -> dict[str, Estimate]:
    found = {one.label: _estimate(one.figures.get(name)) for one in labels}
    return {label: estimate for label, estimate in found.items() if estimate is not None}


def _figure(name: str, estimate: Estimate, counts: tuple[int, int], by_class: dict[str, Estimate]) -> Figure:
    """counts: cases and groups."""
    return Figure(
        name=name,
        **estimate.model_dump(),
        n=counts[0],
        n_groups=counts[1],
        part="test",
        by_class=by_class,
    )


def _estimate(interval: Interval | None) -> Estimate | None:
    if interval is None or not isfinite(interval.value) or not isfinite(interval.low):
        return None
    return Estimate(value=interval.value, low95=interval.low, high95=interval.high)
