"""What every phantom is: an array on a grid, masks, and the truth about both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hounsfield.core import Grid


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """A synthetic image with known truth.

    kind: `chest-ct` or `fdg-pet`. array: (z, y, x) in `unit` (int16 HU; float32 SUVbw). grid: where it
    lies, with a frame of reference derived from the parameters. masks: true regions by name, bool
    (z, y, x). truth: what truth.json holds (JSON types only). parameters: what it was made from.
    """

    kind: str
    array: NDArray[Any]
    grid: Grid
    unit: str
    parameters: Mapping[str, Any]
    truth: Mapping[str, Any]
    masks: Mapping[str, NDArray[Any]] = field(default_factory=dict)
