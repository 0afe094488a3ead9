"""Pictures of cases for the page: a file of a folder, or a slice with the outlines of truth and prediction."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PICTURE_PX, SLICE_PX = 220, 300
TRUTH, FOUND = (0, 190, 120), (255, 170, 0)
LEGEND = "Green: reference. Orange: found. Both on one line where they agree."
_IMAGE_ENDINGS = ("", ".png", ".jpg", ".jpeg")


def picture_of_file(folder: Path, case: str) -> str:
    """A small picture of the case as a data URI; "" where the folder holds none of that name."""
    from PIL import Image, UnidentifiedImageError

    if "/" in case or "\\" in case or case in {"", ".", ".."}:
        return ""  # a case is a name, not a path out of the folder
    path = next(
        (folder / (case + ending) for ending in _IMAGE_ENDINGS if (folder / (case + ending)).is_file()), None
    )
    if path is None:
        return ""
    try:
        with Image.open(path) as opened:
            opened.thumbnail((PICTURE_PX, PICTURE_PX))
            small = opened.convert("L")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return ""
    return _as_uri(small)


def small_picture(picture: NDArray[Any]) -> str:
    """A picture (y, x) of any range, cut at its percentiles 1 and 99, as a small data URI."""
    from PIL import Image

    small = Image.fromarray(_grey(picture))
    small.thumbnail((PICTURE_PX, PICTURE_PX))
    return _as_uri(small)


def outlined_slice(
    picture: NDArray[Any] | None,
    truth: NDArray[np.bool_],
    found: NDArray[np.bool_],
    steps: tuple[float, float] = (1.0, 1.0),
) -> str:
    """A data URI of a slice (y, x) with the rims of both outlines in colour.

    picture: grey values of any range, cut at their percentiles 1 and 99; None: plain grey. steps: of rows and columns,
    so that the picture is as wide and high as the patient.
    """
    from PIL import Image

    height, width = truth.shape[0] * steps[0], truth.shape[1] * steps[1]
    scale = SLICE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    grey = np.full(truth.shape, 40, dtype=np.uint8) if picture is None else _grey(picture)
    coloured = np.array(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR).convert("RGB"))
    rims = [
        _rim(np.array(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST)))
        for mask in (truth, found)
    ]
    for rim, colour in zip(rims, (TRUTH, FOUND), strict=True):
        coloured[rim] = colour
    # Where both run along one line the pixels take turns, so that neither hides the other.
    rows, columns = np.nonzero(rims[0] & rims[1])
    turn = (rows + columns) // 4 % 2 == 0
    coloured[rows[turn], columns[turn]] = TRUTH
    return _as_uri(Image.fromarray(coloured))


def _grey(picture: NDArray[Any]) -> NDArray[np.uint8]:
    values = np.asarray(picture, dtype=np.float32)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [1, 99]) if finite.size else (0.0, 1.0)
    scaled = (np.nan_to_num(values, nan=low) - low) / (high - low if high > low else 1.0)
    return np.asarray(np.clip(scaled, 0, 1) * 255, dtype=np.uint8)


def _rim(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_erosion

    return np.asarray(mask & ~binary_erosion(mask, iterations=2), dtype=bool)


def _as_uri(picture: Any) -> str:
    buffer = BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + b64encode(buffer.getvalue()).decode()
