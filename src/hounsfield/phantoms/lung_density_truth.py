"""Truth of lung density: a histogram of noiseless HU, from which volume, mean, LAA% and Perc15 follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAA_HU = -950  # domain limit of LAA%-950: below, exclusive


class LungSums:
    """Histogram of noiseless HU per lung, from which every truth of density follows."""

    def __init__(self) -> None:
        self.counts: dict[str, NDArray[np.int64]] = {}

    def add(self, name: str, hu: NDArray[np.float32]) -> None:
        """Count values of one slice in bins of 0.5 HU from -1024."""
        index = np.clip(np.floor((hu + 1024.0) * 2).astype(np.int64), 0, 8191)
        counts = np.bincount(index, minlength=8192)
        self.counts[name] = self.counts.get(name, np.zeros(8192, dtype=np.int64)) + counts

    def truth(self, voxel_volume_mm3: float) -> dict[str, Any]:
        """Volume, mean, LAA and Perc15 of each lung and of both."""
        both = np.sum(list(self.counts.values()), axis=0)
        return {
            name: _density(counts, voxel_volume_mm3)
            for name, counts in (*sorted(self.counts.items()), ("both-lungs", both))
        }


def _density(counts: NDArray[np.int64], voxel_volume_mm3: float) -> dict[str, float]:
    n = int(counts.sum())
    low = -1024.0 + np.arange(counts.size) / 2
    below = np.cumsum(counts)
    return {
        "volume_ml": n * voxel_volume_mm3 / 1000,
        "mean_hu": float((counts * (low + 0.25)).sum() / n),
        "laa_950_percent": float(100 * counts[low < LAA_HU].sum() / n),
        "laa_910_percent": float(100 * counts[low < -910].sum() / n),
        "perc15_hu": float(low[int(np.searchsorted(below, 0.15 * n))] + 0.25),
    }
