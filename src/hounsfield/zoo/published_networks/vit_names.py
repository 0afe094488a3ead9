"""Vision transformers with a class token by the names of timm, of torchvision and of Hugging Face.

Sources: timm 1.0 `models/vision_transformer.py`, torchvision 0.29 `models/vision_transformer.py`, transformers
`models/vit/modeling_vit.py` of release 4 and of release 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hounsfield.zoo.published_networks.family import Plan, linear, numbers_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Dosovitskiy 2021, table 1, and Touvron 2021, table 1: heads of the published widths.
HEADS = {192: 3, 384: 6, 768: 12, 1024: 16}


@dataclass(frozen=True, slots=True)
class _Names:
    """One publisher's names; `#` stands for the number of a block. joint: queries, keys and values are one layer."""

    token: str
    positions: str
    patches: str
    block: str
    norms: tuple[str, str]
    joint: str
    apart: tuple[str, ...]
    out: str
    layers: tuple[str, str]
    last: str
    head: str


_TIMM = _Names(
    "cls_token", "pos_embed", "patch_embed.proj", "blocks.#.", ("norm1", "norm2"), "attn.qkv", (), "attn.proj",
    ("mlp.fc1", "mlp.fc2"), "norm", "head",
)  # fmt: skip
_TORCHVISION = _Names(
    "class_token", "encoder.pos_embedding", "conv_proj", "encoder.layers.encoder_layer_#.", ("ln_1", "ln_2"),
    "self_attention.in_proj", (), "self_attention.out_proj", ("mlp.0", "mlp.3"), "encoder.ln", "heads.head",
)  # fmt: skip
_HUGGING_FACE = _Names(
    "vit.embeddings.cls_token", "vit.embeddings.position_embeddings", "vit.embeddings.patch_embeddings.projection",
    "vit.encoder.layer.#.", ("layernorm_before", "layernorm_after"), "",
    ("attention.attention.query", "attention.attention.key", "attention.attention.value"), "attention.output.dense",
    ("intermediate.dense", "output.dense"), "vit.layernorm", "classifier",
)  # fmt: skip
_HUGGING_FACE_5 = _Names(
    "vit.embeddings.cls_token", "vit.embeddings.position_embeddings", "vit.embeddings.patch_embeddings.projection",
    "vit.layers.#.", ("layernorm_before", "layernorm_after"), "",
    ("attention.q_proj", "attention.k_proj", "attention.v_proj"), "attention.o_proj", ("mlp.fc1", "mlp.fc2"),
    "vit.layernorm", "classifier",
)  # fmt: skip
_PUBLISHERS = (_TIMM, _TORCHVISION, _HUGGING_FACE, _HUGGING_FACE_5)


def plan(weights: Mapping[str, NDArray[Any]]) -> Plan | None:
    """The plan of a transformer, None where the weights are of none that is known."""
    for said in _PUBLISHERS:
        blocks = numbers_in(weights, said.block)
        needed = (said.token, said.positions, f"{said.patches}.weight", f"{said.head}.weight")
        if blocks and all(key in weights for key in needed):
            return _plan(weights, said, len(blocks))
    return None


def _plan(weights: Mapping[str, NDArray[Any]], said: _Names, depth: int) -> Plan:
    names = {
        "class_token": (said.token,),
        "class_position": (said.positions,),
        "positions": (said.positions,),
        **linear("embed", said.patches),
        **linear("norm", said.last),
        **linear("classifier", said.head),
    }
    for number in range(depth):
        ours, theirs = f"blocks.{number}", said.block.replace("#", str(number))
        names |= linear(f"{ours}.before_attention", theirs + said.norms[0])
        names |= linear(f"{ours}.before_layers", theirs + said.norms[1])
        names |= _attention(f"{ours}.attention.queries_keys_values", theirs, said)
        names |= linear(f"{ours}.attention.out", theirs + said.out)
        names |= linear(f"{ours}.layers.0", theirs + said.layers[0])
        names |= linear(f"{ours}.layers.2", theirs + said.layers[1])
    first = weights[f"{said.patches}.weight"]
    arguments = {
        "n_classes": int(weights[f"{said.head}.weight"].shape[0]),
        "patch": int(first.shape[-1]),
        "width": int(first.shape[0]),
        "depth": depth,
        "heads": HEADS.get(int(first.shape[0]), 0),
        "grid": round((weights[said.positions].shape[1] - 1) ** 0.5),
        "norm_epsilon": 1e-12 if said in {_HUGGING_FACE, _HUGGING_FACE_5} else 1e-6,
        "in_channels": int(first.shape[1]),
        "published": True,
    }
    return Plan("vit-class-token", arguments, names)


def _attention(ours: str, theirs: str, said: _Names) -> dict[str, tuple[str, ...]]:
    if said.apart:
        return linear(ours, *(theirs + name for name in said.apart))
    if said is _TORCHVISION:  # torch's own attention names them without a point
        return {f"{ours}.{part}": (f"{theirs}{said.joint}_{part}",) for part in ("weight", "bias")}
    return linear(ours, theirs + said.joint)


def positions_of(ours: str, stored: NDArray[Any], grid: int) -> NDArray[Any]:
    """Positions (1, 1 + patches, width) as we hold them: that of the class, or those of the patches on their square."""
    if ours == "class_position":
        return stored[:, :1]
    return stored[:, 1:].transpose(0, 2, 1).reshape(1, stored.shape[2], grid, grid)
