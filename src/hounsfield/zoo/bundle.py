"""Opening a bundle: every file is compared with its digest before anything in it is believed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from hounsfield.core.errors import ModelError
from hounsfield.zoo.find_bundle import CARD_FILE, find_bundle
from hounsfield.zoo.model_card import ModelCard, is_bundle_name
from hounsfield.zoo.safe_arrays import check_header, read_arrays
from hounsfield.zoo.signature import SIGNATURE_FILE, require_signature

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS_FILE = "models/model.safetensors"
SAMPLE_FILE = "models/sample.safetensors"  # may be there: what a runtime is tried on
METADATA_FILE = "configs/metadata.json"
INFERENCE_FILE = "configs/inference.json"
README_FILE = "docs/README.md"
LICENCE_FILE = "LICENSE"
REQUIRED_FILES = (METADATA_FILE, INFERENCE_FILE, WEIGHTS_FILE, README_FILE, LICENCE_FILE)
# Data and text only: nothing that any program would run or unpickle.
ALLOWED_SUFFIXES = frozenset({".json", ".md", ".txt", ".csv", ".yaml", ".png", ".safetensors"})
ALLOWED_BARE_NAMES = frozenset({LICENCE_FILE, "NOTICE"})

LARGEST_CARD_BYTES = 4 * 1024**2
LARGEST_FILE_BYTES = 4 * 1024**3
MOST_FILES = 256


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle: its folder, its card, and one digest over all of its files."""

    folder: Path
    card: ModelCard
    digest: str

    @property
    def name(self) -> str:
        """The bundle's name, kebab-case."""
        return self.card.name

    @property
    def version(self) -> str:
        """The bundle's version."""
        return self.card.version

    def read(self, name: str) -> bytes:
        """The bytes of a listed file, compared with its digest once more as they are read."""
        expected = self.card.files.get(name)
        if expected is None:
            raise ModelError(
                f"bundle {self.name} lists no file {name!r}; it has {', '.join(sorted(self.card.files))}"
            )
        content = _read_limited(self.folder / name, name, LARGEST_FILE_BYTES)
        _compare(name, expected, hashlib.sha256(content).hexdigest())
        return content

    def weights(self) -> dict[str, NDArray[Any]]:
        """The network's weights by key; finite."""
        return read_arrays(self.read(WEIGHTS_FILE), WEIGHTS_FILE)

    def guard_arrays(self) -> dict[str, NDArray[Any]]:
        """What the input guard compares with, by key; empty where the card names no guard."""
        if self.card.guard is None:
            return {}
        return read_arrays(self.read(self.card.guard.arrays), self.card.guard.arrays)

    def sample(self) -> NDArray[Any] | None:
        """An input of the network (n, channels, *spatial), float32, on which runtimes are compared; None if it brings none."""
        if SAMPLE_FILE not in self.card.files:
            return None
        arrays = read_arrays(self.read(SAMPLE_FILE), SAMPLE_FILE)
        if set(arrays) != {"input"} or arrays["input"].dtype.str != "<f4" or arrays["input"].ndim < 4:
            raise ModelError(
                f"{SAMPLE_FILE} of bundle {self.name} does not hold one float32 array `input` (n, channels, *spatial). "
                "Get the bundle again."
            )
        return arrays["input"]


def open_bundle(folder_or_name: Path | str) -> Bundle:
    """Open and verify a bundle, given its folder or the name of an installed one.

    Every listed file must be there with the SHA-256 that the card states, and no other file may be.
    Where settings require signatures, one by a trusted key must be there as well.
    Raises ModelError naming the file, what was expected and what was found; MissingModel if no bundle
    of that name is installed.
    """
    bundle = verify_bundle(folder_or_name)
    require_signature(bundle.folder, bundle.name, bundle.version, bundle.digest)
    return bundle


def verify_bundle(folder_or_name: Path | str) -> Bundle:
    """As `open_bundle`, signed or not: for what writes, signs or describes a bundle. To run one, open it."""
    folder = _folder(folder_or_name)
    content = _read_card(folder)
    card = _parse_card(content, folder)
    for name in card.files:
        _check_name(name)
    _check_same_files(folder, card)
    digests = {CARD_FILE: hashlib.sha256(content).hexdigest()}
    for name, expected in sorted(card.files.items()):
        digests[name] = _hash_file(folder / name, name)
        _compare(name, expected, digests[name])
    for name in REQUIRED_FILES if card.guard is None else (*REQUIRED_FILES, card.guard.arrays):
        if name not in card.files:
            raise ModelError(f"bundle {card.name} has no {name}: it is incomplete. Get it again.")
    for name in card.files:
        if name.endswith(".safetensors"):
            _check_arrays_file(folder / name, name)
    return Bundle(folder, card, _joint_digest(digests))


def read_card(folder: Path) -> ModelCard:
    """The card of a bundle, nothing else verified: to describe a bundle that is not whole. Raises ModelError."""
    card = _parse_card(_read_card(folder), folder)
    for name in card.files:
        _check_name(name)
    return card


def _folder(folder_or_name: Path | str) -> Path:
    if isinstance(folder_or_name, Path):
        return folder_or_name
    return find_bundle(folder_or_name) if is_bundle_name(folder_or_name) else Path(folder_or_name)


def _read_card(folder: Path) -> bytes:
    card_file = folder / CARD_FILE
    if card_file.is_symlink() or not card_file.is_file():
        raise ModelError(
            f"{folder.name} holds no {CARD_FILE}, so it is no bundle: give the folder that holds that file"
        )
    return _read_limited(card_file, CARD_FILE, LARGEST_CARD_BYTES)


def _parse_card(content: bytes, folder: Path) -> ModelCard:
    try:
        return ModelCard.model_validate(json.loads(content))
    except ValidationError as error:
        # Unknown keys first: where a key is misspelt, that it is missing as well tells less.
        problems = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        found = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'card'}: {item['msg']}" for item in problems[:5]
        )
        raise ModelError(
            f"{CARD_FILE} of {folder.name} is not a valid card ({found}). Get the bundle again, or write "
            "it with zoo.write_bundle."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{CARD_FILE} of {folder.name} is no JSON ({error}). Get the bundle again."
        ) from error


def _check_name(name: str) -> None:
    """Refuse paths that leave the folder and files that could run code."""
    path = PurePosixPath(name)
    if (
        path.is_absolute()
        or ".." in path.parts
        or "\\" in name
        or ":" in name
        or "\0" in name
        or path.as_posix() != name
    ):
        raise ModelError(
            f"the card lists {name!r}, which is not a plain path inside the bundle. "
            "Do not use this bundle; tell who made it."
        )
    if path.suffix not in ALLOWED_SUFFIXES and path.name not in ALLOWED_BARE_NAMES:
        raise ModelError(
            f"the card lists {name!r}: a bundle may hold {', '.join(sorted(ALLOWED_SUFFIXES))} and LICENSE, "
            "since other files can run code. Convert the weights to safetensors."
        )


def _check_same_files(folder: Path, card: ModelCard) -> None:
    """The folder must hold the listed files and no other, each a plain file and none a link."""
    found: set[str] = set()
    for n_seen, path in enumerate(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise ModelError(
                f"{name} in bundle {card.name} is a link: its target could change unseen. Copy the file."
            )
        if n_seen >= MOST_FILES:
            raise ModelError(f"{folder.name} holds more than {MOST_FILES} files: it is no bundle")
        if path.is_file():
            found.add(name)
    missing = sorted(set(card.files) - found)
    if missing:
        raise ModelError(
            f"bundle {card.name} lacks {missing[0]}, which its card lists. Get the bundle again."
        )
    unlisted = sorted(found - set(card.files) - {CARD_FILE, SIGNATURE_FILE})
    if unlisted:
        raise ModelError(
            f"bundle {card.name} holds {unlisted[0]}, which its card does not list. Remove that file, or get "
            "the bundle again."
        )


def _hash_file(path: Path, name: str) -> str:
    _check_length(path, name, LARGEST_FILE_BYTES)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_arrays_file(path: Path, name: str) -> None:
    with path.open("rb") as stream:
        n_header = int.from_bytes(stream.read(8), "little")
        stream.seek(0)
        # The whole file only where the header says so: a false length is refused without reading it.
        n_read = 8 + n_header if n_header <= path.stat().st_size else 64
        check_header(stream.read(n_read), name)


def _read_limited(path: Path, name: str, most_bytes: int) -> bytes:
    _check_length(path, name, most_bytes)
    return path.read_bytes()


def _check_length(path: Path, name: str, most_bytes: int) -> None:
    n_bytes = path.stat().st_size
    if n_bytes > most_bytes:
        raise ModelError(f"{name} has {n_bytes} bytes; at most {most_bytes} are read. It is no such file.")


def _compare(name: str, expected: str, found: str) -> None:
    if found != expected:
        raise ModelError(
            f"{name} was altered: its SHA-256 is {found}, the card states {expected}. Get the bundle again; "
            "if you changed the file on purpose, write the bundle anew with zoo.write_bundle."
        )


def _joint_digest(digests: dict[str, str]) -> str:
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
