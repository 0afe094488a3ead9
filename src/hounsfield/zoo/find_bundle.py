"""Where bundles are installed and looked for, by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import MissingModel
from hounsfield.zoo.model_card import is_bundle_name

if TYPE_CHECKING:
    from collections.abc import Sequence

CARD_FILE = "hounsfield.json"
MODELS_SETTING = "HOUNSFIELD_MODELS"


def models_folder() -> Path:
    """The folder into which this user installs models; it may not exist yet.

    HOUNSFIELD_MODELS, else where the system keeps data of users: `~/.local/share/hounsfield/models` (XDG_DATA_HOME),
    `~/Library/Application Support/hounsfield/models` on macOS, `%LOCALAPPDATA%/hounsfield/models` on Windows.
    """
    if stated := os.environ.get(MODELS_SETTING):
        return Path(stated).expanduser()
    if sys.platform == "darwin":
        place = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        place = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        # The XDG Base Directory Specification takes absolute paths only.
        said = os.environ.get("XDG_DATA_HOME", "")
        place = Path(said) if said.startswith("/") else Path.home() / ".local" / "share"
    return place / "hounsfield" / "models"


def shipped_folders() -> tuple[Path, ...]:
    """Folders that hold the bundles shipped with this package: in the wheel, or in the checkout."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent.parent
    folders = [package / "models"]
    if (checkout / "pyproject.toml").is_file():
        folders.append(checkout / "models")
    return tuple(folder for folder in folders if folder.is_dir())


def default_search() -> tuple[Path, ...]:
    """Folders in which bundles are looked for: those that the user installed, then those that ship."""
    own = models_folder()
    return (*((own,) if own.is_dir() else ()), *shipped_folders())


def installed_bundles(search: Sequence[Path] | None = None) -> dict[str, Path]:
    """Folders of bundles by name, sorted; where two share a name the earlier folder of `search` counts.

    search: folders that hold bundles, `default_search()` if None. Nothing is opened or verified.
    """
    found: dict[str, Path] = {}
    for place in default_search() if search is None else search:
        for card in sorted(place.glob(f"*/{CARD_FILE}")):
            if is_bundle_name(card.parent.name):
                found.setdefault(card.parent.name, card.parent)
    return dict(sorted(found.items()))


def find_bundle(name: str, search: Sequence[Path] | None = None) -> Path:
    """The folder of the installed bundle `name`; a bundle's folder bears its name.

    Raises MissingModel, which says where was looked and how to get the model.
    """
    places = tuple(dict.fromkeys(default_search() if search is None else search))
    bundles = installed_bundles(places)
    if name in bundles:
        return bundles[name]
    available = ", ".join(bundles) or "none"
    looked = ", ".join(str(place) for place in places) or "nowhere: no folder of models exists"
    raise MissingModel(
        f"no model named {name!r} is installed (installed: {available}; looked in {looked}). Look for it with "
        "`hu models search`, get it with `hu models pull` or `hu models import`, or train it with `hounsfield train`."
    )
