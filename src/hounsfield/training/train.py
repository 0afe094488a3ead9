"""From a recipe to a bundle: read the data, split, fit, calibrate, guard, judge, write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.calibration import softmax
from hounsfield.core.errors import MissingModel, RecipeError
from hounsfield.core.progress import Progress, Silent, step
from hounsfield.datasets import PARTS, Split, open_dataset, split_dataset
from hounsfield.evaluation import (
    About,
    Evaluation,
    Predictions,
    PredictionTable,
    Shown,
    TableEvaluation,
    evaluate,
    evaluate_table,
    write_evaluation,
    write_table_evaluation,
)
from hounsfield.training.bundle_card import describe
from hounsfield.training.guard_rates import measure_guard
from hounsfield.training.recipe import Recipe, load_recipe
from hounsfield.zoo import write_bundle

if TYPE_CHECKING:
    from hounsfield.calibration import CalibratorChoice
    from hounsfield.datasets import Dataset
    from hounsfield.training.fit import Pictures
    from hounsfield.training.part_outputs import PartOutputs, Tuned


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """What a run made: the bundle's folder, the evaluation on the test part and its page, seconds spent."""

    bundle: Path
    evaluation: Evaluation | TableEvaluation
    page: Path
    fitting_s: float


def train(
    recipe: Recipe | Path,
    out: Path,
    *,
    progress: Progress | None = None,
    resume: bool = True,
) -> TrainingResult:
    """Carry out `recipe` (or the YAML file) and write `out/<name>/` (the bundle) and `out/evaluation/`.

    resume: go on from the checkpoint in `out/checkpoints`, if there is one; False starts anew. Raises
    RecipeError, MissingModel if data or torch are not there, Cancelled when `progress` asks to stop.
    """
    if isinstance(recipe, Path):
        recipe = load_recipe(recipe)
    progress = progress or Silent()
    _require_torch()
    from hounsfield.training.fit import CHECKPOINT, fit_network
    from hounsfield.training.part_outputs import load_pictures, run_part, tune

    dataset, split = prepare_data(recipe)
    step(progress, "reading pictures", 0.0)
    parts = {part: load_pictures(recipe, dataset, split.indices(part)) for part in PARTS}
    checkpoints = out / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    if not resume:
        (checkpoints / CHECKPOINT).unlink(missing_ok=True)
    network, seconds = fit_network(recipe, parts["train"], len(dataset.classes), checkpoints, progress)
    step(progress, "judging on the test part", 1.0)
    outputs = {part: run_part(network, parts[part], recipe) for part in PARTS}
    tuning_groups = [dataset.groups[index] for index in split.indices("tune")]
    tuned = tune(
        outputs["train"],
        outputs["tune"],
        parts["tune"].labels,
        tuning_groups,
        classes=dataset.classes,
        recipe=recipe,
    )
    evaluation, tested = judge(
        dataset, split, outputs["test"], (tuned.calibrator, tuned.thresholds), seed=recipe.seed
    )
    groups = [dataset.groups[index] for index in split.indices("test")]
    rates = measure_guard(network, tuned, outputs["test"].features, groups, recipe)
    card = describe(recipe, dataset, split, tuned=tuned, evaluation=evaluation, rates=rates)
    weights = {name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}
    bundle = write_bundle(out / recipe.name, card=card, weights=weights, guard_arrays=tuned.guard.to_arrays())
    if isinstance(evaluation, TableEvaluation):
        page = write_table_evaluation(evaluation, out / "evaluation", title=recipe.card.title)
    elif tested is not None:
        about = About(
            recipe.card.title,
            recipe.card.version,
            _methods(recipe, dataset, split, tuned),
            tuple((rate.name, rate.n, rate.refused_fraction, rate.low95, rate.high95) for rate in rates),
        )
        shown = _shown(parts["test"], outputs["test"])
        page = write_evaluation(evaluation, tested, shown, about, out / "evaluation")
    step(progress, "done", 1.0)
    return TrainingResult(bundle.folder, evaluation, page, seconds)


def prepare_data(recipe: Recipe) -> tuple[Dataset, Split]:
    """The data set of a recipe and its split; raises RecipeError if the recipe names no licence."""
    if not recipe.data.licence.strip():
        raise RecipeError(
            "data.licence is empty: a model is only as free as its data. Name the licence of the data, or "
            "train on data that have one."
        )
    dataset = open_dataset(recipe.data.adapter, recipe.data_root, recipe.data.options)
    return dataset, split_dataset(dataset, **recipe.split.model_dump())


def _require_torch() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("torch", "safetensors", "yaml") if find_spec(name) is None]
    if missing:
        raise MissingModel(
            f"training needs {', '.join(missing)}: pip install 'hounsfield[train]' (README.md says how to "
            "get the build of torch for your hardware)"
        )


def judge(
    dataset: Dataset,
    split: Split,
    outputs: PartOutputs,
    decided: tuple[CalibratorChoice, dict[str, tuple[float, float]]],
    *,
    seed: int,
) -> tuple[Evaluation, Predictions] | tuple[TableEvaluation, None]:
    """The figures of `outputs` on the test part; with the predictions they rest on where classes exclude each other.

    decided: calibrator, and thresholds (present from, absent to) of each class.
    """
    calibrator, thresholds = decided
    indices = split.indices("test")
    names = tuple(dataset.cases[index].name for index in indices)
    groups = tuple(dataset.groups[index] for index in indices)
    said, present_from = calibrator.apply(outputs.logits), {name: own[0] for name, own in thresholds.items()}
    if dataset.exclusive:
        predictions = Predictions(
            classes=dataset.classes,
            names=names,
            groups=groups,
            labels=dataset.labels[indices],
            probabilities=said,
            uncalibrated=softmax(outputs.logits),
            dice=outputs.dice,
            present_from=present_from,
        )
        return evaluate(predictions, seed=seed), predictions
    truth = dataset.truth[indices].T
    table = PredictionTable(
        cases=np.array(names),
        patients=np.array(groups),
        has_patients=True,
        labels=dataset.classes,
        truth=truth,
        known=np.ones_like(truth),
        probability=said.T,
    )
    return evaluate_table(table, thresholds=present_from, seed=seed), None


def _shown(data: Pictures, outputs: PartOutputs) -> list[Shown]:
    """The three best and the six worst outlines, best first; none where the network outlines nothing."""
    if outputs.dice is None or outputs.masks is None or data.masks is None:
        return []
    order = np.argsort(-outputs.dice, kind="stable")
    chosen = dict.fromkeys([*order[:3].tolist(), *order[-6:].tolist()])
    return [
        Shown(index, data.pictures[index], data.masks[index] > 0, outputs.masks[index]) for index in chosen
    ]


def _methods(recipe: Recipe, dataset: Dataset, split: Split, tuned: Tuned) -> str:
    """The paragraph of the page that says what was done, in numbers taken from the run itself."""
    counts = {part: len(split.indices(part)) for part in PARTS}
    groups = {part: sum(1 for own in split.part_of_group.values() if own == part) for part in PARTS}
    told: dict[str, Any] = recipe.optimisation.model_dump()
    return (
        f"{len(dataset.cases)} slices of {len(dataset.classes)} classes in {len(split.part_of_group)} groups; "
        f"{dataset.n_left_out} rows of other labels were left out. Whole groups were dealt to training "
        f"({counts['train']} slices, {groups['train']} groups), tuning ({counts['tune']}, {groups['tune']}) and "
        f"test ({counts['test']}, {groups['test']}); tested groups are separated from trained ones by tuning "
        "groups, since a patient may straddle two groups that follow each other. Network "
        f"{recipe.network.name}, {told['epochs']} epochs of batches of {told['batch_size']}, AdamW with learning "
        f"rate {told['learning_rate']:g}, seed {recipe.seed}; the weights are a running mean of all steps. "
        f"Calibrator ({_named(tuned.calibrator)}), thresholds and the guard's limit were fixed on the tuning part; "
        f"the test part was used once, for this page. {tuned.calibrator.reason} Intervals: 95 %, 1000 resamples "
        "of whole groups."
    )


def _named(calibrator: CalibratorChoice) -> str:
    return " ".join([calibrator.name, *(f"{value:.3f}" for value in calibrator.parameters.values())])
