"""`hounsfield audit record` and `hounsfield audit drift`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hounsfield.cli._audit_answer import Shown, answer
from hounsfield.cli._evaluate_asked import thresholds_by_label
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hounsfield.evaluation.audit import DriftCases

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def record(
    readings: Annotated[
        Path, typer.Argument(help="Folder of readings, or a table of cases (CSV, also .gz).")
    ],
    to: Annotated[Path, typer.Option(help="The record: lines are added at its end.")],
    studies: Annotated[
        Path | None,
        typer.Option(help="Table of studies: study_instance_uid, patient_id, time; more columns are tags."),
    ] = None,
    salt_of: Annotated[
        Path | None, typer.Option(help="Another record whose salt to use, so that one patient has one name.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Time of readings that no table states, as 2026-03-01.")
    ] = None,
    case_column: Annotated[str | None, typer.Option(help="Of a table: the case; else the first.")] = None,
    patient_column: Annotated[
        str | None, typer.Option(help="Of a table: the patient; else patient_id.")
    ] = None,
    time_column: Annotated[str, typer.Option(help="Of a table: the time.")] = "time",
    score_prefix: Annotated[
        str, typer.Option(help="Of a table: what stands before a label in columns of scores.")
    ] = "",
    label: Annotated[
        list[str] | None, typer.Option(help="Of a table: column of 0 and 1; repeatable.")
    ] = None,
    feature: Annotated[
        list[str] | None, typer.Option(help="Of a table: column of numbers; repeatable.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Of a table: column of words; repeatable.")] = None,
    model: Annotated[str, typer.Option(help="Of a table: digest of the model.")] = "",
) -> None:
    """Add readings or a table of cases to the record that drift is judged from; identifiers are hashed."""
    from hounsfield.evaluation.audit import (
        TableColumns,
        append_record,
        lines_of_readings,
        lines_of_table,
        read_study_rows,
        salt_beside,
    )

    salted = salt_of or to
    salt = salt_beside(salted)
    if readings.is_dir():
        rows = read_study_rows(studies) if studies is not None else None
        found = lines_of_readings(readings, salt, studies=rows, time=time)
        append_record(to, found.lines)
        n_left_out = found.n_without_time
        print(f"{len(found.lines)} readings added to {to}")
        if n_left_out:
            print(f"{n_left_out} readings have no time in the table of studies and were left out.")
    else:
        columns = TableColumns(
            case_column, patient_column, time_column, score_prefix,
            tuple(label or ()), tuple(feature or ()), tuple(tag or ()),
        )  # fmt: skip
        lines = lines_of_table(readings, columns, salt, model=model)
        append_record(to, lines)
        print(f"{len(lines)} lines added to {to}")
    print(f"Identifiers are hashed with the salt in {salted}.salt: keep it secret, and keep it.")


@app.command()
def drift(
    record: Annotated[Path, typer.Argument(help="The record, as `hu audit record` writes it.")],
    reference_until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Cases up to this day are the reference.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Another record as the reference, made with the same salt.")
    ] = None,
    window: Annotated[
        int | None, typer.Option(min=1, help="The newest cases to judge; else all after the reference.")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL=VALUE", help="Watch decisions at this threshold too; repeatable."),
    ] = None,
    level: Annotated[
        float, typer.Option(min=0.0001, max=0.5, help="Share of audits without a change that may alarm.")
    ] = 0.05,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for audit.html and audit.json.")] = Path(
        "audit-drift"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal figures.")] = 0,
    into_card: Annotated[
        Path | None, typer.Option(help="Bundle whose card takes the summary; its digests are renewed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print audit.json.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no verdicts.")] = False,
) -> None:
    """Compare newer cases with a reference: input, gates, acquisition, answers, calibration, area."""
    from hounsfield.evaluation.audit import (
        DriftOptions,
        split_windows,
        stream_section,
        window_section,
    )

    columns, is_reference, told = _windows(record, reference, reference_until)
    before, now, n_known = split_windows(columns, is_reference, newest=window)
    if n_known:
        told = (*told, f"{n_known} later cases are of patients of the reference and were left out")
    options = DriftOptions(level=level, thresholds=thresholds_by_label(threshold), seed=seed)
    stream = split_windows(columns, is_reference)[1]
    sections = (
        window_section(before, now, options, told=told),
        stream_section(before, stream, level=level, seed=seed),
    )
    title = f"Drift in {record.name}"
    about = {"record": record.name, "reference": reference.name if reference else f"until {reference_until}"}
    answer(
        sections,
        out,
        title=title,
        about=about,
        shown=Shown("drift", f"{record.name}, reference {about['reference']}", into_card, as_json, quiet),
    )


def _windows(
    path: Path, reference: Path | None, until: str | None
) -> tuple[DriftCases, NDArray[np.bool_], tuple[str, ...]]:
    from datetime import date

    import numpy as np

    from hounsfield.evaluation.audit import Record, cases_of, read_record

    if (reference is None) == (until is None):
        raise UsageError(
            "say what the reference is: --reference-until DATE or --reference RECORD, one of them."
        )
    found = read_record(path)
    if reference is not None:
        earlier = read_record(reference)
        names = {line.case for line in earlier.cases}
        found = Record(
            (*earlier.cases, *found.cases),
            (*earlier.labels, *found.labels),
            (*earlier.left_out, *found.left_out),
        )
        columns, told = cases_of(found)
        return columns, np.isin(columns.cases, sorted(names)), told
    try:
        day = date.fromisoformat(until or "").isoformat()
    except ValueError as error:
        raise UsageError(f"--reference-until {until} is no day of the form 2026-03-01") from error
    columns, told = cases_of(found)
    return columns, np.array([str(time)[:10] <= day for time in columns.times]), told
