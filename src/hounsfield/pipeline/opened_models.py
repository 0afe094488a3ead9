"""Where the models of applications come from: each is found and opened once, when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hounsfield.core import BundledModel


class Models(Protocol):
    """Where models come from; opened once and kept."""

    def __call__(self, name: str) -> BundledModel:
        """The model of that name; raises MissingModel."""


def opened_once(folders: Sequence[Path], runtime: str = "torch") -> Models:
    """Models from bundles in `folders`, then in the usual places, run by `runtime` (`inference.open_model`)."""
    opened: dict[str, BundledModel] = {}

    def model(name: str) -> BundledModel:
        if name not in opened:
            from hounsfield.inference import open_model
            from hounsfield.zoo import default_search, find_bundle, open_bundle

            bundle = open_bundle(find_bundle(name, (*folders, *default_search())))
            opened[name] = open_model(bundle, runtime=runtime)
        return opened[name]

    return model
