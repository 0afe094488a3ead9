"""Where bundles are looked for, by name."""

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


def user_models() -> Path:
    """The folder of models that this user installed; it may not exist yet.

    HOUNSFIELD_MODELS, else where the system keeps data of users: `~/.local/share/hounsfield/models` (XDG_DATA_HOME),
    `~/Library/Application Support/hounsfield/models` on macOS, `%LOCALAPPDATA%/hounsfield/models` on Windows.
    """
    if stated := os.environ.get("HOUNSFIELD_MODELS"):
        return Path(stated).expanduser()
    if sys.platform == "darwin":
        place = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        place = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        # The XDG Base Directory Specification has paths that are not absolute ignored.
        said = os.environ.get("XDG_DATA_HOME", "")
        place = Path(said) if said.startswith("/") else Path.home() / ".local" / "share"
    return place / "hounsfield" / "models"


def shipped_models() -> tuple[Path, ...]:
    """Folders that hold the bundles shipped with this package: in the wheel, or in the checkout."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent.parent
    folders = [package / "models"]
    if (checkout / "pyproject.toml").is_file():
        folders.append(checkout / "models")
    return tuple(folder for folder in folders if folder.is_dir())


def default_search() -> tuple[Path, ...]:
    """Where bundles are looked for, the first that has a name counts: the user's folder, then what is shipped."""
    return tuple(folder for folder in (user_models(), *shipped_models()) if folder.is_dir())


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
    places = default_search() if search is None else tuple(search)
    bundles = installed_bundles(places)
    if name in bundles:
        return bundles[name]
    available = ", ".join(bundles) or "none"
    looked = ", ".join(str(place) for place in places) or "nowhere: no folder of models exists"
    raise MissingModel(
        f"no model named {name!r} is installed (installed: {available}; looked in {looked}). Install it with "
        "`hounsfield models import FILE --name NAME`, or train it with `hounsfield train`."
    )
