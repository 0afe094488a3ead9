"""A small bundle that labels voxels, with weights set by hand so that the right labels are known."""

from __future__ import annotations

import numpy as np

from hounsfield.zoo import (
    Channel,
    ClassCode,
    GreyValues,
    ModelCard,
    Network,
    Origin,
    VolumeInference,
    VolumePreprocessing,
    write_bundle,
)

NAMES = ("background", "bright")


def volume_card(**changes):
    """A card of two labels; its preprocessing scales grey values between the extremes of the volume to 0 and 1."""
    preprocessing = {
        "channels": [
            Channel(name="T1", modalities=("MR",), grey_values=GreyValues(way="unit-range", clip=False))
        ]
    }
    fields = {
        "name": "bright-things",
        "version": "0.1.0",
        "title": "Threshold as a network, for tests",
        "classes": [ClassCode(name=n, value=n.upper(), scheme="99TEST", meaning=n) for n in NAMES],
        "outputs": "voxels",
        "task": "segmentation",
        "modality": "MR",
        "intended_use": "Tests of this project.",
        "not_for": ["patients"],
        "evidence_level": "None: the weights are set by hand.",
        "licence": "Apache-2.0",
        "network": Network(
            name="meshnet",
            arguments={"n_classes": 2, "channels": 1, "dilations": [1], "norm": "none"},
        ),
        "preprocessing": VolumePreprocessing(**(preprocessing | changes.pop("preprocessing", {}))),
        "volume": VolumeInference(),
        "origin": Origin(format="test", source="nothing", source_sha256="0" * 64, unstated=("everything",)),
        "code_version": "0.1.0",
    }
    return ModelCard.model_validate({**fields, **changes})


def threshold_weights(*, looks_at=(1, 1, 1), threshold=0.5):
    """Logits 0 and x - threshold, x being the voxel at that place of the 3 x 3 x 3 neighbourhood (1, 1, 1: itself)."""
    kernel = np.zeros((1, 1, 3, 3, 3), dtype=np.float32)
    kernel[(0, 0, *looks_at)] = 1.0
    return {
        "layers.0.weight": kernel,
        "layers.0.bias": np.zeros(1, dtype=np.float32),
        "head.weight": np.array([0.0, 1.0], dtype=np.float32).reshape(2, 1, 1, 1, 1),
        "head.bias": np.array([0.0, -threshold], dtype=np.float32),
    }


def write_volume_bundle(parent, *, weights=None, **changes):
    """Write the bundle below `parent`."""
    card = volume_card(**changes)
    return write_bundle(
        parent / card.name, card=card, weights=threshold_weights() if weights is None else weights
    )


def write_brain_bundle(parent):
    """What is brighter than a quarter of the brightest is cortex, than six tenths white matter: no brain, but of its size."""
    names = ("background", "Cerebral-Cortex", "Cerebral-White-Matter")
    weights = threshold_weights()
    weights["head.weight"] = np.array([0.0, 1.0, 2.0], dtype=np.float32).reshape(3, 1, 1, 1, 1)
    weights["head.bias"] = np.array([0.0, -0.25, -0.85], dtype=np.float32)
    return write_volume_bundle(
        parent,
        name="brain-volumes-mr",
        weights=weights,
        classes=[ClassCode(name=n, value=n.upper()[:16], scheme="99HOUNSFIELD", meaning=n) for n in names],
        network={
            "name": "meshnet",
            "arguments": {"n_classes": 3, "channels": 1, "dilations": [1], "norm": "none"},
        },
        preprocessing={"axes": ("L", "I", "A")},
    )
