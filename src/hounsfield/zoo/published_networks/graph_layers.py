"""A graph of layers in the making: nodes of our `layer-graph` network, with their weights, in the order they are met."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import ModelError
from hounsfield.zoo.published_networks.recognise import Recognised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# What a graph may end with, which the card tells of instead, so that logits come out.
ENDS = {"softmax": "exclusive", "sigmoid": "independent"}
# What may follow the layer whose outputs are the classes.
_PASS_ON = frozenset({"flatten", "global_mean", "global_max", "relu", "add_constant"})
_NO_PLACES = frozenset({"flatten", "global_mean", "global_max", "linear"})


@dataclass(slots=True)
class GraphLayers:
    """name: of the file, for messages. places: our node for each of the publisher's values."""

    name: str
    nodes: list[dict[str, Any]] = field(default_factory=list)
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def add(
        self,
        op: str,
        inputs: tuple[str, ...],
        output: str,
        weights: Mapping[str, NDArray[Any]] | None = None,
        **settings: Any,
    ) -> None:
        """A node whose inputs and output are the publisher's values. Raises ModelError for an input that nothing gave."""
        unknown = [value for value in inputs if value not in self.places]
        if unknown:
            raise ModelError(f"{self.name}: {op} takes {unknown[0]!r}, which nothing before it gives")
        name = f"n{len(self.nodes)}"
        given = [self.places[value] for value in inputs]
        self.nodes.append({"name": name, "op": op, "inputs": given, **settings})
        for key, array in (weights or {}).items():
            plain = np.array(array, dtype=np.int64 if array.dtype.kind in "iu" else np.float32)
            if not np.isfinite(plain).all():
                raise ModelError(f"{self.name}: the weights of {output!r} hold numbers that are not finite")
            self.weights[f"layers.{name}.{key}"] = plain
        self.places[output] = name

    def add_norm(self, value: str, output: str, parts: tuple[NDArray[Any], ...], epsilon: float) -> None:
        """Batch normalisation by weight, bias, mean and variance."""
        keys = ("weight", "bias", "running_mean", "running_var")
        weights = dict(zip(keys, parts, strict=True)) | {"num_batches_tracked": np.zeros((), np.int64)}
        self.add("norm", (value,), output, weights, channels=len(parts[0]), epsilon=epsilon)

    def same(self, value: str, output: str) -> None:
        """An operation that changes nothing when a network is run (dropout)."""
        if value not in self.places:
            raise ModelError(f"{self.name}: {output!r} takes {value!r}, which nothing before it gives")
        self.places[output] = self.places[value]

    def finish(self, output: str, in_channels: int) -> tuple[Recognised, str]:
        """The network up to the graph's output, and the operation it ended with ("softmax", "sigmoid" or "").

        Raises ModelError where the output is none of the graph's, or does not give one number a class.
        """
        if output not in self.places:
            raise ModelError(f"{self.name}: nothing gives the output {output!r}")
        self._keep(self.places[output])
        end = str(self.nodes[-1]["op"]) if self.nodes else ""
        if end in ENDS:
            self.nodes.pop()
        else:
            end = ""
        last = next((node for node in reversed(self.nodes) if node["op"] in {"linear", "conv"}), None)
        if last is None or any(node["op"] not in _PASS_ON for node in self._behind(last)):
            ops = " -> ".join(str(node["op"]) for node in self.nodes[-3:])
            raise ModelError(f"{self.name} does not end with a layer that gives its classes, but with {ops}")
        arguments = {
            "n_classes": int(last["out"]),
            "nodes": self.nodes,
            "seen": self._seen(),
            "in_channels": in_channels,
            "published": True,
        }
        return Recognised("layer-graph", arguments, self.weights), end

    def _behind(self, node: Mapping[str, Any]) -> list[dict[str, Any]]:
        place = next(k for k, one in enumerate(self.nodes) if one is node)
        return self.nodes[place + 1 :]

    def _keep(self, last: str) -> None:
        """Leave only what the output needs; `last` then is the last node."""
        needed = {last}
        for node in reversed(self.nodes):
            if node["name"] in needed:
                needed.update(node["inputs"])
        self.nodes = [node for node in self.nodes if node["name"] in needed]
        kept = {str(node["name"]) for node in self.nodes}
        self.weights = {key: value for key, value in self.weights.items() if key.split(".")[1] in kept}

    def _seen(self) -> str:
        """The last node that still has places in the picture, on the way to the output."""
        by_name = {str(node["name"]): node for node in self.nodes}
        name = str(self.nodes[-1]["name"])
        while name in by_name and (by_name[name]["op"] in _NO_PLACES or self._has_lost_places(by_name, name)):
            name = str(by_name[name]["inputs"][0])
        return name if name in by_name else ""

    def _has_lost_places(self, by_name: Mapping[str, Mapping[str, Any]], name: str) -> bool:
        """Whether a node comes behind one that gave up the places (an activation of the last layers)."""
        while name in by_name:
            if by_name[name]["op"] in _NO_PLACES:
                return True
            name = str(by_name[name]["inputs"][0])
        return False
