"""Small series of visits for the tests of lesion_growth: written once a run, changed as a test needs it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pydicom

from hounsfield.phantoms import write_phantom
from hounsfield.pipeline import run

# Seeds of this file are the tests' own; nothing was tuned on them.
SMALL = {"matrix_px": 96, "visit_days": (0, 120, 365), "contrasts": ("flair",)}


def write_head(folder: Path, **options):
    """FLAIR with lesions as SEG; returns the phantom."""
    return write_phantom("brain-mr", folder, **{"seed": 21, "regions": "seg", **SMALL, **options})


def read_growth(folder: Path, **options):
    """The readings of lesion_growth and the run."""
    return run(folder, applications=["lesion_growth"], **options)


def copied(folder: Path, to: Path, change=None) -> Path:
    """A copy of a written study; `change` gets every data set and its path, and may return False to leave it out."""
    for path in sorted((folder / "dicom").rglob("*.dcm")):
        target = to / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        if change is None:
            shutil.copy(path, target)
            continue
        data = pydicom.dcmread(path)
        if change(data, path) is not False:
            data.save_as(target)
    return to


def truth_of(phantom, day, contrast="flair"):
    """True lesions by name at that day."""
    return {one["name"]: one for one in phantom.images[f"day-{day}-{contrast}"].truth["lesions"]}


def codes_of(reading):
    return {condition.code for condition in reading.conditions}
