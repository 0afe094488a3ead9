"""Cardiac CT phantoms as inputs of the application: in memory, with the arteries given or not."""

from __future__ import annotations

from functools import cache

import numpy as np

from hounsfield.applications.coronary_calcium import read_coronary_calcium
from hounsfield.core import Image, Inputs, Series, Study
from hounsfield.phantoms.cardiac_ct import CardiacCtParameters, make_cardiac_ct
from hounsfield.studies.region_series import GivenRegion, drawn_on

VESSELS = ("lm", "lad", "lcx", "rca")
SMALL = {"matrix_px": 128, "field_of_view_mm": 240.0}
TAGS = {
    "KVP": 120.0,
    "ContrastBolusAgent": "NONE",
    "ConvolutionKernel": "STANDARD",
    "SliceThickness": 3.0,
    "CardiacSynchronizationTechnique": "PROSPECTIVE",
}


@cache
def phantom(**parameters):
    """A small phantom; do not write into its arrays."""
    return make_cardiac_ct(CardiacCtParameters(**{**SMALL, **parameters}))


def cardiac(array, grid, *, conditions=(), **tags):
    """The series of a CT; a tag given as None is left out."""
    image = Image(array, grid, "HU")
    return Series(
        "ct",
        "image",
        "CT",
        unit="HU",
        grid=grid,
        tags={name: value for name, value in {**TAGS, **tags}.items() if value is not None},
        conditions=tuple(conditions),
        files=("ct-001.dcm", "ct-002.dcm"),
        load_image=lambda: image,
    )


def arteries(grid, masks, *, key="arteries.dcm", concepts=None):
    """A regions series on `grid`; masks by label."""
    regions = [
        GivenRegion(label.lower().replace(" ", "-"), label, mask, concept=(concepts or {}).get(label))
        for label, mask in masks.items()
    ]

    def load(asked):
        return drawn_on(regions, grid, asked, key, lambda own, other: own.is_same_as(other))

    return Series(key, "regions", "SEG", grid=grid, files=(key,), load_regions=load)


def read(series, *given):
    return read_coronary_calcium(Inputs(Study("study", (series, *given)), {"heart": series}, tuple(given)))


def read_phantom(made, *, with_arteries=True, **tags):
    """The reading of a phantom as its header would be, its arteries given as a SEG."""
    series = cardiac(made.array, made.grid, **{"KVP": float(made.parameters["kvp"]), **tags})
    masks = {name: made.masks[name] for name in VESSELS if made.masks[name].any()}
    return read(series, *([arteries(made.grid, masks)] if with_arteries else []))


def values(reading):
    return {m.name: m.value for m in reading.all_measurements()}


def codes(reading):
    return {condition.code for condition in reading.conditions}


def text_of(reading, code):
    (found,) = [condition for condition in reading.conditions if condition.code == code]
    return found.text


def finding(reading, name):
    (found,) = [one for one in reading.findings if one.name == name]
    return found


def expected(made, tail=""):
    """Scores and volumes that the truth of a phantom holds, by name of the measurement."""
    scores = {}
    for part in ("total", *VESSELS):
        if part in made.truth and (part == "total" or made.truth[part]["agatston"] > 0):
            suffix = "" if part == "total" else f"-{part}"
            scores[f"agatston-score{suffix}{tail}"] = made.truth[part]["agatston"]
            scores[f"calcium-volume{suffix}{tail}"] = made.truth[part]["volume_mm3"]
    return scores


def box(grid, centre_mm, half_mm=8.0):
    """A cube about a place in LPS mm."""
    index = np.indices(grid.shape).reshape(3, -1).T
    near = np.abs(grid.index_to_mm(index) - np.asarray(centre_mm)).max(axis=1) <= half_mm
    return near.reshape(grid.shape)
