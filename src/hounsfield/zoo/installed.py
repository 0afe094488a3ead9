"""The models at hand: which there are, whether their files are what their cards say, and how one goes.

What ships with the package is never removed; what a user installed lies in `user_models()`.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import ModelError, ResultError, UsageError
from hounsfield.zoo.bundle import Bundle, read_card, verify_bundle
from hounsfield.zoo.find_bundle import (
    CARD_FILE,
    default_search,
    find_bundle,
    installed_bundles,
    shipped_models,
)
from hounsfield.zoo.import_process import import_in_process
from hounsfield.zoo.signature import SignatureState, signature_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.zoo.model_formats import ImportRequest


_UNSIGNED = SignatureState("unsigned")


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A bundle by its folder, signed or not. bundle: None where a file of it is not what its card says; `problem` tells."""

    name: str
    folder: Path
    is_shipped: bool
    n_bytes: int
    bundle: Bundle | None = None
    problem: str = ""
    signature: SignatureState = _UNSIGNED


def installed_models(search: Sequence[Path] | None = None) -> list[InstalledModel]:
    """Every bundle in `search` (None: the usual places), each opened and so verified; by name."""
    return [look_at(folder) for folder in installed_bundles(search).values()]


def look_at(folder: Path) -> InstalledModel:
    """What is in a bundle's folder; a damaged one is described, not raised."""
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    is_shipped = folder.parent.resolve() in {place.resolve() for place in shipped_models()}
    try:
        bundle = verify_bundle(folder)
    except ModelError as error:
        return InstalledModel(folder.name, folder, is_shipped, n_bytes, problem=str(error))
    signature = signature_state(folder, bundle.name, bundle.version, bundle.digest)
    return InstalledModel(folder.name, folder, is_shipped, n_bytes, bundle, signature=signature)


def install_model(
    request: ImportRequest, *, format_name: str | None = None, replace_old: bool = False
) -> InstalledModel:
    """Make a bundle of a model, in a process of its own, and put it into `request.parent`.

    What lies there is untouched until the new one is whole.

    replace_old: a bundle of that name gives way. Raises what `import_model` raises; UsageError where another of that name is
    there, ResultError where the folder cannot be written.
    """
    try:
        request.parent.mkdir(parents=True, exist_ok=True)
        # Its name begins with a point, so that nothing in it is ever found as a bundle.
        with tempfile.TemporaryDirectory(prefix=".importing-", dir=request.parent) as scratch:
            made = import_in_process(replace(request, parent=Path(scratch)), format_name=format_name)
            target = request.parent / made.name
            if target.exists() and not replace_old:
                _check_same(made, target)
                return look_at(target)
            if target.exists():
                target.rename(Path(scratch) / "replaced")
            made.folder.rename(target)
    except OSError as error:
        raise ResultError(
            f"the model cannot be written into {request.parent} ({error.strerror or error}). Make room, or set "
            "HOUNSFIELD_MODELS to another folder."
        ) from error
    return look_at(target)


def _check_same(made: Bundle, target: Path) -> None:
    there = look_at(target).bundle
    if there is not None and there.digest == made.digest:
        return
    said = "altered" if there is None else f"version {there.version}, digest {there.digest[:12]}"
    raise UsageError(
        f"a model named {made.name} is installed already ({said}); the new one is version {made.version}, digest "
        f"{made.digest[:12]}. Give --replace to exchange them, or another --name."
    )


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


@dataclass(frozen=True, slots=True)
class FileState:
    """One file of a bundle: its SHA-256 as the card states it, and as found ("" where it is missing)."""

    name: str
    stated: str
    found: str

    @property
    def is_right(self) -> bool:
        """Whether the file is there and is the one that the card names."""
        return self.stated == self.found


def file_states(folder: Path) -> tuple[FileState, ...]:
    """Each file that the card names, hashed anew; empty where there is no valid card."""
    try:
        card = read_card(folder)
    except ModelError:
        return ()
    return tuple(FileState(name, stated, _sha256(folder / name)) for name, stated in card.files.items())


def _sha256(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
