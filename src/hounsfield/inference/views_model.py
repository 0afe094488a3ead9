"""A verified bundle that reads several views of one examination together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from hounsfield.core import Prediction
from hounsfield.core.errors import ModelError, RefusedInput
from hounsfield.inference.built_network import built_network
from hounsfield.inference.scores import scores_of
from hounsfield.zoo import Bundle, open_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


class ViewsModel:
    """Implements `core.ViewsModel` with torch. Made by `load_views_model`."""

    def __init__(self, bundle: Bundle, network: Any, device: torch.device) -> None:
        self.bundle = bundle
        self.network = network
        self.device = device

    @property
    def name(self) -> str:
        """The bundle's name, kebab-case."""
        return self.bundle.name

    @property
    def version(self) -> str:
        """The bundle's version."""
        return self.bundle.version

    @property
    def digest(self) -> str:
        """SHA-256 over the bundle's files."""
        return self.bundle.digest

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return self.bundle.card.class_names

    @property
    def card(self) -> Mapping[str, Any]:
        """The model card as plain data; `bundle.card` is the typed one."""
        return self.bundle.card.model_dump(mode="json")

    def run_views(self, pictures: Sequence[NDArray[Any]]) -> Prediction:
        """Run on the views of the card, in its order, each (y, x) as it is shown, of any size.

        Raises RefusedInput for another number of views, another shape, values that are not finite, and a view that is even.
        """
        views = self.bundle.card.views.views
        if len(pictures) != len(views):
            raise RefusedInput(
                f"model {self.name} takes {len(views)} views ({', '.join(v.name for v in views)}), not {len(pictures)}"
            )
        shares = []
        with torch.inference_mode():
            for picture, view in zip(pictures, views, strict=True):
                values = _checked(np.asarray(picture, dtype=np.float32), view.name)
                shares.append(self.network.shares(torch.from_numpy(values)[None, None].to(self.device)))
            features = torch.cat(shares, dim=1)
            logits = self.network.logits_of(features)[0].float().cpu().numpy()
        return Prediction(
            logits=logits,
            scores=scores_of(logits, self.bundle.card),
            features=features.flatten().float().cpu().numpy(),
        )


def _checked(values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    if values.ndim != 2 or 0 in values.shape:
        raise RefusedInput(f"view {name} has the shape {values.shape}; one picture (y, x) is needed")
    if not np.isfinite(values).all() or values.min() == values.max():
        raise RefusedInput(
            f"view {name} has no contrast or values that are not finite. Check that its file holds an image."
        )
    return values


def load_views_model(bundle: Bundle | Path | str, *, device: str = "cpu") -> ViewsModel:
    """Build the bundle's network and load its weights strictly. Raises ModelError as `load_model` does."""
    if not isinstance(bundle, Bundle):
        bundle = open_bundle(bundle)
    card, target = bundle.card, torch.device(device)
    network = built_network(bundle, target)
    if not hasattr(network, "logits_of"):
        raise ModelError(
            f"the network {card.network.name!r} of bundle {card.name} does not take several views"
        )
    with torch.inference_mode():
        logits, _ = network(torch.rand(1, len(card.views.views), 16, 16, device=target))
    if logits.shape[1] != len(card.classes):
        raise ModelError(
            f"the network of bundle {card.name} gives {logits.shape[1]} classes, its card names {len(card.classes)}. "
            "Get the bundle again."
        )
    return ViewsModel(bundle, network, target)
