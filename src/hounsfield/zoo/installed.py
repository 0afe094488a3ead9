"""The models that are installed: what they are, whether they are whole, and putting them in and out of their folder."""

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
    find_bundle,
    installed_bundles,
    models_folder,
    shipped_folders,
)
from hounsfield.zoo.model_formats import import_model
from hounsfield.zoo.signature import SignatureState, signature_state

if TYPE_CHECKING:
    from hounsfield.zoo.model_formats import ImportRequest


@dataclass(frozen=True, slots=True)
class FileState:
    """One file of a bundle: its SHA-256 as the card states it, as found ("" where it is missing), and their agreement."""

    name: str
    stated: str
    found: str

    @property
    def is_right(self) -> bool:
        """Whether the file is there and is the one that the card names."""
        return self.stated == self.found


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model by its folder. bundle: None where it is not whole; `problem` then says why. shipped: with this package."""

    name: str
    folder: Path
    shipped: bool
    bundle: Bundle | None
    signature: SignatureState | None
    problem: str = ""

    @property
    def size_bytes(self) -> int:
        """Of all its files together."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def installed_models() -> tuple[InstalledModel, ...]:
    """Every installed model by name, verified; one that is not whole is listed with what is wrong with it."""
    return tuple(_looked_at(name, folder) for name, folder in installed_bundles().items())


def installed_model(name: str) -> InstalledModel:
    """The installed model `name`, verified. Raises MissingModel."""
    return _looked_at(name, find_bundle(name))


def _looked_at(name: str, folder: Path) -> InstalledModel:
    shipped = any(folder.parent == place for place in shipped_folders())
    try:
        bundle = verify_bundle(folder)
    except (ModelError, OSError) as error:
        return InstalledModel(name, folder, shipped, None, None, str(error))
    if bundle.name != name:
        said = f"the folder {name} holds the bundle {bundle.name}: a bundle lies in a folder of its name"
        return InstalledModel(name, folder, shipped, None, None, said)
    signature = signature_state(folder, bundle.name, bundle.version, bundle.digest)
    return InstalledModel(name, folder, shipped, bundle, signature)


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


def install_model(
    request: ImportRequest, *, format_name: str | None = None, replace_old: bool = False
) -> Bundle:
    """Make a bundle of a model and put it into `request.parent`; what lies there is untouched until the new one is whole.

    replace_old: a bundle of that name gives way. Raises what `import_model` raises; UsageError where one of that name is there
    and is another.
    """
    parent = request.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".importing-", dir=parent) as scratch:
            made = import_model(replace(request, parent=Path(scratch)), format_name=format_name)
            target = parent / made.name
            if target.exists() and not replace_old:
                return _same_or_refused(made, target)
            old = Path(scratch) / "replaced"
            if target.exists():
                target.rename(old)
            made.folder.rename(target)
    except OSError as error:
        raise ResultError(
            f"the model cannot be written into {parent} ({error.strerror or error}). Make room, or set HOUNSFIELD_MODELS to "
            "another folder."
        ) from error
    return verify_bundle(target)


def _same_or_refused(made: Bundle, target: Path) -> Bundle:
    """The bundle that is there, where it is the same one."""
    try:
        there = verify_bundle(target)
    except ModelError:
        there = None
    if there is not None and there.digest == made.digest:
        return there
    said = "is altered" if there is None else f"is version {there.version}, digest {there.digest[:12]}"
    raise UsageError(
        f"a model named {made.name} is installed already and {said}; the new one is version {made.version}, digest "
        f"{made.digest[:12]}. Give --replace to exchange them, or --name for another name."
    )


def check_removable(name: str) -> Path:
    """The folder of a model that the user installed. Raises UsageError for one that ships, MissingModel for one not there."""
    folder = find_bundle(name)
    if folder.parent != models_folder():
        raise UsageError(
            f"{name} ships with this package (it lies in {folder.parent}) and is not removed by this command; only models in "
            f"{models_folder()} are"
        )
    return folder


def remove_model(name: str) -> Path:
    """Delete an installed model; returns its folder. Raises what `check_removable` raises, ResultError where it cannot."""
    folder = check_removable(name)
    try:
        if folder.is_symlink():
            folder.unlink()
            return folder
        # The card first: half a folder is then no bundle, whatever stops this.
        (folder / CARD_FILE).unlink()
        shutil.rmtree(folder)
    except OSError as error:
        raise ResultError(f"{folder} could not be removed whole ({error.strerror or error})") from error
    return folder
