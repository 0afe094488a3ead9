"""Both forms of a torch checkpoint: the zip archive of torch 1.6 and later, and the row of pickles before it.

Sources: torch/serialization.py (`_save`, `_legacy_save`): the archive holds data.pkl and one file a storage under data/;
the old form holds a magic number, a protocol number, facts of the machine, the object, the list of storage keys, and
then each storage as its number of elements and its bytes.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import ModelError
from hounsfield.zoo.foreign_weights.torch_pickle import (
    LARGEST_WEIGHTS_BYTES,
    RestrictedUnpickler,
    StorageRef,
    element_bytes,
    typed,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LARGEST_PICKLE_BYTES = 256 * 1024**2
_MOST_MEMBERS = 100_000


def read_zip_checkpoint(path: Path) -> tuple[Any, set[str]]:
    """The object in a torch archive, tensors as arrays, and the names of classes that were not read.

    TorchScript archives hold code beside data: their weights are read, their code never. Raises ModelError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_archive(archive, path.name)
    except (
        zipfile.BadZipFile,
        RuntimeError,
        EOFError,
        UnicodeDecodeError,
    ) as error:  # or encrypted, or packed oddly
        raise ModelError(f"{path.name} is a damaged archive ({error}). Get the file again.") from error


def _read_archive(archive: zipfile.ZipFile, name: str) -> tuple[Any, set[str]]:
    members = {info.filename: info for info in archive.infolist()}
    pickles = sorted((n for n in members if n.endswith("/data.pkl") or n == "data.pkl"), key=len)
    if not pickles or len(members) > _MOST_MEMBERS:
        raise ModelError(
            f"{name} is a zip archive of {len(members)} files without data.pkl: no torch checkpoint. If it is an "
            "exported model of another kind, unpack it and give the folder."
        )
    total_bytes = sum(info.file_size for info in members.values())
    if total_bytes > LARGEST_WEIGHTS_BYTES or members[pickles[0]].file_size > _LARGEST_PICKLE_BYTES:
        raise ModelError(
            f"{name} unpacks to {total_bytes} bytes; at most {LARGEST_WEIGHTS_BYTES} are read (and "
            f"{_LARGEST_PICKLE_BYTES} of its pickle)"
        )
    folder = pickles[0][: -len("data.pkl")]
    order = archive.read(members[f"{folder}byteorder"]) if f"{folder}byteorder" in members else b"little"
    if order.strip() != b"little":
        raise ModelError(
            f"{name} was stored by a big-endian machine, which is not read: store it again elsewhere"
        )
    loaded: dict[str, NDArray[Any]] = {}

    def load_storage(reference: StorageRef) -> NDArray[Any]:
        if reference.key not in loaded:
            member = members.get(f"{folder}data/{reference.key}")
            if member is None:
                raise ModelError(
                    f"{name} lacks the storage {reference.key!r}: it is damaged. Get the file again."
                )
            loaded[reference.key] = _whole(archive.read(member), reference, name)
        return loaded[reference.key]

    unpickler = RestrictedUnpickler(load_storage, name)
    found = unpickler.load(io.BytesIO(archive.read(members[pickles[0]])))
    return found, unpickler.unread


def _whole(content: bytes, reference: StorageRef, name: str) -> NDArray[Any]:
    expected = reference.n_elements * element_bytes(reference.element_type)
    if len(content) < expected:
        raise ModelError(
            f"{name}: the storage {reference.key!r} has {len(content)} bytes, {expected} are needed: it is damaged. "
            "Get the file again."
        )
    return typed(content[:expected], reference.element_type)


def read_legacy_checkpoint(path: Path) -> tuple[Any, set[str]]:
    """The object in a checkpoint of torch before 1.6, as `read_zip_checkpoint` gives it.

    The storages stand behind the object that uses them, so the object is followed twice: first for the references,
    then with the storages at hand. Raises ModelError.
    """
    name = path.name
    if path.stat().st_size > LARGEST_WEIGHTS_BYTES:
        raise ModelError(f"{name} has more than {LARGEST_WEIGHTS_BYTES} bytes, more than are read here")
    references: dict[str, StorageRef] = {}

    def note(reference: StorageRef) -> NDArray[Any]:
        n_bytes = reference.n_elements * element_bytes(reference.element_type)
        if not 0 <= n_bytes <= path.stat().st_size:
            raise ModelError(
                f"{name} refers to {n_bytes} bytes of weights, more than it holds. Get the file again."
            )
        references[reference.key] = reference
        return typed(b"\0" * n_bytes, reference.element_type)

    with path.open("rb") as stream:
        first = RestrictedUnpickler(note, name)
        if first.load(stream) != LEGACY_MAGIC:
            raise ModelError(
                f"{name} is a pickle but no torch checkpoint: nothing of it is read. Give weights that torch.save or "
                "safetensors stored."
            )
        first.load(stream)  # protocol
        first.load(stream)  # sizes of the machine's integers
        place = stream.tell()
        first.load(stream)
        keys = first.load(stream)
        storages = {str(key): _legacy_storage(stream, references.get(str(key)), name) for key in keys}
        stream.seek(place)
        second = RestrictedUnpickler(lambda reference: storages[reference.key], name)
        return second.load(stream), second.unread


def _legacy_storage(stream: BinaryIO, reference: StorageRef | None, name: str) -> NDArray[Any]:
    n_elements = int.from_bytes(stream.read(8), "little", signed=True)
    if reference is None or n_elements != reference.n_elements:
        raise ModelError(
            f"{name} lists a storage that no tensor uses, or of another length. Get the file again."
        )
    return _whole(stream.read(n_elements * element_bytes(reference.element_type)), reference, name)
