"""Arrays in safetensors files: checked before they are parsed, never unpickled.

Format: 8 bytes little-endian length, a JSON header of that length, then the raw numbers
(https://github.com/huggingface/safetensors, README, "Format").
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import MissingModel, ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

LARGEST_HEADER_BYTES = 16 * 1024**2
# Beginnings of formats that can run code when loaded: a zip (torch.save), pickles of protocol 2 to 5, HDF5.
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive, as torch.save writes it",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\x89HDF": "an HDF5 file",
}


def check_header(content: bytes, name: str) -> None:
    """Raise ModelError unless `content` begins as a safetensors file; `name` says which file it is."""
    n_header = int.from_bytes(content[:8], "little") if len(content) >= 8 else 0
    # A length of 0x580 begins as a pickle does: what follows the eight bytes decides.
    is_described = content[8:9] == b"{" and n_header <= len(content) - 8
    for beginning, kind in _OTHER_FORMATS.items():
        if content.startswith(beginning) and not is_described:
            raise ModelError(
                f"{name} is {kind}, not safetensors. Such files can run code when they are loaded and are "
                "never opened here: convert the weights with safetensors where they were made."
            )
    if not 2 <= n_header <= min(LARGEST_HEADER_BYTES, len(content) - 8):
        raise ModelError(
            f"{name} states a header of {n_header} bytes in a file of {len(content)} (at most "
            f"{LARGEST_HEADER_BYTES} are taken): it is damaged or no safetensors file. Get it again."
        )
    try:
        header = json.loads(content[8 : 8 + n_header])
    except ValueError as error:
        raise ModelError(f"{name} has a header that is no JSON ({error}). Get the file again.") from error
    if not isinstance(header, dict):
        raise ModelError(f"{name} has a header that is no JSON object. Get the file again.")


def read_arrays(content: bytes, name: str, *, finite: bool = True) -> dict[str, NDArray[Any]]:
    """The arrays in the bytes of a safetensors file, by key; every floating number in them is finite.

    finite: False lets others pass (thresholds that are not a number where a class is not there).

    Raises ModelError naming the file and the key, MissingModel if safetensors is not installed.
    """
    check_header(content, name)
    numpy_format, damage = _library()
    try:
        arrays: dict[str, NDArray[Any]] = numpy_format.load(content)
    except (damage, KeyError, ValueError) as error:
        raise ModelError(f"{name} cannot be read as safetensors ({error}). Get the file again.") from error
    if finite:
        _check_finite(arrays, name)
    return arrays


def arrays_as_bytes(arrays: Mapping[str, Any], name: str, *, finite: bool = True) -> bytes:
    """The bytes of a safetensors file with `arrays` (NumPy arrays, or torch tensors on any device).

    The same arrays give the same bytes. Raises ModelError for no arrays and, unless `finite` is False, for
    numbers that are not finite.
    """
    if not arrays:
        raise ModelError(f"there are no arrays to write into {name}")
    plain = {key: _as_numpy(arrays[key]) for key in sorted(arrays)}
    if finite:
        _check_finite(plain, name)
    numpy_format, _ = _library()
    content: bytes = numpy_format.save(plain)
    return content


def _as_numpy(value: Any) -> NDArray[Any]:
    """`value` as a C-ordered array; tensors are recognised by their method, so that torch is not needed."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        # NumPy has no bfloat16; float32 holds every one of its values.
        value = (value.float() if "bfloat16" in str(value.dtype) else value).numpy()
    return np.array(value, order="C")


def _check_finite(arrays: Mapping[str, NDArray[Any]], name: str) -> None:
    for key, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelError(
                f"{name} holds numbers that are not finite in {key!r}. A network with them gives nothing "
                "but nonsense: train or convert it again."
            )


def _library() -> tuple[Any, type[Exception]]:
    try:
        import safetensors.numpy
    except ModuleNotFoundError as error:
        raise MissingModel(
            "models need the package safetensors, which is not installed: pip install 'hounsfield[nn]'"
        ) from error
    return safetensors.numpy, safetensors.SafetensorError
