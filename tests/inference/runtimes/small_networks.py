"""Small networks with random weights, as those of the bundles."""

from __future__ import annotations

import numpy as np

from hounsfield.networks import build_network
from hounsfield.networks.segmentation import build_segmentation_network

STAGES = {
    "features": [6, 10, 14],
    "sides": [[3, 3, 3]] * 3,
    "strides": [[1, 1, 1], [2, 2, 2], [2, 2, 2]],
    "n_down": [1, 1, 1],
    "n_up": [1, 1],
}


def small_densenet(seed=1):
    """Four classes of pictures of one channel."""
    return build_network("densenet", {"n_classes": 4, "depth": [2, 2], "growth": 8}, seed=seed).eval()


def small_outliner(seed=1):
    """Three classes and an outline."""
    return build_network("unet-classifier", {"n_classes": 3, "widths": [4, 6, 8]}, seed=seed).eval()


def small_unet(n_classes=3, seed=1):
    """Voxels of volumes of one channel."""
    return build_segmentation_network("unet", {"n_classes": n_classes, "stages": STAGES}, seed=seed).eval()


def noise(*shape, seed=0):
    """A float32 batch of normal noise."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
