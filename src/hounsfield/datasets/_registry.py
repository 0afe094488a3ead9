"""The registry of adapters that turn somebody's files into a `Dataset`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import UsageError
from hounsfield.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hounsfield.datasets._dataset import Dataset

dataset_adapters: Registry[Callable[..., Dataset]] = Registry("dataset_adapter", "hounsfield.datasets")


def dataset_adapter(name: str) -> Callable[[Callable[..., Dataset]], Callable[..., Dataset]]:
    """Register the decorated function `(root, **options) -> Dataset` as the adapter `name`."""

    def register(function: Callable[..., Dataset]) -> Callable[..., Dataset]:
        dataset_adapters.add(name, function)
        return function

    return register


def open_dataset(adapter: str, root: Path, options: Mapping[str, Any]) -> Dataset:
    """Read the data set at `root` with the adapter of that name.

    Raises UsageError for an unknown adapter or option, MissingModel if the data are not there.
    """
    function = dataset_adapters.get(adapter)
    try:
        return function(root, **options)
    except TypeError as error:
        raise UsageError(f"adapter {adapter!r} does not take these options: {error}") from error
