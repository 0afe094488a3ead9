"""The straight way for the usual CT and MR series: slices read or decoded into their places of the array.

Every slice is read, checked and rescaled while it lies in the processor's cache; reading, decoding and arithmetic
release the interpreter's lock, so a few threads share the work. What is not plain is left to the general
way of pixel_arrays.py, which gives the same values.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import StudyError
from hounsfield.studies.code_streams import decode_into, has_code_stream
from hounsfield.studies.stored_values import check_declared_size, is_plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.studies.frames import Frame
    from hounsfield.studies.instances import Instance
    from hounsfield.studies.pixel_arrays import PixelPlan

_INT16 = np.iinfo(np.int16)
_MOST_THREADS = 4
# Fewer slices than this are read sooner than threads are started.
_WORTH_THREADS = 16


@dataclass(frozen=True, slots=True, eq=False)
class PlainSlices:
    """HU or other whole values, int16 (n_slots, y, x); slots without a slice hold nothing yet.

    padding: mask (y, x) by slot, for the slices that hold padded pixels.
    """

    array: NDArray[np.int16]
    padding: dict[int, NDArray[np.bool_]]


def read_plain_slices(plan: PixelPlan) -> PlainSlices | None:
    """The slices of `plan`; None where one of them is not plain or its values do not fit int16.

    Raises StudyError naming the file that ends before its pixels do.
    """
    if not plan.is_as_stored or plan.factor != 1.0 or not all(_is_straight(i, f) for i, f in plan.frames):
        return None
    first = plan.frames[0][0]
    if any((i.rows, i.columns) != (first.rows, first.columns) for i, _ in plan.frames):
        return None
    array: NDArray[np.int16] = np.empty((plan.n_slots, first.rows, first.columns), dtype=np.int16)
    jobs = list(zip(plan.slots, plan.frames, strict=True))
    n_threads = min(_MOST_THREADS, os.cpu_count() or 1, max(1, len(jobs) // _WORTH_THREADS))
    shares = [jobs[start::n_threads] for start in range(n_threads)]
    with ThreadPoolExecutor(n_threads) as threads:
        found = list(threads.map(lambda share: _read_share(array, share), shares))
    if any(masks is None for masks in found):
        return None
    return PlainSlices(array, {slot: mask for masks in found if masks for slot, mask in masks.items()})


def _is_straight(instance: Instance, frame: Frame) -> bool:
    """Whether the stored values, an integer added, are the values."""
    return (
        instance.source.path is not None
        and instance.bits_allocated == 16
        and not instance.has_modality_lut
        and frame.slope in {None, 1.0}
        and float(frame.intercept or 0.0).is_integer()
        and (is_plain(instance) or has_code_stream(instance))
    )


def _read_share(
    array: NDArray[np.int16], jobs: list[tuple[int, tuple[Instance, Frame]]]
) -> dict[int, NDArray[np.bool_]] | None:
    """Read each slice into its slot; masks of padding by slot, None as soon as a slice is not plain."""
    masks: dict[int, NDArray[np.bool_]] = {}
    for slot, (instance, frame) in jobs:
        check_declared_size(instance)
        values = array[slot]
        if is_plain(instance):
            _read_into(values, instance, frame.number)
        elif not decode_into(values, instance):
            return None
        stored: NDArray[Any] = values if instance.is_signed else values.view(np.uint16)
        low, high = int(stored.min()), int(stored.max())
        if not _fits(instance, frame, low, high):
            return None
        if instance.padding is not None and low <= instance.padding[1] and high >= instance.padding[0]:
            marked = (stored >= instance.padding[0]) & (stored <= instance.padding[1])
            if marked.any():
                masks[slot] = marked
        if frame.intercept:
            # The sum wraps round, and is right because the true result was found to fit.
            shift = np.array(int(frame.intercept) & 0xFFFF, np.uint16).view(np.int16)
            np.add(values, shift, out=values)
    return masks


def _fits(instance: Instance, frame: Frame, low: int, high: int) -> bool:
    """Whether no bit above those stored is set, and the rescaled ends fit int16."""
    half = 1 << (instance.bits_stored - 1)
    least, most = (-half, half - 1) if instance.is_signed else (0, 2 * half - 1)
    intercept = int(frame.intercept or 0.0)
    return (
        instance.high_bit == instance.bits_stored - 1
        and least <= low
        and high <= most
        and _INT16.min <= low + intercept
        and high + intercept <= _INT16.max
    )


def _read_into(values: NDArray[np.int16], instance: Instance, number: int) -> None:
    start_bytes = instance.pixels.offset_bytes if instance.pixels is not None else 0
    try:
        descriptor = os.open(instance.source.path or "", os.O_RDONLY)
    except OSError as error:
        raise StudyError(
            f"{instance.source.name} cannot be opened ({error.strerror}). Check that it is there and may be read."
        ) from error
    try:
        n_read = os.preadv(descriptor, [values.data], start_bytes + (number - 1) * values.nbytes)
    finally:
        os.close(descriptor)
    if n_read != values.nbytes:
        raise StudyError(f"{instance.source.name} ends inside frame {number}. Send it again.")
