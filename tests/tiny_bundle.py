"""A small, complete bundle made in the test: an untrained network, a calibrator and a guard."""

from __future__ import annotations

import numpy as np

from hounsfield.zoo import (
    Calibrator,
    ClassCode,
    DataSource,
    Guard,
    MapEvidence,
    ModelCard,
    Network,
    Preprocessing,
    Threshold,
    write_bundle,
)

CLASSES = ("glioma", "meningioma", "pituitary")
ARGUMENTS = {"n_classes": 3, "widths": [4, 6, 8]}
SIZE_PX = 48


def head_slice(seed=0, shape_yx=(96, 80)):
    """A bright ellipse with texture and a brighter spot, float64 (y, x): no head, but of that kind."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape_yx[0], : shape_yx[1]]
    centre = (shape_yx[0] / 2, shape_yx[1] / 2)
    inside = ((y - centre[0]) / (0.42 * shape_yx[0])) ** 2 + ((x - centre[1]) / (0.42 * shape_yx[1])) ** 2 < 1
    spot = (y - 0.4 * shape_yx[0]) ** 2 + (x - 0.6 * shape_yx[1]) ** 2 < (0.1 * shape_yx[0]) ** 2
    return inside * (80.0 + rng.normal(0, 8, shape_yx)) + 90.0 * spot


def tiny_card(**changes):
    """The card of the tiny bundle, with fields changed."""
    fields = {
        "name": "brain-tumour-mr",
        "version": "0.1.0",
        "title": "Untrained network for tests",
        "classes": [ClassCode(name=n, value=n.upper(), scheme="99TEST", meaning=n) for n in CLASSES],
        "task": "classification with outline",
        "modality": "MR",
        "intended_use": "Tests of this project.",
        "not_for": ["patients"],
        "evidence_level": "None: the weights are random.",
        "data": [
            DataSource(
                name="nothing", source="random", citation="none", licence="Apache-2.0", n_cases=1, n_groups=1
            )
        ],
        "licence": "Apache-2.0",
        "split_digest": "0" * 64,
        "seed": 1,
        "network": Network(name="unet-classifier", arguments=ARGUMENTS),
        "preprocessing": Preprocessing(size_px=SIZE_PX),
        "code_version": "0.1.0",
    }
    return ModelCard.model_validate({**fields, **changes})


def map_evidence(**values):
    """Evidence of maps by name, each with how often its highest point lay on the truth."""
    return {
        name.replace("_", "-"): MapEvidence(
            value=value, low95=0.4, high95=0.6, n=9, n_groups=3, part="test", chance=0.02
        )
        for name, value in values.items()
    }


def tiny_network(seed=1):
    """The network with random weights."""
    from hounsfield.networks import build_network

    return build_network("unet-classifier", ARGUMENTS, seed=seed)


def write_tiny_bundle(parent, *, calibrated=False, guarded=False, quantile=1.0, **changes):
    """Write the tiny bundle below `parent`; guarded: fitted on `head_slice`, threshold at `quantile`."""
    network = tiny_network()
    if calibrated:
        changes.setdefault(
            "calibrator", Calibrator(name="temperature", parameters={"temperature": 2.0}, fitted_on="nothing")
        )
        threshold = Threshold(present_from=0.6, absent_to=0.1, chosen_on="nothing", purpose="tests")
        changes.setdefault("thresholds", dict.fromkeys(CLASSES, threshold))
    arrays = None
    if guarded:
        arrays, distance = _fitted_guard(network, quantile)
        changes.setdefault(
            "guard",
            Guard(
                method="mahalanobis-residual",
                threshold=distance,
                quantile=quantile,
                fitted_on="phantom slices",
            ),
        )
    card = tiny_card(**changes)
    return write_bundle(parent / card.name, card=card, weights=network.state_dict(), guard_arrays=arrays)


def _fitted_guard(network, quantile):
    import torch

    from hounsfield.calibration import fit_guard
    from hounsfield.inference import network_outputs, prepare

    pictures = [prepare(head_slice(seed), Preprocessing(size_px=SIZE_PX)).pixels for seed in range(12)]
    features = network_outputs(network.eval(), torch.from_numpy(np.stack(pictures))[:, None]).features
    guard = fit_guard(features, n_components=4)
    return guard.to_arrays(), float(np.quantile(guard.distance(features), quantile)) * 1.5
