"""`hounsfield audit bias`: predictions by sex, age, view, site, scanner or any column, and by pairs of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli._audit_answer import Shown, answer
from hounsfield.cli._evaluate_asked import thresholds_by_label

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def bias(
    predictions: Annotated[Path, typer.Option(help="Table of probabilities, a row a case (CSV, also .gz).")],
    group: Annotated[
        list[str], typer.Option(help="Column of groups, such as sex, age, view, site or scanner; repeatable.")
    ],
    labels: Annotated[
        Path | None, typer.Option(help="Table of labels; without it they stand in the predictions.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for audit.html and audit.json.")] = Path(
        "audit-bias"
    ),
    case_column: Annotated[
        str | None, typer.Option(help="Column that names the case; else the first.")
    ] = None,
    patient_column: Annotated[
        str | None, typer.Option(help="Column that names the patient; else patient_id.")
    ] = None,
    probability_prefix: Annotated[
        str, typer.Option(help="What stands before a label in columns of predictions.")
    ] = "",
    threshold: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL=VALUE", help="Threshold locked on other data; repeatable."),
    ] = None,
    single: Annotated[
        bool, typer.Option("--single", help="Look at each column alone, not at pairs of columns.")
    ] = False,
    into_card: Annotated[
        Path | None, typer.Option(help="Write the dated summary into the card of this bundle.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    resamples: Annotated[int, typer.Option(min=100, max=100_000, help="Resamples of patients.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal intervals.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print audit.json.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no table.")] = False,
) -> None:
    """Judge predictions by group: gaps with intervals, calibration, thresholds, what would change."""
    from hounsfield.evaluation import Columns, read_prediction_table
    from hounsfield.evaluation.audit import audit_bias, bias_sections

    columns = Columns(case_column, patient_column, probability_prefix, tuple(group))
    table = read_prediction_table(predictions, labels, columns)
    audit = audit_bias(
        table,
        thresholds=thresholds_by_label(threshold),
        crossed=not single,
        n_resamples=resamples,
        seed=seed,
    )
    about = {
        "predictions": predictions.name,
        "cases": f"{len(table.cases)} of {len(set(table.patients.tolist()))} patients",
        "labels": ", ".join(table.labels),
        "groups": ", ".join(group),
    }
    if not table.has_patients:
        about["cases"] = f"{len(table.cases)}; no column names the patient"
    answer(
        bias_sections(audit),
        out,
        title=title or f"Bias of predictions of {predictions.name}",
        about=about,
        shown=Shown("bias", f"{predictions.name} ({about['cases']})", into_card, as_json, quiet),
    )
