"""Small PETs for the tests of the application: in memory, and as DICOM of a few slices."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from hounsfield.applications.pet_metabolic import read_pet_metabolic
from hounsfield.core import Grid, Image, Inputs, Series, Study
from hounsfield.studies.region_series import GivenRegion, drawn_on

SPACING_ZYX_MM = (3.0, 4.0, 4.0)
FDG = MappingProxyType({"Radiopharmaceutical": "Fluorodeoxyglucose", "RadiopharmaceuticalCode": "35321007"})


def grid_of(shape, spacing_zyx_mm=SPACING_ZYX_MM, origin_mm=(-30.0, -20.0, 10.0)):
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *spacing_zyx_mm, 1.0
    affine[:3, 3] = origin_mm
    return Grid(shape, affine)


def pet(array, grid=None, *, tags=FDG):
    array = np.asarray(array, dtype=np.float32)
    image = Image(array, grid or grid_of(array.shape[-3:]), "SUVbw")
    return Series(
        "pet",
        "image",
        "PT",
        unit="SUVbw",
        grid=image.grid,
        tags=tags,
        files=("pet.dcm",),
        load_image=lambda: image,
    )


def given(grid, masks, *, key="regions.dcm", modality="SEG", **meaning):
    """A regions series on `grid`; masks by label. meaning: category, concept of all."""
    regions = [GivenRegion(label, label, mask, **meaning) for label, mask in masks.items()]

    def load(asked):
        return drawn_on(regions, grid, asked, key, lambda own, other: own.is_same_as(other))

    return Series(key, "regions", modality, grid=grid, files=(key,), load_regions=load)


def read(series, *region_series, study=()):
    return read_pet_metabolic(
        Inputs(Study("study", (series, *region_series, *study)), {"pet": series}, tuple(region_series))
    )


def values(reading, region):
    return {m.name: m.value for m in reading.measurements if m.regions == (region,)}


def codes(reading):
    return [condition.code for condition in reading.conditions]


def text_of(reading, code):
    (found,) = [condition for condition in reading.conditions if condition.code == code]
    return found.text


def box(shape, *slices):
    mask = np.zeros(shape, dtype=bool)
    mask[slices] = True
    return mask
