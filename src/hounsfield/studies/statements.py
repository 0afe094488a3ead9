"""What a user says about files that state nothing: modality and unit, by file stem. It is told as such."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hounsfield.core import Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hounsfield.core import Image, Series

# Conditions that say that something is unstated; a statement answers them.
ANSWERED = frozenset({"unit-unstated", "modality-unstated"})


def as_stated(series: Series, stem: str, stated: Mapping[str, tuple[str, str]]) -> Series:
    """The series with the modality and unit that the user states for `stem`; unchanged if there are none.

    Kind `raster` becomes `image` with it: a picture of known modality is no longer a mere picture.
    """
    if stem not in stated or series.kind not in {"image", "raster"}:
        return series
    modality, unit = stated[stem]
    said = Condition(
        "unit-stated-by-user",
        "note",
        f"The file itself states neither modality nor unit; modality {modality} and unit {unit} are what the user "
        "stated.",
        series.files[:1],
    )
    return replace(
        series,
        kind="image",
        modality=modality,
        unit=unit,
        conditions=(*(c for c in series.conditions if c.code not in ANSWERED), said),
        load_image=_in_unit(series.load_image, unit),
    )


def _in_unit(load: Callable[[], Image] | None, unit: str) -> Callable[[], Image] | None:
    if load is None:
        return None

    def load_in_unit() -> Image:
        return replace(load(), unit=unit)

    return load_in_unit
