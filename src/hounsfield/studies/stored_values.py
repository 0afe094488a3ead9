"""Stored values of frames, before any rescale: the shortest way for plain slices, decoders for the rest."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import UID

from hounsfield.core.errors import HounsfieldError, RefusedInput, StudyError
from hounsfield.studies import limits
from hounsfield.studies.codecs import COMPRESSED, DEFLATED_FRAMES, RLE, decode_frames
from hounsfield.studies.instances import EXPLICIT, IMPLICIT, open_dicom, read_data_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hounsfield.studies.instances import Instance

# Encapsulated under a native syntax, or the reverse, occurs; the length of the element tells.
_NATIVE_LITTLE = frozenset({IMPLICIT, EXPLICIT, "1.2.840.113619.5.2"})
# Cells of 12 bits without gaps between them were retired with ACR-NEMA, and old archives hold them.
_PACKED_BITS = 12
_CELL_BITS = frozenset({1, 8, _PACKED_BITS, 16, 32, 64})
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2", ""})


def check_declared_size(instance: Instance) -> None:
    """Compare what the header declares with limits and with the bytes that are there, before decoding.

    Raises RefusedInput where a limit is exceeded, StudyError where bytes are missing.
    """
    name, declared = instance.source.name, instance.declared_bytes
    if declared > limits.MAX_PIXEL_BYTES_OF_INSTANCE:
        raise RefusedInput(
            f"{name} declares {declared / limits.GIB:.1f} GiB of pixels ({instance.rows} x {instance.columns} x "
            f"{instance.n_frames} frames), the limit is {limits.MAX_PIXEL_BYTES_OF_INSTANCE // limits.GIB}. "
            "Check Rows, Columns and Number of Frames in the header."
        )
    if instance.pixels is None:
        raise StudyError(
            f"{name} states {instance.rows} x {instance.columns} pixels but holds no pixel data "
            "(7FE0,0010). Send it again with its pixels."
        )
    if instance.bits_allocated not in _CELL_BITS:
        raise RefusedInput(
            f"{name} states {instance.bits_allocated} Bits Allocated (0028,0100); cells of 1, 8, 12, 16, 32 and 64 bits are "
            "read. Convert it with a program that knows this packing."
        )
    if instance.pixels.n_bytes is None:
        _check_ratio(instance)
        return
    bits = instance.bits_allocated
    samples = 2 if instance.photometric == "YBR_FULL_422" and instance.samples == 3 else instance.samples
    needed = (instance.rows * instance.columns * samples * instance.n_frames * bits + 7) // 8
    if instance.pixels.n_bytes < needed and instance.transfer_syntax_uid not in COMPRESSED:
        raise StudyError(
            f"{name} holds {instance.pixels.n_bytes} bytes of pixels and its header declares {needed} "
            f"({instance.rows} x {instance.columns} x {instance.n_frames} frames): it was cut off. Send it again."
        )


def _check_ratio(instance: Instance) -> None:
    syntax = COMPRESSED.get(instance.transfer_syntax_uid)
    most = syntax.max_ratio if syntax is not None else limits.MAX_RATIO_OTHER
    ratio = instance.declared_bytes / max(instance.source.size_bytes, 1)
    if ratio > most:
        raise RefusedInput(
            f"{instance.source.name} has {instance.source.size_bytes} bytes and declares {ratio:.0f} times as "
            f"much, the limit of its compression is {most}. Check Rows, Columns and Number of Frames."
        )


def stored_frames(
    wanted: Sequence[tuple[Instance, int]], *, with_palette: bool = True
) -> Iterator[NDArray[Any]]:
    """The frames (instance, number from 1) in the given order, one at a time, each (y, x) or (y, x, 3).

    with_palette: False leaves the numbers of a palette as they are: in a label map they are the labels. A file
    is opened once for each run of frames that it gives. Raises StudyError or RefusedInput.
    """
    for instance, run in groupby(wanted, key=lambda pair: pair[0]):
        numbers = [number for _, number in run]
        check_declared_size(instance)
        if is_plain(instance):
            yield from _plain_frames(instance, numbers)
        elif _is_bits(instance):
            yield from _bit_frames(instance, numbers)
        elif instance.bits_allocated == _PACKED_BITS and instance.transfer_syntax_uid in _NATIVE_LITTLE:
            yield from _packed_frames(instance, numbers)
        else:
            yield from _decoded_frames(instance, numbers, with_palette=with_palette)


def is_plain(instance: Instance) -> bool:
    """Whether the bytes of the file are the array: grey, whole bytes, little endian, not encapsulated."""
    pixels = instance.pixels
    return (
        pixels is not None
        and pixels.n_bytes is not None
        and pixels.keyword == "PixelData"
        and instance.transfer_syntax_uid in _NATIVE_LITTLE
        and instance.samples == 1
        and instance.photometric in _GREY
        and instance.bits_allocated in {8, 16, 32}
    )


def _is_bits(instance: Instance) -> bool:
    """Whether the bytes of the file are packed bits of one sample, the low bit first."""
    pixels = instance.pixels
    return (
        pixels is not None
        and pixels.n_bytes is not None
        and pixels.keyword == "PixelData"
        and instance.bits_allocated == 1
        and instance.samples == 1
        and instance.transfer_syntax_uid in _NATIVE_LITTLE
    )


def _bit_frames(instance: Instance, numbers: Iterable[int]) -> Iterator[NDArray[Any]]:
    """Frames of bits, 0 or 1 as uint8; a frame may begin within a byte (PS3.5 8.1.1)."""
    n_values = instance.rows * instance.columns
    start_bytes = instance.pixels.offset_bytes if instance.pixels is not None else 0
    with open_dicom(instance.source) as stream:
        for number in numbers:
            first_byte, n_before = divmod((number - 1) * n_values, 8)
            stream.seek(start_bytes + first_byte)
            packed = np.frombuffer(stream.read((n_before + n_values + 7) // 8), np.uint8)
            if packed.size * 8 < n_before + n_values:
                raise StudyError(f"{instance.source.name} ends inside frame {number}. Send it again.")
            bits = np.unpackbits(packed, count=n_before + n_values, bitorder="little")
            yield bits[n_before:].reshape(instance.rows, instance.columns)


def _plain_frames(instance: Instance, numbers: Iterable[int]) -> Iterator[NDArray[Any]]:
    dtype = np.dtype(f"<{'i' if instance.is_signed else 'u'}{instance.bits_allocated // 8}")
    n_bytes = instance.rows * instance.columns * dtype.itemsize
    start_bytes = instance.pixels.offset_bytes if instance.pixels is not None else 0
    with open_dicom(instance.source) as stream:
        for number in numbers:
            stream.seek(start_bytes + (number - 1) * n_bytes)
            content = stream.read(n_bytes)
            if len(content) != n_bytes:
                raise StudyError(f"{instance.source.name} ends inside frame {number}. Send it again.")
            yield stored_bits(
                np.frombuffer(content, dtype).reshape(instance.rows, instance.columns), instance
            )


def _packed_frames(instance: Instance, numbers: Iterable[int]) -> Iterator[NDArray[Any]]:
    """Two cells of 12 bits in three bytes, the low bits first."""
    n_values = instance.rows * instance.columns
    dtype = np.dtype(np.int16 if instance.is_signed else np.uint16)
    start_bytes = instance.pixels.offset_bytes if instance.pixels is not None else 0
    with open_dicom(instance.source) as stream:
        for number in numbers:
            first_bit = (number - 1) * n_values * _PACKED_BITS
            if instance.samples != 1 or first_bit % 8:
                raise RefusedInput(
                    f"{instance.source.name} packs colours or odd frames in cells of {_PACKED_BITS} bits. Convert it with a "
                    "program that knows this packing."
                )
            stream.seek(start_bytes + first_bit // 8)
            packed = np.frombuffer(stream.read((n_values + 1) // 2 * 3), np.uint8)
            if packed.size * 8 < n_values * _PACKED_BITS:
                raise StudyError(f"{instance.source.name} ends inside frame {number}. Send it again.")
            three = np.pad(packed, (0, -packed.size % 3)).reshape(-1, 3).astype(np.uint16)
            low, high = three[:, 0] | (three[:, 1] & 15) << 8, three[:, 1] >> 4 | three[:, 2] << 4
            values = np.stack([low, high], axis=1).ravel()[:n_values].view(dtype)
            yield stored_bits(values.reshape(instance.rows, instance.columns), instance)


def _decoded_frames(instance: Instance, numbers: list[int], *, with_palette: bool) -> Iterator[NDArray[Any]]:
    name = instance.source.name
    ds = read_data_set(instance.source, with_pixels=True)
    if instance.pixels is not None and instance.pixels.keyword not in ds:
        raise StudyError(f"{name} ends before its pixels are complete: it was cut off. Send it again.")
    if "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = UID(instance.transfer_syntax_uid)
    try:
        is_masked = _has_other_bits(ds, instance)
        palette = _palette(ds) if with_palette and instance.photometric == "PALETTE COLOR" else None
        for frame in decode_frames(ds, numbers, name):
            _check_shape(frame, instance)
            if palette is not None and frame.ndim == 2:
                yield palette[stored_bits(frame, instance)]
            else:
                native = frame.astype(frame.dtype.newbyteorder("="), copy=False)
                yield stored_bits(native, instance) if native.ndim == 2 and is_masked else native
    except HounsfieldError:
        raise
    # Whatever else pydicom raises for headers that contradict their pixels.
    except Exception as error:
        raise StudyError(
            f"the pixels of {name} could not be decoded ({type(error).__name__}: {str(error)[:160]}). "
            "The file is damaged or its header does not fit its pixels: send it again."
        ) from error


def _has_other_bits(ds: Dataset, instance: Instance) -> bool:
    """Whether bits beside those stored may come out of the decoder, and mean something else.

    A code stream of JPEG and its kin holds numbers, not bits of a cell: what exceeds Bits Stored there is the value,
    and the header is too narrow, unless an overlay is said to lie in the upper bits.
    """
    if instance.transfer_syntax_uid not in COMPRESSED or instance.transfer_syntax_uid in {
        RLE,
        DEFLATED_FRAMES,
    }:
        return True
    if instance.high_bit != instance.bits_stored - 1:
        return True
    return any((group, 0x0102) in ds and ds[group, 0x0102].value for group in range(0x6000, 0x6020, 2))


def _palette(ds: Dataset) -> NDArray[Any]:
    """Colours (n, 3) by stored value; uint8 where the 16 bits of the tables only repeat or shift eight."""
    numbers = np.arange(1 << min(int(ds.BitsStored), 16), dtype=np.uint16)
    colours: NDArray[Any] = apply_color_lut(numbers[np.newaxis], ds)[0]
    if colours.dtype == np.uint16:
        high, low = colours >> 8, colours & 0xFF
        if not low.any() or (low == high).all():
            return high.astype(np.uint8)
    return colours


def _check_shape(frame: NDArray[Any], instance: Instance) -> None:
    if frame.shape[:2] != (instance.rows, instance.columns):
        raise StudyError(
            f"the code stream of {instance.source.name} holds {frame.shape[:2]} pixels and its header states "
            f"{(instance.rows, instance.columns)}. Send it again."
        )


def stored_bits(frame: NDArray[Any], instance: Instance) -> NDArray[Any]:
    """Keep the stored bits alone: bits above may hold overlays or rubbish, bits below none (PS3.5 8.1.1)."""
    n_bits, n_stored = frame.dtype.itemsize * 8, instance.bits_stored
    if frame.dtype.kind not in "iu" or not 0 < n_stored < n_bits:
        return frame
    shift_right = instance.high_bit + 1 - n_stored
    low, high = (
        (-(1 << (n_stored - 1)), (1 << (n_stored - 1)) - 1)
        if instance.is_signed
        else (0, (1 << n_stored) - 1)
    )
    if shift_right == 0 and frame.min() >= low and frame.max() <= high:
        return frame
    shift_left = max(n_bits - 1 - instance.high_bit, 0)
    moved: NDArray[Any] = (frame << shift_left) >> (n_bits - n_stored)
    return moved
