"""The smallest box around each class of a label map, as slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Box = tuple[slice, ...]

# Up to so many classes, comparing plane by plane is quicker than scipy's one pass over the voxels.
_FEW = 12


def boxes_of(label_map: NDArray[Any], classes: Sequence[int]) -> dict[int, Box | None]:
    """The box of each class above 0, None where it has no voxel. label_map: integers (z, y, x) or (y, x)."""
    if len(classes) > _FEW:
        from scipy import ndimage

        found = ndimage.find_objects(label_map, max_label=max(classes))
        return {label: found[label - 1] for label in classes}
    planes = label_map.reshape(-1, *label_map.shape[-2:])
    seen = [np.zeros((len(classes), n), dtype=np.bool_) for n in planes.shape]
    here = np.empty(planes.shape[1:], dtype=np.bool_)
    for k, plane in enumerate(planes):
        for number, label in enumerate(classes):
            np.equal(plane, label, out=here)
            if here.any():
                seen[0][number, k] = True
                seen[1][number] |= here.any(axis=1)
                seen[2][number] |= here.any(axis=0)
    axes = seen[3 - label_map.ndim :]
    return {label: _between([axis[number] for axis in axes]) for number, label in enumerate(classes)}


def _between(axes: list[NDArray[np.bool_]]) -> Box | None:
    """From the first to the last that holds something, along each axis."""
    held = [np.flatnonzero(axis) for axis in axes]
    return tuple(slice(int(at[0]), int(at[-1]) + 1) for at in held) if held[0].size else None
