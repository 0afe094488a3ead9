"""From what a training program stored to the weights of its network: where they lie, and what their names mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import ModelError
from hounsfield.zoo.foreign_weights.torch_pickle import Unread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

# Where training programs put the weights, the surer name first: Lightning and CheXNet, nnU-Net, MONAI, others.
_PLACES = ("state_dict", "network_weights", "model_state_dict", "model", "net", "network", "weights")
_DEEPEST = 64
# Put before every name by torch's DataParallel, torch.compile and Lightning.
_WRAPPERS = ("module.", "_orig_mod.", "model.", "net.", "network.")
# DenseNet of torchvision before torch 0.4 wrote norm.1 where it now writes norm1.
_OLD_DENSENET = re.compile(
    r"^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\.(?:weight|bias|running_mean|running_var))$"
)


def state_dict_of(tree: Any, name: str, *, place: str | None = None) -> dict[str, NDArray[Any]]:
    """The network's weights by key in a checkpoint's tree.

    A whole network that was pickled, or TorchScript, is walked by its parts; no code in it is run. place: the key they lie under, where the usual ones do not
    serve. Raises ModelError saying what the file holds where
    no weights are found, or where they lie in several places (an averaged copy beside the plain one, say).
    """
    if place is not None:
        if not isinstance(tree, dict) or place not in tree:
            raise ModelError(f"{name} holds nothing under {place!r}; it has {_keys(tree)}")
        return _flat(tree[place], name)
    if isinstance(tree, Unread):
        return _of_module(tree, name)
    if isinstance(tree, dict):
        if any(isinstance(value, np.ndarray) for value in tree.values()):
            return _flat(tree, name)
        found = [key for key in _PLACES if isinstance(tree.get(key), dict) and _has_arrays(tree[key])]
        if len(found) == 1:
            return _flat(tree[found[0]], name)
        if found:
            raise ModelError(f"{name} holds weights under {' and '.join(found)}: say which of them is meant")
    raise ModelError(f"{name} holds no weights in a known place; it has {_keys(tree)}")


def without_wrapper_names(weights: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Weights under the names of the network itself: the prefixes that all keys share by a wrapper taken off, and the
    names of old DenseNets as torch writes them since 0.4.
    """
    named = dict(weights)
    while named and (wrapper := next((w for w in _WRAPPERS if all(k.startswith(w) for k in named)), None)):
        named = {key.removeprefix(wrapper): value for key, value in named.items()}
    return {_OLD_DENSENET.sub(r"\1\2", key): value for key, value in named.items()}


def _of_module(module: Unread, name: str) -> dict[str, NDArray[Any]]:
    arrays = dict(_parts(module, "", 0))
    if not arrays:
        raise ModelError(f"{name} holds an object of the class {module.name}, in which no weights were found")
    return arrays


def _parts(module: Any, prefix: str, depth: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """Parameters and buffers of a pickled network by the names of its parts, as its `state_dict` would name them.

    torch.nn keeps them apart in three dicts; TorchScript keeps all among the attributes.
    """
    if not isinstance(module, Unread) or depth > _DEEPEST:
        return
    kinds = [module.state.get(kind) for kind in ("_parameters", "_buffers", "_modules")]
    for held in kinds if any(isinstance(kind, dict) for kind in kinds) else [module.state]:
        for key, value in held.items() if isinstance(held, dict) else ():
            if isinstance(value, np.ndarray):
                yield f"{prefix}{key}", value
            else:
                yield from _parts(value, f"{prefix}{key}.", depth + 1)


def texts_of(tree: Any) -> dict[str, tuple[str, ...]]:
    """Texts and lists of texts that lie beside the weights, by their key: names of classes, say."""
    held = tree.state if isinstance(tree, Unread) else tree
    if not isinstance(held, dict):
        return {}
    lists = {str(k): [v] if isinstance(v, str) else v for k, v in held.items()}
    return {
        key: tuple(values)
        for key, values in lists.items()
        if isinstance(values, list | tuple) and values and all(isinstance(one, str) for one in values)
    }


def _flat(node: Any, name: str) -> dict[str, NDArray[Any]]:
    arrays = {str(key): value for key, value in node.items() if isinstance(value, np.ndarray)}
    if not arrays:
        raise ModelError(f"{name} holds no arrays there; it has {_keys(node)}")
    return arrays


def _has_arrays(node: Mapping[Any, Any]) -> bool:
    return any(isinstance(value, np.ndarray) for value in node.values())


def _keys(tree: Any) -> str:
    if not isinstance(tree, dict):
        return f"one object of the kind {type(tree).__name__}"
    keys = [str(key) for key in tree]
    return ", ".join(keys[:12]) + (f" and {len(keys) - 12} more" if len(keys) > 12 else "")
