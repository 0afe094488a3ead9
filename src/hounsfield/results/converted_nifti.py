"""A series as NIfTI: the voxels as read, on the grid as found, with a side file that says what was found."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import GeometryError
from hounsfield.core.reading import RESEARCH_USE
from hounsfield.results.folder import replaced_file
from hounsfield.results.nifti import nifti_of, ras_affine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.core import Condition, Image

# Types that NIfTI-1 knows and its readers expect; others become the nearest wider one.
_WIDER = {"float16": "float32", "bool": "uint8", "int64": "int32", "uint64": "uint32"}


def write_image_nifti(image: Image, path: Path) -> None:
    """Write `image` as .nii.gz: (x, y, z) or (x, y, z, t), values in the image's unit, sform and qform in RAS.

    A grid with shear (gantry tilt) has no qform, which could not hold it. Colour becomes RGB24. Raises
    GeometryError if the image states no position, ResultError if the file cannot be written.
    """
    if image.grid.affine is None:
        raise GeometryError(
            "the image states no position in the patient, and a NIfTI would state an invented one. Use the pictures "
            "of the study as they are."
        )
    nifti = nifti_of(_axes_turned(image), image.grid)
    nifti.header["descrip"] = f"unit {image.unit}".encode("ascii", "replace")[:79]
    # mtime and name in the gzip header would make two equal runs differ.
    with (
        replaced_file(path) as scratch,
        scratch.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as file,
    ):
        nifti.to_stream(file)


def _axes_turned(image: Image) -> NDArray[Any]:
    """The array with axes (x, y, z) or (x, y, z, t), in a type that NIfTI has."""
    array = image.array
    wider = _WIDER.get(array.dtype.name)
    if wider is not None:
        if array.dtype.itemsize == 8 and np.abs(array).max(initial=0) > np.iinfo(wider).max:
            raise GeometryError(f"values of type {array.dtype} exceed what {wider} holds. Scale them first.")
        array = array.astype(wider)
    if not image.is_colour:
        return array.transpose()
    rgb = np.dtype([("R", np.uint8), ("G", np.uint8), ("B", np.uint8)])
    pixels = np.ascontiguousarray(array.astype(np.uint8)).view(rgb)[..., 0]
    turned: NDArray[Any] = pixels.transpose()
    return turned


def write_side_file(
    path: Path, image: Image, tags: Mapping[str, Any], conditions: Sequence[Condition]
) -> None:
    """Write what belongs to a converted image and has no place in NIfTI, as JSON: unit, affine, tags, conditions.

    tags: attributes of the series; those of the patient are the caller's to leave out.
    """
    record = {
        "notice": RESEARCH_USE,
        "unit": image.unit,
        "shape_xyz": list(reversed(image.grid.shape)),
        "affine_ras": ras_affine(image.grid).tolist(),
        **tags,
        "conditions": [condition.to_json() for condition in conditions],
    }
    with replaced_file(path) as scratch:
        scratch.write_text(
            json.dumps(record, indent=2, default=str, allow_nan=False) + "\n", encoding="utf-8"
        )
