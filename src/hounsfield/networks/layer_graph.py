"""A network given as a list of layers: what graphs of others (ONNX, Keras) become, as data that a card can hold.

Each node is {"name", "op", "inputs", ...}: `OPS` lists the operations and their settings; the picture is the input "x".
Nothing of a graph is code. Operations are those of ONNX (https://onnx.ai/onnx/operators/), on (n, channels, y, x).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from hounsfield.core.errors import UsageError
from hounsfield.networks._layers import full_precision, standardise
from hounsfield.networks._registry import network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_NODES = 4096
PICTURE = "x"
# A small graph, for a network that is to be trained here.
_PLAIN: tuple[Mapping[str, Any], ...] = (
    {"name": "a", "op": "conv", "inputs": ["x"], "out": 8, "in": 1, "kernel": [3, 3], "pads": [1, 1, 1, 1]},
    {"name": "b", "op": "relu", "inputs": ["a"]},
    {"name": "c", "op": "conv", "inputs": ["b"], "out": 8, "in": 8, "kernel": [3, 3], "pads": [1, 1, 1, 1]},
    {"name": "d", "op": "global_mean", "inputs": ["c"]},
    {"name": "e", "op": "flatten", "inputs": ["d"]},
)


class Conv(nn.Module):
    """Convolution with a padding of its own on each side (top, left, bottom, right)."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        self.pads = [int(n) for n in said.get("pads", (0, 0, 0, 0))]
        self.strides, self.dilations = said.get("strides", (1, 1)), said.get("dilations", (1, 1))
        self.groups = int(said.get("groups", 1))
        shape = (int(said["out"]), int(said["in"]) // self.groups, *said["kernel"])
        self.weight = nn.Parameter(nn.init.kaiming_normal_(torch.empty(shape)))
        self.bias = nn.Parameter(torch.zeros(shape[0])) if said.get("bias", True) else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features of (n, in, y, x)."""
        padded = _padded(x, self.pads, 0.0)
        return functional.conv2d(
            padded, self.weight, self.bias, self.strides, dilation=self.dilations, groups=self.groups
        )


class Constant(nn.Module):
    """Numbers that are added, taken away, multiplied or divided by."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        self.way, self.reversed = _PAIRS[said["op"].removesuffix("_constant")], bool(said.get("reversed"))
        self.value = nn.Parameter(torch.ones([int(n) for n in said["shape"]]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The tensor and the constant, as ONNX broadcasts them."""
        return self.way(self.value, x) if self.reversed else self.way(x, self.value)


def _padded(x: torch.Tensor, pads: Sequence[int], value: float) -> torch.Tensor:
    top, left, bottom, right = pads
    return functional.pad(x, (left, right, top, bottom), value=value) if any(pads) else x


def _max_pool(said: Mapping[str, Any], x: torch.Tensor) -> torch.Tensor:
    padded = _padded(x, said.get("pads", (0, 0, 0, 0)), float("-inf"))
    return functional.max_pool2d(padded, said["kernel"], said["strides"], ceil_mode=bool(said.get("ceil")))


def _mean_pool(said: Mapping[str, Any], x: torch.Tensor) -> torch.Tensor:
    kernel, strides, pads = said["kernel"], said["strides"], said.get("pads", (0, 0, 0, 0))
    ceil = bool(said.get("ceil"))
    sums = functional.avg_pool2d(_padded(x, pads, 0.0), kernel, strides, ceil_mode=ceil)
    if said.get("counts_padding") or not any(pads):
        return sums
    inside = _padded(torch.ones_like(x[:1, :1]), pads, 0.0)
    return sums / functional.avg_pool2d(inside, kernel, strides, ceil_mode=ceil)


def _flatten(said: Mapping[str, Any], x: torch.Tensor) -> torch.Tensor:
    if said.get("channels_last") and x.ndim == 4:  # in the order of Keras
        x = x.permute(0, 2, 3, 1)
    return x.flatten(1)


def _clip(said: Mapping[str, Any], x: torch.Tensor) -> torch.Tensor:
    return x.clamp(said.get("low"), said.get("high"))


_PAIRS: dict[str, Callable[..., torch.Tensor]] = {
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "divide": torch.div,
}
# Operations with weights, and those without: (settings, inputs...) to a tensor.
_WEIGHTED: dict[str, Callable[[Mapping[str, Any]], nn.Module]] = {
    "conv": Conv,
    "norm": lambda said: nn.BatchNorm2d(int(said["channels"]), eps=float(said["epsilon"])),
    "linear": lambda said: nn.Linear(int(said["in"]), int(said["out"]), bias=bool(said.get("bias", True))),
    **{f"{name}_constant": Constant for name in _PAIRS},
}
_PLAIN_OPS: dict[str, Callable[..., torch.Tensor]] = {
    "relu": lambda _s, x: functional.relu(x),
    "leaky_relu": lambda said, x: functional.leaky_relu(x, float(said["slope"])),
    "elu": lambda said, x: functional.elu(x, float(said["slope"])),
    "sigmoid": lambda _s, x: torch.sigmoid(x),
    "tanh": lambda _s, x: torch.tanh(x),
    "softmax": lambda said, x: torch.softmax(x, int(said["axis"])),
    "clip": _clip,
    "max_pool": _max_pool,
    "mean_pool": _mean_pool,
    "global_mean": lambda _s, x: x.mean((2, 3), keepdim=True),
    "global_max": lambda _s, x: x.amax((2, 3), keepdim=True),
    "flatten": _flatten,
    "pad": lambda said, x: _padded(x, said["pads"], float(said.get("value", 0.0))),
    "concat": lambda _s, *parts: torch.cat(parts, 1),
    **{name: (lambda _s, a, b, way=way: way(a, b)) for name, way in _PAIRS.items()},
}
OPS = frozenset({*_WEIGHTED, *_PLAIN_OPS})


@network("layer-graph")
class LayerGraph(nn.Module):
    """Classes of a picture, by a graph of layers.

    n_classes: outputs. nodes: in an order in which each needs only what came before; the last gives the logits
    (n, n_classes). None for a small network to be trained. seen: node whose output (n, c, y, x) Grad-CAM weighs and the
    guard judges. published: grey values are not standardised. Input (n, in_channels, h, w); `forward` gives class logits
    and None; `features` gives (n, 2 c). Raises UsageError for an unknown operation, a missing setting, a node that needs
    what does not come before it, and more than MOST_NODES nodes.
    """

    gives_mask = False

    def __init__(
        self,
        n_classes: int,
        *,
        nodes: Sequence[Mapping[str, Any]] | None = None,
        seen: str = "",
        in_channels: int = 1,
        published: bool = False,
    ) -> None:
        super().__init__()
        last = {"name": "f", "op": "linear", "inputs": ["e"], "in": 8, "out": n_classes}
        self.plan = [dict(node) for node in (nodes if nodes is not None else (*_PLAIN, last))]
        self.n_classes, self.in_channels, self.published = n_classes, in_channels, published
        self.layers = nn.ModuleDict()
        self.seen_layer = nn.Identity()
        self.seen = seen or ("" if nodes is not None else "c")
        _check(self.plan, self.seen)
        for node in self.plan:
            if node["op"] in _WEIGHTED:
                try:
                    self.layers[str(node["name"])] = _WEIGHTED[node["op"]](node)
                except (KeyError, TypeError, ValueError) as error:
                    raise UsageError(
                        f"layer {node['name']!r} ({node['op']}) lacks or misstates {error}"
                    ) from error

    @property
    def cam_layer(self) -> nn.Module:
        """What the node `seen` gave: output (n, c, y, x)."""
        return self.seen_layer

    def _run(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the last node gave, and what the node `seen` gave."""
        values = {PICTURE: x if self.published else standardise(x)}
        given = values[PICTURE]
        for node in self.plan:
            name, inputs = str(node["name"]), [values[key] for key in node["inputs"]]
            given = (
                self.layers[name](*inputs) if name in self.layers else _PLAIN_OPS[node["op"]](node, *inputs)
            )
            values[name] = self.seen_layer(given) if name == self.seen else given
        return given, values.get(self.seen, x)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Class logits (n, n_classes) of pictures (n, in_channels, h, w), and None for the outline."""
        return self._run(x)[0], None

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Mean and standard deviation of every channel of the node `seen`: (n, 2 c)."""
        flat = full_precision(self._run(x)[1]).flatten(2)
        return torch.cat([flat.mean(dim=2), flat.std(dim=2, unbiased=False)], dim=1)


def _check(plan: Sequence[Mapping[str, Any]], seen: str) -> None:
    if not 1 <= len(plan) <= MOST_NODES:
        raise UsageError(f"a graph has 1 to {MOST_NODES} layers, not {len(plan)}")
    known = {PICTURE}
    for node in plan:
        name, op = str(node.get("name", "")), node.get("op")
        if op not in OPS:
            raise UsageError(f"layer {name!r} has the operation {op!r}; known are {', '.join(sorted(OPS))}")
        missing = [key for key in node.get("inputs", ()) if key not in known]
        if missing or not node.get("inputs") or not name.isidentifier() or name in known:
            raise UsageError(f"layer {name!r} needs {missing or 'an input and a name of its own'} before it")
        known.add(name)
    if seen and seen not in known:
        raise UsageError(f"the graph has no layer {seen!r}")
