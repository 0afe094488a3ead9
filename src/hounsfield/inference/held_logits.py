"""Logits of a whole volume for as many classes as there are, held within a limit: in memory, or else in a file.

`held_window_logits` fills them window by window and lets each piece go to its place as soon as no later window touches
it; `HeldLogits.channel` gives one class at a time, which is all that a way back onto other voxels needs.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import ResultError, UsageError
from hounsfield.core.progress import Silent, step
from hounsfield.inference.sliding_window import MEMORY_LIMIT_BYTES, _Blend, _Field, _field

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray

    from hounsfield.core.progress import Progress
    from hounsfield.inference.sliding_window import PatchNetwork, Windows


class HeldLogits:
    """Logits of `n_channels` classes on a volume whose axes are known in another order.

    kept: part of the volume along each of its axes (z, y, x) that is asked for, the rest is padding. order: its axes as
    `put` names them. sides: of the padded volume, in that order. memory_limit_bytes: 32-bit numbers are held where these fit, else
    16-bit ones, else 16-bit ones in an unnamed file in the folder of temporary files. Raises ResultError where that has no room.
    """

    def __init__(
        self,
        n_channels: int,
        sides: Sequence[int],
        order: Sequence[int],
        kept: Sequence[slice],
        *,
        memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
    ) -> None:
        self.n_channels = n_channels
        self._sides = tuple(sides)
        self._inverse = [list(order).index(axis) for axis in range(3)]
        self._kept = tuple(kept)
        numbers = n_channels * int(np.prod(self._sides))
        self._array: NDArray[Any] | None = None
        self._file: Any = None
        if numbers * 2 <= memory_limit_bytes:
            kind = np.float32 if numbers * 4 <= memory_limit_bytes else np.float16
            self._array = np.zeros((n_channels, *self._sides), dtype=kind)
        else:
            self._open(numbers * 2)

    @property
    def on_disk(self) -> bool:
        """Whether they lie in a file."""
        return self._file is not None

    def put(self, channel: int, place: tuple[int, int], values: NDArray[np.float32]) -> None:
        """Store the block (planes, rows, all of the third axis) that begins at `place`, in the order of `sides`."""
        planes, rows, _ = values.shape
        a, b = place
        if self._array is not None:
            self._array[channel, a : a + planes, b : b + rows] = values
            return
        narrow = values.astype(np.float16)
        for number in range(planes):
            self._write(channel, a + number, b, np.ascontiguousarray(narrow[number]))

    def channel(self, channel: int) -> NDArray[np.float32]:
        """Logits (z, y, x) of one class."""
        if self._array is not None:
            stored = self._array[channel]
        else:
            count = int(np.prod(self._sides))
            self._file.seek(channel * count * 2)
            content = bytearray(count * 2)
            self._file.readinto(content)
            stored = np.frombuffer(content, dtype=np.float16).reshape(self._sides)
        return np.ascontiguousarray(stored.transpose(self._inverse)[self._kept], dtype=np.float32)

    def _open(self, n_bytes: int) -> None:
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        if free < n_bytes:
            raise _full(n_bytes, folder)
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  lives as long as the logits do
        weakref.finalize(self, self._file.close)

    def _write(self, channel: int, plane: int, row: int, values: NDArray[np.float16]) -> None:
        a, b, c = self._sides
        self._file.seek((((channel * a + plane) * b) + row) * c * 2)
        rest = memoryview(values.tobytes())
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise _full(self.n_channels * a * b * c * 2, tempfile.gettempdir()) from error


def _full(n_bytes: int, folder: str) -> ResultError:
    return ResultError(
        f"the logits of this volume need {n_bytes / 2**30:.1f} GiB in {folder}, which has no room for them. Free the disk, "
        "set TMPDIR to a folder with room, or read a smaller part of the body."
    )


class _LogitBlend(_Blend):
    """Keeps the logits themselves. The sums have one channel more, of the weights."""

    def __init__(self, field: _Field, n_classes: int, memory_limit_bytes: int) -> None:
        super().__init__(field, n_classes + 1, memory_limit_bytes)
        self.labels = self.labels[:0]
        self.held = HeldLogits(
            n_classes, field.sides, field.order, field.unpadded, memory_limit_bytes=memory_limit_bytes
        )

    def add(self, starts: list[tuple[int, int, int]], logits: torch.Tensor) -> None:
        super().add(starts, logits)
        for _, _, c in starts:
            self.row[-1, ..., c : c + self.patch[2]] += self.weight

    def _decide(self, a: int, b: int, sums: torch.Tensor) -> None:
        weights = sums[-1].float()
        for channel, own in enumerate(sums[:-1]):
            self.held.put(channel, (a, b), (own.float() / weights).numpy())


def held_window_logits(
    network: PatchNetwork,
    volume: NDArray[Any],
    windows: Windows,
    *,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
    progress: Progress | None = None,
) -> HeldLogits:
    """As `window_logits`, within twice `memory_limit_bytes` (logits in flight, and those held); read class by class.

    Raises as `window_labels` and `HeldLogits` do. `progress` may stop the run.
    """
    field = _field(volume, windows, None)
    if field is None:
        raise UsageError("a volume without voxels has no logits")
    blend: _LogitBlend | None = None
    progress = progress or Silent()
    n_rows = len(field.starts[0]) * len(field.starts[1])
    for done, (plane, row, places) in enumerate(field.rows()):
        step(progress, "running the network on windows", done / n_rows)
        for chosen, logits in field.run(network, places):
            blend = blend or _LogitBlend(field, logits.shape[1], memory_limit_bytes)
            blend.add(chosen, logits)
        if blend is not None:
            blend.close_row(plane, row)
    if blend is None:
        raise UsageError("a volume without windows has no logits")
    return blend.held
