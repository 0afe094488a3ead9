"""Checks on the decoded pixels that hold for every application, before anything is computed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core import Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Image, Region

# What makes a reading partial: the input is incomplete, whatever the application does with it.
INCOMPLETE = frozenset({"slices-missing", "instances-unreadable", "slices-damaged"})


def judge_pixels(image: Image) -> tuple[Condition, ...]:
    """Refusals that concern the pixels themselves: nothing in the picture, or values that are no numbers."""
    array = image.array
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        text = "The image holds values that are not finite numbers. Export the series again from its source."
        return (Condition("pixels-not-finite", "refusal", text),)
    if array.min() == array.max():
        text = f"Every pixel has the same value ({array.flat[0]}): there is nothing to read in this image."
        return (Condition("image-is-uniform", "refusal", text),)
    return ()


def region_sha256(regions: Sequence[Region]) -> str:
    """SHA-256 over names and marked voxels of regions drawn on one grid."""
    digest = hashlib.sha256()
    for region in regions:
        digest.update(region.name.encode())
        if region.mask is not None:
            digest.update(np.packbits(region.mask).data)
    return digest.hexdigest()


def pixel_sha256(image: Image) -> str:
    """SHA-256 over the array's shape, type and bytes, in C order."""
    array = np.ascontiguousarray(image.array)
    digest = hashlib.sha256(f"{array.shape}{array.dtype.str}".encode())
    digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
