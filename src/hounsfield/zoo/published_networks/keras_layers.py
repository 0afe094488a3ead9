"""From the layers of a Keras model to ours: those of plain networks of pictures, each other one named and refused.

Keras keeps channels last; kernels are turned, and what is flattened keeps Keras's order. Source: Keras 2 and 3
(`model_config`: Sequential and Functional), TensorFlow's rule for padding "same": as little as needed, the odd one at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import ModelError
from hounsfield.zoo.published_networks.graph_layers import GraphLayers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from hounsfield.zoo.published_networks.recognise import Recognised

_ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("relu", {}),
    "relu6": ("clip", {"low": 0.0, "high": 6.0}),
    "sigmoid": ("sigmoid", {}),
    "softmax": ("softmax", {"axis": 1}),
    "tanh": ("tanh", {}),
    "elu": ("elu", {"slope": 1.0}),
}
_SAME = frozenset(
    {"Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "ActivityRegularization"}
)
_MOST_LAYERS = 2000


class KerasLayers:
    """Takes the layers of one model in turn. sizes: rows and columns of each value that has them."""

    def __init__(self, topology: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], name: str) -> None:
        self.arrays, self.name = arrays, name
        self.made = GraphLayers(name)
        self.sizes: dict[str, tuple[int, int]] = {}
        self.used: set[str] = set()
        self.n_channels = 0
        self.layers, self.output = _layers(topology, name)

    @property
    def picture_yx(self) -> tuple[int, int]:
        """Rows and columns of the picture that the model states."""
        return self.sizes[""]

    def network(self) -> tuple[Recognised, str]:
        """The network, and what it ended with. Raises ModelError naming the layer, setting or weight that does not fit."""
        for layer in self.layers:
            kind, said, inputs = layer["kind"], layer["config"], layer["inputs"]
            if not self.n_channels:
                self._start(said, kind, inputs)
            if kind == "InputLayer":
                self.made.places[layer["name"]] = "x"
                self.sizes[layer["name"]] = self.sizes[""]
                continue
            reader = _READERS.get(kind)
            if reader is None:
                raise ModelError(
                    f"{self.name}: layer {layer['name']!r} is a {kind}, which is not read here; read are "
                    f"{', '.join(sorted(_READERS))}"
                )
            try:
                reader(self, layer["name"], said, inputs)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise ModelError(
                    f"{self.name}: layer {layer['name']!r} ({kind}) is not described as Keras does ({error!r})"
                ) from error
        unused = sorted(set(self.arrays) - self.used)
        if unused:
            raise ModelError(
                f"{self.name} holds the weights {unused[0]!r}, which no layer takes: nothing was imported"
            )
        return self.made.finish(self.output, self.n_channels)

    def _start(self, said: Mapping[str, Any], kind: str, inputs: tuple[str, ...]) -> None:
        """The shape of the picture, which the first layer states."""
        shape: list[Any] = list(said.get("batch_input_shape") or said.get("batch_shape") or ())
        if len(shape) != 4 or shape[3] not in {1, 3} or not all(isinstance(n, int) for n in shape[1:]):
            raise ModelError(
                f"{self.name} takes {shape}; pictures (n, rows, columns, 1 or 3) of a stated size are needed"
            )
        self.n_channels = int(shape[3])
        self.sizes[""] = (int(shape[1]), int(shape[2]))
        if kind != "InputLayer":
            for value in inputs:
                self.made.places[value] = "x"
                self.sizes[value] = self.sizes[""]

    def weight(self, layer: str, part: str) -> NDArray[Any]:
        """The weight `part` of a layer; raises ModelError where there is none."""
        found = [key for key in self.arrays if key == f"{layer}/{part}" or key.endswith(f"/{layer}/{part}")]
        if len(found) != 1:
            raise ModelError(f"{self.name} lacks the weight {part!r} of layer {layer!r}")
        self.used.add(found[0])
        return self.arrays[found[0]]

    def add(self, op: str, name: str, inputs: tuple[str, ...], **settings: Any) -> None:
        """A node that keeps rows and columns."""
        weights = settings.pop("weights", None)
        size = self.sizes.get(inputs[0])
        self.made.add(op, inputs, name, weights, **settings)
        if size is not None:
            self.sizes[name] = size

    def activate(self, name: str, said: Any) -> None:
        """The activation that a layer holds, onto its own value."""
        if said in {None, "linear"}:
            return
        if said not in _ACTIVATIONS:
            raise ModelError(
                f"{self.name}: layer {name!r} has the activation {said!r}, which is not read here"
            )
        op, settings = _ACTIVATIONS[said]
        self.add(op, name, (name,), **settings)

    def window(
        self, name: str, value: str, kernel: list[int], said: Mapping[str, Any], strides: list[int]
    ) -> dict[str, Any]:
        """Strides and pads (top, left, bottom, right) of a window on `value`; its result `name` gets its size."""
        if said.get("data_format", "channels_last") != "channels_last":
            raise ModelError(f"{self.name}: layer {name!r} keeps channels first, which is not read here")
        dilations = _two(said.get("dilation_rate", 1))
        before, after, new = [0, 0], [0, 0], [0, 0]
        for axis in (0, 1):
            side, reach = self.sizes[value][axis], (kernel[axis] - 1) * dilations[axis] + 1
            if said.get("padding", "valid") == "same":
                new[axis] = -(-side // strides[axis])
                total = max((new[axis] - 1) * strides[axis] + reach - side, 0)
                before[axis], after[axis] = total // 2, total - total // 2
            else:
                new[axis] = (side - reach) // strides[axis] + 1
        self.sizes[name] = (new[0], new[1])
        return {"strides": strides, "pads": [*before, *after]}


def _layers(topology: Mapping[str, Any], name: str) -> tuple[list[dict[str, Any]], str]:
    """Layers with kind, name, config and names of inputs, and the name of the output."""
    try:
        model = topology.get("model_config", topology)
        config = model["config"]
        listed = config["layers"] if isinstance(config, dict) else config
        if len(listed) > _MOST_LAYERS:
            raise ModelError(f"{name} has more than {_MOST_LAYERS} layers, more than are read here")
        is_chain = model["class_name"] == "Sequential"
        before, found = "picture", []
        for one in listed:
            said = one["config"]
            inputs = (before,) if is_chain else _inbound(one)
            found.append(
                {"kind": str(one["class_name"]), "name": str(said["name"]), "config": said, "inputs": inputs}
            )
            before = str(said["name"])
        output = before if is_chain else str(_first_name(config["output_layers"]))
    except (KeyError, IndexError, TypeError) as error:
        raise ModelError(f"{name} does not describe its layers as Keras does ({error!r})") from error
    return found, output


def _first_name(said: Any) -> Any:
    """The name in [["name", 0, 0]] or ["name", 0, 0]; several outputs are refused by their shape."""
    if isinstance(said, list) and said and isinstance(said[0], list):
        if len(said) > 1:
            raise TypeError("several outputs")
        return said[0][0]
    return said[0]


def _inbound(one: Mapping[str, Any]) -> tuple[str, ...]:
    nodes = one.get("inbound_nodes", [])
    if not nodes:
        return ()
    if len(nodes) > 1:
        raise TypeError(f"layer {one['config']['name']!r} is used {len(nodes)} times")
    return tuple(str(part[0]) for part in nodes[0])


def _two(said: Any) -> list[int]:
    return [int(said)] * 2 if isinstance(said, int) else [int(n) for n in said]


def _conv(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    weights = {"weight": model.weight(name, "kernel").transpose(3, 2, 0, 1)}
    _add_conv(model, name, said, inputs, weights)
    model.activate(name, said.get("activation"))


def _depthwise(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    named = any(key.endswith(f"{name}/depthwise_kernel") for key in model.arrays)
    part = "depthwise_kernel" if named else "kernel"
    kernel = model.weight(name, part)  # rows, columns, channels, multiplier
    rows, columns, channels, multiplier = kernel.shape
    turned = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, rows, columns)
    _add_conv(model, name, {**said, "groups": channels}, inputs, {"weight": turned})
    model.activate(name, said.get("activation"))


def _add_conv(
    model: KerasLayers,
    name: str,
    said: Mapping[str, Any],
    inputs: tuple[str, ...],
    weights: dict[str, NDArray[Any]],
) -> None:
    shape, groups = weights["weight"].shape, int(said.get("groups", 1))
    if said.get("use_bias", True):
        weights["bias"] = model.weight(name, "bias")
    kernel = list(shape[2:])
    settings = {
        "out": shape[0],
        "in": shape[1] * groups,
        "kernel": kernel,
        "groups": groups,
        "dilations": _two(said.get("dilation_rate", 1)),
        "bias": "bias" in weights,
        **model.window(name, inputs[0], kernel, said, _two(said.get("strides", 1))),
    }
    model.made.add("conv", inputs, name, weights, **settings)


def _dense(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    if inputs[0] in model.sizes:
        raise ModelError(
            f"{model.name}: layer {name!r} is a Dense over places of a picture, which is not read here"
        )
    weights = {"weight": model.weight(name, "kernel").T}
    if said.get("use_bias", True):
        weights["bias"] = model.weight(name, "bias")
    n_out, n_in = weights["weight"].shape
    settings = {"in": n_in, "out": n_out, "bias": "bias" in weights, "weights": weights}
    model.add("linear", name, inputs, **settings)
    model.activate(name, said.get("activation"))


def _norm(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    axis = said.get("axis", -1)
    if (axis[0] if isinstance(axis, list) else axis) not in {-1, 3} or inputs[0] not in model.sizes:
        raise ModelError(
            f"{model.name}: layer {name!r} normalises axis {said.get('axis')}, which is not read here"
        )
    mean, variance = model.weight(name, "moving_mean"), model.weight(name, "moving_variance")
    gain = model.weight(name, "gamma") if said.get("scale", True) else np.ones_like(mean)
    offset = model.weight(name, "beta") if said.get("center", True) else np.zeros_like(mean)
    model.made.add_norm(inputs[0], name, (gain, offset, mean, variance), float(said.get("epsilon", 1e-3)))
    model.sizes[name] = model.sizes[inputs[0]]


def _pool(op: str) -> Callable[..., None]:
    def read(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
        kernel = _two(said.get("pool_size", 2))
        strides = _two(said.get("strides") or kernel)
        window = model.window(name, inputs[0], kernel, said, strides)
        model.made.add(op, inputs, name, kernel=kernel, **window)

    return read


def _global(op: str) -> Callable[..., None]:
    def read(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
        model.made.add(op, inputs, name)
        if said.get("keepdims"):
            model.sizes[name] = (1, 1)
        else:
            model.made.add("flatten", (name,), name)

    return read


def _flatten(model: KerasLayers, name: str, _said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    model.made.add("flatten", inputs, name, channels_last=True)


def _activation(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    _same(model, name, said, inputs)
    model.activate(name, said["activation"])


def _relu(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    slope = said.get("negative_slope") or 0.0
    if said.get("threshold") or (said.get("max_value") is not None and slope):
        raise ModelError(
            f"{model.name}: layer {name!r} is a ReLU with a threshold or a bent limit, which is not read here"
        )
    if said.get("max_value") is not None:
        model.add("clip", name, inputs, low=0.0, high=float(said["max_value"]))
    else:
        model.add("leaky_relu", name, inputs, slope=float(slope))


def _leaky(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    slope = said.get("negative_slope", said.get("alpha", 0.3))
    model.add("leaky_relu", name, inputs, slope=float(slope))


def _softmax(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    if said.get("axis", -1) != -1 or inputs[0] in model.sizes:
        raise ModelError(f"{model.name}: layer {name!r} is a softmax over places, which is not read here")
    model.add("softmax", name, inputs, axis=1)


def _zero_padding(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    (top, bottom), (left, right) = (_two(pair) for pair in _pairs(said["padding"]))
    model.made.add("pad", inputs, name, pads=[top, left, bottom, right])
    rows, columns = model.sizes[inputs[0]]
    model.sizes[name] = (rows + top + bottom, columns + left + right)


def _pairs(said: Any) -> list[Any]:
    return [said, said] if isinstance(said, int) else list(said)


def _several(op: str) -> Callable[..., None]:
    def read(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
        if op == "concat" and said.get("axis", -1) not in {-1, 3 if inputs[0] in model.sizes else 1}:
            raise ModelError(
                f"{model.name}: layer {name!r} joins axis {said['axis']}, which is not read here"
            )
        if op == "concat":
            model.add(op, name, inputs)
            return
        given = inputs[0]
        for other in inputs[1:]:
            model.add(op, name, (given, other))
            given = name

    return read


def _same(model: KerasLayers, name: str, _said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    model.made.same(inputs[0], name)
    if inputs[0] in model.sizes:
        model.sizes[name] = model.sizes[inputs[0]]


def _rescaling(model: KerasLayers, name: str, said: Mapping[str, Any], inputs: tuple[str, ...]) -> None:
    for op, key, neutral in (("multiply", "scale", 1.0), ("add", "offset", 0.0)):
        value = np.asarray(said.get(key, neutral), dtype=np.float32).reshape(-1, 1, 1)
        weights = {"value": value}
        given = inputs if op == "multiply" else (name,)
        model.add(f"{op}_constant", name, given, weights=weights, shape=list(value.shape))


_READERS: dict[str, Callable[[KerasLayers, str, Mapping[str, Any], tuple[str, ...]], None]] = {
    "Conv2D": _conv,
    "DepthwiseConv2D": _depthwise,
    "Dense": _dense,
    "BatchNormalization": _norm,
    "MaxPooling2D": _pool("max_pool"),
    "AveragePooling2D": _pool("mean_pool"),
    "GlobalAveragePooling2D": _global("global_mean"),
    "GlobalMaxPooling2D": _global("global_max"),
    "Flatten": _flatten,
    "Activation": _activation,
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "Softmax": _softmax,
    "ZeroPadding2D": _zero_padding,
    "Rescaling": _rescaling,
    "Add": _several("add"),
    "Multiply": _several("multiply"),
    "Concatenate": _several("concat"),
    **dict.fromkeys(_SAME, _same),
}
