"""One structure in one case: how the outline that was found lies to the true one.

Definitions: surface distances are those of metrics.surface (border voxels, each once, between their centres). A lesion is
a connected part of the mask, voxels touching by face, edge or corner; it is found where the other mask shares at
least one voxel with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics import dice, surface_distances

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HD95_DEFINITION = (
    "HD95: the larger of the 95th percentiles of the distances from the border voxels of either mask to the other's "
    "(centres of voxels, each border voxel once, by lines between ranks)"
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a voxel is. steps: of each axis, in `length`. voxel_amount: what one voxel counts, in `amount`.

    length: `mm`, or `px` where the files state no spacing. amount: `mL`, `mm\u00b2`, `px`, `voxels`. tolerance: of the
    surface Dice, in `length`.
    """

    steps: tuple[float, ...]
    length: str
    voxel_amount: float
    amount: str
    tolerance: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """Figures of one structure in one case.

    dice, surface_dice: 0 where only one mask holds the structure. hd95: infinite there. truth_amount, found_amount: in the
    scale's amount. n_lesions, n_lesions_hit: of the truth. n_marks, n_false_marks: parts of what was found.
    """

    case: str
    patient: str
    structure: str
    dice: float
    surface_dice: float
    hd95: float
    truth_amount: float
    found_amount: float
    n_lesions: int = 0
    n_lesions_hit: int = 0
    n_marks: int = 0
    n_false_marks: int = 0

    @property
    def in_truth(self) -> bool:
        """Whether the truth holds the structure."""
        return self.truth_amount > 0

    @property
    def is_found(self) -> bool:
        """Whether anything was found of it."""
        return self.found_amount > 0

    def to_json(self) -> dict[str, Any]:
        """All fields; a distance to nothing is null. The patient is left out."""
        return {
            "case": self.case,
            "structure": self.structure,
            "dice": self.dice,
            "surface_dice": self.surface_dice,
            "hd95": self.hd95 if math.isfinite(self.hd95) else None,
            "truth_amount": self.truth_amount,
            "found_amount": self.found_amount,
            "n_lesions": self.n_lesions,
            "n_lesions_hit": self.n_lesions_hit,
            "n_marks": self.n_marks,
            "n_false_marks": self.n_false_marks,
        }


def overlap_of(
    truth: NDArray[np.bool_],
    found: NDArray[np.bool_],
    scale: Scale,
    *,
    case: str,
    patient: str,
    structure: str,
) -> Overlap | None:
    """Figures of two masks of one shape (any number of axes); None where both are empty."""
    box = _box(truth | found)
    if box is None:
        return None
    true, said = truth[box], found[box]
    apart = surface_distances(true, said, scale.steps)
    n_lesions, n_hit = _parts(true, said)
    n_marks, n_right = _parts(said, true)
    return Overlap(
        case,
        patient,
        structure,
        dice(true, said),
        apart.surface_dice(scale.tolerance),
        apart.hausdorff_percentile_mm(),
        float(true.sum()) * scale.voxel_amount,
        float(said.sum()) * scale.voxel_amount,
        n_lesions,
        n_hit,
        n_marks,
        n_marks - n_right,
    )


def overlaps_of_labels(
    truth: NDArray[np.integer[Any]],
    found: NDArray[np.integer[Any]],
    scale: Scale,
    names: Mapping[int, str],
    *,
    case: str,
    patient: str,
) -> list[Overlap]:
    """Figures of every label of two label maps, by name; what both lack is left out."""
    made = [
        overlap_of(truth == label, found == label, scale, case=case, patient=patient, structure=name)
        for label, name in names.items()
    ]
    return [one for one in made if one is not None]


def _box(mask: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    """The smallest box around a mask; None for an empty one."""
    box = []
    for axis in range(mask.ndim):
        along = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        if not along.size:
            return None
        box.append(slice(int(along[0]), int(along[-1]) + 1))
    return tuple(box)


def _parts(mask: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[int, int]:
    """Number of connected parts of `mask`, and how many of them share a voxel with `other`."""
    from scipy.ndimage import label

    parts, n_parts = label(mask, structure=np.ones((3,) * mask.ndim, dtype=bool))
    touched = np.unique(parts[other])
    return int(n_parts), int((touched > 0).sum())
