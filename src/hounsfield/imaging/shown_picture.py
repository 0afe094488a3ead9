"""A film or other single picture as it is shown: by the window that its file states, MONOCHROME1 inverted.

Source: PS3.3 C.11.2.1.2 (windows), C.7.6.3.1.2 (photometric interpretation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.condition import Condition
from hounsfield.core.errors import RefusedInput
from hounsfield.imaging.windowing import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Image, Series

SMALLEST_SIDE_PX = 48  # below it neither letters nor organs can be seen
GREY_TOLERANCE = 2.0  # grey levels of 255 by which JPEG may part the channels of a grey picture
LOW_PERCENT, HIGH_PERCENT = 1.0, 99.5  # shown range where the file states no window


def shown_picture(image: Image, series: Series) -> tuple[NDArray[np.float64], list[Condition]]:
    """The film as it is shown: float64 (y, x), 0 black to 1 white; with a note where its range is not stated.

    The file's window, or 0 to 255 of an 8-bit picture; MONOCHROME1 is inverted. Raises RefusedInput for colour,
    for several pictures and for small ones.
    """
    array = np.asarray(image.array)
    if image.is_colour:
        spread = float((array.max(axis=-1).astype(float) - array.min(axis=-1)).max())
        if spread > GREY_TOLERANCE:
            raise RefusedInput(
                f"This is a colour picture: its channels differ by up to {spread:g} grey levels. Films are grey; give "
                "the film without overlays or colour maps."
            )
        array = array.mean(axis=-1)
    if array.ndim != 3 or array.shape[0] != 1:
        raise RefusedInput(f"One film is needed, this image has the shape {array.shape}. Give it alone.")
    if min(array.shape[1:]) < SMALLEST_SIDE_PX:
        raise RefusedInput(
            f"The picture has {array.shape[2]} x {array.shape[1]} pixels; at least {SMALLEST_SIDE_PX} on each side are "
            "needed. Give the film in its original size."
        )
    window, conditions = shown_window(image, series), []
    if window is None:
        window = Window.from_percentiles(array, low_percent=LOW_PERCENT, high_percent=HIGH_PERCENT)
        text = (
            "The file states no window (0028,1050), so how light or dark the film is shown is not known and was not "
            f"judged. Its range was taken between the percentiles {LOW_PERCENT:g} and {HIGH_PERCENT:g}."
        )
        conditions.append(Condition("film-window-unstated", "note", text, series.files[:1]))
    grey = window.apply(array[0]).astype(np.float64)
    is_inverted = str(series.tags.get("PhotometricInterpretation") or "") == "MONOCHROME1"
    return (1.0 - grey if is_inverted else grey), conditions


def shown_window(image: Image, series: Series) -> Window | None:
    """The window that the file states, 0 to 255 for 8-bit files without one, else None."""
    center, width = (first_number(series.tags.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if center is not None and width is not None and width >= 1.0:
        return Window(center, width, "LINEAR")
    return Window.between(0.0, 255.0) if image.array.dtype == np.uint8 else None


def first_number(value: Any) -> float | None:
    """The first number of a header value with one or several; None where it states none."""
    one = value[0] if isinstance(value, list | tuple) and value else value
    try:
        return float(one)
    except (TypeError, ValueError):
        return None
