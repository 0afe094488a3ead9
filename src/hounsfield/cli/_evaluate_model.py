"""`hounsfield evaluate MODEL DATA`: a bundle run over a recipe's data, a folder or a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.cli._evaluate_asked import Asked, Told, cell_of, pairs_of
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from hounsfield.datasets import Dataset
    from hounsfield.evaluation import About, AsLabels, Predictions
    from hounsfield.inference import TorchModel

PARTS = ("train", "tune", "test")
RECIPE_ENDINGS = (".yaml", ".yml")
ROLES = ("image", "label", "group", "mask")
TABLE_ADAPTER = "csv-table"


@dataclass(frozen=True, slots=True)
class _Data:
    """Cases to judge. indices: which of the data set's. name: what to call them. table: file and column that name them."""

    dataset: Dataset
    indices: list[int]
    name: str
    adapter: str
    table: tuple[Path, str]
    warnings: tuple[str, ...] = ()


def judge_model(asked: Asked) -> Told:
    """A bundle on a recipe's data, or on data that an adapter reads."""
    from hounsfield.evaluation import (
        Guarded,
        check_classes,
        evaluate_model,
        model_record,
        run_model,
        write_model_evaluation,
    )
    from hounsfield.inference import load_model
    from hounsfield.zoo import find_bundle

    name, path = str(asked.model), Path(str(asked.data))
    model = load_model(Path(name) if Path(name).is_dir() else find_bundle(name))
    data = (
        _of_recipe(asked, path, model)
        if path.suffix.lower() in RECIPE_ENDINGS
        else _of_files(asked, path, model)
    )
    check_classes(model, data.dataset, data.name)
    progress = asked.progress
    run = run_model(model, data.dataset, data.indices, progress=progress)
    progress.clear()
    judged = evaluate_model(
        run.predictions,
        as_labels=_as_labels(asked, data, run.predictions),
        outlines=run.outlines,
        guarded=Guarded(run.refused) if run.refused is not None else None,
        seed=asked.seed,
        n_resamples=asked.resamples,
    )
    about = _about(asked, data, model, run.left_out)
    page = write_model_evaluation(judged, about, asked.out, picture_of=run.picture_of)
    rows = [(key, cell_of(item.overall)) for key, item in judged.classes.figures.items() if item.overall]
    head = f"{judged.classes.n_cases} cases, {judged.classes.n_groups} groups"
    return Told(model_record(judged, about), ((head, ("figure", "value"), rows),), (f"Evaluation: {page}",))


def _about(asked: Asked, data: _Data, model: TorchModel, left_out: tuple[str, ...]) -> About:
    from hounsfield.evaluation import About

    card, warnings = model.bundle.card, list(data.warnings)
    if card.calibrator is None:
        warnings.append(
            "The bundle has no calibrator: what stands for probabilities here is the softmax of its raw outputs."
        )
    return About(
        asked.title or f"{card.title}: {data.name}",
        f"Evaluation of the model {model.name} {model.version} on {data.name}. Every figure has a 95 % interval from "
        "resampling patients or the groups that stand for them.",
        f"The model {model.name} {model.version} (bundle SHA-256 {model.digest[:12]}) was run on {data.name} as reading runs "
        f"it. Its calibrator ({card.calibrator.name if card.calibrator else 'none'}), thresholds and guard are those of the "
        "bundle; nothing was fitted here. Groups of the data stand for patients below.",
        {"name": model.name, "version": model.version, "digest": model.digest, "data": data.name},
        tuple(warnings),
        left_out,
    )


def _as_labels(asked: Asked, data: _Data, predictions: Predictions) -> AsLabels:
    """The classes as labels, with the groups of --group from the table that names the cases."""
    from hounsfield.evaluation import AsLabels, Use, groups_of, one_against_others

    groups = {}
    if asked.group:
        if data.adapter != TABLE_ADAPTER:
            raise UsageError(f"--group names columns of a table, and {data.name} is read by {data.adapter}")
        path, column = data.table
        groups = groups_of(path, column, predictions.names, asked.group)
    uses = {name: Use(limit) for name, limit in predictions.present_from.items()}
    return AsLabels(one_against_others(predictions, groups=groups), uses)


def _of_files(asked: Asked, path: Path, model: TorchModel) -> _Data:
    """A folder that an adapter reads, or a table; judged whole."""
    from hounsfield.evaluation import open_labelled

    if asked.part != "test":
        raise UsageError("--part goes with a recipe; other data are judged whole")
    columns = pairs_of("--column", asked.column)
    unknown = [role for role in columns if role not in ROLES]
    if unknown:
        raise UsageError(f"--column {unknown[0]}=... is for none of {', '.join(ROLES)}")
    dataset = open_labelled(path, model.classes, adapter=asked.adapter, columns=columns or None)
    table = path if path.is_file() else path / "labels.csv"
    named_by = (table, columns.get("image", "image"))
    return _Data(dataset, list(range(len(dataset.cases))), path.name, asked.adapter, named_by)


def _of_recipe(asked: Asked, path: Path, model: TorchModel) -> _Data:
    """The data and the split of a recipe of training."""
    from hounsfield.training import load_recipe
    from hounsfield.training.train import prepare_data

    if asked.part not in PARTS:
        raise UsageError(f"--part {asked.part} is none of {', '.join(PARTS)}")
    recipe = load_recipe(path)
    dataset, split = prepare_data(recipe)
    warnings = []
    if split.digest != model.bundle.card.split_digest:
        warnings.append(
            "The recipe splits its data otherwise than the model's card states: the model may have been trained on these "
            "cases."
        )
    elif asked.part != "test":
        warnings.append(f"These are cases of the {asked.part} part, which made the model what it is.")
    options = recipe.data.options
    named_by = (
        recipe.data_root / options.get("table", "labels.csv"),
        options.get("columns", {}).get("image", "image"),
    )
    indices = split.indices(asked.part)  # type: ignore[arg-type]  # one of PARTS
    name = f"{recipe.data.name}, {asked.part} part"
    return _Data(dataset, indices, name, recipe.data.adapter, named_by, tuple(warnings))
