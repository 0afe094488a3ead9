"""Which window a picture is shown with: a table by unit and modality, never a guess of the anatomy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.code import LUNG
from hounsfield.imaging.windowing import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hounsfield.core import Image, Reading, Series

# Centre and width in HU as radiologists set them.
LUNG_WINDOW = Window(-600.0, 1500.0)
SOFT_TISSUE_WINDOW = Window(40.0, 400.0)
SUV_WINDOW = Window.between(0.0, 10.0)
_PROJECTIONS = frozenset({"CR", "DX", "MG", "RF", "XA"})
_SAMPLES = 2_000_000  # enough for percentiles; a whole volume would only cost time


@dataclass(frozen=True, slots=True)
class Display:
    """A window, whether black and white change places, and what the picture says of both."""

    window: Window
    inverted: bool
    label: str

    def grey(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Grey 0 to 255 of `values`, as shown."""
        grey = self.window.apply(values)
        return np.asarray(np.round(255.0 * (1.0 - grey if self.inverted else grey)), dtype=np.uint8)

    @property
    def is_light(self) -> bool:
        """Whether the background of the picture is white (PET)."""
        return self.inverted and self.label.startswith(("SUV", "uptake"))


def choose_display(image: Image, series: Series | None, reading: Reading) -> Display:
    """How `image` is shown: HU by lung or soft-tissue window, SUV 0 to 10 inverted, else by percentiles.

    MONOCHROME1 is inverted here and nowhere else (PS3.3 C.7.6.3.1.2): measured values stay.
    """
    tags: Mapping[str, Any] = series.tags if series is not None else {}
    modality = series.modality if series is not None else None
    inverted = str(tags.get("PhotometricInterpretation", "")) == "MONOCHROME1"
    if image.unit == "HU":
        return _hounsfield(reading, inverted=inverted)
    if image.unit == "SUVbw":
        return Display(SUV_WINDOW, inverted=True, label="SUV 0 to 10, inverted")
    if modality == "PT":
        return Display(
            _percentiles(image, 0.0, 99.9), inverted=True, label="uptake to the 99.9th percentile, inverted"
        )
    stored = _stored_window(tags) if modality in _PROJECTIONS else None
    if stored is not None:
        return Display(stored, inverted=inverted, label=f"window of the file, {_numbers(stored)}")
    if image.array.dtype == np.uint8:
        return Display(Window.between(0.0, 255.0), inverted=inverted, label="grey values as stored")
    return Display(_percentiles(image, 1.0, 99.5), inverted=inverted, label="1st to 99.5th percentile")


def _hounsfield(reading: Reading, *, inverted: bool) -> Display:
    is_lung = any(region.concept == LUNG for region in reading.regions)
    window, name = (LUNG_WINDOW, "lung") if is_lung else (SOFT_TISSUE_WINDOW, "soft-tissue")
    return Display(window, inverted=inverted, label=f"{name} window, {_numbers(window)}")


def _numbers(window: Window) -> str:
    return f"W {window.width:g} L {window.center:g}"


def _stored_window(tags: Mapping[str, Any]) -> Window | None:
    """The first window that the file states; None where there is none or it could show nothing."""
    center, width = (_first_number(tags.get(keyword)) for keyword in ("WindowCenter", "WindowWidth"))
    function = str(tags.get("VOILUTFunction") or "LINEAR")
    if center is None or width is None or width < 1.0:
        return None
    if function == "LINEAR_EXACT":
        return Window(center, width, "LINEAR_EXACT")
    return Window(center, width, "SIGMOID" if function == "SIGMOID" else "LINEAR")


def _first_number(value: object) -> float | None:
    # DS with several values is a sequence, or text with backslashes, depending on who kept it.
    if value is not None and not isinstance(value, (str, int, float)) and hasattr(value, "__getitem__"):
        value = value[0] if len(value) else None  # type: ignore[arg-type]  # a sequence by the test above
    try:
        return float(str(value).split("\\")[0])
    except ValueError:
        return None


def _percentiles(image: Image, low_percent: float, high_percent: float) -> Window:
    step = max(1, round((image.array.size / _SAMPLES) ** (1.0 / 3.0)))
    volume = image.array[0] if image.array.ndim - int(image.is_colour) == 4 else image.array
    sample = volume[:: min(step, volume.shape[0]), ::step, ::step]
    if image.padding is not None:
        kept = sample[~image.padding[:: min(step, volume.shape[0]), ::step, ::step]]
        sample = kept if kept.size else sample
    if not np.isfinite(sample).any():
        return Window.between(0.0, 1.0)
    return Window.from_percentiles(sample, low_percent=low_percent, high_percent=high_percent)
