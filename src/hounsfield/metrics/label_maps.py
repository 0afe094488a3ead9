"""Two label maps, class by class: overlap, and distances between outlines, each worked out in the class's own box.

Empty classes: see surface.py (outlines) and segmentation_overlap.py (voxels): nan where both maps lack a class, the
worst value where one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._nonempty_boxes import boxes_of
from hounsfield.metrics._surface_places import checked_spacing, outline
from hounsfield.metrics.segmentation_overlap import OverlapCounts
from hounsfield.metrics.surface import SurfaceDistances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hounsfield.metrics._nonempty_boxes import Box
    from hounsfield.metrics._surface_places import OutlineDefinition


@dataclass(frozen=True, slots=True, eq=False)
class ClassAgreement:
    """One class of two label maps: the four counts of its voxels, and the distances between its outlines."""

    label: int
    counts: OverlapCounts
    surface: SurfaceDistances


def compare_label_maps(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    spacing_mm: tuple[float, ...],
    classes: Sequence[int],
    *,
    definition: OutlineDefinition = "border voxels",
) -> dict[int, ClassAgreement]:
    """What there is to say of each class, in the order of `classes`.

    truth, prediction: integers (z, y, x) or (y, x) of one grid; 0 is the background. spacing_mm: one for each axis, in
    the order of the array. definition: of an outline, "border voxels" or "surface area" (surface.py says which is
    which). Memory: a few bytes for each voxel of the largest box of a class, and for each place of an outline 32 bytes
    that are kept. Raises RefusedInput if the shapes differ, a spacing is not above 0, an array does not hold integers,
    or a class is given twice or is not above 0.
    """
    maps = [np.asarray(label_map) for label_map in (truth, prediction)]
    spacing_mm = checked_spacing(maps[0], maps[1], spacing_mm)
    for label_map in maps:
        if not np.issubdtype(label_map.dtype, np.integer):
            raise RefusedInput(f"a label map holds {label_map.dtype}; integers are needed.")
    if len(set(classes)) != len(classes) or min(classes, default=1) < 1:
        raise RefusedInput(
            f"the classes are {list(classes)}; each once and above 0 is needed, 0 is the background."
        )
    boxes = [boxes_of(label_map, classes) for label_map in maps]
    return {
        label: _agreement(maps, label, (boxes[0][label], boxes[1][label]), spacing_mm, definition)
        for label in classes
    }


def _agreement(
    maps: list[NDArray[Any]],
    label: int,
    boxes: tuple[Box | None, Box | None],
    spacing_mm: tuple[float, ...],
    definition: OutlineDefinition,
) -> ClassAgreement:
    sizes = [
        int(np.count_nonzero(label_map[box] == label)) if box else 0
        for label_map, box in zip(maps, boxes, strict=True)
    ]
    shared = _n_shared(maps, label, boxes)
    counts = OverlapCounts(
        true_positive=shared,
        false_positive=sizes[1] - shared,
        false_negative=sizes[0] - shared,
        true_negative=maps[0].size - sizes[0] - sizes[1] + shared,
    )
    outlines = [
        outline(label_map, label, box, spacing_mm, definition)
        for label_map, box in zip(maps, boxes, strict=True)
    ]
    return ClassAgreement(
        label, counts, SurfaceDistances.between(outlines[0], outlines[1], spacing_mm, definition)
    )


def _n_shared(maps: list[NDArray[Any]], label: int, boxes: tuple[Box | None, Box | None]) -> int:
    """Voxels of the class in both, looked for where the boxes meet."""
    first, second = boxes
    if first is None or second is None:
        return 0
    both = tuple(
        slice(max(one.start, other.start), max(one.start, other.start, min(one.stop, other.stop)))
        for one, other in zip(first, second, strict=True)
    )
    return int(np.count_nonzero((maps[0][both] == label) & (maps[1][both] == label)))
