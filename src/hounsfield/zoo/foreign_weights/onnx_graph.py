"""The graph in an ONNX file: operations, settings and numbers, read from its protocol buffers without any library.

Source: onnx.proto (https://github.com/onnx/onnx), whose field numbers stand below; encoding:
https://protobuf.dev/programming-guides/encoding/. Everything in such a file is data.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

LARGEST_ONNX_BYTES = 2 * 1024**3  # what a protocol buffer can hold
_MOST_NODES = 20_000
# TensorProto.data_type, and the field that holds numbers which are not raw.
_TYPES = {1: "<f4", 2: "<u1", 3: "<i1", 6: "<i4", 7: "<i8", 9: "|b1", 10: "<f2", 11: "<f8"}
Fields = dict[int, list[Any]]


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """One operation: its type, names of inputs and outputs, and attributes (numbers, texts, lists, arrays)."""

    op: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class OnnxGraph:
    """nodes in the file's order, numbers by name, names of inputs and outputs; shapes: of inputs, None where free."""

    nodes: tuple[OnnxNode, ...]
    numbers: Mapping[str, NDArray[Any]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shapes: Mapping[str, tuple[int | None, ...]]


def is_onnx(path: Path) -> bool:
    """Whether a file begins as a model of ONNX does: an IR version, then a producer, a graph or the like."""
    if not path.is_file() or path.stat().st_size > LARGEST_ONNX_BYTES:
        return False
    with path.open("rb") as stream:
        head = stream.read(4)
    return (
        len(head) == 4
        and head[0] == 0x08
        and 3 <= head[1] <= 32
        and head[2] in {0x12, 0x1A, 0x22, 0x3A, 0x42}
    )


def read_onnx(path: Path) -> OnnxGraph:
    """The graph of an ONNX file. Raises ModelError for what is damaged, too large, or keeps its numbers elsewhere."""
    if path.stat().st_size > LARGEST_ONNX_BYTES:
        raise ModelError(
            f"{path.name} has more than {LARGEST_ONNX_BYTES} bytes, more than an ONNX file can have"
        )
    try:
        model = _fields(memoryview(path.read_bytes()))
        graph = _fields(model[7][0])
        if len(graph.get(1, ())) > _MOST_NODES:
            raise ModelError(f"{path.name} has more than {_MOST_NODES} operations, more than are read here")
        numbers = dict(_tensor(_fields(one), path.name) for one in graph.get(5, ()))
        nodes = tuple(_node(_fields(one), path.name) for one in graph.get(1, ()))
        inputs = [_value(_fields(one)) for one in graph.get(11, ())]
        outputs = tuple(_value(_fields(one))[0] for one in graph.get(12, ()))
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, MemoryError, struct.error) as error:
        raise ModelError(f"{path.name} is no whole ONNX file ({error!r}). Get the file again.") from error
    given = {name: shape for name, shape in inputs if name not in numbers}
    return OnnxGraph(nodes, numbers, tuple(given), outputs, given)


def _fields(content: memoryview) -> Fields:
    """Values of a message by field number, in their order; nested messages and texts as bytes."""
    found: Fields = {}
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        wire = key & 7
        value: Any
        if wire == 0:
            value, at = _varint(content, at)
        else:
            n_bytes = {1: 8, 5: 4}.get(wire)
            if wire == 2:
                n_bytes, at = _varint(content, at)
            if n_bytes is None or at + n_bytes > len(content):
                raise ValueError(f"a field of {n_bytes} bytes at {at} of {len(content)}")
            value = content[at : at + n_bytes]
            at += n_bytes
        found.setdefault(key >> 3, []).append(value)
    return found


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        byte = content[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("a number of more than 10 bytes")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _whole_numbers(values: list[Any]) -> list[int]:
    """Repeated whole numbers, packed or not."""
    return [number for value in values for number in _unpacked(value)]


def _unpacked(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield _signed(value)
        return
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield _signed(number)


def _text(values: list[Any]) -> str:
    return bytes(values[0]).decode() if values else ""


def _tensor(said: Fields, file_name: str) -> tuple[str, NDArray[Any]]:
    name, shape = _text(said.get(8, [])), tuple(_whole_numbers(said.get(1, [])))
    kind = _TYPES.get(int(said[2][0]), "")
    if not kind or said.get(13):
        raise ModelError(
            f"{file_name}: the numbers {name!r} are of a type that is not read, or lie in another file. Store the model "
            "in one file, in float32."
        )
    n_elements = int(np.prod(shape, dtype=object)) if shape else 1
    if 9 in said:
        flat = np.frombuffer(said[9][0], dtype=kind)
    elif 4 in said:
        flat = np.frombuffer(b"".join(bytes(one) for one in said[4]), dtype="<f4")
    elif 10 in said:
        flat = np.frombuffer(b"".join(bytes(one) for one in said[10]), dtype="<f8")
    else:
        flat = np.array(_whole_numbers(said.get(7, said.get(5, []))), dtype=kind)
    if min((*shape, 0)) < 0 or len(flat) != n_elements:
        raise ValueError(f"{name!r} has {len(flat)} numbers, its shape {shape} needs {n_elements}")
    return name, flat.reshape(shape)


def _node(said: Fields, file_name: str) -> OnnxNode:
    attributes = dict(_attribute(_fields(one), file_name) for one in said.get(5, ()))
    names = [tuple(bytes(one).decode() for one in said.get(number, ())) for number in (1, 2)]
    return OnnxNode(_text(said.get(4, [])), _text(said.get(7, [])), names[0], names[1], attributes)


def _attribute(said: Fields, file_name: str) -> tuple[str, Any]:
    name = _text(said[1])
    if 5 in said:
        return name, _tensor(_fields(said[5][0]), file_name)[1]
    if 8 in said:
        return name, _whole_numbers(said[8])
    if 7 in said:
        return name, np.frombuffer(b"".join(bytes(one) for one in said[7]), "<f4").tolist()
    if 2 in said:
        return name, struct.unpack("<f", said[2][0])[0]
    if 4 in said:
        return name, _text(said[4])
    return name, _signed(int(said[3][0])) if 3 in said else 0


def _value(said: Fields) -> tuple[str, tuple[int | None, ...]]:
    """Name and shape of an input or output."""
    shape: list[int | None] = []
    if 2 in said:
        tensor = _fields(_fields(said[2][0])[1][0])
        for one in _fields(tensor[2][0]).get(1, ()) if 2 in tensor else ():
            dim = _fields(one)
            shape.append(_signed(dim[1][0]) if 1 in dim else None)
    return _text(said[1]), tuple(shape)
