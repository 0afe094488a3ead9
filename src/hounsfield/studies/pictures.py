"""PNG, JPEG and TIFF: one picture a file (or one stack of pages), without modality, position or unit.

Nothing is made up for them: resolutions in dots per inch are those of a screen or printer, not of a patient.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from struct import error as StructError  # noqa: N812  it is a class
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

from hounsfield.core import Grid, Image, Series, Study
from hounsfield.core.errors import RefusedInput, StudyError
from hounsfield.studies import limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from hounsfield.studies.sources import Source

_EXIF_ORIENTATION = 274
_TURNED = frozenset({5, 6, 7, 8})
_GREY_MODES = frozenset({"1", "L", "I", "I;16", "I;16B", "F"})
# What Pillow raises on damaged files.
_ERRORS = (
    *(UnidentifiedImageError, OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError),
    *(OverflowError, StructError, AttributeError, RuntimeError, ZeroDivisionError, MemoryError),
)


def picture_study(source: Source, stated: Mapping[str, tuple[str, str]]) -> Study:
    """One file as a study of its own, with a grid without affine; unit 1.

    stated: modality and unit by file stem, where the user says so. Raises StudyError for a damaged file,
    RefusedInput for one beyond `limits.MAX_PICTURE_PIXELS`.
    """
    try:
        with _opened(source) as picture:
            (columns, rows), kind = picture.size, str(picture.format)
            # Pillow turns TIFF itself, and then states the size of what is turned.
            turned = kind != "TIFF" and picture.getexif().get(_EXIF_ORIENTATION) in _TURNED
            n_pages = _n_pages(picture)
    except _ERRORS as error:
        raise _damaged(source, error) from error
    _check_size(source, rows, columns, n_pages)
    grid = Grid((n_pages, columns, rows) if turned else (n_pages, rows, columns))

    def load() -> Image:
        return Image(_pages(source, grid), grid, "1")

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


@contextmanager
def _opened(source: Source) -> Iterator[PillowImage.Image]:
    """The picture, with Pillow's remarks and its own limits on size turned into ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with source.open() as stream, PillowImage.open(stream) as picture:
                yield picture
        except PillowImage.DecompressionBombError as error:
            raise RefusedInput(
                f"{source.name} declares more pixels than are read ({error}). Scale it down, or use the DICOM original."
            ) from error


def _n_pages(picture: PillowImage.Image) -> int:
    """Pages of a TIFF; other formats hold one picture and perhaps previews of it."""
    return int(getattr(picture, "n_frames", 1)) if picture.format == "TIFF" else 1


def _check_size(source: Source, rows: int, columns: int, n_pages: int) -> None:
    if rows * columns > limits.MAX_PICTURE_PIXELS:
        raise RefusedInput(
            f"{source.name} declares {rows} x {columns} pixels, the limit is {limits.MAX_PICTURE_PIXELS}. "
            "Scale it down, or use the DICOM original."
        )
    if n_pages > limits.MAX_PICTURE_PAGES or rows * columns * n_pages > limits.MAX_PIXEL_BYTES_OF_SERIES:
        raise RefusedInput(
            f"{source.name} holds {n_pages} pages of {rows} x {columns} pixels, the limits are "
            f"{limits.MAX_PICTURE_PAGES} pages and {limits.MAX_PIXEL_BYTES_OF_SERIES // limits.GIB} GiB. Split it."
        )


def _pages(source: Source, grid: Grid) -> NDArray[Any]:
    """(n, y, x) for grey pictures, also those stored as three equal colours, else (n, y, x, 3)."""
    try:
        with _opened(source) as opened:
            pages = [_page(opened, number) for number in range(grid.shape[0])]
    except _ERRORS as error:
        raise _damaged(source, error) from error
    if any(page.shape[:2] != grid.shape[1:] or page.dtype != pages[0].dtype for page in pages):
        raise RefusedInput(
            f"{source.name} holds pages of different sizes or kinds, which are no one stack. Save them as files of their "
            "own."
        )
    if all(page.ndim == 2 for page in pages):
        return np.stack(pages)
    return np.stack(
        [page if page.ndim == 3 else np.repeat(page[..., np.newaxis], 3, axis=2) for page in pages]
    )


def _page(opened: PillowImage.Image, number: int) -> NDArray[Any]:
    if number:
        opened.seek(number)
    picture = ImageOps.exif_transpose(opened)
    if picture.mode not in _GREY_MODES:
        picture = picture.convert("L" if picture.mode in {"LA", "La"} else "RGB")
    elif picture.mode == "1":
        picture = picture.convert("L")
    pixels = np.array(picture)
    if pixels.dtype.byteorder == ">":
        pixels = pixels.astype(pixels.dtype.newbyteorder("="))
    if pixels.ndim == 3 and (pixels[..., :1] == pixels).all():
        return pixels[..., 0].copy()
    return pixels


def _damaged(source: Source, error: Exception) -> StudyError:
    return StudyError(
        f"{source.name} begins like a PNG, JPEG or TIFF picture but cannot be read ({str(error)[:120]}). It is damaged or "
        "cut off: copy it again."
    )
