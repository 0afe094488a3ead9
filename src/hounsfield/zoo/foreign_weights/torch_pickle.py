"""The pickle inside a torch checkpoint, followed without torch and without calling anything that it names.

A pickle asks for classes and functions by name and calls them. Here every name is answered by something of ours: the
few that torch and NumPy need to rebuild arrays by functions that build NumPy arrays within limits, every other one by
a class `Unread` that takes whatever it is given and does nothing. Sources: torch/_utils.py (`_rebuild_tensor_v2`),
Python's pickletools.
"""

from __future__ import annotations

import collections
import pickle
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hounsfield.core.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from numpy.typing import NDArray

# Element types of torch storages; 16-bit "brain" floats have no NumPy type and are widened when they are read.
STORAGE_TYPES: dict[str, str] = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}
LARGEST_WEIGHTS_BYTES = 4 * 1024**3
_MOST_AXES = 12
_PLAIN_DTYPE = ("f", "i", "u", "b")


class Unread:
    """What stands in place of an object of an unknown class: nothing of it was built or run.

    name: the class. state: the attributes that were stored for it, as data; empty where they were stored otherwise.
    """

    name = ""
    state: Mapping[str, Any] = MappingProxyType({})

    def __new__(cls, *_args: Any, **_names: Any) -> Self:
        """Whatever it is called with, an object without content."""
        return object.__new__(cls)

    def __init__(self, *_args: Any, **_names: Any) -> None:
        """Take and forget."""

    def __setstate__(self, state: Any) -> None:
        """Keep the stored attributes as data: a whole network that was pickled holds its weights there."""
        if isinstance(state, dict):
            self.state = state

    def __setitem__(self, _key: Any, _value: Any) -> None:
        """Forget the item."""

    def append(self, _value: Any) -> None:
        """Forget the element."""

    def extend(self, _values: Any) -> None:
        """Forget the elements."""

    def add(self, _value: Any) -> None:
        """Forget the member."""

    def __repr__(self) -> str:
        """The name of the class that was not read."""
        return f"<{self.name}: not read>"


def widened(raw: NDArray[np.uint16]) -> NDArray[np.float32]:
    """16-bit "brain" floats, given as their bits (n,), as float32: the same numbers."""
    return (raw.astype(np.uint32) << 16).view(np.float32)


def typed(content: bytes, element_type: str) -> NDArray[Any]:
    """The bytes of a storage as a flat array; bfloat16 becomes float32."""
    if element_type == "bfloat16":
        return widened(np.frombuffer(content, dtype="<u2"))
    return np.frombuffer(content, dtype=element_type)


def element_bytes(element_type: str) -> int:
    """Bytes of one element in the file."""
    return 2 if element_type == "bfloat16" else np.dtype(element_type).itemsize


@dataclass(frozen=True, slots=True)
class StorageRef:
    """A storage that a pickle refers to: its key in the file, element type and number of elements."""

    key: str
    element_type: str
    n_elements: int


@dataclass(slots=True)
class RestrictedUnpickler:
    """Follows one pickle. load_storage: gives the flat array that a reference stands for. name: the file, for messages."""

    load_storage: Callable[[StorageRef], NDArray[Any]]
    name: str
    n_bytes: int = 0
    unread: set[str] = field(default_factory=set)

    def load(self, stream: BinaryIO) -> Any:
        """The object that the pickle at the stream's place describes, arrays for tensors; stops behind it.

        Raises ModelError for a pickle that is damaged or asks for more memory than weights may take.
        """
        follower = _Follower(stream, encoding="latin1")
        follower.owner = self
        try:
            return follower.load()
        except ModelError:
            raise
        # Damaged pickles fail in any of the ways in which the calls they make can fail.
        except Exception as error:
            raise ModelError(
                f"{self.name} holds a damaged pickle ({type(error).__name__}: {error}). Get the file again."
            ) from error

    def named(self, module: str, name: str) -> Any:
        """What a name stands for here."""
        if module == "torch" and name in STORAGE_TYPES:
            return STORAGE_TYPES[name]
        if module == "torch._utils" and name in {"_rebuild_tensor", "_rebuild_tensor_v2"}:
            return self.tensor
        # NumPy 2 moved its core.
        known = _KNOWN.get((module.replace("numpy._core", "numpy.core"), name))
        if known is not None:
            return known
        full = f"{module}.{name}"
        self.unread.add(full)
        return type("Unread", (Unread,), {"name": full})

    def tensor(self, storage: Any, offset: Any, shape: Any, stride: Any, *_rest: Any) -> NDArray[Any]:
        """The array of `shape` that lies in the storage from `offset` on with `stride`, both in elements."""
        shape, stride = tuple(int(n) for n in shape), tuple(int(n) for n in stride)
        if not isinstance(storage, StorageRef) or len(shape) != len(stride) or len(shape) > _MOST_AXES:
            raise ModelError(
                f"{self.name} describes a tensor of shape {shape} with stride {stride} of no storage"
            )
        n_elements = int(np.prod(shape, dtype=object)) if shape else 1
        last = int(offset) + sum((n - 1) * step for n, step in zip(shape, stride, strict=True))
        if min((*shape, *stride, int(offset), 0)) < 0 or (n_elements and last >= storage.n_elements):
            raise ModelError(
                f"{self.name} describes a tensor of shape {shape} that reaches beyond its storage of "
                f"{storage.n_elements} numbers: it is damaged. Get the file again."
            )
        self._count(n_elements * max(element_bytes(storage.element_type), 4))
        flat = self.load_storage(storage)
        view = np.lib.stride_tricks.as_strided(
            flat[int(offset) :], shape, tuple(step * flat.itemsize for step in stride), writeable=False
        )
        return np.array(view)

    def _count(self, n_bytes: int) -> None:
        self.n_bytes += n_bytes
        if self.n_bytes > LARGEST_WEIGHTS_BYTES:
            raise ModelError(
                f"{self.name} describes more than {LARGEST_WEIGHTS_BYTES} bytes of weights, more than are read here"
            )


class _Follower(pickle.Unpickler):
    """Python's unpickler with every name answered by the owner."""

    owner: RestrictedUnpickler

    def find_class(self, module: str, name: str) -> Any:
        return self.owner.named(module, name)

    def persistent_load(self, reference: Any) -> Any:
        """Torch refers to storages as ("storage", type, key, device, number of elements, ...)."""
        if (
            reference[0] == "module"
        ):  # before torch 1.6 a network's class came with its source, which is passed over
            return reference[1]
        kind, element_type, key, _device, n_elements = reference[:5]
        if kind != "storage" or not isinstance(element_type, str):
            raise ModelError(
                f"{self.owner.name} refers to a storage of an unknown type. Store the weights as safetensors where "
                "they were made."
            )
        return StorageRef(str(key), element_type, int(n_elements))


class _Dtype:
    """NumPy's element type as pickles describe it: a code, then a state with the order of bytes."""

    def __init__(self, code: str, *_flags: Any) -> None:
        self.code, self.order = str(code), "<"

    def __setstate__(self, state: Any) -> None:
        self.order = state[1]

    def plain(self) -> np.dtype[Any]:
        found = np.dtype(self.code)
        if self.order == ">":
            found = found.newbyteorder(">")
        if found.kind not in _PLAIN_DTYPE:
            raise ModelError(f"a number of the type {self.code!r} is not read")
        return found


def _numpy_scalar(dtype: _Dtype, content: Any = b"") -> Any:
    raw = content.encode("latin1") if isinstance(content, str) else bytes(content)
    return np.frombuffer(raw, dtype=dtype.plain(), count=1)[0].item()


def _first(value: Any, *_rest: Any) -> Any:
    return value


def _latin1(text: str, *_encoding: Any) -> bytes:
    """How old pickles write bytes: text and the name of its encoding."""
    return str(text).encode("latin1")


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_parameter"): _first,
    ("torch", "Size"): tuple,
    ("numpy.core.multiarray", "scalar"): _numpy_scalar,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _latin1,
}
