"""How far a predicted volume is from the true one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from hounsfield.metrics.segmentation_overlap import OverlapCounts


@dataclass(frozen=True, slots=True)
class VolumeError:
    """Two volumes in ml, wherever they lie."""

    truth_ml: float
    prediction_ml: float

    @property
    def error_ml(self) -> float:
        """Predicted minus true."""
        return self.prediction_ml - self.truth_ml

    @property
    def absolute_ml(self) -> float:
        """Without its sign; defined for empty masks too."""
        return abs(self.error_ml)

    @property
    def relative(self) -> float:
        """(predicted - true) / true; inf if the truth alone is empty, nan if both are."""
        if self.truth_ml:
            return self.error_ml / self.truth_ml
        return math.inf if self.prediction_ml else math.nan

    @property
    def absolute_relative(self) -> float:
        """`relative` without its sign."""
        return abs(self.relative)


def volume_error(counts: OverlapCounts, spacing_mm: tuple[float, float, float]) -> VolumeError:
    """From the voxels of two masks (z, y, x). Raises RefusedInput unless there are three spacings above 0."""
    if len(spacing_mm) != 3 or not all(step > 0 and math.isfinite(step) for step in spacing_mm):
        raise RefusedInput(f"spacing {spacing_mm} mm gives no volume; three above 0 are needed.")
    voxel_ml = math.prod(spacing_mm) / 1000
    return VolumeError(counts.n_truth * voxel_ml, counts.n_prediction * voxel_ml)
