"""The models at hand: which there are, whether their files are what their cards say, and how one goes.

What ships with the package is never removed; what a user installed lies in `user_models()`.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo.bundle import Bundle, open_bundle
from hounsfield.zoo.find_bundle import (
    CARD_FILE,
    default_search,
    find_bundle,
    installed_bundles,
    shipped_models,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A bundle by its folder. bundle: None where a file of it is not what its card says, and `problem` tells which."""

    name: str
    folder: Path
    is_shipped: bool
    n_bytes: int
    bundle: Bundle | None = None
    problem: str = ""


def installed_models(search: Sequence[Path] | None = None) -> list[InstalledModel]:
    """Every bundle in `search` (None: the usual places), each opened and so verified; by name."""
    return [look_at(folder) for folder in installed_bundles(search).values()]


def look_at(folder: Path) -> InstalledModel:
    """What is in a bundle's folder; a damaged one is described, not raised."""
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    is_shipped = folder.parent.resolve() in {place.resolve() for place in shipped_models()}
    try:
        bundle = open_bundle(folder)
    except ModelError as error:
        return InstalledModel(folder.name, folder, is_shipped, n_bytes, problem=str(error))
    return InstalledModel(folder.name, folder, is_shipped, n_bytes, bundle)


def removable(name: str) -> Path:
    """The folder of an installed model that may be removed. Raises MissingModel, UsageError for a shipped one."""
    folder = find_bundle(name, default_search())
    if folder.parent.resolve() in {place.resolve() for place in shipped_models()}:
        raise UsageError(f"model {name} ships with this package and is not removed; no file was touched")
    if folder.is_symlink() or not (folder / CARD_FILE).is_file():
        raise UsageError(f"{folder} is a link or no bundle; remove it by hand")
    return folder


def remove_model(name: str) -> Path:
    """Remove an installed model, whole or not at all; gives the folder where it lay. Raises as `removable`."""
    folder = removable(name)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder.parent) as scratch:
        folder.rename(Path(scratch) / name)
        shutil.rmtree(Path(scratch) / name)
    return folder
