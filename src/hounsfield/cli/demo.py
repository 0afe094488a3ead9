"""`hounsfield demo`: phantoms and a real image read, measured beside true."""

from __future__ import annotations

import json
import shutil
import time
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hounsfield.cli._terminal import TerminalProgress, print_json, print_tables, table
from hounsfield.cli.exit_codes import of_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hounsfield.core import Measurement, Progress
    from hounsfield.pipeline import Run

app = typer.Typer(add_completion=False, rich_markup_mode=None)

CHEST, PET, REAL = "chest-ct-phantom", "fdg-pet-phantom", "real-ct-and-mr"
# Real slices that every installation has: pydicom ships them. No application may read more from them than
# a refusal with its reason: one CT slice is no volume, and the MR slice shows no brain with contrast.
REAL_FILES = ("CT_small.dcm", "MR_small.dcm")
# Name of a measurement -> name of its true value in truth.json.
TRUE_VALUES = {
    "volume": "volume_ml",
    "mean-density": "mean_hu",
    "laa-950": "laa_950_percent",
    "laa-910": "laa_910_percent",
    "perc15": "perc15_hu",
    "suv-max": "suv_max",
    "mtv-41": "mtv_41_ml",
    "mtv-2.5": "mtv_2.5_ml",
    "mtv-4.0": "mtv_4.0_ml",
}


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for studies and results.")] = Path("demo"),
    slices: Annotated[int, typer.Option(help="Slices of the chest phantom; fewer are quicker.")] = 120,
    matrix: Annotated[int, typer.Option(help="Pixels per row and column of the chest phantom.")] = 320,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Read phantoms and a real image; print measured beside true."""
    from hounsfield.cli.read import model_folders, print_run
    from hounsfield.pipeline import run

    started_s = time.monotonic()
    progress = TerminalProgress(quiet=quiet or as_json)
    studies, results = out / "studies", out / "results"
    truths = write_studies(studies, slices=slices, matrix=matrix, progress=progress)
    runs = {
        name: run(studies / name, out=results / name, progress=progress, model_folders=model_folders())
        for name in (CHEST, PET, REAL)
    }
    progress.clear()
    rows = [row for name, truth in truths.items() for row in compare(runs[name], truth)]
    pages = {name: str(results / name / "index.html") for name in runs}
    if as_json:
        print_json({"compared": rows, "pages": pages})
    elif not quiet:
        print_comparison(rows)
        print(
            "A real CT slice and a real MR slice from pydicom's test files; what must not be read is refused:\n"
        )
        print_run(runs[REAL])
        print_farewell(pages, time.monotonic() - started_s)
    raise typer.Exit(max(of_run(runs[name]) for name in truths))


def write_studies(folder: Path, *, slices: int, matrix: int, progress: Progress) -> dict[str, dict[str, Any]]:
    """Write the three studies; returns what is true of the phantoms, by study."""
    from hounsfield.phantoms import write_phantom

    write_phantom("chest-ct", folder / CHEST, n_slices=slices, matrix_px=matrix, progress=progress)
    write_phantom("fdg-pet", folder / PET, regions="seg", progress=progress)
    (folder / REAL).mkdir(parents=True, exist_ok=True)
    for name in REAL_FILES:
        with as_file(files("pydicom") / "data" / "test_files" / name) as path:
            shutil.copyfile(path, folder / REAL / name)
    return {
        name: json.loads((folder / name / "truth.json").read_text(encoding="utf-8")) for name in (CHEST, PET)
    }


def compare(done: Run, truth: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every measurement of a region whose true value the phantom knows, beside that."""
    known = {sphere["name"]: sphere for sphere in truth.get("spheres", ())}
    known |= {name: value for name, value in truth.items() if isinstance(value, dict)}
    for reading in done.readings:
        for measurement in reading.all_measurements():
            true = _true_value(measurement, known)
            if true is not None:
                yield {
                    "application": reading.application,
                    "region": measurement.regions[0],
                    "measurement": measurement.name,
                    "measured": measurement.value,
                    "true": true,
                    "unit": measurement.unit,
                    "rule": f"{measurement.rule} {measurement.rule_version}",
                }


def _true_value(measurement: Measurement, known: Mapping[str, Mapping[str, Any]]) -> float | None:
    name = TRUE_VALUES.get(measurement.name)
    if name is None or len(measurement.regions) != 1:
        return None
    value = known.get(measurement.regions[0], {}).get(name)
    return None if value is None else float(value)


def print_comparison(rows: list[dict[str, Any]]) -> None:
    """The table of measured beside true."""
    from hounsfield.core.measurement import UNIT_SIGNS

    cells = [
        [
            row["region"],
            row["measurement"],
            f"{row['measured']:.4g}",
            f"{row['true']:.4g}",
            UNIT_SIGNS[row["unit"]],
            row["rule"],
        ]
        for row in rows
    ]
    print("Two phantoms, whose true values are known:\n")
    print_tables(table("", ["region", "measurement", "measured", "true", "unit", "rule"], cells))


def print_farewell(pages: Mapping[str, str], took_s: float) -> None:
    """Where to look, and how to go on with one's own study."""
    print(f"Done in {took_s:.0f} s. Open in a browser:")
    for page in pages.values():
        print(f"  {page}")
    print("\nYour own study (a DICOM folder, zip or file, NIfTI, PNG or JPEG):")
    print("  hounsfield inspect PATH")
    print("  hounsfield read PATH --out OUT")
    print("Research use only. Not a medical device.")
