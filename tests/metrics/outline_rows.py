"""Outlines beside surface-distance, MONAI and scikit-learn, as rows."""

from __future__ import annotations

import numpy as np
from sklearn import metrics as sk
from tests.metrics.comparison import Row, apart
from tests.metrics.test_surface_area import MONAI, PAIRS, SURFACE_DISTANCE, figures

from hounsfield.metrics import count_overlap

NAMES = "surface Dice, HD95, Hausdorff distance, mean distances"


def outline_rows() -> list[Row]:
    """Eight pairs of masks: anisotropic, at the edge, of one voxel, far apart, hollow; and random ones for the counts."""
    by_area = [apart(figures(name, "surface area"), SURFACE_DISTANCE[name]) for name in PAIRS]
    by_voxel = [apart(figures(name, "border voxels"), MONAI[name]) for name in PAIRS]
    rng = np.random.default_rng(3)
    one, other = rng.random((6, 7, 8)) < 0.4, rng.random((6, 7, 8)) < 0.4
    flat = (one.ravel(), other.ravel())
    counts = count_overlap(one, other)
    theirs = [
        sk.jaccard_score(*flat),
        sk.rand_score(*flat),
        sk.adjusted_rand_score(*flat),
        sk.mutual_info_score(*flat),
    ]
    ours = [counts.jaccard, counts.rand, counts.adjusted_rand, counts.mutual_information_nats]
    return [
        Row(f"{NAMES}, by surface area", "surface-distance 0.1", max(by_area), 1e-6),
        Row(f"{NAMES}, by border voxels", "MONAI 1.6.1, in 32 bits", max(by_voxel), 1e-5),
        Row(
            "Jaccard, Rand, adjusted Rand, mutual information (Taha and Hanbury)",
            "scikit-learn",
            apart(ours, theirs),
            1e-12,
        ),
    ]
