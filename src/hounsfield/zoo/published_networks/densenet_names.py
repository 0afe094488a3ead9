"""DenseNet by the names of torchvision, which timm, TorchXRayVision and the clones of CheXNet share.

Source: torchvision 0.29 `models/densenet.py`; names of torch before 0.4 were put right by `without_wrapper_names`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.zoo.published_networks.family import Plan, linear, norm, numbers_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

ANCHOR = "features.conv0.weight"
# Huang 2017, table 1.
_NAMED: dict[tuple[int, ...], int] = {(6, 12, 24, 16): 121, (6, 12, 32, 32): 169, (6, 12, 48, 32): 201}
# CheXNet's clones put a Sequential of a layer and a sigmoid in place of the classifier.
_CLASSIFIERS = ("classifier", "classifier.0")


def plan(weights: Mapping[str, NDArray[Any]]) -> Plan | None:
    """The plan of a DenseNet, None where the weights are of none that is known."""
    head = next((name for name in _CLASSIFIERS if f"{name}.weight" in weights), None)
    blocks = tuple(
        len(numbers_in(weights, f"features.denseblock{b}.denselayer#.conv1.weight"))
        for b in numbers_in(weights, "features.denseblock#.")
    )
    if head is None or not blocks or weights[ANCHOR].ndim != 4:
        return None
    names = {"stem.0.weight": (ANCHOR,), **norm("stem.1", "features.norm0")}
    for b, n_layers in enumerate(blocks):
        for n in range(n_layers):
            ours, theirs = f"blocks.{2 * b}.{n}", f"features.denseblock{b + 1}.denselayer{n + 1}"
            for part in ("1", "2"):
                names |= norm(f"{ours}.norm{part}", f"{theirs}.norm{part}")
                names[f"{ours}.conv{part}.weight"] = (f"{theirs}.conv{part}.weight",)
        if b < len(blocks) - 1:
            names |= norm(f"blocks.{2 * b + 1}.0", f"features.transition{b + 1}.norm")
            names[f"blocks.{2 * b + 1}.2.weight"] = (f"features.transition{b + 1}.conv.weight",)
    names |= norm("last.0", "features.norm5") | linear("classifier", head)
    arguments = {
        "n_classes": int(weights[f"{head}.weight"].shape[0]),
        "depth": _NAMED.get(blocks, list(blocks)),
        "growth": int(weights[ANCHOR].shape[0]) // 2,
        "in_channels": int(weights[ANCHOR].shape[1]),
        "published": True,
    }
    return Plan("densenet", arguments, names)
