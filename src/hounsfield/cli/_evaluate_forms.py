"""The forms of `hounsfield evaluate`: each reads what was given, judges, writes the page, and says what to print."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hounsfield.cli._evaluate_asked import Asked, Told, cell_of, pairs_of
from hounsfield.cli._evaluate_tables import judge_predictions
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hounsfield.cli._evaluate_asked import Shown
    from hounsfield.evaluation import MaskEvaluation

PARTS = ("train", "tune", "test")
RECIPE_ENDINGS = (".yaml", ".yml")
ROLES = ("image", "label", "group", "mask")


def judge_model(asked: Asked) -> Told:
    """A bundle on a recipe's data, or on data that an adapter reads."""
    from hounsfield.evaluation import (
        About,
        Guarded,
        check_classes,
        evaluate_model,
        model_record,
        run_model,
        write_model_evaluation,
    )
    from hounsfield.inference import load_model
    from hounsfield.zoo import find_bundle

    name, data = str(asked.model), Path(str(asked.data))
    model = load_model(Path(name) if Path(name).is_dir() else find_bundle(name))
    dataset, indices, source, warnings = _data_of(asked, data, model)
    check_classes(model, dataset, source)
    progress = asked.progress
    run = run_model(model, dataset, indices, progress=progress)
    progress.clear()
    judged = evaluate_model(
        run.predictions,
        outlines=run.outlines,
        guarded=Guarded(run.refused) if run.refused is not None else None,
        seed=asked.seed,
        n_resamples=asked.resamples,
    )
    card = model.bundle.card
    about = About(
        asked.title or f"{card.title}: {source}",
        f"Evaluation of the model {model.name} {model.version} on {source}. Every figure has a 95 % interval from resampling "
        "patients or the groups that stand for them.",
        f"The model {model.name} {model.version} (bundle SHA-256 {model.digest[:12]}) was run on {source} as reading runs "
        f"it. Its calibrator ({card.calibrator.name if card.calibrator else 'none'}), thresholds and guard are those of the "
        "bundle; nothing was fitted here. Groups of the data stand for patients below.",
        {"name": model.name, "version": model.version, "digest": model.digest, "data": source},
        warnings,
        run.left_out,
    )
    page = write_model_evaluation(judged, about, asked.out, picture_of=run.picture_of)
    rows = [(key, cell_of(item.overall)) for key, item in judged.classes.figures.items() if item.overall]
    head = f"{judged.classes.n_cases} cases, {judged.classes.n_groups} groups"
    return Told(model_record(judged, about), ((head, ("figure", "value"), rows),), (f"Evaluation: {page}",))


def _data_of(asked: Asked, data: Path, model: Any) -> tuple[Any, list[int], str, tuple[str, ...]]:
    """Data set, the cases to judge, what to call them, and warnings."""
    if data.suffix.lower() not in RECIPE_ENDINGS:
        if asked.part != "test":
            raise UsageError("--part goes with a recipe; other data are judged whole")
        from hounsfield.evaluation import open_labelled

        columns = pairs_of("--column", asked.column)
        unknown = [role for role in columns if role not in ROLES]
        if unknown:
            raise UsageError(f"--column {unknown[0]}=... is for none of {', '.join(ROLES)}")
        dataset = open_labelled(data, model.classes, adapter=asked.adapter, columns=columns or None)
        return dataset, list(range(len(dataset.cases))), data.name, ()
    from hounsfield.training import load_recipe
    from hounsfield.training.train import prepare_data

    if asked.part not in PARTS:
        raise UsageError(f"--part {asked.part} is none of {', '.join(PARTS)}")
    recipe = load_recipe(data)
    dataset, split = prepare_data(recipe)
    warnings = []
    if split.digest != model.bundle.card.split_digest:
        warnings.append(
            "The recipe splits its data otherwise than the model's card states: the model may have been trained on these "
            "cases."
        )
    elif asked.part != "test":
        warnings.append(f"These are cases of the {asked.part} part, which made the model what it is.")
    return dataset, split.indices(asked.part), f"{recipe.data.name}, {asked.part} part", tuple(warnings)  # type: ignore[arg-type]  # checked above


def judge_outlines(asked: Asked) -> Told:
    """Folders of outlines, found and true."""
    from hounsfield.evaluation import (
        PATIENT_COLUMNS,
        judge_masks,
        mask_record,
        pair_masks,
        patients_of,
        volume_of,
        write_mask_evaluation,
    )

    found = Path(str(asked.masks))
    pairs = pair_masks(
        found,
        Path(str(asked.truth)),
        images=asked.images,
        names=pairs_of("--name", asked.name),
        missing_as_empty=asked.missing_as_empty,
    )
    cases = list(pairs.truth)
    patients = (
        dict(zip(cases, patients_of(asked.patients, cases, PATIENT_COLUMNS), strict=True))
        if asked.patients
        else None
    )
    progress = asked.progress
    evaluation = judge_masks(
        pairs,
        tolerance_mm=asked.tolerance_mm,
        patients=patients,
        n_resamples=asked.resamples,
        seed=asked.seed,
        progress=progress,
    )
    progress.clear()
    title = asked.title or f"Outlines of {found.name}"
    page = write_mask_evaluation(
        evaluation,
        asked.out,
        title=title,
        left_out=pairs.left_out,
        volume=partial(volume_of, pairs),
    )
    record = mask_record(evaluation, title, pairs.left_out)
    return Told(record, (_outline_rows(evaluation),), (f"Evaluation: {page}",))


def _outline_rows(evaluation: MaskEvaluation) -> Shown:
    """Title, heads and rows of the table for the terminal."""
    keys = (("dice", 3), ("surface_dice", 3), ("hd95_median", 2), ("size_error", 2))
    rows = [
        (one.structure, str(one.n_cases), *(cell_of(one.figures[key], digits) for key, digits in keys))
        for one in evaluation.structures
    ]
    scale = evaluation.scale
    heads = (
        *("structure", "cases", "Dice", f"NSD at {scale.tolerance:g} {scale.length}"),
        *(f"HD95 median ({scale.length})", f"size error ({scale.amount})"),
    )
    return f"{evaluation.n_cases} cases", heads, rows


def judge_candidates(asked: Asked) -> Told:
    """Tables of candidates and lesions."""
    from hounsfield.evaluation import (
        PATIENT_COLUMNS,
        detection_record,
        evaluate_detections,
        patients_of,
        read_detections,
        write_detection_evaluation,
    )

    path = Path(str(asked.candidates))
    own = read_detections(
        path,
        Path(str(asked.truth)),
        ignored=asked.ignored,
        series=asked.series,
        series_column=asked.case_column,
    )
    patients = patients_of(asked.patients, own.scans, PATIENT_COLUMNS) if asked.patients else None
    evaluation = evaluate_detections(own, patients=patients, n_resamples=asked.resamples, seed=asked.seed)
    title = asked.title or f"Detections of {path.name}"
    page = write_detection_evaluation(evaluation, asked.out, title=title)
    rows = [(f"{rate:g}", cell_of(interval)) for rate, interval in evaluation.sensitivity.items()]
    rows.append(("CPM", cell_of(evaluation.cpm)))
    head = f"{own.matched.n_images} scans, {own.matched.hit_score.size} lesions"
    shown = (head, ("false positives a scan", "sensitivity"), rows)
    return Told(detection_record(evaluation, title), (shown,), (f"Evaluation: {page}",))


FORMS: dict[str, Callable[[Asked], Told]] = {
    "MODEL DATA": judge_model,
    "--predictions": judge_predictions,
    "--masks": judge_outlines,
    "--candidates": judge_candidates,
}
