"""PNG and JPEG: one picture a file, without modality, position or unit. Nothing is made up for them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

from hounsfield.core import Grid, Image, Series, Study
from hounsfield.core.errors import RefusedInput, StudyError
from hounsfield.studies import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hounsfield.studies.sources import Source

_EXIF_ORIENTATION = 274
_TURNED = frozenset({5, 6, 7, 8})
_GREY_MODES = frozenset({"1", "L", "I", "I;16", "I;16B", "F"})
_ERRORS = (UnidentifiedImageError, OSError, SyntaxError, ValueError, PillowImage.DecompressionBombError)


def picture_study(source: Source, stated: Mapping[str, tuple[str, str]]) -> Study:
    """One file as a study of its own, with a grid without affine; unit 1.

    stated: modality and unit by file stem, where the user says so. Raises StudyError for a damaged file,
    RefusedInput for one beyond `limits.MAX_PICTURE_PIXELS`.
    """
    try:
        with source.open() as stream, PillowImage.open(stream) as picture:
            (columns, rows), kind = picture.size, str(picture.format)
            turned = picture.getexif().get(_EXIF_ORIENTATION) in _TURNED
    except _ERRORS as error:
        raise _damaged(source, error) from error
    if rows * columns > limits.MAX_PICTURE_PIXELS:
        raise RefusedInput(
            f"{source.name} declares {rows} x {columns} pixels, the limit is {limits.MAX_PICTURE_PIXELS}. "
            "Scale it down, or use the DICOM original."
        )
    grid = Grid((1, columns, rows) if turned else (1, rows, columns))

    def load() -> Image:
        return Image(_pixels(source)[np.newaxis], grid, "1")

    series = Series(
        key=source.name,
        kind="raster",
        description=source.stem,
        unit="1",
        grid=grid,
        tags=MappingProxyType({"format": kind}),
        files=(source.name,),
        load_image=load,
    )
    return Study(key=source.name, series=(_with_statement(series, source, stated),))


def _with_statement(series: Series, source: Source, stated: Mapping[str, tuple[str, str]]) -> Series:
    from hounsfield.studies.statements import as_stated

    return as_stated(series, source.stem, stated)


def _pixels(source: Source) -> NDArray[Any]:
    """(y, x) for grey pictures, also those stored as three equal colours, else (y, x, 3)."""
    try:
        with source.open() as stream, PillowImage.open(stream) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode not in _GREY_MODES:
                picture = picture.convert("L" if picture.mode in {"LA", "La"} else "RGB")
            elif picture.mode == "1":
                picture = picture.convert("L")
            pixels = np.array(picture)
    except _ERRORS as error:
        raise _damaged(source, error) from error
    if pixels.ndim == 3 and (pixels[..., :1] == pixels).all():
        return pixels[..., 0].copy()
    return pixels


def _damaged(source: Source, error: Exception) -> StudyError:
    return StudyError(
        f"{source.name} begins like a PNG or JPEG picture but cannot be read ({str(error)[:120]}). It is damaged or "
        "cut off: copy it again."
    )
