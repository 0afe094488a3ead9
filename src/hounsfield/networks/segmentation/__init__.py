"""Networks that give logits for every voxel, for pictures and volumes; one file each, found by its file name.

Begin with unet.py. Their contract, which tests/conformance tests: (n, channels, *spatial) to logits (n, classes, *spatial)
on the same voxels, for every size that their strides divide. Not here: classifiers (networks), windows (inference).
"""

from hounsfield.networks.segmentation._registry import (
    build_segmentation_network,
    segmentation_network,
    segmentation_networks,
)

__all__ = ["build_segmentation_network", "segmentation_network", "segmentation_networks"]
