"""An evaluation of continuous values as a record for programs, and as the parts of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.evaluation.document import (
    Chart,
    Document,
    FigureTable,
    Picture,
    Section,
    cell,
    counted,
    head_record,
    write_document,
)
from hounsfield.evaluation.label_sections import NO_PATIENTS
from hounsfield.evaluation.mask_charts import bland_altman_chart
from hounsfield.evaluation.value_evaluation import FEWEST_CASES

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.evaluation.value_evaluation import QuantityFigures, ValueEvaluation

N_WORST = 8
_COLUMNS = (
    ("bias", "bias", 2),
    ("mae", "mean absolute error", 2),
    ("rmse", "root mean square error", 2),
    ("limit_low", "lower limit of agreement", 2),
    ("limit_high", "upper limit of agreement", 2),
    ("correlation", "correlation", 3),
    ("concordance", "concordance", 3),
    ("icc", "ICC(2,1)", 3),
)


def value_record(evaluation: ValueEvaluation, title: str) -> dict[str, Any]:
    """What evaluation.json holds: `values.<quantity>.<figure>` has `value` and `ci95`."""
    table = evaluation.table
    return head_record(
        "values",
        title,
        n_cases=len(table.cases),
        n_patients=evaluation.n_patients if table.has_patients else None,
        methods=" ".join(value_methods(evaluation)),
        left_out=list(table.left_out),
        seed=evaluation.seed,
        n_resamples=evaluation.n_resamples,
        values={one.quantity: one.to_json() for one in evaluation.quantities},
    )


def write_value_evaluation(evaluation: ValueEvaluation, folder: Path, *, title: str) -> Path:
    """Write `evaluation.json` and `evaluation.html` into `folder`; returns the page's path."""
    table = evaluation.table
    facts = [(f"{len(table.cases):,}", "cases")]
    if table.has_patients:
        facts.append((f"{evaluation.n_patients:,}", "patients"))
    facts.append((str(len(table.quantities)), "quantity" if len(table.quantities) == 1 else "quantities"))
    document = Document(
        title=title,
        said="Evaluation of predicted values against measured ones. Every figure has a 95 % interval from resampling "
        f"{'patients' if table.has_patients else 'cases'}.",
        facts=tuple(facts),
        sections=(_summary(evaluation), *(_panel(evaluation, k) for k in range(len(table.quantities)))),
        methods=value_methods(evaluation),
        warnings=() if table.has_patients else (NO_PATIENTS,),
        remarks=tuple(f"{sentence}." for sentence in table.left_out),
    )
    return write_document(value_record(evaluation, title), document, folder)


def value_methods(evaluation: ValueEvaluation) -> tuple[str, ...]:
    """The paragraph for a paper."""
    table = evaluation.table
    of = f" of {counted(evaluation.n_patients, 'patient')}" if table.has_patients else ""
    unit = (
        "patients" if table.has_patients else "cases (no patient was stated, so cases count as independent)"
    )
    said = f"""The index test gave {counted(len(table.quantities), "quantity", "quantities")} on
        {counted(len(table.cases), "case")}{of}; the reference standard is the measured value of each case (CLAIM 2024).
        Differences are predicted minus measured: their mean is the bias, with limits of agreement at 1.96 standard
        deviations (Bland and Altman 1986); beside them stand mean absolute and root mean square error, Pearson's
        correlation, and two that fall with bias too: Lin's concordance correlation (1989) and the intraclass
        correlation of absolute agreement, ICC(2,1) (Shrout and Fleiss 1979). 95 % intervals are percentiles of
        {evaluation.n_resamples:,} resamples of {unit} (Field and Welsh 2007; seed {evaluation.seed}). Cases with a blank on
        either side were left out for that quantity; fewer than {FEWEST_CASES} cases give no figure."""
    return (" ".join(said.split()),)


def _row(one: QuantityFigures) -> tuple[str, ...]:
    if one.withheld:
        return (one.quantity, f"{one.n:,}", f"not given: {one.withheld}")
    return (one.quantity, f"{one.n:,}", *(cell(one.figures[name], digits) for name, _, digits in _COLUMNS))


def _summary(evaluation: ValueEvaluation) -> Section:
    table = FigureTable(
        "Agreement by quantity, with 95 % intervals, in the unit of each quantity.",
        ("quantity", "n", *(title for _, title, _ in _COLUMNS)),
        tuple(_row(one) for one in evaluation.quantities),
        "Differences are predicted minus measured.",
    )
    return Section("Summary", tables=(table,))


def _panel(evaluation: ValueEvaluation, k: int) -> Section:
    one, table = evaluation.quantities[k], evaluation.table
    if one.withheld:
        return Section(one.quantity, said=(f"No figures: {one.withheld}.",))
    known = np.flatnonzero(np.isfinite(table.truth[k]) & np.isfinite(table.said[k]))
    truth, said = table.truth[k][known], table.said[k][known]
    limits = [one.figures[name] for name in ("limit_low", "bias", "limit_high")]
    chart = Chart(
        bland_altman_chart(
            (truth + said) / 2,
            said - truth,
            limits,
            titles=(f"{one.quantity}: mean of both", "predicted \u2212 measured"),
            width=560,
        ),
        "Bland-Altman plot: bias and limits of agreement, intervals shaded.",
        is_wide=True,
    )
    worst = np.argsort(-np.abs(said - truth), kind="stable")[:N_WORST]
    pictures = tuple(
        Picture("", str(table.cases[known[i]]), f"predicted {said[i]:.4g}, measured {truth[i]:.4g}")
        for i in worst
    )
    return Section(one.quantity, charts=(chart,), pictures=pictures, legend="Largest differences.")
