"""Which regions belong to which images: by frame of reference, by reference, and for masks by their grid."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core import Condition
from hounsfield.core.errors import HounsfieldError
from hounsfield.studies.region_series import share_millimetres
from hounsfield.studies.segmentation_grids import on_slices_of
from hounsfield.studies.volume_studies import beside_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Grid, Series, Study

# Contours may end half a voxel outside the first and last slice and row.
_HALF_A_VOXEL = 0.5
_MOST_NAMED = 8


def link_regions(study: Study) -> Study:
    """The study with each regions series told which images it lies on, in `tags["referenced_series"]`."""
    images = [series for series in study.series if series.kind == "image"]
    linked = tuple(_linked(s, images) if s.kind == "regions" else s for s in study.series)
    return replace(study, series=linked)


def _linked(series: Series, images: Sequence[Series]) -> Series:
    uids = set(series.tags.get("referenced_series_instance_uids", ()))
    reachable = [image for image in images if _reaches(series, image)]
    named = [image for image in reachable if image.series_instance_uid in uids] or reachable
    tags = MappingProxyType({**series.tags, "referenced_series": tuple(image.key for image in named)})
    conditions = list(series.conditions)
    if images and not reachable:
        conditions.append(
            Condition(
                "regions-elsewhere",
                "warning",
                "These regions lie in another frame of reference than every image of the study, so they can be drawn "
                "on none of them. Send the series that they were made on.",
                series.files,
            )
        )
    if not series.tags.get("has_stated_step", True):
        series, unsure = _with_step(series, named)
        conditions += unsure
    for image in named:
        conditions += _outside(series, image) + _resampled(series, image)
    return replace(series, tags=tags, conditions=tuple(conditions))


def _with_step(series: Series, images: Sequence[Series]) -> tuple[Series, list[Condition]]:
    """A segmentation that states no step, with that of the image on whose slices it lies; else what was assumed."""
    if series.grid is None or not series.grid.has_millimetres:
        return series, []
    for image in images:
        grid = on_slices_of(series.grid, image.grid) if image.grid is not None else None
        if grid is not None:
            return replace(series, grid=grid), []
    said = (
        "The segmentation states neither the distance of its slices (0018,0088) nor their thickness (0018,0050), and no "
        f"image of the study has slices where its frames lie. {series.grid.spacing_mm[0]:g} mm was assumed from the places "
        "of its frames; where empty slices were left out between them, its volumes are too large. Send the series that "
        "it was made on."
    )
    return series, [Condition("segmentation-step-unstated", "warning", said, series.files)]


def _reaches(series: Series, image: Series) -> bool:
    """Whether regions and image share their millimetres, or the pixels of one picture."""
    if image.grid is None:
        return False
    if series.grid is not None:
        is_placed = series.grid.has_millimetres and image.grid.has_millimetres
        return (is_placed or series.grid.shape == image.grid.shape) and share_millimetres(
            series.grid, image.grid
        )
    uids = series.tags.get("frame_of_reference_uids", ())
    return image.grid.has_millimetres and (not uids or image.grid.frame_of_reference_uid in {None, *uids})


def _outside(series: Series, image: Series) -> list[Condition]:
    """Contours that reach beyond the image: what lies outside cannot be drawn."""
    boxes = series.tags.get("contour_boxes_mm", {})
    beyond = [label for label, box in boxes.items() if image.grid and _reaches_beyond(box, image.grid)]
    if not beyond:
        return []
    more = f" and {len(beyond) - _MOST_NAMED} more" if len(beyond) > _MOST_NAMED else ""
    said = (
        f"Contours of {', '.join(beyond[:_MOST_NAMED])}{more} reach beyond the image "
        f"{image.description or image.key}; what lies outside is cut off, so volumes of these structures may be too "
        "small. Send the whole series."
    )
    return [Condition("contours-outside-image", "warning", said, series.files)]


def _reaches_beyond(box_mm: tuple[tuple[float, ...], tuple[float, ...]], grid: Grid) -> bool:
    corners = np.array(np.meshgrid(*zip(*box_mm, strict=True))).reshape(3, -1).T
    index = grid.mm_to_index(corners)
    last = np.array(grid.shape) - 1
    return bool((index < -_HALF_A_VOXEL).any() or (index > last + _HALF_A_VOXEL).any())


def _resampled(series: Series, image: Series) -> list[Condition]:
    if series.grid is None or image.grid is None or _is_inside(series, image):
        return []
    said = (
        f"The segmentation lies on another grid than the image {image.description or image.key}; on that image it is "
        "drawn by nearest voxel."
    )
    return [Condition("segmentation-resampled", "note", said, series.files)]


def _is_inside(series: Series, image: Series) -> bool:
    """Whether the voxels of a segmentation are voxels of the image: it may hold fewer slices."""
    if series.grid is None or image.grid is None:
        return False
    if not series.grid.has_millimetres:
        return series.grid.shape == image.grid.shape
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in series.grid.shape])).reshape(3, -1).T
    try:
        index = image.grid.mm_to_index(series.grid.index_to_mm(corners))
    except HounsfieldError:
        return False
    # The same steps: whole numbers at every corner, and as many voxels between them.
    steps = np.ptp(index, axis=0).round()
    return bool(
        np.abs(index - index.round()).max() < 0.05 and (steps == np.array(series.grid.shape) - 1).all()
    )


def link_masks(dicom: list[Study], volumes: list[Study]) -> tuple[list[Study], list[Study]]:
    """Move masks in NIfTI that lie exactly on a DICOM image into its study; the rest stays as it is."""
    kept: list[Study] = []
    for study in volumes:
        stays: list[Series] = []
        for series in study.series:
            home = _home(series, dicom) if "referenced_series" not in series.tags else None
            if home is None:
                stays.append(series)
            else:
                mask = beside_images(series, dicom[home].series)
                dicom[home] = replace(dicom[home], series=(*dicom[home].series, mask))
        if stays:
            kept.append(replace(study, series=tuple(stays)))
    return dicom, kept


def _home(series: Series, studies: Sequence[Study]) -> int | None:
    """Number of the one study with an image on the mask's grid; None for none or several."""
    if series.kind != "regions":
        return None
    homes = [n for n, s in enumerate(studies) if "referenced_series" in beside_images(series, s.series).tags]
    return homes[0] if len(homes) == 1 else None
