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
    OUTLINE,
    TOLERANCE_PX,
    About,
    Evaluation,
    Foreign,
    Guarded,
    Outlines,
    Predictions,
    PredictionTable,
    Scale,
    TableEvaluation,
    Use,
    evaluate,
    evaluate_model,
    evaluate_table,
    overlap_of,
    write_model_evaluation,
    write_table_evaluation,
)
from hounsfield.metrics import Interval
from hounsfield.training.bundle_card import describe
from hounsfield.training.guard_rates import measure_guard
from hounsfield.training.recipe import Recipe, load_recipe
from hounsfield.zoo import write_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.calibration import CalibratorChoice
    from hounsfield.datasets import Dataset
    from hounsfield.evaluation import ModelEvaluation, Volumes
    from hounsfield.training.fit import Pictures
    from hounsfield.training.part_outputs import PartOutputs, Tuned
    from hounsfield.zoo import Bundle, Detection


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
    from hounsfield.inference import load_model
    from hounsfield.training.fit import CHECKPOINT, fit_network
    from hounsfield.training.part_outputs import load_pictures, run_part, tune
    from hounsfield.training.trust import add_trust

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
    groups = {part: tuple(dataset.groups[index] for index in split.indices(part)) for part in PARTS}
    tuned = tune(
        outputs["train"],
        outputs["tune"],
        parts["tune"].labels,
        groups["tune"],
        classes=dataset.classes,
        recipe=recipe,
    )
    tested = predictions_on_test(dataset, split, outputs["test"], tuned.calibrator, tuned.thresholds)
    rates = measure_guard(network, tuned, outputs["test"].features, groups["test"], recipe)
    judged = _judge(tested, tuned, (parts["test"], outputs["test"]), rates, seed=recipe.seed)
    evaluation = judged if isinstance(judged, TableEvaluation) else judged.classes
    card = describe(recipe, dataset, split, tuned=tuned, evaluation=evaluation, rates=rates)
    weights = {name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}
    bundle = write_bundle(out / recipe.name, card=card, weights=weights, guard_arrays=tuned.guard.to_arrays())
    by_part = {part: (parts[part], outputs[part].logits, groups[part]) for part in ("tune", "test")}
    bundle = add_trust(bundle, load_model(bundle), by_part, seed=recipe.seed)
    page = _write_page(judged, _about(recipe, bundle, _methods(recipe, dataset, split, tuned)), out)
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


def predictions_on_test(
    dataset: Dataset,
    split: Split,
    outputs: PartOutputs,
    calibrator: CalibratorChoice,
    thresholds: dict[str, tuple[float, float]],
) -> Predictions | PredictionTable:
    """What `outputs` say of the test part, calibrated, beside the truth; a table where labels stand alone."""
    indices = split.indices("test")
    names = tuple(dataset.cases[index].name for index in indices)
    groups = tuple(dataset.groups[index] for index in indices)
    said = calibrator.apply(outputs.logits)
    if dataset.exclusive:
        return Predictions(
            classes=dataset.classes,
            names=names,
            groups=groups,
            labels=dataset.labels[indices],
            probabilities=said,
            uncalibrated=softmax(outputs.logits),
            dice=outputs.dice,
            present_from={name: limits[0] for name, limits in thresholds.items()},
        )
    truth = dataset.truth[indices].T
    return PredictionTable(
        cases=np.array(names),
        patients=np.array(groups),
        has_patients=True,
        labels=dataset.classes,
        truth=truth,
        known=np.ones_like(truth),
        probability=said.T,
    )


def judge(
    tested: Predictions | PredictionTable, thresholds: dict[str, tuple[float, float]], *, seed: int
) -> Evaluation | TableEvaluation:
    """The figures of the test part. thresholds: (present from, absent to) of each class."""
    if isinstance(tested, Predictions):
        return evaluate(tested, seed=seed)
    return _judge_labels(tested, thresholds, seed=seed)


def _judge_labels(
    table: PredictionTable, thresholds: dict[str, tuple[float, float]], *, seed: int
) -> TableEvaluation:
    uses = {name: Use(limits[0]) for name, limits in thresholds.items()}
    return evaluate_table(table, uses=uses, seed=seed)


def _judge(
    tested: Predictions | PredictionTable,
    tuned: Tuned,
    part: tuple[Pictures, PartOutputs],
    rates: Sequence[Detection],
    *,
    seed: int,
) -> ModelEvaluation | TableEvaluation:
    """The figures of the test part with its outlines and the guard's refusals, as far as there are any."""
    if isinstance(tested, PredictionTable):
        return _judge_labels(tested, tuned.thresholds, seed=seed)
    return evaluate_model(
        tested, outlines=_outlines(tested, *part), guarded=_guarded(tuned, part[1], rates), seed=seed
    )


def _write_page(judged: ModelEvaluation | TableEvaluation, about: About, out: Path) -> Path:
    if isinstance(judged, TableEvaluation):
        return write_table_evaluation(judged, out / "evaluation", title=about.title)
    return write_model_evaluation(judged, about, out / "evaluation")


def _about(recipe: Recipe, bundle: Bundle, methods: str) -> About:
    return About(
        recipe.card.title,
        f"Evaluation of {recipe.name} {recipe.card.version} on the test part of its data, which training never saw.",
        methods,
        {"name": bundle.name, "version": bundle.version, "digest": bundle.digest},
    )


def _guarded(tuned: Tuned, outputs: PartOutputs, rates: Sequence[Detection]) -> Guarded:
    """What the guard refused of the test part, and of the foreign pictures, which follow it in `rates`."""
    foreign = [
        Foreign(rate.name, rate.n, Interval(rate.refused_fraction, rate.low95, rate.high95))
        for rate in rates[1:]
    ]
    return Guarded(tuned.guard.distance(outputs.features) > tuned.guard_threshold, tuple(foreign))


def _outlines(tested: Predictions, data: Pictures, outputs: PartOutputs) -> Outlines | None:
    """True and found outlines of the test part on the network's square; None for a network that outlines nothing."""
    true, drawn = data.masks, outputs.masks
    if true is None or drawn is None:
        return None
    scale = Scale((1.0, 1.0), "px", 1.0, "px", TOLERANCE_PX)
    at = {name: number for number, name in enumerate(tested.names)}
    rows = [
        overlap_of(
            true[k] > 0,
            drawn[k],
            scale,
            case=name,
            patient=tested.groups[k],
            structure=OUTLINE,
        )
        for name, k in at.items()
    ]

    def volume(name: str, structure: str) -> Volumes:
        del structure
        k = at[name]
        return data.pictures[k][None], true[k][None] > 0, drawn[k][None], (1.0, 1.0)

    return Outlines(tuple(row for row in rows if row is not None), scale, volume)


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
        f"the test part was used once, for this page. {tuned.calibrator.reason} Groups stand for patients below; "
        "outlines and their distances are in pixels of the network's square."
    )


def _named(calibrator: CalibratorChoice) -> str:
    """Name and numbers of a calibrator; one with numbers for each label by its name alone."""
    numbers = [value for value in calibrator.parameters.values() if isinstance(value, float)]
    return " ".join([calibrator.name, *(f"{value:.3f}" for value in numbers)])
