"""A network of fixed patch size on a whole volume: overlapping windows, blended, in memory that does not grow with it.

Read `Windows` first, then `window_labels`. Windows are run in rows along the volume's shortest axis; as soon as no later
window touches a piece of the volume its label is decided and its logits are let go, so that only the overlap of
neighbouring planes and one row of windows are held, never all classes of all voxels (that took another project 22 GB for
100 classes of 384 cubed). Windows with nothing to see are not run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.core.progress import Silent, step
from hounsfield.inference.largest_class import largest_class

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from hounsfield.core.progress import Progress

    # (n, channels, z, y, x) to logits (n, classes, z, y, x) on the same voxels
    PatchNetwork = Callable[[torch.Tensor], torch.Tensor]

MEMORY_LIMIT_BYTES = 3 * 2**30
_SIGMA = 1 / 8  # of the patch side, as nnU-Net and MONAI weigh
_LEAST_WEIGHT = 1e-3
_SCALE_16_BIT = 10  # of the largest weight, which nnU-Net holds in 16 bits
_MOST_LABELS_8_BIT = 256


@dataclass(frozen=True, slots=True)
class Windows:
    """How a volume is covered. patch_zyx: sides in voxels. overlap: share of a side, 0 to below 1.

    blend: "gaussian" lets the middle of a patch, which sees most around it, count more, the edge at least a thousandth;
    "gaussian-16-bit" is nnU-Net's form of it, centred half a voxel further on and as small at the edge as 16-bit numbers
    go; "constant" is the plain mean. spread: "fixed" steps by whole strides and sets the last window back (MONAI), "even"
    makes all steps alike (nnU-Net). pad: where a volume smaller than a patch is filled up, with its smallest value at the
    "end", or around it with zeros, "centre" (both others), or with its edge, "centre-edge" (MONAI, if asked).
    mirror_axes: axes (0 z, 1 y, 2 x) on which every combination of mirrored copies is also run and averaged.
    batch_size: windows run at once.
    """

    patch_zyx: tuple[int, int, int]
    overlap: float = 0.5
    blend: Literal["gaussian", "gaussian-16-bit", "constant"] = "gaussian"
    spread: Literal["fixed", "even"] = "even"
    pad: Literal["end", "centre", "centre-edge"] = "end"
    mirror_axes: tuple[int, ...] = ()
    batch_size: int = 1

    def __post_init__(self) -> None:
        if len(self.patch_zyx) != 3 or min(self.patch_zyx) < 1:
            raise UsageError(f"a patch has three sides of a voxel or more, not {self.patch_zyx}")
        if not 0.0 <= self.overlap < 1.0:
            raise UsageError(f"the overlap is {self.overlap:g}; it must be 0 or more and below 1")
        if not set(self.mirror_axes) <= {0, 1, 2} or self.batch_size < 1:
            raise UsageError(f"axes {self.mirror_axes} or batch size {self.batch_size} cannot be used")

    def starts(self, shape_zyx: tuple[int, ...]) -> list[list[int]]:
        """First voxel of the windows along each axis of a volume that is no smaller than a patch."""
        return [self._starts(n, size) for n, size in zip(shape_zyx, self.patch_zyx, strict=True)]

    def _starts(self, n: int, size: int) -> list[int]:
        stride = max(size * (1 - self.overlap), 1.0)
        if self.spread == "fixed":
            whole = int(stride)
            return [min(i * whole, n - size) for i in range(math.ceil((n - size) / whole) + 1)]
        count = math.ceil((n - size) / stride) + 1
        return [round(i * (n - size) / max(count - 1, 1)) for i in range(count)]

    def weights(self) -> NDArray[np.float32]:
        """Weight of each voxel of a patch (z, y, x), above 0, at most 1."""
        if self.blend == "constant":
            return np.ones(self.patch_zyx, dtype=np.float32)
        middles = [n // 2 if self.blend == "gaussian-16-bit" else (n - 1) / 2 for n in self.patch_zyx]
        sides = [
            np.exp(-0.5 * ((np.arange(n) - middle) / (n * _SIGMA)) ** 2)
            for n, middle in zip(self.patch_zyx, middles, strict=True)
        ]
        full = np.einsum("i,j,k->ijk", *sides)
        if self.blend == "gaussian-16-bit":
            coarse = (full / full.max() * _SCALE_16_BIT).astype(np.float16)
            coarse[coarse == 0] = coarse[coarse > 0].min()
            return np.asarray(coarse.astype(np.float32) / _SCALE_16_BIT, dtype=np.float32)
        return np.asarray(np.maximum(full, _LEAST_WEIGHT) / full.max(), dtype=np.float32)


def window_labels(
    network: PatchNetwork,
    volume: NDArray[Any],
    windows: Windows,
    *,
    inside: NDArray[np.bool_] | None = None,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """Most likely class of each voxel, (z, y, x) uint8 (uint16 from 257 classes on).

    network: gives logits; in evaluation mode. volume: float (z, y, x) or (channels, z, y, x), prepared as the network
    was trained; one smaller than a patch is padded with its smallest value. inside: (z, y, x) where there is something
    to see (`imaging.patient_region.patient_region` finds it in a CT); outside the label is 0, and windows without any of it are not run. memory_limit_bytes: what the held logits
    may take (volume, network and labels come on top); 16-bit numbers are held where 32-bit ones would not fit.
    Raises UsageError for shapes that do not fit or a limit that cannot be kept, ModelError for a network whose output
    does not lie on its input. `progress` may stop the run.
    """
    field = _field(volume, windows, inside)
    if field is None:
        return np.zeros(np.shape(volume)[-3:], dtype=np.uint8)
    blend: _Blend | None = None
    progress = progress or Silent()
    n_rows = len(field.starts[0]) * len(field.starts[1])
    for done, (plane, row, places) in enumerate(field.rows()):
        step(progress, "running the network on windows", done / n_rows)
        for chosen, logits in field.run(network, places):
            if blend is None:
                blend = _Blend(field, logits.shape[1], memory_limit_bytes)
            blend.add(chosen, logits)
        if blend is not None:
            blend.close_row(plane, row)
    return field.on_volume(blend.labels if blend is not None else None)


def window_logits(network: PatchNetwork, volume: NDArray[Any], windows: Windows) -> NDArray[np.float32]:
    """Blended logits (classes, z, y, x) of a volume (z, y, x) or (channels, z, y, x), all held at once.

    For regions small enough; `window_labels` is the way for whole volumes. Raises as that does.
    """
    field = _field(volume, windows, np.ones(np.shape(volume)[-3:], dtype=np.bool_))
    if field is None:
        raise UsageError("a volume without voxels has no logits")
    weight = torch.from_numpy(windows.weights())
    summed: list[torch.Tensor] = []
    weights = torch.zeros(field.volume.shape[1:])
    for start, logits in _one_by_one(field, network):
        summed = summed or [torch.zeros_like(weights) for _ in logits]
        part = field.part(start)
        weights[part] += weight
        for total, values in zip(summed, logits, strict=True):
            total[part] += values.float() * weight
    return np.asarray(
        (torch.stack(summed) / weights)[(slice(None), *field.unpadded)].numpy(), dtype=np.float32
    )


def _one_by_one(field: _Field, network: PatchNetwork) -> Iterator[tuple[tuple[int, int, int], torch.Tensor]]:
    for _, _, places in field.rows():
        for chosen, logits in field.run(network, places):
            yield from zip(chosen, logits, strict=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """A volume (channels, z, y, x) with its windows. box: of the volume asked about; before: voxels of padding before the
    box along each axis; order: axes, longest first.
    """

    volume: torch.Tensor
    inside: NDArray[np.bool_] | None
    windows: Windows
    shape_zyx: tuple[int, ...]
    box: tuple[slice, slice, slice]
    order: tuple[int, int, int]
    before: tuple[int, ...]

    @property
    def unpadded(self) -> tuple[slice, ...]:
        """The box's voxels in the padded volume (z, y, x)."""
        sides = [part.stop - part.start for part in self.box]
        return tuple(slice(first, first + n) for first, n in zip(self.before, sides, strict=True))

    @property
    def sides(self) -> list[int]:
        """Length of the volume along each axis, in `order`."""
        return [int(self.volume.shape[1 + axis]) for axis in self.order]

    @property
    def starts(self) -> list[list[int]]:
        """First voxels of the windows along each axis, in `order`."""
        along = self.windows.starts(tuple(self.volume.shape[1:]))
        return [along[axis] for axis in self.order]

    @property
    def patch(self) -> list[int]:
        """Sides of a window, in `order`."""
        return [self.windows.patch_zyx[axis] for axis in self.order]

    def part(self, start: Sequence[int]) -> tuple[slice, ...]:
        """The voxels (z, y, x) of the window that starts at `start`, which is in `order`."""
        part = [slice(0)] * 3
        for axis, first in zip(self.order, start, strict=True):
            part[axis] = slice(first, first + self.windows.patch_zyx[axis])
        return tuple(part)

    def rows(self) -> Iterator[tuple[int, int, list[tuple[int, int, int]]]]:
        """Number of the plane and row, and the starts of the row's windows that have something to see."""
        planes, rows, columns = self.starts
        for i, a in enumerate(planes):
            for j, b in enumerate(rows):
                places = [(a, b, c) for c in columns]
                yield i, j, [p for p in places if self.inside is None or self.inside[self.part(p)].any()]

    def run(
        self, network: PatchNetwork, places: list[tuple[int, int, int]]
    ) -> Iterator[tuple[list[tuple[int, int, int]], torch.Tensor]]:
        """Starts and logits (n, classes, z, y, x) of the windows, a batch at a time."""
        for first in range(0, len(places), self.windows.batch_size):
            chosen = places[first : first + self.windows.batch_size]
            batch = torch.stack([self.volume[(slice(None), *self.part(start))] for start in chosen])
            with torch.inference_mode():
                logits = _mirrored(network, batch, self.windows.mirror_axes)
            yield chosen, logits  # outside, else the caller would stay in that mode

    def on_volume(self, labels: torch.Tensor | None) -> NDArray[Any]:
        """Labels of the field (in `order`) on the volume asked about, 0 where there was nothing to see."""
        if labels is None:
            return np.zeros(self.shape_zyx, dtype=np.uint8)
        inverse = [self.order.index(axis) for axis in range(3)]
        found = labels.permute(inverse).numpy()
        found = found.view(np.uint16) if found.dtype == np.int16 else found
        whole = np.zeros(self.shape_zyx, dtype=found.dtype)
        whole[self.box] = found[self.unpadded]
        if self.inside is not None:
            whole[self.box][~self.inside[self.unpadded]] = 0
        return whole


def _field(volume: NDArray[Any], windows: Windows, inside: NDArray[np.bool_] | None) -> _Field | None:
    """The part of the volume that has something to see, padded to a patch; None where there is nothing."""
    values = np.asarray(volume)
    values = values[None] if values.ndim == 3 else values
    if values.ndim != 4 or 0 in values.shape:
        raise UsageError(f"a volume is (z, y, x) or (channels, z, y, x), not of shape {np.shape(volume)}")
    shape = values.shape[1:]
    box = tuple(slice(0, n) for n in shape)
    if inside is not None:
        if inside.shape != shape:
            raise UsageError(f"`inside` has shape {inside.shape}, the volume {shape}")
        if not inside.any():
            return None
        box = _box(inside)
        inside = inside[box]
    cropped = values[(slice(None), *box)]
    missing = [max(size - n, 0) for n, size in zip(cropped.shape[1:], windows.patch_zyx, strict=True)]
    before = tuple(0 if windows.pad == "end" else n // 2 for n in missing)
    if any(missing):
        widths = [(first, n - first) for first, n in zip(before, missing, strict=True)]
        if windows.pad == "centre-edge":
            cropped = np.pad(cropped, [(0, 0), *widths], mode="edge")
        else:
            around = 0 if windows.pad == "centre" else values.min()
            cropped = np.pad(cropped, [(0, 0), *widths], constant_values=around)
        inside = None if inside is None else np.pad(inside, widths)
    order = sorted(range(3), key=lambda axis: -cropped.shape[1 + axis])
    tensor = torch.from_numpy(np.ascontiguousarray(cropped, dtype=np.float32))
    axes = order[0], order[1], order[2]
    return _Field(tensor, inside, windows, shape, box, axes, before)  # type: ignore[arg-type]  # three slices


def _box(inside: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    found = []
    for axis in range(3):
        there = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
        found.append(slice(int(there[0]), int(there[-1]) + 1))
    return found[0], found[1], found[2]


def _mirrored(network: PatchNetwork, batch: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    """Mean of the logits over every combination of mirrored axes."""
    logits = _checked(network(batch), batch)
    for code in range(1, 2 ** len(axes)):
        flipped = [2 + axis for bit, axis in enumerate(axes) if code >> bit & 1]
        logits = logits + torch.flip(network(torch.flip(batch, flipped)), flipped)
    return logits / 2 ** len(axes) if axes else logits


def _checked(logits: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    if logits.ndim != 5 or logits.shape[0] != batch.shape[0] or logits.shape[2:] != batch.shape[2:]:
        raise ModelError(
            f"the network gave {tuple(logits.shape)} for windows {tuple(batch.shape)}; logits (n, classes, z, y, x) on "
            "the same voxels are needed. Choose a patch that its strides divide, or its main output alone."
        )
    return logits


class _Blend:
    """Sums of weighed logits that later windows still touch, and the labels that are decided.

    Axes in the field's `order` (a, b, c). row: (classes, patch a, patch b, c), the present row of windows with what rows
    before it left there. carry: (classes, overlap a, b, c), what planes before left to the present one.
    """

    def __init__(self, field: _Field, n_classes: int, memory_limit_bytes: int) -> None:
        (a, b, c), patch = field.sides, field.patch
        self.starts = field.starts
        self.patch = patch
        self.ends = field.sides
        deepest = max(
            (x + patch[0] - y for x, y in zip(self.starts[0], self.starts[0][1:], strict=False)), default=0
        )
        numbers = n_classes * (patch[0] * patch[1] * c + max(deepest, 0) * b * c)
        kind = torch.float32 if numbers * 4 <= memory_limit_bytes else torch.float16
        if numbers * 2 > memory_limit_bytes:
            raise UsageError(
                f"{n_classes} classes need {numbers * 2 / 2**30:.1f} GiB for logits in flight, and "
                f"{memory_limit_bytes / 2**30:.1f} GiB are allowed: raise the limit, or lower overlap or patch"
            )
        self.row = torch.zeros(n_classes, patch[0], patch[1], c, dtype=kind)
        self.carry = torch.zeros(n_classes, max(deepest, 0), b, c, dtype=kind)
        self.depth = 0  # planes of `carry` that hold sums for the present plane of windows
        label = torch.uint8 if n_classes <= _MOST_LABELS_8_BIT else torch.int16
        self.labels = torch.zeros(a, b, c, dtype=label)
        self.order = field.order
        self.weight = torch.from_numpy(field.windows.weights()).permute(field.order)
        if kind == torch.float16:
            self.weight = self.weight.clamp(min=_LEAST_WEIGHT)  # less is lost in sums of 16 bits

    def add(self, starts: list[tuple[int, int, int]], logits: torch.Tensor) -> None:
        """Add windows of the present row."""
        axes = [0, *(1 + axis for axis in self.order)]
        for (_, _, c), one in zip(starts, logits, strict=True):
            target = self.row[..., c : c + self.patch[2]]
            # Class by class, so that no second copy of all classes is made.
            for own, values in zip(target, one.permute(axes), strict=False):
                own.add_((values.float() * self.weight).to(own.dtype))

    def close_row(self, plane: int, row: int) -> None:
        """Decide what no later window touches, pass on the rest."""
        a, b = self.starts[0][plane], self.starts[1][row]
        next_a, next_b = self._next(0, plane), self._next(1, row)
        final = min(next_b - b, self.patch[1])
        part = self.row[:, :, :final]
        held = self.carry[:, :, b : b + final]
        if self.depth:
            part[:, : self.depth] += held[:, : self.depth]
        decided = next_a - a
        self._decide(a, b, part[:, :decided])
        left = self.patch[0] - decided
        if left > 0:
            held[:, :left] = part[:, decided:]
        kept = self.patch[1] - final
        for own in self.row:
            own[:, :kept] = own[:, final:].clone()
            own[:, kept:] = 0
        if row + 1 == len(self.starts[1]):
            self.depth = max(left, 0)
            self.row.zero_()

    def _decide(self, a: int, b: int, sums: torch.Tensor) -> None:
        """Take the sums (classes, planes, rows, c) of voxels from (a, b, 0) on, which no later window touches."""
        for z in range(sums.shape[1]):
            self.labels[a + z, b : b + sums.shape[2]] = largest_class(sums[:, z])

    def _next(self, axis: int, number: int) -> int:
        """Where the next window along the axis begins; the volume's end after the last."""
        after = self.starts[axis][number + 1 :]
        return after[0] if after else self.ends[axis]
