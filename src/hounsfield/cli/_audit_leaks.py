"""`hounsfield audit leaks`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli._audit_answer import Shown, answer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def leaks(
    train: Annotated[
        Path, typer.Argument(help="Training data: folder, table (CSV), stack (.npz); or one table of both.")
    ],
    test: Annotated[Path | None, typer.Argument(help="Test data; not with --split-column.")] = None,
    split_column: Annotated[
        str | None, typer.Option(help="Of one table: which part a row belongs to.")
    ] = None,
    train_part: Annotated[
        list[str] | None, typer.Option("--train", help="Value of the split column; repeatable.")
    ] = None,
    test_part: Annotated[
        list[str] | None, typer.Option("--test", help="Value of the split column; repeatable.")
    ] = None,
    patient_column: Annotated[str | None, typer.Option(help="Of a table: the patient.")] = None,
    study_column: Annotated[str | None, typer.Option(help="Of a table: the study.")] = None,
    site_column: Annotated[str | None, typer.Option(help="Of a table: the site.")] = None,
    file_column: Annotated[
        str | None, typer.Option(help="Of a table: pictures, named from the table's folder.")
    ] = None,
    text_column: Annotated[str | None, typer.Option(help="Of a table: the report.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Of a table: another identifier that must differ; repeatable.")
    ] = None,
    false_pairs: Annotated[
        float,
        typer.Option(min=0.0001, help="Different pictures that may be told as like, in the whole audit."),
    ] = 0.5,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for audit.html and audit.json.")] = Path(
        "audit-leaks"
    ),
    into_card: Annotated[
        Path | None, typer.Option(help="Bundle whose card takes the summary; its digests are renewed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print audit.json.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no verdicts.")] = False,
) -> None:
    """Look for what test data share with training data: patients, studies, files, pixels, copies, sites."""
    from hounsfield.core.errors import UsageError
    from hounsfield.evaluation.audit import (
        LeakColumns,
        leak_section,
        look_for_leaks,
        read_items,
        read_split_table,
    )

    default = LeakColumns()
    columns = LeakColumns(
        split_column, patient_column, study_column, site_column, file_column, text_column, tuple(column or ()),
        tuple(one.lower() for one in train_part or default.train),
        tuple(one.lower() for one in test_part or default.test),
    )  # fmt: skip
    if (test is None) == (split_column is None):
        raise UsageError("give TRAIN and TEST, or one table with --split-column.")
    if test is None:
        learned, judged, told = read_split_table(train, columns)
    else:
        learned, told = read_items(train, columns)
        judged, also_told = read_items(test, columns)
        told = (*told, *also_told)
    report = look_for_leaks(learned, judged, false_pairs=false_pairs)
    section = leak_section(report, learned, judged, told=told)
    title = f"Leaks from {train.name}" + (f" to {test.name}" if test else "")
    about = {"training": train.name, "test": (test or train).name}
    answer(
        (section,),
        out,
        title=title,
        about=about,
        shown=Shown("leaks", f"{about['training']} against {about['test']}", into_card, as_json, quiet),
    )
