"""The forms of `hounsfield evaluate`: each reads what was given, judges, writes the page, and says what to print."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.cli._evaluate_asked import Asked, Told, cell_of, pairs_of
from hounsfield.cli._evaluate_model import judge_model
from hounsfield.cli._evaluate_tables import judge_predictions

if TYPE_CHECKING:
    from collections.abc import Callable

    from hounsfield.cli._evaluate_asked import Shown
    from hounsfield.evaluation import MaskEvaluation


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
