"""A model that tells classes apart, judged: classes, each class alone, outlines, and what its guard refused.

Training judges what it has just fitted with this, and `hu evaluate MODEL DATA` any bundle; tables of probabilities of
classes that exclude each other take the same way, without outlines and guard.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.evaluation.by_label import TableEvaluation, evaluate_table
from hounsfield.evaluation.by_structure import MaskEvaluation, evaluate_masks
from hounsfield.evaluation.class_figures import Evaluation, Predictions, evaluate
from hounsfield.evaluation.class_sections import CLASS_METHODS, OVERALL, class_section
from hounsfield.evaluation.document import (
    Document,
    FigureTable,
    Section,
    cell,
    counted,
    figure_record,
    head_record,
    write_document,
)
from hounsfield.evaluation.label_sections import (
    NO_PATIENTS,
    label_methods,
    label_sections,
    labels_record,
)
from hounsfield.evaluation.label_statistics import Use
from hounsfield.evaluation.mask_sections import mask_methods, mask_sections
from hounsfield.evaluation.prediction_table import PredictionTable
from hounsfield.metrics import Interval, cluster_bootstrap, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.evaluation.label_sections import PictureOf
    from hounsfield.evaluation.mask_sections import Volume
    from hounsfield.evaluation.overlaps import Overlap, Scale

OUTLINE = "outline"
PREDICTIONS_FILE = "predictions.csv"


@dataclass(frozen=True, slots=True)
class About:
    """The page's words. said: what was judged on what. methods: what was done, before the statistics.

    model: name, version, digest and the like for the record; empty for tables. warnings and left_out: in sentences.
    """

    title: str
    said: str
    methods: str = ""
    model: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """What was outlined in the cases. volume: gives the pictures of the worst."""

    overlaps: tuple[Overlap, ...]
    scale: Scale
    volume: Volume | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AsLabels:
    """The classes once more, each against the others: with groups, and how each is used (threshold, prevalence)."""

    table: PredictionTable
    uses: Mapping[str, Use] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Foreign:
    """Pictures that the guard should refuse: their kind, number, and the share that was refused."""

    name: str
    n: int
    share: Interval


@dataclass(frozen=True, slots=True, eq=False)
class Guarded:
    """What the guard did. refused: (n,) of the judged cases. foreign: of other pictures."""

    refused: NDArray[np.bool_]
    foreign: tuple[Foreign, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class GuardEvaluation:
    """What the guard refused of the judged cases, and the figures of the others. accepted: None where none is left."""

    refused: NDArray[np.bool_]
    share: Interval
    accepted: Evaluation | None
    foreign: tuple[Foreign, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The part `guard` of evaluation.json."""
        return {
            "n_refused": int(self.refused.sum()),
            "share": figure_record(self.share),
            "figures_without_refused": self.accepted.to_json()["figures"] if self.accepted else None,
            "foreign": [
                {"name": one.name, "n": one.n, "refused": figure_record(one.share)} for one in self.foreign
            ],
        }


@dataclass(frozen=True, slots=True, eq=False)
class ModelEvaluation:
    """Everything that was computed of a model or of a table of classes. labels: each class against the others."""

    classes: Evaluation
    labels: TableEvaluation
    outlines: Outlines | None = None
    masks: MaskEvaluation | None = None
    guard: GuardEvaluation | None = None


def evaluate_model(
    predictions: Predictions,
    *,
    as_labels: AsLabels | None = None,
    outlines: Outlines | None = None,
    guarded: Guarded | None = None,
    seed: int = 0,
    n_resamples: int = 1000,
) -> ModelEvaluation:
    """Judge `predictions`. as_labels: made here, with their locked thresholds, if None. The same seed gives the same
    intervals.
    """
    if as_labels is None:
        uses = {name: Use(limit) for name, limit in predictions.present_from.items()}
        as_labels = AsLabels(one_against_others(predictions), uses)
    classes = evaluate(predictions, seed=seed, n_resamples=n_resamples)
    labels = evaluate_table(as_labels.table, uses=as_labels.uses, n_resamples=n_resamples, seed=seed)
    masks = None
    if outlines is not None and outlines.overlaps:
        patients = dict(zip(predictions.names, predictions.groups, strict=True))
        masks = evaluate_masks(
            outlines.overlaps, outlines.scale, patients=patients, n_resamples=n_resamples, seed=seed
        )
    guard = None
    if guarded is not None:
        refused, accepted = guarded.refused, None
        if refused.any() and not refused.all():
            accepted = evaluate(predictions.only(~refused), seed=seed, n_resamples=n_resamples)
        guard = GuardEvaluation(refused, _share(refused, predictions.groups, seed), accepted, guarded.foreign)
    return ModelEvaluation(classes, labels, outlines, masks, guard)


def one_against_others(
    predictions: Predictions,
    *,
    has_patients: bool = True,
    groups: Mapping[str, NDArray[np.str_]] | None = None,
    left_out: tuple[str, ...] = (),
) -> PredictionTable:
    """Classes as labels: each against all others."""
    truth = np.stack([predictions.labels == k for k in range(len(predictions.classes))])
    return PredictionTable(
        np.array(predictions.names),
        np.array(predictions.groups),
        has_patients,
        predictions.classes,
        truth,
        np.ones_like(truth),
        np.ascontiguousarray(predictions.probabilities.T),
        groups or {},
        left_out,
    )


def _share(refused: NDArray[np.bool_], groups: Sequence[str], seed: int) -> Interval:
    """Share refused, by groups; Wilson's interval where all or none were, which resampling cannot tell from certainty."""
    n_refused = int(refused.sum())
    if n_refused in {0, refused.size}:
        return wilson_interval(n_refused, refused.size)
    rng = np.random.default_rng(seed)
    return cluster_bootstrap(lambda index: float(refused[index].mean()), groups, rng=rng)


def model_record(evaluation: ModelEvaluation, about: About) -> dict[str, Any]:
    """What evaluation.json holds: parts `classes`, `labels`, and where there are any `masks`, `guard` and `model`."""
    table = evaluation.labels.table
    record = head_record(
        "classes",
        about.title,
        n_cases=evaluation.classes.n_cases,
        n_patients=evaluation.classes.n_groups if table.has_patients else None,
        methods=" ".join(_methods(evaluation, about)),
        left_out=[*about.left_out, *table.left_out],
        seed=evaluation.labels.seed,
        n_resamples=evaluation.labels.n_resamples,
        classes=evaluation.classes.to_json(),
        **labels_record(evaluation.labels),
    )
    if evaluation.masks is not None:
        record["masks"] = evaluation.masks.to_json()
    if evaluation.guard is not None:
        record["guard"] = evaluation.guard.to_json()
    if about.model:
        record["model"] = dict(about.model)
    return record


def write_model_evaluation(
    evaluation: ModelEvaluation, about: About, folder: Path, *, picture_of: PictureOf | None = None
) -> Path:
    """Write `evaluation.json` and `evaluation.html` into `folder`, of a model `predictions.csv` too; returns the page's path.

    picture_of: gives the picture of a case as a data URI, for the worst cases.
    """
    classes, table = evaluation.classes, evaluation.labels.table
    facts = [(f"{classes.n_cases:,}", "cases")]
    if table.has_patients:
        facts.append((f"{classes.n_groups:,}", "patients or groups" if about.model else "patients"))
    facts.append(_fact(classes.figures["auroc"].overall, "AUROC, mean over classes"))
    facts.append(_fact(classes.figures["accuracy"].overall, "accuracy"))
    if evaluation.masks is not None:
        facts.append(_fact(evaluation.masks.macro["dice"], "Dice of the outline"))
    summary, *panels = label_sections(evaluation.labels, picture_of)
    sections = [summary, class_section(classes)]
    if evaluation.masks is not None and evaluation.outlines is not None:
        sections += mask_sections(evaluation.masks, evaluation.outlines.volume)
    if evaluation.guard is not None:
        sections.append(_guard_section(classes, evaluation.guard))
    document = Document(
        title=about.title,
        said=about.said,
        facts=tuple(facts),
        sections=(*sections, *panels),
        methods=_methods(evaluation, about),
        warnings=(*about.warnings, *(() if table.has_patients else (NO_PATIENTS,))),
        remarks=tuple(f"{sentence}." for sentence in (*about.left_out, *table.left_out)),
    )
    page = write_document(model_record(evaluation, about), document, folder)
    if about.model:
        _write_predictions(evaluation, folder / PREDICTIONS_FILE)
    return page


def _write_predictions(evaluation: ModelEvaluation, path: Path) -> None:
    """What the model said of each case, as `hu evaluate --task classes --probability-prefix prob_` reads it."""
    table = evaluation.labels.table
    refused = evaluation.guard.refused if evaluation.guard is not None else None
    dice = {row.case: row.dice for row in evaluation.masks.overlaps} if evaluation.masks is not None else {}
    header = ["case_id", "patient_id", "label", *(f"prob_{name}" for name in table.labels), "refused", "dice"]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(header)
        for k, case in enumerate(table.cases.tolist()):
            said = [repr(float(value)) for value in table.probability[:, k]]
            label = table.labels[int(table.truth[:, k].argmax())]
            guarded = "" if refused is None else int(refused[k])
            rows.writerow([case, table.patients[k], label, *said, guarded, dice.get(case, "")])


def _fact(interval: Interval | None, meaning: str) -> tuple[str, str]:
    value, _, limits = cell(interval).partition(" (")
    return value, f"{meaning}; 95 % interval {limits.rstrip(')') or 'none'}"


def _methods(evaluation: ModelEvaluation, about: About) -> tuple[str, ...]:
    said = [about.methods] if about.methods else []
    said += [*label_methods(evaluation.labels), CLASS_METHODS]
    if evaluation.masks is not None:
        said += mask_methods(evaluation.masks)
    if evaluation.guard is not None:
        said.append(
            "The model's input guard judged every case before it was read. Figures are of all cases, refused ones too; "
            "those without the refused ones stand beside them, because a reader would not have seen an answer there."
        )
    return tuple(said)


def _guard_section(classes: Evaluation, guard: GuardEvaluation) -> Section:
    """How many cases the guard refused, the figures with and without them, and what it did with foreign pictures."""
    n_refused = int(guard.refused.sum())
    said = f"The guard refused {counted(n_refused, 'case')} of {guard.refused.size:,}: a share of {cell(guard.share)}."
    tables = []
    if guard.accepted is not None:
        rows = [
            (OVERALL[name], cell(item.overall), cell(guard.accepted.figures[name].overall))
            for name, item in classes.figures.items()
            if item.overall is not None
        ]
        tables.append(
            FigureTable(
                "Figures with and without the refused cases.",
                ("figure", f"all {guard.refused.size:,} cases", f"without the {n_refused} refused"),
                tuple(rows),
            )
        )
    if guard.foreign:
        foreign = tuple((one.name, f"{one.n:,}", cell(one.share)) for one in guard.foreign)
        tables.append(
            FigureTable(
                "Pictures that the guard should refuse.", ("pictures", "number", "share refused"), foreign
            )
        )
    return Section("Input guard", said=(said,), tables=tuple(tables))
