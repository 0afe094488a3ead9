"""`hounsfield evaluate`: how good predictions are, for whom, at which threshold, with an interval on everything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hounsfield.cli._terminal import print_json
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.evaluation import TableEvaluation

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def evaluate(
    predictions: Annotated[Path, typer.Option(help="Table of probabilities, a row a case (CSV, also .gz).")],
    labels: Annotated[
        Path | None, typer.Option(help="Table of labels; without it they stand in the predictions.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for evaluation.html and .json.")] = Path(
        "evaluation"
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
    group: Annotated[
        list[str] | None, typer.Option(help="Column to look at apart, such as sex; repeatable.")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL=VALUE", help="Threshold locked on other data; repeatable."),
    ] = None,
    compare: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TABLE[:PREFIX]", help="Another model on the same cases; repeatable."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of pictures named after the cases, for the worst ones.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    resamples: Annotated[int, typer.Option(min=100, max=100_000, help="Resamples of patients.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal intervals.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print evaluation.json.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no table.")] = False,
) -> None:
    """Judge predictions against labels: figures with intervals, and a page."""
    from hounsfield.evaluation import (
        Columns,
        evaluate_table,
        read_prediction_table,
        read_probabilities,
        table_record,
        write_table_evaluation,
    )

    columns = Columns(case_column, patient_column, probability_prefix, tuple(group or ()))
    table = read_prediction_table(predictions, labels, columns)
    if images is not None and not images.is_dir():
        raise UsageError(f"there is no folder {images} of pictures")
    others = {
        name: read_probabilities(path, table, Columns(case_column, probability_prefix=prefix))
        for name, path, prefix in map(_compared, compare or ())
    }
    evaluation = evaluate_table(
        table,
        thresholds=thresholds_by_label(threshold or ()),
        others=others,
        n_resamples=resamples,
        seed=seed,
    )
    title = title or f"Predictions of {predictions.name}"
    page = write_table_evaluation(evaluation, out, title=title, images=images)
    if as_json:
        print_json(table_record(evaluation, title))
        return
    if not quiet:
        _print(evaluation)
    print(f"Evaluation: {page}")
    print("Research use only. Not a medical device.")


def thresholds_by_label(stated: Sequence[str]) -> dict[str, float]:
    """Thresholds by label from LABEL=VALUE."""
    found = {}
    for one in stated:
        name, equals, value = one.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError:
            equals = ""
        if not equals or not name or not 0.0 <= found[name] <= 1.0:
            raise UsageError(f"--threshold {one} is not of the form LABEL=VALUE with a value from 0 to 1")
    return found


def _compared(stated: str) -> tuple[str, Path, str]:
    """Name, table and prefix from NAME=TABLE[:PREFIX]."""
    name, equals, rest = stated.partition("=")
    path, _, prefix = rest.rpartition(":") if ":" in rest else (rest, "", "")
    if not equals or not name or not path:
        raise UsageError(f"--compare {stated} is not of the form NAME=TABLE or NAME=TABLE:PREFIX")
    return name, Path(path), prefix


def _print(evaluation: TableEvaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    from hounsfield.evaluation import cell

    shown = Table(title=f"{len(evaluation.table.cases)} cases, {evaluation.n_patients} patients", box=None)
    for name in ("label", "positive", "AUROC", "av. precision"):
        shown.add_column(name, justify="left" if name == "label" else "right", no_wrap=True)
    for one in evaluation.labels:
        figures = [cell(one.figures.get(name)) for name in ("auroc", "average_precision")]
        shown.add_row(one.label, str(one.n_positive), *figures)
    shown.add_row(
        "mean", "", cell(evaluation.macro["auroc"]), cell(evaluation.macro["average_precision"]), ""
    )
    Console().print(shown)
