"""What `pet_metabolic` measures of a real PET beside what the data's README states of it.

    python -m benchmarks.pet_figures [--data FOLDER]

sts_raw_pet: raw counts, SUV by our own recipe, tumour given as RTSTRUCT; and again without it, the bladder
found. sts: SUV as NIfTI with a mask, the index of the origin as truth.
"""

from __future__ import annotations

import argparse
import csv
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks._table import heading, table, with_data_option

if TYPE_CHECKING:
    from hounsfield.core import Reading

# From the README of sts_raw_pet: GTV_Mass by pixel centres. Name of our measurement, stated value, unit.
STATED = (
    ("suv-max", 7.911, "SUV"),
    ("suv-mean", 2.555, "SUV"),
    ("volume", 366.08, "ml"),
    ("mtv-41", 113.0, "ml"),
    ("mtv-2.5", 181.6, "ml"),
    ("mtv-4.0", 55.9, "ml"),
)
REGION = "gtv-mass"
# The largest value of the series, probably the bladder's: the hottest focus that is found.
STATED_HOTTEST, HOTTEST = 66.52, "uptake-1"
Row = tuple[str, str, str, str, str]


def read(folder: Path, stated: dict[str, tuple[str, str]] | None = None) -> Reading:
    """The one reading of a folder by pet_metabolic."""
    import hounsfield

    (reading,) = hounsfield.read(folder, applications=["pet_metabolic"], stated=stated)
    if reading.status == "refused":
        raise SystemExit("; ".join(c.text for c in reading.conditions if c.severity == "refusal"))
    return reading


def measured(reading: Reading, name: str, region: str) -> float | None:
    """The value of a measurement of one region; None where there is none."""
    for measurement in reading.all_measurements():
        if measurement.name == name and measurement.regions == (region,):
            return measurement.value
    return None


def row(case: str, name: str, ours: float | None, theirs: float) -> Row:
    """One line of the table."""
    if ours is None:
        return (case, name, "none", f"{theirs:g}", "")
    return (case, name, f"{ours:.3f}", f"{theirs:g}", f"{(ours - theirs) / theirs:+.2%}")


def raw_pet(data: Path) -> list[Row]:
    """The raw series with its RTSTRUCT, and alone."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "study"
        shutil.copytree(data / "sts_raw_pet" / "pet", folder)
        shutil.copy(data / "sts_raw_pet" / "rtstruct_pet.dcm", folder)
        reading = read(folder)
    rows = [
        row("sts_raw_pet", f"{name} {unit}", measured(reading, name, REGION), value)
        for name, value, unit in STATED
    ]
    found = measured(read(data / "sts_raw_pet" / "pet"), "suv-max", HOTTEST)
    return [*rows, row("sts_raw_pet, found", "suv-max SUV", found, STATED_HOTTEST)]


def nifti_pet(data: Path, most: int) -> list[Row]:
    """SUV images with masks; the index was made before cropping, from the same masks."""
    with (data / "sts" / "index.csv").open(newline="", encoding="utf-8") as lines:
        stated = [line for line in csv.DictReader(lines) if line["modality"] == "PET"]
    rows = []
    for line in stated[:most]:
        with tempfile.TemporaryDirectory() as scratch:
            for name in ("PET.nii.gz", "PET_mask.nii.gz"):
                shutil.copy(data / "sts" / line["patient"] / name, scratch)
            reading = read(Path(scratch), {"PET": ("PT", "SUVbw")})
        for name, column, unit in (
            ("suv-max", "max", "SUV"),
            ("suv-mean", "mean", "SUV"),
            ("volume", "volume_ml", "ml"),
        ):
            found = measured(reading, name, "pet-mask")
            rows.append(row(line["patient"], f"{name} {unit}", found, float(line[column])))
    return rows


def main() -> None:
    """Read both and print the table."""
    parser = with_data_option(argparse.ArgumentParser(description=__doc__))
    parser.add_argument("--most", type=int, default=28, help="most patients of sts")
    options = parser.parse_args()
    rows = raw_pet(options.data) + nifti_pet(options.data, options.most)
    print(heading("FDG-PET: measured beside stated", inputs="sts_raw_pet with RTSTRUCT; sts with masks"))
    print(table(("case", "measurement", "ours", "stated", "difference"), rows))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(
        f"\nall readings, imports included: {time.process_time():.1f} s of processor, peak {peak_mb:.0f} MB"
    )


if __name__ == "__main__":
    main()
