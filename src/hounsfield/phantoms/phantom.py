"""What every phantom is: an array on a grid, masks, and the truth about both; or several such images of one patient."""

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

    kind: as in `hounsfield phantom KIND`. array: (z, y, x) in `unit` (int16 HU; float32 SUVbw), for a
    cine (frame, y, x). grid: where it lies, with a frame of reference derived from the parameters; its
    affine is None where the class of image has none (a film). masks: true regions by name, bool (z, y, x).
    truth: what truth.json holds (JSON types only). parameters: what it was made from. name: of the image
    within its study, "" for the only one. day: days since the first study of the patient.
    """

    kind: str
    array: NDArray[Any]
    grid: Grid
    unit: str
    parameters: Mapping[str, Any]
    truth: Mapping[str, Any]
    masks: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    name: str = ""
    day: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class PhantomStudy:
    """Several images of one synthetic patient: sequences, views, or visits on different days.

    images: by name, each with its grid, masks and own truth; all share `kind` and `parameters`, from
    which the patient follows, and images of one `day` make one study. truth: what concerns them together.
    """

    kind: str
    parameters: Mapping[str, Any]
    truth: Mapping[str, Any]
    images: Mapping[str, Phantom]
