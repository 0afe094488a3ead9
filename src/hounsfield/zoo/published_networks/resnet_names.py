"""ResNet by the names of torchvision and timm, and by those of Hugging Face.

Sources: torchvision 0.29 `models/resnet.py`, transformers 5.23 `models/resnet/modeling_resnet.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hounsfield.zoo.published_networks.family import Plan, linear, norm, numbers_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Names = dict[str, tuple[str, ...]]
# He 2016, table 1: blocks of the stages, whether they narrow, and the number that names the network.
_NAMED: dict[tuple[tuple[int, ...], bool], int] = {
    ((2, 2, 2, 2), False): 18,
    ((3, 4, 6, 3), False): 34,
    ((3, 4, 6, 3), True): 50,
    ((3, 4, 23, 3), True): 101,
    ((3, 8, 36, 3), True): 152,
}


@dataclass(frozen=True, slots=True)
class _Names:
    """One publisher's names; `S` stands for the stage, `N` for the block, `K` for the convolution in it.

    first: number of the first stage, which is that of the first convolution too. heads: names that a classifier has.
    """

    stem: tuple[str, str]
    stage: str
    block: str
    parts: tuple[str, str]
    shortcut: tuple[str, str]
    first: int
    heads: tuple[str, ...]


_TORCHVISION = _Names(
    ("conv1", "bn1"), "layer#.", "layerS.N.", ("convK", "bnK"), ("downsample.0", "downsample.1"), 1, ("fc", "fc.0"),
)  # fmt: skip
_HUGGING_FACE = _Names(
    ("resnet.embedder.embedder.convolution", "resnet.embedder.embedder.normalization"), "resnet.encoder.stages.#.",
    "resnet.encoder.stages.S.layers.N.", ("layer.K.convolution", "layer.K.normalization"),
    ("shortcut.convolution", "shortcut.normalization"), 0, ("classifier.1",),
)  # fmt: skip
ANCHOR = "bn1.running_mean"
HUGGING_FACE_ANCHOR = f"{_HUGGING_FACE.stem[0]}.weight"


def plan(weights: Mapping[str, NDArray[Any]]) -> Plan | None:
    """The plan of a ResNet with torchvision's names, None where the weights are of none that is known."""
    return _plan(weights, _TORCHVISION)


def hugging_face_plan(weights: Mapping[str, NDArray[Any]]) -> Plan | None:
    """The plan of a ResNetForImageClassification, None where the weights are of none that is known."""
    return _plan(weights, _HUGGING_FACE)


def _plan(weights: Mapping[str, NDArray[Any]], said: _Names) -> Plan | None:
    head = next((name for name in said.heads if f"{name}.weight" in weights), None)
    stem = f"{said.stem[0]}.weight"
    numbers = numbers_in(weights, said.stage)
    if head is None or stem not in weights or not numbers:
        return None
    blocks = [said.block.replace("S", str(s)).replace("N", "#") for s in numbers]
    stages = tuple(len(numbers_in(weights, block)) for block in blocks)
    first = said.block.replace("S", str(numbers[0])).replace("N", "0")
    narrows = f"{first}{said.parts[0].replace('K', str(said.first + 2))}.weight" in weights
    if narrows and (stages, narrows) not in _NAMED:
        return None  # of narrowing blocks only the published depths are built
    names: Names = {"stem.0.weight": (stem,), **norm("stem.1", said.stem[1])}
    place = 0
    for s, n_blocks in enumerate(stages):
        for n in range(n_blocks):
            theirs = said.block.replace("S", str(numbers[s])).replace("N", str(n))
            names |= _block(f"blocks.{place}", theirs, said, narrows=narrows)
            if n == 0 and (s > 0 or narrows):
                names[f"blocks.{place}.shortcut.0.weight"] = (f"{theirs}{said.shortcut[0]}.weight",)
                names |= norm(f"blocks.{place}.shortcut.1", theirs + said.shortcut[1])
            place += 1
    arguments = {
        "n_classes": int(weights[f"{head}.weight"].shape[0]),
        "depth": _NAMED.get((stages, narrows), list(stages)),
        "width": int(weights[stem].shape[0]),
        "in_channels": int(weights[stem].shape[1]),
        "published": True,
    }
    return Plan("resnet", arguments, names | linear("classifier", head))


def _block(ours: str, theirs: str, said: _Names, *, narrows: bool) -> Names:
    names: Names = {}
    for k in range(3 if narrows else 2):
        conv, normalisation = (theirs + part.replace("K", str(k + said.first)) for part in said.parts)
        names[f"{ours}.convs.{k}.weight"] = (f"{conv}.weight",)
        names |= norm(f"{ours}.norms.{k}", normalisation)
    return names
