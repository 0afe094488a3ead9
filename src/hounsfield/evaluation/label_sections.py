"""An evaluation by label as a record for programs, and as the parts of the page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.evaluation.case_pictures import picture_of_file
from hounsfield.evaluation.charts import roc_chart
from hounsfield.evaluation.document import (
    Chart,
    Document,
    FigureTable,
    Picture,
    Section,
    Slider,
    cell,
    counted,
    figure_record,
    head_record,
    write_document,
)
from hounsfield.evaluation.label_charts import (
    decision_chart,
    forest_chart,
    precision_recall_chart,
    reliability_chart,
    thinned,
)
from hounsfield.evaluation.label_statistics import DECISIONS, FEWEST_CASES, N_BINS
from hounsfield.metrics import roc_curve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.evaluation.by_label import LabelFigures, TableEvaluation
    from hounsfield.metrics import Interval

    PictureOf = Callable[[str], str]

N_WORST, N_SLIDER = 4, 160
_SUMMARY = (
    ("auroc", "AUROC", 3),
    ("average_precision", "average precision", 3),
    ("brier", "Brier score", 3),
    ("ece", "calibration error", 3),
    ("calibration_slope", "calibration slope", 2),
    ("calibration_in_the_large", "calibration in the large", 2),
)
_AT_USE = (("ppv_at_prevalence", "PPV in use"), ("npv_at_prevalence", "NPV in use"))
NO_PATIENTS = (
    "No column names the patient. Cases of one patient resemble each other, so the true intervals are wider. Name the "
    "column with --patient-column."
)


def table_record(evaluation: TableEvaluation, title: str) -> dict[str, Any]:
    """What evaluation.json holds: `labels.<name>.<figure>` has `value` and `ci95`."""
    table = evaluation.table
    return head_record(
        "labels",
        title,
        n_cases=len(table.cases),
        n_patients=evaluation.n_patients if table.has_patients else None,
        methods=" ".join(label_methods(evaluation)),
        left_out=list(table.left_out),
        seed=evaluation.seed,
        n_resamples=evaluation.n_resamples,
        **labels_record(evaluation),
    )


def labels_record(evaluation: TableEvaluation) -> dict[str, Any]:
    """`labels`, `macro` and `comparisons` of a record."""
    return {
        "labels": {one.label: one.to_json() for one in evaluation.labels},
        "macro": {name: figure_record(interval) for name, interval in evaluation.macro.items()},
        "comparisons": [one.to_json() for one in evaluation.comparisons],
    }


def label_methods(evaluation: TableEvaluation) -> tuple[str, ...]:
    """Paragraphs for a paper: test and reference, statistics with their sources, thresholds; numbers of this run."""
    table = evaluation.table
    what = _unit(evaluation)
    said = f"""Index test and reference standard (CLAIM 2024, STARD-AI): the index test gave a probability for
        {counted(len(table.labels), "label")} on {counted(len(table.cases), "case")}{what}; the reference standard is the
        label of each case, and cases whose label is unknown were left out for that label alone. Discrimination is the
        area under the ROC curve (Hanley and McNeil 1982) and average precision; calibration is the Brier score, the
        expected error over ten bins of equal count, and intercept and slope of the logistic recalibration line (Cox
        1958) with errors clustered by patient; clinical utility is shown by net benefit (Vickers and Elkin 2006)."""
    patients = (
        "patients" if table.has_patients else "cases (no patient was stated, so cases count as independent)"
    )
    sure = f"""Uncertainty (TRIPOD+AI: performance with intervals, also by group): 95 % intervals are percentiles of
        {evaluation.n_resamples:,} resamples of {patients} (Field and Welsh 2007; seed {evaluation.seed}); DeLong's
        interval (1988), which takes cases as independent, stands beside the areas, and likelihood ratios have that of
        Simel 1991. Figures from fewer than {FEWEST_CASES} positive or negative cases are not given."""
    return tuple(" ".join(text.split()) for text in (said, f"{sure} {_methods_of_decisions(evaluation)}"))


def _unit(evaluation: TableEvaluation) -> str:
    return f" of {counted(evaluation.n_patients, 'patient')}" if evaluation.table.has_patients else ""


def _methods_of_decisions(evaluation: TableEvaluation) -> str:
    locked = [one.label for one in evaluation.labels if one.threshold is not None]
    said = [
        f"Sensitivity, specificity and predictive values hold at thresholds that were locked on other data "
        f"({', '.join(locked)})."
        if locked
        else "No threshold was locked on other data, so no decision figure is a result: the tables of thresholds only "
        "show what each would give here."
    ]
    used = [one for one in evaluation.labels if one.use.prevalence is not None]
    if used:
        stated = ", ".join(f"{one.label} {one.use.prevalence:.3g}" for one in used)
        said.append(
            f"PPV and NPV in use follow from sensitivity and specificity by Bayes' theorem (Altman and Bland 1994) at the "
            f"stated prevalence ({stated}), resampled with them."
        )
    if evaluation.comparisons:
        said.append(
            "Areas of models on the same cases were compared by the same resamples (normal approximation), all "
            f"{len(evaluation.comparisons)} tests together by Holm's method (1979); DeLong's p is unadjusted."
        )
    return " ".join(said)


def write_table_evaluation(
    evaluation: TableEvaluation, folder: Path, *, title: str, images: Path | None = None
) -> Path:
    """Write `evaluation.json` and `evaluation.html` into `folder`; returns the page's path.

    images: folder of pictures named after the cases, for the worst cases.
    """
    table = evaluation.table
    what = "patients" if table.has_patients else "cases"
    facts = [(f"{len(table.cases):,}", "cases")]
    if table.has_patients:
        facts.append((f"{evaluation.n_patients:,}", "patients"))
    facts += [(str(len(table.labels)), "labels"), macro_fact(evaluation, "labels")]
    document = Document(
        title=title,
        said=f"Evaluation of predictions against labels. Every figure has a 95 % interval from resampling {what}.",
        facts=tuple(facts),
        sections=label_sections(evaluation, partial(picture_of_file, images) if images is not None else None),
        methods=label_methods(evaluation),
        warnings=() if table.has_patients else (NO_PATIENTS,),
        remarks=tuple(f"{sentence}." for sentence in table.left_out),
    )
    return write_document(table_record(evaluation, title), document, folder)


def macro_fact(evaluation: TableEvaluation, over: str) -> tuple[str, str]:
    """The mean area as a large number with its meaning."""
    value, _, limits = cell(evaluation.macro["auroc"]).partition(" (")
    return value, f"AUROC, mean over {over}; 95 % interval {limits.rstrip(')') or 'none'}"


def label_sections(evaluation: TableEvaluation, picture_of: PictureOf | None = None) -> tuple[Section, ...]:
    """The summary, the comparison with other models, then a part for each label.

    picture_of: gives the picture of a case as a data URI, for the worst cases.
    """
    panels = [
        _panel(evaluation, k, one, picture_of) for k, one in enumerate(evaluation.labels) if not one.withheld
    ]
    compared = [_compared(evaluation)] if evaluation.comparisons else []
    return (_summary(evaluation), *compared, *panels)


def _summary(evaluation: TableEvaluation) -> Section:
    names: list[tuple[str, str, int]] = list(_SUMMARY)
    if any(one.threshold is not None for one in evaluation.labels):
        names += [("sensitivity", "sensitivity", 3), ("specificity", "specificity", 3)]
    rows = []
    for one in evaluation.labels:
        row = [one.label, f"{one.n_positive:,} (of {one.n:,})"]
        if one.withheld:
            rows.append((*row, f"not given: {one.withheld}"))
            continue
        rows.append((*row, *(cell(one.figures.get(name), digits) for name, _, digits in names)))
    blank = [""] * (len(names) - 2)
    table = FigureTable(
        "Discrimination and calibration by label, with 95 % intervals.",
        ("label", "positive", *(title for _, title, _ in names)),
        tuple(rows),
        "Slope 1 and calibration in the large 0 are a perfectly calibrated model. Sensitivity and specificity are given "
        "only at thresholds locked on other data.",
        foot=(
            ("mean", "", *(cell(evaluation.macro[name]) for name in ("auroc", "average_precision")), *blank),
        ),
    )
    forest = forest_chart(
        [(one.label, f"{one.n_positive:,}", one.figures.get("auroc")) for one in evaluation.labels],
        "AUROC by label",
        middle=evaluation.macro["auroc"].value,
    )
    chart = Chart(forest, "AUROC by label (positive cases) with 95 % interval; dashed: mean.", is_wide=True)
    return Section("Summary", tables=(table,), charts=(chart,) if len(evaluation.labels) > 1 else ())


def _compared(evaluation: TableEvaluation) -> Section:
    """Areas minus those of the other models: a row a label, a column a model."""
    rows = [
        (
            one.label,
            one.model,
            cell(one.difference, 4),
            f"{one.p:.2g}",
            f"{one.p_adjusted:.2g}",
            f"{one.p_delong:.2g}",
        )
        for one in evaluation.comparisons
    ]
    n_apart = sum(one.p_adjusted < 0.05 for one in evaluation.comparisons)
    table = FigureTable(
        f"Difference of areas, this model minus the other, on the same cases. {n_apart} of {len(rows)} differ after "
        "adjustment for all tests (Holm, p < 0.05).",
        ("label", "minus", "difference of AUROC", "p", "p by Holm", "p by DeLong"),
        tuple(rows),
        "DeLong's p takes cases as independent and is not adjusted.",
        n_text=2,
    )
    return Section("Beside other models", tables=(table,))


def _panel(evaluation: TableEvaluation, k: int, one: LabelFigures, picture_of: PictureOf | None) -> Section:
    """What the page shows of one label: charts, thresholds, groups, worst cases."""
    table = evaluation.table
    cases = np.flatnonzero(table.known[k])
    truth, probability = table.truth[k][cases], table.probability[k][cases]
    false_alarms, sensitivity, _ = _roc(truth, probability)
    charts = [
        Chart(
            roc_chart({f"AUROC {one.figures['auroc'].value:.3f}": (false_alarms, sensitivity)}), "ROC curve."
        ),
        Chart(precision_recall_chart(truth, probability), "Precision and recall; dashed: prevalence."),
        Chart(
            reliability_chart(truth, probability, N_BINS),
            "Calibration in ten bins of equal count; dashed: perfect.",
        ),
        Chart(decision_chart(truth, probability), "Decision curve, hits a case; dashed: acting on all."),
    ]
    if one.by_group:
        said = (
            "AUROC by group (positive / n); dashed: all. A difference may have another cause than the group."
        )
        charts.append(Chart(forest_chart(_forest_rows(one), f"AUROC of {one.label} by group"), said, True))
    _, _, by_delong = cell(one.figures["auroc_delong"]).partition(" (")
    return Section(
        one.label,
        tables=(_thresholds(one),),
        charts=tuple(charts),
        pictures=_worst(table.cases[cases], truth, probability, picture_of),
        legend="Worst cases: positives with the lowest probability, negatives with the highest.",
        slider=_slider(truth, probability),
        lead=f"AUROC {cell(one.figures['auroc'])}; DeLong, cases as independent: {by_delong.rstrip(')')}",
        is_folded=True,
    )


def _thresholds(one: LabelFigures) -> FigureTable:
    rows = [
        (f"{limit:.4g}", *(cell(own[name]) for name in DECISIONS), "", "") for limit, own in one.at.items()
    ]
    if one.threshold is not None:
        ratios = (
            cell(one.figures.get("likelihood_ratio_positive"), 2),
            cell(one.figures.get("likelihood_ratio_negative"), 2),
        )
        rows.insert(
            0,
            (
                f"{one.threshold:.4g} locked on other data",
                *(cell(one.figures[name]) for name in DECISIONS),
                *ratios,
            ),
        )
    if one.use.prevalence is not None:
        at_use = [cell(one.figures[name]) for name, _ in _AT_USE]
        rows.insert(1, (f"the same, at a prevalence of {one.use.prevalence:.3g}", "", "", *at_use, "", ""))
    locked = one.threshold is not None
    columns = ("threshold", "sensitivity", "specificity", "PPV", "NPV", "LR+", "LR\u2212")
    kept = len(columns) if locked else len(columns) - 2
    return FigureTable(
        f"{one.label}: decisions at thresholds.",
        columns[:kept],
        tuple(row[:kept] for row in rows),
        "A threshold chosen from this table is chosen on the test data; its figures here are then too good. PPV and NPV "
        "hold at the prevalence of these cases unless another is stated.",
    )


def _slider(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> Slider:
    """Counts at up to N_SLIDER thresholds, which part the cases evenly."""
    limits = np.unique(np.quantile(probability, np.linspace(0, 1, N_SLIDER), method="higher"))
    hits, alarms = np.sort(probability[truth]), np.sort(probability[~truth])
    counts = [own.size - np.searchsorted(own, limits, side="left") for own in (hits, alarms)]
    points = [
        (float(f"{limit:.6g}"), int(tp), int(fp)) for limit, tp, fp in zip(limits, *counts, strict=True)
    ]
    return Slider(tuple(points), hits.size, alarms.size)


def _roc(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> list[NDArray[Any]]:
    """The ROC curve at as many points as can be seen."""
    rounded = probability
    if probability.size > 4000:
        # Every threshold of a large set is compared with every case by roc_curve; a few thousand show the same line.
        edges = np.quantile(probability, np.linspace(0, 1, 1500), method="higher")
        rounded = edges[np.searchsorted(edges, probability, side="right").clip(1, edges.size) - 1]
    return thinned(roc_curve(truth, rounded))


def _forest_rows(one: LabelFigures) -> list[tuple[str, str, Interval | None]]:
    rows: list[tuple[str, str, Interval | None]] = [
        ("all", f"{one.n_positive}/{one.n}", one.figures["auroc"])
    ]
    for column, values in one.by_group.items():
        rows += [
            (f"{column} {value}", f"{own.n_positive}/{own.n}", own.figures.get("auroc"))
            for value, own in values.items()
        ]
    return rows


def _worst(
    cases: NDArray[np.str_],
    truth: NDArray[np.bool_],
    probability: NDArray[np.float64],
    picture_of: PictureOf | None,
) -> tuple[Picture, ...]:
    """Positives with the lowest probability, then negatives with the highest."""
    misses = np.flatnonzero(truth)[np.argsort(probability[truth], kind="stable")][:N_WORST]
    alarms = np.flatnonzero(~truth)[np.argsort(-probability[~truth], kind="stable")][:N_WORST]
    kinds = [*(("missed", i) for i in misses), *(("false alarm", i) for i in alarms)]
    return tuple(
        Picture(
            picture_of(str(cases[i])) if picture_of is not None else "",
            str(cases[i]),
            f"{kind}: {probability[i]:.3f}",
        )
        for kind, i in kinds
    )
