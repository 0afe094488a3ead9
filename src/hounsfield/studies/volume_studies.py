"""Folders of volume files (NIfTI, NRRD, MetaImage) as studies, and masks among them.

The rule, since the format has no place to say it: a file is a mask if its name has `mask`, `label(s)`,
`seg` or `segmentation` as a word (parted by anything but letters) and its values are whole numbers, of
which there are at most MOST_LABELS. Values above 0 mark. With one value the region bears the file's
stem ("ct-mask"), with several each is "label-n".
"""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core import Condition, Series, Study
from hounsfield.core.errors import HounsfieldError
from hounsfield.studies.dicom_study import refuse
from hounsfield.studies.region_series import GivenRegion, drawn_on, region_name
from hounsfield.studies.statements import as_stated
from hounsfield.studies.volume_files import volume_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hounsfield.core import Grid, Region
    from hounsfield.studies.sources import Source
    from hounsfield.studies.volume_files import VolumeFile

    Reader = Callable[[Source], VolumeFile]

MOST_LABELS = 512
_MASK_WORDS = re.compile(r"(?<![a-z])(masks?|labels?|segs?|segmentations?)(?![a-z])", re.IGNORECASE)
# Grids whose corners lie closer are one: affines pass through float32.
SAME_GRID_MM = 0.05


def is_named_mask(stem: str) -> bool:
    """Whether a file's name says that it holds labels."""
    return _MASK_WORDS.search(stem) is not None


def volume_studies(
    sources: Sequence[tuple[Source, Reader]], stated: Mapping[str, tuple[str, str]], top: str
) -> tuple[list[Study], list[Condition]]:
    """One study for each folder that holds volume files. sources: each with who reads it.

    top: key of the study whose files lie directly in what the user gave.
    """
    by_folder: dict[str, list[Series]] = {}
    refused = []
    for source, read in sources:
        try:
            series = _series(read(source), stated)
        except HounsfieldError as error:
            refused.append(refuse(error, source.name))
        else:
            by_folder.setdefault(source.folder, []).append(series)
    return [_study(folder or top, series) for folder, series in by_folder.items()], refused


def _study(folder: str, series: Sequence[Series]) -> Study:
    return Study(key=folder, series=tuple(beside_images(one, series) for one in series))


def beside_images(series: Series, others: Sequence[Series]) -> Series:
    """A mask with the images on whose grid it lies, in `tags["referenced_series"]`; others as they are."""
    if series.kind != "regions" or series.grid is None:
        return series
    keys = tuple(o.key for o in others if o.kind == "image" and o.grid and _same_place(series.grid, o.grid))
    if not keys:
        return series
    return replace(series, tags=MappingProxyType({**series.tags, "referenced_series": keys}))


def _same_place(grid: Grid, other: Grid) -> bool:
    """Whether two grids hold the same voxels; a volume file states no frame of reference, so none is asked."""
    plain = replace(other, frame_of_reference_uid=grid.frame_of_reference_uid)
    return grid.is_same_as(plain, tolerance_mm=SAME_GRID_MM)


def _series(file: VolumeFile, stated: Mapping[str, tuple[str, str]]) -> Series:
    stem = file.source.stem
    if is_named_mask(stem) and file.n_times == 1 and not file.is_colour and stem not in stated:
        labels = _labels(file)
        if labels is not None:
            return _mask_series(file, labels)
    return as_stated(volume_image(file), stem, stated)


def _labels(file: VolumeFile) -> tuple[int, ...] | None:
    """The values above 0 of a mask; None if these are no few whole numbers."""
    found = np.unique(file.array())
    if len(found) > MOST_LABELS or found[0] < 0 or not (found == np.rint(found)).all():
        return None
    return tuple(int(value) for value in found if value > 0)


def _mask_series(file: VolumeFile, labels: tuple[int, ...]) -> Series:
    stem = file.source.stem
    note = Condition(
        "mask-by-name",
        "note",
        f"{file.source.name} was taken for a mask by its name and its {len(labels)} whole values above 0.",
        (file.source.name,),
    )

    def load(grid: Grid) -> list[Region]:
        array = file.array()
        given = [
            GivenRegion(region_name(stem if len(labels) == 1 else f"label-{label}"), stem, array == label)
            for label in labels
        ]
        return drawn_on(given, file.grid, grid, file.source.name, same_place=_same_place)

    return Series(
        key=file.source.name,
        kind="regions",
        description=stem,
        grid=file.grid,
        conditions=(*file.conditions, note),
        files=file.files,
        load_regions=load,
    )
