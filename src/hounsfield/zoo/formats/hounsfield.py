"""A bundle of ours, packed or as a folder: verified, and put where installed models lie."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo.find_bundle import CARD_FILE
from hounsfield.zoo.model_formats import ImportRequest, model_format
from hounsfield.zoo.packing import bundle_folder, opened_copy, unpack_zip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hounsfield.zoo.bundle import Bundle


@model_format("hounsfield")
class HounsfieldBundle:
    """A folder with hounsfield.json, or a zip of one. Its card and files stay as they are, so it takes no facts."""

    title = "bundle of this project"
    options: ClassVar[Mapping[str, str]] = {}

    def detects(self, path: Path) -> bool:
        """Whether the card lies in the folder or zip, or in the one folder in it."""
        if path.is_dir():
            return bundle_folder(path) is not None
        if not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            return any(
                name.count("/") <= 1 and name.split("/")[-1] == CARD_FILE for name in archive.namelist()
            )

    def convert(self, request: ImportRequest) -> Bundle:
        """Copy it, verified. Raises ModelError for an altered one, UsageError for facts or another name."""
        if request.facts:
            raise UsageError(
                "a bundle of this project has its card, which is not changed by importing: give no --card"
            )
        with tempfile.TemporaryDirectory(prefix="hounsfield-import-") as scratch:
            found: Path | None = request.path
            if request.path.is_file():
                unpack_zip(request.path, Path(scratch))
                found = Path(scratch)
            found = bundle_folder(found) if found is not None else None
            if found is None:
                raise ModelError(f"{request.path.name} holds no {CARD_FILE}: it is no bundle of this project")
            if request.name is not None and request.name != found.name:
                raise UsageError(
                    f"the bundle is named {found.name}, and its name belongs to its card: give no --name"
                )
            return opened_copy(found, request.parent)
