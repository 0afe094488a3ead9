"""Our own bundles, as folders or packed by `hu models pack`: verified as at every opening, then put in place as they are."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo.bundle import LARGEST_FILE_BYTES, MOST_FILES, Bundle, verify_bundle
from hounsfield.zoo.find_bundle import CARD_FILE
from hounsfield.zoo.model_formats import model_format
from hounsfield.zoo.unpack import UnpackLimits, unpack_zip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hounsfield.zoo.model_formats import ImportRequest

_LIMITS = UnpackLimits(files=MOST_FILES, total_bytes=2 * LARGEST_FILE_BYTES)


@model_format("hounsfield")
class HounsfieldBundle:
    """A bundle of this project; it states its own name and card, so neither can be given."""

    title = "Hounsfield bundle (folder, or zip of one)"
    options: ClassVar[Mapping[str, str]] = {}

    def detects(self, path: Path) -> bool:
        """Whether there is a card at the top of the folder, or in the one folder of the zip."""
        if path.is_dir():
            return (path / CARD_FILE).is_file()
        return _card_in_zip(path) is not None

    def convert(self, request: ImportRequest) -> Bundle:
        """Copy or unpack beside the target, verify there, and put it in place. A bundle of that name is replaced."""
        if request.facts:
            raise UsageError(
                f"{request.path.name} has a card of its own, which its digests protect: give no other facts"
            )
        request.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".importing-", dir=request.parent) as scratch:
            folder = _fresh_copy(request.path, Path(scratch) / "fresh")
            bundle = verify_bundle(folder)
            if request.name not in (None, bundle.name):
                raise UsageError(
                    f"this bundle is named {bundle.name} and cannot be renamed to {request.name}: leave --name out"
                )
            target = request.parent / bundle.name
            if target.exists():
                target.rename(Path(scratch) / "replaced")
            folder.rename(target)
        return verify_bundle(target)


def _card_in_zip(path: Path) -> str | None:
    """The card's name in a zip: at the top or one folder down, and only one."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [
                name
                for name in archive.namelist()[: MOST_FILES + 1]
                if name.split("/")[-1] == CARD_FILE and name.count("/") <= 1
            ]
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError):
        return None
    return found[0] if len(found) == 1 else None


def _fresh_copy(path: Path, folder: Path) -> Path:
    if path.is_dir():
        # Links stay links, which verifying refuses; followed, they could bring in any file of this machine.
        shutil.copytree(path, folder, symlinks=True)
        return folder
    card = _card_in_zip(path)
    if card is None:
        raise ModelError(f"{path.name} holds no {CARD_FILE}, or more than one: it is no packed bundle")
    unpack_zip(path, folder, _LIMITS)
    return (folder / card).parent
