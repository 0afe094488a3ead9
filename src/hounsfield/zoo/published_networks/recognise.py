"""Which published network weights belong to, and the same weights by our names: nothing missing, nothing left over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import HounsfieldError, ModelError
from hounsfield.zoo.foreign_weights import stored_network, weights_format, without_wrapper_names
from hounsfield.zoo.published_networks import densenet_names, resnet_names, vit_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.zoo.published_networks.family import Plan

_KNOWN = "DenseNet, ResNet and vision transformers of torchvision, timm and Hugging Face"
# A weight that every network of the family has, and what reads it.
_FAMILIES = (
    (densenet_names.ANCHOR, densenet_names.plan),
    (resnet_names.HUGGING_FACE_ANCHOR, resnet_names.hugging_face_plan),
    (resnet_names.ANCHOR, resnet_names.plan),
    ("cls_token", vit_names.plan),
    ("class_token", vit_names.plan),
)
_READ = ("safetensors", "torch archive", "torch pickle")
_COUNTER = "num_batches_tracked"


@dataclass(frozen=True, slots=True, eq=False)
class Recognised:
    """network, arguments: of ours. weights: float32 by our names, complete."""

    network: str
    arguments: Mapping[str, Any]
    weights: Mapping[str, NDArray[Any]]

    @property
    def n_classes(self) -> int:
        """Number of outputs."""
        return int(self.arguments["n_classes"])

    def only(self, kept: list[int]) -> Recognised:
        """The same network with the outputs `kept` alone, in that order; all that it tells of them is unchanged."""
        weights = dict(self.weights)
        for part in ("classifier.weight", "classifier.bias"):
            weights[part] = weights[part][kept]
        return Recognised(self.network, {**self.arguments, "n_classes": len(kept)}, weights)


def recognise(
    stored: Mapping[str, NDArray[Any]], name: str, arguments: Mapping[str, Any] | None = None
) -> Recognised:
    """The network of ours that weights by a publisher's names belong to.

    stored: as `stored_network` gives them. name: of the file, for messages. arguments: what a configuration beside the
    weights says (heads, norm_epsilon); it goes before what the weights tell. Raises ModelError for weights of an unknown
    network, and naming the weight that is missing, left over, of another shape or not finite.
    """
    weights = _under_own_names(without_wrapper_names(stored))
    found = plan_of(weights)
    if found is None:
        some = ", ".join(sorted(weights)[:4])
        raise ModelError(
            f"{name} holds weights of no known network ({len(weights)} of them: {some} ...); known are {_KNOWN}. If it "
            "is one of these, its classifier or its first layer has another name: rename them as their publisher does."
        )
    settings = {**found.arguments, **(arguments or {})}
    if not settings.get("heads", 1):
        raise ModelError(
            f"{name} is a transformer of width {settings['width']}, whose number of heads its weights do not tell: "
            "state it as option heads"
        )
    return Recognised(found.network, settings, _renamed(weights, found, settings, name))


def plan_of(stored: Mapping[str, NDArray[Any]]) -> Plan | None:
    """The plan of the known network that the weights look like; what is wrong with them is not yet asked."""
    weights = _under_own_names(without_wrapper_names(stored))
    plans = (plan(weights) for anchor, plan in _FAMILIES if _has(weights, anchor))
    return next((found for found in plans if found is not None), None)


def glimpse(path: Path) -> Mapping[str, NDArray[Any]]:
    """Names and shapes of the weights in a file, none for what holds no weights; the arrays are empty of numbers.

    Formats ask in turn what a file is: it is read once.
    """
    try:
        if not path.is_file() or weights_format(path) not in _READ:
            return {}
        found = path.stat()
        return _glimpse(path, found.st_mtime_ns, found.st_size)
    except (HounsfieldError, OSError):
        return {}


@lru_cache(maxsize=4)
def _glimpse(path: Path, _changed_ns: int, _n_bytes: int) -> Mapping[str, NDArray[Any]]:
    weights = stored_network(path).weights
    return {key: np.broadcast_to(np.float32(0), value.shape) for key, value in weights.items()}


def _has(weights: Mapping[str, NDArray[Any]], anchor: str) -> bool:
    return anchor in weights or any(key.endswith(f".{anchor}") for key in weights)


def _under_own_names(weights: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Names without what a program put before the whole network ("densenet121.", "backbone.")."""
    for anchor, _ in _FAMILIES:
        prefix = next((key[: -len(anchor)] for key in weights if key.endswith(f".{anchor}")), "")
        if prefix and anchor not in weights and all(key.startswith(prefix) for key in weights):
            return {key.removeprefix(prefix): value for key, value in weights.items()}
    return dict(weights)


def _renamed(
    weights: Mapping[str, NDArray[Any]], plan: Plan, settings: Mapping[str, Any], name: str
) -> dict[str, NDArray[Any]]:
    wanted = {theirs for group in plan.names.values() for theirs in group}
    # Before torch 0.4.1 no batches were counted; the count serves training alone.
    missing = sorted(key for key in wanted - set(weights) if not key.endswith(_COUNTER))
    extra = sorted(set(weights) - wanted)
    for problem, keys in (("lacks", missing), (f"holds what a {plan.network} has not:", extra)):
        if keys:
            more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            raise ModelError(
                f"{name} {problem} {keys[0]!r}{more}. It is another network, or not the whole: nothing was imported."
            )
    shapes = _shapes(plan.network, settings, name)
    made = {}
    for ours, theirs in plan.names.items():
        array = _joined([weights.get(key, np.zeros((), np.int64)) for key in theirs])
        if plan.network == "vit-class-token" and ours in {"class_position", "positions"}:
            array = _placed(ours, array, int(settings["grid"]), f"{name}: {theirs[0]!r}")
        if ours not in shapes or tuple(array.shape) != shapes[ours]:
            raise ModelError(
                f"{name}: {' + '.join(theirs)} has the shape {tuple(array.shape)}, a {plan.network} with "
                f"{settings['n_classes']} classes needs {shapes.get(ours, 'nothing there')}"
            )
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
            if not np.isfinite(array).all():
                raise ModelError(f"{name}: {' + '.join(theirs)} holds numbers that are not finite")
        made[ours] = array
    lost = sorted(set(shapes) - set(made))
    if lost:
        raise ModelError(f"{name} lacks what our {plan.network} calls {lost[0]!r}: it is another network")
    return made


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _placed(ours: str, stored: NDArray[Any], grid: int, place: str) -> NDArray[Any]:
    if stored.ndim != 3 or stored.shape[1] != grid * grid + 1:
        raise ModelError(
            f"{place} has the shape {stored.shape}: no class and a square of {grid} x {grid} patches"
        )
    return vit_names.positions_of(ours, stored, grid)


def _shapes(network: str, settings: Mapping[str, Any], name: str) -> dict[str, tuple[int, ...]]:
    """Shapes of our network's weights; it is built without memory."""
    import torch

    from hounsfield.networks import networks

    try:
        with torch.device("meta"):
            built = networks.get(network)(**settings)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{name}: no {network} can be built with {dict(settings)} ({error})") from error
    return {key: tuple(value.shape) for key, value in built.state_dict().items()}
