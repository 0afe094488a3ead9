"""From stored values to the array of an Image: rescale by each slice's own slope, padding, missing slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.studies import limits
from hounsfield.studies.header_values import quiet_pydicom
from hounsfield.studies.plain_slices import PlainSlices, read_plain_slices
from hounsfield.studies.stored_values import stored_frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from hounsfield.imaging.shear import Straightening
    from hounsfield.studies.frames import Frame
    from hounsfield.studies.instances import Instance

_INT16 = np.iinfo(np.int16)
_INT32 = np.iinfo(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class PixelPlan:
    """Which frames go where, and how their stored values become values.

    frames: in array order. slots: place of each on the first axis; n_slots: its length. Slots without a
    frame are filled with the smallest value and marked as padding. resample_mm: distances along the
    normal of the frames where these are to be interpolated to n_slots even places, else None. straightening: of
    frames that a tilted gantry shifted against each other, else None. factor: what rescaled values are
    multiplied with (SUV per Bq/ml).
    """

    frames: tuple[tuple[Instance, Frame], ...]
    slots: tuple[int, ...]
    n_slots: int
    resample_mm: NDArray[np.float64] | None = None
    straightening: Straightening | None = None
    factor: float = 1.0

    @property
    def is_as_stored(self) -> bool:
        """Whether each slice of the array is one frame, pixel by pixel."""
        return self.resample_mm is None and self.straightening is None

    @property
    def shape_yx(self) -> tuple[int, int]:
        """Rows and columns of the array."""
        instance = self.frames[0][0]
        return (
            (instance.rows, instance.columns) if self.straightening is None else self.straightening.shape_yx
        )

    @property
    def declared_bytes(self) -> int:
        """Size of the array as the headers declare it, at two bytes a value."""
        instance = self.frames[0][0]
        n_bytes = max(2 if self.is_as_stored else 4, (instance.bits_allocated + 7) // 8)
        return self.n_slots * self.shape_yx[0] * self.shape_yx[1] * instance.samples * n_bytes


def build_array(plan: PixelPlan) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The values (z, y, x) or (z, y, x, 3), and the mask (z, y, x) of padding or None.

    int16 (int32 where that is too small) if every slope and intercept is a whole number, uint8 for plain
    8-bit pictures, else float32. Raises StudyError or RefusedInput naming the file.
    """
    if plan.declared_bytes > limits.MAX_PIXEL_BYTES_OF_SERIES:
        raise RefusedInput(
            f"the series declares {plan.declared_bytes / limits.GIB:.0f} GiB of pixels, the limit is "
            f"{limits.MAX_PIXEL_BYTES_OF_SERIES // limits.GIB}. Read a part of it."
        )
    filler = _Filler(plan)
    plain = read_plain_slices(plan)
    if plain is not None:
        filler.take(plain)
        return filler.finish()
    with quiet_pydicom():
        for number, stored in enumerate(stored_frames([(i, f.number) for i, f in plan.frames])):
            filler.put(number, stored)
    if plan.resample_mm is not None:
        return _evenly_spaced(filler, plan, plan.resample_mm)
    return filler.finish()


class _Filler:
    """Grows the array frame by frame, in the smallest type that holds all values so far."""

    def __init__(self, plan: PixelPlan) -> None:
        self._plan = plan
        self._is_whole = (
            plan.factor == 1.0
            and plan.straightening is None
            and all(_is_whole(f.slope) and _is_whole(f.intercept) for _, f in plan.frames)
        )
        self._array: NDArray[Any] = np.zeros((0,))
        self._padding: NDArray[np.bool_] | None = None
        self._lookup: dict[int, _LookupTable] = {}

    def put(self, number: int, stored: NDArray[Any]) -> None:
        instance, frame = self._plan.frames[number]
        # Frames that are to be resampled are kept as they come.
        slot = number if self._plan.resample_mm is not None else self._plan.slots[number]
        if instance.padding is not None and stored.ndim == 2:
            self._mark_padding(number, slot, stored, instance.padding)
        if instance.has_modality_lut and stored.ndim == 2:
            stored, slope, intercept = self._looked_up(instance, stored), 1.0, 0.0
        else:
            slope = 1.0 if frame.slope is None else frame.slope
            intercept = 0.0 if frame.intercept is None else frame.intercept
        if self._array.size == 0:
            n_slots = len(self._plan.frames) if self._plan.resample_mm is not None else self._plan.n_slots
            shape = (n_slots, *self._plan.shape_yx, *stored.shape[2:])
            self._array = np.empty(shape, dtype=self._first_dtype(stored, slope, intercept))
        if self._plan.straightening is not None:
            self._put_straight(number, slot, stored * slope + intercept)
            return
        if self._array.dtype.kind == "f":
            factor = self._plan.factor
            np.multiply(stored, slope * factor, out=self._array[slot], casting="unsafe")
            if intercept:
                self._array[slot] += intercept * factor
            return
        self._put_whole(slot, stored, round(slope), round(intercept))

    def take(self, slices: PlainSlices) -> None:
        """Slices that need nothing more than a place."""
        self._array = slices.array
        for slot, marked in slices.padding.items():
            self._padding_mask()[slot] = marked

    def _put_straight(self, number: int, slot: int, values: NDArray[Any]) -> None:
        if self._plan.straightening is None or values.ndim != 2:
            raise RefusedInput(
                "the slices are in colour and shifted against each other (gantry tilt), which no scanner sends. Export "
                "the series again."
            )
        moved, outside = self._plan.straightening.moved(number, values * self._plan.factor)
        self._array[slot] = moved
        if outside.any():
            self._padding_mask()[slot] |= outside

    def finish(self) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        missing = sorted(set(range(self._plan.n_slots)) - set(self._plan.slots))
        if missing:
            self._array[missing] = self._array[list(self._plan.slots)].min()
            self._padding_mask()[missing] = True
        return self._array, self._padding

    def raw(self) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """All frames in order, before they are spaced evenly."""
        return self._array, self._padding

    def _first_dtype(self, stored: NDArray[Any], slope: float, intercept: float) -> np.dtype[Any]:
        if stored.dtype.kind == "f" or not self._is_whole:
            return np.dtype(np.float64 if stored.dtype == np.float64 else np.float32)
        plain = slope == 1.0 and intercept == 0.0
        return (
            stored.dtype.newbyteorder("=")
            if plain and (stored.dtype == np.uint8 or stored.ndim == 3)
            else np.dtype(np.int16)
        )

    def _put_whole(self, slot: int, stored: NDArray[Any], slope: int, intercept: int) -> None:
        if self._array.dtype.kind == "u" and slope == 1 and intercept == 0:
            self._array[slot] = stored
            return
        ends = [int(stored.min()) * slope + intercept, int(stored.max()) * slope + intercept]
        self._widen(min(ends), max(ends))
        if slope == 1 and self._array.dtype == np.int16 and stored.dtype.itemsize == 2:
            # The sum wraps round, and is right because the true result was found to fit.
            shift = np.array(intercept & 0xFFFF, np.uint16).view(np.int16)
            np.add(stored.view(np.int16), shift, out=self._array[slot])
            return
        if slope == 1 and intercept == 0:
            self._array[slot] = stored
            return
        self._array[slot] = stored.astype(np.int64) * slope + intercept

    def _widen(self, low: int, high: int) -> None:
        """Move to a wider type if a frame needs it."""
        if self._array.dtype == np.int64:
            return
        now = np.iinfo(self._array.dtype)
        if now.min <= low and high <= now.max:
            return
        if _INT16.min <= low and high <= _INT16.max and self._array.dtype == np.uint8:
            self._array = self._array.astype(np.int16)
        elif _INT32.min <= low and high <= _INT32.max:
            self._array = self._array.astype(np.int32)
        else:
            self._array = self._array.astype(np.int64)

    def _mark_padding(self, number: int, slot: int, stored: NDArray[Any], padding: tuple[int, int]) -> None:
        marked = (
            (stored >= padding[0]) & (stored <= padding[1])
            if padding[0] != padding[1]
            else stored == padding[0]
        )
        if marked.any() and self._plan.straightening is not None:
            # A value mixed with padding is no measurement either.
            marked = self._plan.straightening.moved(number, marked)[0] > 0.0
        if marked.any():
            self._padding_mask(marked.shape)[slot] = marked

    def _padding_mask(self, shape_yx: tuple[int, ...] | None = None) -> NDArray[np.bool_]:
        if self._padding is None:
            n_slots = len(self._plan.frames) if self._plan.resample_mm is not None else self._plan.n_slots
            self._padding = np.zeros((n_slots, *(shape_yx or self._array.shape[1:3])), dtype=bool)
        return self._padding

    def _looked_up(self, instance: Instance, stored: NDArray[Any]) -> NDArray[Any]:
        key = id(instance)
        if key not in self._lookup:
            self._lookup = {key: _LookupTable.of(instance)}
        return self._lookup[key].apply(stored)


@dataclass(frozen=True, slots=True, eq=False)
class _LookupTable:
    """A Modality LUT (PS3.3 C.11.1): output for the stored values first, first + 1, ...; ends repeat."""

    first: int
    values: NDArray[Any]

    @classmethod
    def of(cls, instance: Instance) -> _LookupTable:
        from hounsfield.studies.instances import read_data_set

        item = read_data_set(instance.source).ModalityLUTSequence[0]
        _, first, bits = (int(part) for part in item.LUTDescriptor)
        data = item.LUTData
        values = (
            np.frombuffer(data, "<u2" if bits > 8 or len(data) > 256 else "u1")
            if isinstance(data, bytes)
            else np.asarray(data)
        )
        if instance.is_signed and first >= 1 << 15:
            first -= 1 << 16
        return cls(first, values.astype(np.uint16))

    def apply(self, stored: NDArray[Any]) -> NDArray[Any]:
        index = np.clip(stored.astype(np.int64) - self.first, 0, len(self.values) - 1)
        looked_up: NDArray[Any] = self.values[index]
        return looked_up


def _is_whole(value: float | None) -> bool:
    return value is None or float(value).is_integer()


def _evenly_spaced(
    filler: _Filler, plan: PixelPlan, distances_mm: Sequence[float] | NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Linear interpolation between the two nearest frames at n_slots even places from first to last."""
    array, padding = filler.raw()
    even: NDArray[np.float32] = np.empty((plan.n_slots, *array.shape[1:]), dtype=np.float32)
    marked = np.zeros(even.shape[:3], dtype=bool) if padding is not None else None
    for k, (below, weight) in enumerate(_neighbours(np.asarray(distances_mm), plan.n_slots)):
        above = min(below + 1, len(array) - 1)
        even[k] = array[below] * np.float32(1.0 - weight) + array[above] * np.float32(weight)
        if marked is not None and padding is not None:
            marked[k] = (padding[below] & (weight < 1.0)) | (padding[above] & (weight > 0.0))
    return even, marked


def _neighbours(distances_mm: NDArray[np.float64], n_slots: int) -> Iterator[tuple[int, float]]:
    places_mm = np.linspace(distances_mm[0], distances_mm[-1], n_slots)
    below = np.clip(np.searchsorted(distances_mm, places_mm, side="right") - 1, 0, len(distances_mm) - 2)
    for place_mm, k in zip(places_mm, below, strict=True):
        width_mm = distances_mm[k + 1] - distances_mm[k]
        yield int(k), float((place_mm - distances_mm[k]) / width_mm)
