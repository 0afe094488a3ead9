"""From the operations of an ONNX graph to our layers: those of plain networks of pictures, each other one named and refused.

Source: https://onnx.ai/onnx/operators/ (opset 9 to 21).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import ModelError
from hounsfield.zoo.published_networks.graph_layers import GraphLayers

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hounsfield.zoo.foreign_weights.onnx_graph import OnnxGraph, OnnxNode
    from hounsfield.zoo.published_networks.recognise import Recognised

_ONNX = ("", "ai.onnx")


class OnnxLayers:
    """Takes the nodes of one graph in turn."""

    def __init__(self, graph: OnnxGraph, name: str) -> None:
        self.graph, self.name = graph, name
        self.numbers = dict(graph.numbers)
        self.made = GraphLayers(name)

    def network(self) -> tuple[Recognised, str]:
        """The network, and what its graph ended with. Raises ModelError naming the operation that is not read."""
        if len(self.graph.inputs) != 1 or len(self.graph.outputs) != 1:
            raise ModelError(
                f"{self.name} has {len(self.graph.inputs)} inputs and {len(self.graph.outputs)} outputs; one of each is read"
            )
        (given,) = self.graph.inputs
        shape = self.graph.shapes[given]
        if len(shape) != 4 or shape[1] not in {1, 3}:
            raise ModelError(
                f"{self.name} takes {list(shape)}; pictures (n, 1 or 3, height, width) are needed"
            )
        self.made.places[given] = "x"
        for node in self.graph.nodes:
            reader = _READERS.get(node.op) if node.domain in _ONNX else None
            if reader is None:
                known = ", ".join(sorted(_READERS))
                raise ModelError(
                    f"{self.name} uses the operation {node.op!r}, which is not read here; read are {known}. Run it with ONNX "
                    "Runtime outside this project, or give the weights that it was made from."
                )
            try:
                reader(self, node)
            except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
                raise ModelError(f"{self.name}: {node.op} is not as ONNX describes it ({error!r})") from error
        return self.made.finish(self.graph.outputs[0], int(shape[1]))

    def array(self, node: OnnxNode, place: int) -> NDArray[Any]:
        """An input that must be a number of the file."""
        name = node.inputs[place] if place < len(node.inputs) else ""
        if name not in self.numbers:
            raise ModelError(
                f"{self.name}: input {place + 1} of {node.op} is not among the numbers of the file"
            )
        return self.numbers[name]

    def refuse(self, node: OnnxNode, why: str) -> ModelError:
        """The error that a setting of an operation is not read."""
        return ModelError(f"{self.name}: {node.op} with {why} is not read here")


def _window(graph: OnnxLayers, node: OnnxNode) -> dict[str, Any]:
    """Kernel, strides and pads (top, left, bottom, right) of a convolution or pooling."""
    said = node.attributes
    if said.get("auto_pad", "NOTSET") not in {"NOTSET", "VALID"}:
        raise graph.refuse(node, f"auto_pad {said['auto_pad']!r}")
    pads = said.get("pads", [0, 0, 0, 0])
    if len(pads) != 4:
        raise graph.refuse(node, f"pads {pads}")
    return {"strides": said.get("strides", [1, 1]), "pads": pads}


def _conv(graph: OnnxLayers, node: OnnxNode) -> None:
    weight, groups = graph.array(node, 1), int(node.attributes.get("group", 1))
    weights = {"weight": weight}
    if len(node.inputs) > 2 and node.inputs[2]:
        weights["bias"] = graph.array(node, 2)
    settings = {
        "out": weight.shape[0],
        "in": weight.shape[1] * groups,
        "kernel": list(weight.shape[2:]),
        "groups": groups,
        "dilations": node.attributes.get("dilations", [1, 1]),
        "bias": "bias" in weights,
        **_window(graph, node),
    }
    graph.made.add("conv", node.inputs[:1], node.outputs[0], weights, **settings)


def _norm(graph: OnnxLayers, node: OnnxNode) -> None:
    parts = tuple(graph.array(node, place) for place in (1, 2, 3, 4))
    graph.made.add_norm(node.inputs[0], node.outputs[0], parts, float(node.attributes.get("epsilon", 1e-5)))


def _gemm(graph: OnnxLayers, node: OnnxNode) -> None:
    said = node.attributes
    if (said.get("alpha", 1.0), said.get("beta", 1.0), said.get("transA", 0)) != (1.0, 1.0, 0):
        raise graph.refuse(node, "alpha, beta or transA")
    matrix = graph.array(node, 1)
    weights = {"weight": matrix if said.get("transB", 0) else matrix.T}
    if len(node.inputs) > 2 and node.inputs[2]:
        weights["bias"] = np.broadcast_to(graph.array(node, 2).ravel(), (len(weights["weight"]),))
    _linear(graph, node, weights)


def _matmul(graph: OnnxLayers, node: OnnxNode) -> None:
    _linear(graph, node, {"weight": graph.array(node, 1).T})


def _linear(graph: OnnxLayers, node: OnnxNode, weights: dict[str, NDArray[Any]]) -> None:
    if weights["weight"].ndim != 2:
        raise graph.refuse(node, f"a matrix of {weights['weight'].ndim} axes")
    n_out, n_in = weights["weight"].shape
    settings = {"in": n_in, "out": n_out, "bias": "bias" in weights}
    graph.made.add("linear", node.inputs[:1], node.outputs[0], weights, **settings)


def _pool(graph: OnnxLayers, node: OnnxNode) -> None:
    said = node.attributes
    if any(step != 1 for step in said.get("dilations", ())) or len(node.outputs) > 1:
        raise graph.refuse(node, "dilations or indices")
    settings = {"kernel": said["kernel_shape"], "ceil": said.get("ceil_mode", 0), **_window(graph, node)}
    if node.op == "AveragePool":
        settings["counts_padding"] = said.get("count_include_pad", 0)
    op = {"MaxPool": "max_pool", "AveragePool": "mean_pool"}[node.op]
    graph.made.add(op, node.inputs[:1], node.outputs[0], **settings)


def _reduce_mean(graph: OnnxLayers, node: OnnxNode) -> None:
    axes = node.attributes.get("axes") or graph.array(node, 1).tolist()
    if sorted(axis % 4 for axis in axes) != [2, 3]:
        raise graph.refuse(node, f"axes {axes}")
    graph.made.add("global_mean", node.inputs[:1], node.outputs[0])
    if not node.attributes.get("keepdims", 1):
        graph.made.add("flatten", node.outputs[:1], node.outputs[0])


def _flatten(graph: OnnxLayers, node: OnnxNode) -> None:
    if node.attributes.get("axis", 1) != 1:
        raise graph.refuse(node, f"axis {node.attributes['axis']}")
    graph.made.add("flatten", node.inputs[:1], node.outputs[0])


def _reshape(graph: OnnxLayers, node: OnnxNode) -> None:
    """Only what flattens: one row for each picture."""
    shape = graph.array(node, 1).tolist()
    if len(shape) != 2 or shape[0] not in {0, 1, -1} or (shape[0] == -1 and shape[1] == -1):
        raise graph.refuse(node, f"the shape {shape}")
    graph.made.add("flatten", node.inputs[:1], node.outputs[0])


def _clip(graph: OnnxLayers, node: OnnxNode) -> None:
    limits: dict[str, Any] = {"low": node.attributes.get("min"), "high": node.attributes.get("max")}
    for place, key in ((1, "low"), (2, "high")):
        if place < len(node.inputs) and node.inputs[place]:
            limits[key] = float(graph.array(node, place).ravel()[0])
    graph.made.add("clip", node.inputs[:1], node.outputs[0], **limits)


def _pair(graph: OnnxLayers, node: OnnxNode) -> None:
    op = {"Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide"}[node.op]
    constant = next((k for k, name in enumerate(node.inputs) if name in graph.numbers), None)
    if constant is None:
        graph.made.add(op, node.inputs, node.outputs[0])
        return
    value = graph.array(node, constant)
    other = node.inputs[1 - constant]
    settings = {"shape": list(value.shape), "reversed": constant == 0}
    graph.made.add(f"{op}_constant", (other,), node.outputs[0], {"value": value}, **settings)


def _concat(graph: OnnxLayers, node: OnnxNode) -> None:
    if node.attributes.get("axis") != 1:
        raise graph.refuse(node, f"axis {node.attributes.get('axis')}")
    graph.made.add("concat", node.inputs, node.outputs[0])


def _softmax(graph: OnnxLayers, node: OnnxNode) -> None:
    if node.attributes.get("axis", -1) not in {1, -1}:
        raise graph.refuse(node, f"axis {node.attributes['axis']}")
    graph.made.add("softmax", node.inputs[:1], node.outputs[0], axis=1)


def _constant(graph: OnnxLayers, node: OnnxNode) -> None:
    value = next(iter(node.attributes.values()))
    graph.numbers[node.outputs[0]] = np.asarray(value)


def _same(graph: OnnxLayers, node: OnnxNode) -> None:
    if node.inputs[0] in graph.numbers:
        graph.numbers[node.outputs[0]] = graph.numbers[node.inputs[0]]
        return
    graph.made.same(node.inputs[0], node.outputs[0])


def _plain(op: str, **settings: tuple[str, float]) -> Callable[[OnnxLayers, OnnxNode], None]:
    """An operation without weights. settings: ours, by ONNX's attribute and its default."""

    def read(graph: OnnxLayers, node: OnnxNode) -> None:
        values = {key: node.attributes.get(theirs, default) for key, (theirs, default) in settings.items()}
        graph.made.add(op, node.inputs[:1], node.outputs[0], **values)

    return read


_READERS: dict[str, Callable[[OnnxLayers, OnnxNode], None]] = {
    "Conv": _conv,
    "BatchNormalization": _norm,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": _plain("global_mean"),
    "GlobalMaxPool": _plain("global_max"),
    "ReduceMean": _reduce_mean,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Clip": _clip,
    "Add": _pair,
    "Sub": _pair,
    "Mul": _pair,
    "Div": _pair,
    "Concat": _concat,
    "Softmax": _softmax,
    "Sigmoid": _plain("sigmoid"),
    "Tanh": _plain("tanh"),
    "Relu": _plain("relu"),
    "LeakyRelu": _plain("leaky_relu", slope=("alpha", 0.01)),
    "Elu": _plain("elu", slope=("alpha", 1.0)),
    "Constant": _constant,
    "Identity": _same,
    "Dropout": _same,
}
