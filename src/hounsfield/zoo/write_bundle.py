"""Writing a bundle: all files are made from the card and the arrays, put in place at once."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import ModelError
from hounsfield.zoo.bundle import (
    INFERENCE_FILE,
    LICENCE_FILE,
    METADATA_FILE,
    README_FILE,
    SAMPLE_FILE,
    WEIGHTS_FILE,
    Bundle,
    verify_bundle,
)
from hounsfield.zoo.card_text import licence_text, readme_text
from hounsfield.zoo.find_bundle import CARD_FILE
from hounsfield.zoo.monai_layout import inference_config, metadata
from hounsfield.zoo.safe_arrays import arrays_as_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hounsfield.zoo.model_card import ModelCard


def write_bundle(
    folder: Path,
    *,
    card: ModelCard,
    weights: Mapping[str, Any],
    guard_arrays: Mapping[str, Any] | None = None,
    sample: Any = None,
) -> Bundle:
    """Write the whole bundle and open it again, verified.

    folder: it must bear the card's name; a bundle that is there already is replaced as a whole. card:
    `files` is filled in here. weights and guard_arrays: NumPy arrays or torch tensors by key, finite.
    Guard arrays are needed exactly when the card names a guard. sample: an input of the network, float32 (n, channels,
    *spatial), on which runtimes are compared. To change a card alone, pass the `weights()`, `guard_arrays()` and
    `sample()` of the opened bundle. Raises ModelError; on any error what was
    there before is untouched.
    """
    if folder.name != card.name:
        raise ModelError(f"bundle {card.name} must lie in a folder of that name, not in {folder.name}")
    if bool(guard_arrays) != (card.guard is not None):
        raise ModelError(
            f"bundle {card.name}: guard arrays were {'given' if guard_arrays else 'not given'}, but the card "
            f"{'names no guard' if card.guard is None else 'names one'}. Give both or neither."
        )
    contents = {
        METADATA_FILE: _json_bytes(metadata(card)),
        INFERENCE_FILE: _json_bytes(inference_config(card)),
        WEIGHTS_FILE: arrays_as_bytes(weights, WEIGHTS_FILE),
        README_FILE: readme_text(card).encode(),
        LICENCE_FILE: licence_text(card).encode(),
    }
    if card.guard is not None and guard_arrays is not None:
        contents[card.guard.arrays] = arrays_as_bytes(guard_arrays, card.guard.arrays)
    if sample is not None:
        contents[SAMPLE_FILE] = arrays_as_bytes({"input": sample}, SAMPLE_FILE)
    files = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())}
    contents[CARD_FILE] = _json_bytes(card.model_copy(update={"files": files}).model_dump(mode="json"))
    put_in_place(folder, contents)
    return verify_bundle(folder)


def _json_bytes(record: Mapping[str, Any]) -> bytes:
    return (json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def put_in_place(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write everything beside `folder`, verify it there, then exchange the two by renaming."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        fresh = Path(scratch) / folder.name
        for name, content in contents.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        verify_bundle(fresh)
        old = Path(scratch) / "replaced"
        if folder.exists():
            folder.rename(old)
        try:
            fresh.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
