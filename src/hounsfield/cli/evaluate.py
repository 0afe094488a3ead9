"""`hounsfield evaluate`: how good predictions are, for whom, at which threshold, with an interval on everything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.core.errors import UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_EVERYWHERE = ("out", "title", "resamples", "seed", "as_json", "quiet")
_TABLE = (
    *("predictions", "labels", "task", "case_column", "patient_column", "probability_prefix"),
    *("group", "threshold", "thresholds", "prevalence", "images"),
)
_LOCK = ("lock_thresholds", "sensitivity", "specificity", "youden")
# What each form takes beside _EVERYWHERE: another option is a mistake that is told.
_TAKES: dict[str, tuple[str, ...]] = {
    "MODEL DATA": ("model", "data", "part", "adapter", "column", "group"),
    "--predictions": (*_TABLE, *_LOCK, "compare", "label_column"),
    "--masks": (*("masks", "truth", "tolerance_mm", "name", "missing_as_empty", "patients", "images"),),
    "--candidates": ("candidates", "truth", "ignored", "series", "case_column", "patients"),
}


@app.command()
def evaluate(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Argument(help="Bundle to run: its name or folder.")] = None,
    data: Annotated[
        Path | None,
        typer.Argument(help="Its data: a folder, a table of paths and labels (CSV), or a recipe (YAML)."),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Table of probabilities or values, a row a case (CSV, also .gz).")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Table of labels; without it they stand in the predictions.")
    ] = None,
    masks: Annotated[Path | None, typer.Option(help="Folder of found outlines, a file a case.")] = None,
    candidates: Annotated[
        Path | None, typer.Option(help="Table of candidates: seriesuid, coordX/Y/Z, probability.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Folder of true outlines; or table of lesions with diameter_mm.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for evaluation.html and .json.")] = Path(
        "evaluation"
    ),
    task: Annotated[
        str,
        typer.Option(
            help="Of predictions: labels, classes (that exclude each other) or regression (values)."
        ),
    ] = "labels",
    part: Annotated[str, typer.Option(help="Part of a recipe's split: train, tune or test.")] = "test",
    adapter: Annotated[str, typer.Option(help="What reads DATA that is no recipe.")] = "csv-table",
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE=NAME", help="Column of DATA for image, label, group or mask; repeatable."),
    ] = None,
    case_column: Annotated[
        str | None, typer.Option(help="Column that names the case (or scan); else the first.")
    ] = None,
    patient_column: Annotated[
        str | None, typer.Option(help="Column that names the patient; else patient_id.")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column of the true class (--task classes); else label.")
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
    thresholds: Annotated[
        Path | None, typer.Option(help="File of thresholds that --lock-thresholds wrote on other data.")
    ] = None,
    prevalence: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL=VALUE", help="Prevalence in use, for PPV and NPV there; repeatable."),
    ] = None,
    lock_thresholds: Annotated[
        Path | None, typer.Option(help="Only choose thresholds on these data and write them to this file.")
    ] = None,
    sensitivity: Annotated[
        float | None, typer.Option(help="Lock the highest threshold with this sensitivity.")
    ] = None,
    specificity: Annotated[
        float | None, typer.Option(help="Lock the lowest threshold with this specificity.")
    ] = None,
    youden: Annotated[bool, typer.Option("--youden", help="Lock where both together are largest.")] = False,
    compare: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TABLE[:PREFIX]", help="Another model on the same cases; repeatable."),
    ] = None,
    tolerance_mm: Annotated[float, typer.Option(min=0.0, help="Tolerance of the surface Dice.")] = 2.0,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBER=NAME", help="Name of a label in the masks; repeatable."),
    ] = None,
    missing_as_empty: Annotated[
        bool, typer.Option("--missing-as-empty", help="Count a case without found outline as empty.")
    ] = False,
    ignored: Annotated[
        Path | None, typer.Option(help="Table of irrelevant findings, neither hit nor false.")
    ] = None,
    series: Annotated[Path | None, typer.Option(help="Table of all scans, those without marks too.")] = None,
    patients: Annotated[
        Path | None, typer.Option(help="Table of case (or scan) and patient_id, for masks and candidates.")
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
    """Judge a model on data, or predictions, outlines or detections against truth: figures with intervals, and a page."""
    stated = {key: value for key, value in locals().items() if key != "ctx"}
    from hounsfield.cli._evaluate_asked import Asked, finish
    from hounsfield.cli._evaluate_forms import FORMS

    sources = {key: ctx.get_parameter_source(key) for key in stated}
    form = _form([key for key, source in sources.items() if source and source.name == "COMMANDLINE"])
    finish(FORMS[form](Asked(**stated)), as_json=as_json, quiet=quiet)


def _form(given: list[str]) -> str:
    """What is to be judged, by what was given; raises UsageError for none, several, or options of another."""
    starts = {"MODEL DATA": "model", "--predictions": "predictions", "--masks": "masks"}
    starts["--candidates"] = "candidates"
    found = [form for form, start in starts.items() if start in given]
    if len(found) != 1:
        said = "one of them" if found else "something to judge"
        raise UsageError(
            f"give {said}: a bundle and its data (MODEL DATA), --predictions, --masks with --truth, or --candidates with "
            "--truth"
        )
    form = found[0]
    needed = {"MODEL DATA": "data", "--masks": "truth", "--candidates": "truth"}.get(form)
    if needed is not None and needed not in given:
        missing = "DATA" if needed == "data" else "--truth"
        raise UsageError(f"{form} needs {missing}, what it is judged against")
    foreign = [key for key in given if key not in (*_TAKES[form], *_EVERYWHERE)]
    if foreign:
        words = ", ".join(_as_typed(key) for key in foreign)
        takes = ", ".join(_as_typed(key) for key in _TAKES[form])
        raise UsageError(f"{words} does not go with {form}, which takes {takes}")
    return form


def _as_typed(key: str) -> str:
    return {"model": "MODEL", "data": "DATA"}.get(key, "--" + key.replace("_", "-"))
