"""Volumes as a network was trained to see them, and the way back: what `zoo.VolumePreprocessing` states, carried out.

`prepare_volume` gives the input; `VolumeInput.labels` brings logits back onto the image's own voxels, class by class, so
that no more than two volumes of the image's size are held. No torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage, special

from hounsfield.core import Grid
from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.imaging.components import label_components
from hounsfield.imaging.orientation import StandardView
from hounsfield.imaging.resampling import grid_with_spacing, resample
from hounsfield.imaging.stretching import coarse_axis, stepped, stepped_shape, stretch, stretched_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from hounsfield.core import Image
    from hounsfield.zoo import GreyValues, VolumePreprocessing, VoxelLabels

    Box = tuple[slice, slice, slice]

# A head stands out from the air around it by this share of the bright end of its grey values.
_HEAD_SHARE = 0.05
_MOST_LABELS_8_BIT = 256
_UNTURNED = (False, False, False)


@dataclass(frozen=True, slots=True, eq=False)
class VolumeInput:
    """A network's input and where it lies.

    values: float32 (channels, z, y, x). image_grid: of the image asked about. view: how its array is seen. box: of the
    view, what the crop kept. grid: of `values`, None where it is the box's own voxels; stretched: whether `values` are
    the box stretched corner to corner (else resampled in millimetres); apart: the axis whose nearest slices are taken on
    the way back. steps: between the voxels of `values`, in voxels of the box, where they begin at the same voxel. inner:
    the part of the network's grid that `values` are, and the shape of that grid.
    """

    values: NDArray[np.float32]
    image_grid: Grid
    view: StandardView
    box: Box
    grid: Grid | None
    stretched: bool
    apart: int | None = None
    steps: tuple[float, ...] | None = None
    inner: tuple[Box, tuple[int, ...]] | None = None

    @property
    def is_on_voxels(self) -> bool:
        """Whether the input's voxels are the image's, so that labels need no resampling."""
        return self.grid is None and not self.stretched and self.steps is None and self.inner is None

    def restore(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Labels of the box's voxels on the image's (z, y, x); 0 outside the crop."""
        z, y, x = (self.image_grid.shape[axis] for axis in self.view.order)
        whole = np.zeros((z, y, x), dtype=labels.dtype)
        whole[self.box] = labels
        return np.ascontiguousarray(self.view.undo(whole))

    def labels(
        self, logits: Callable[[int], NDArray[Any]], n_channels: int, rule: VoxelLabels
    ) -> NDArray[Any]:
        """Labels (z, y, x) on the image's grid. logits: of channel i on the input's voxels (z, y, x); asked once each, or
        twice where probabilities are resampled.
        """
        box_grid = _part(self.view.grid(self.image_grid), self.box)
        if rule.resampled == "labels" and not self.is_on_voxels:
            own = _decided(lambda channel, _: np.asarray(logits(channel)), n_channels, rule)
            return self.restore(self._on_box(own, box_grid, outside=0.0, order=0).astype(own.dtype))
        asked = _probabilities(logits, n_channels, rule) if rule.resampled == "probabilities" else logits
        return self.restore(
            _decided(lambda c, outside: self._on_box(asked(c), box_grid, outside=outside), n_channels, rule)
        )

    def _on_box(
        self, values: NDArray[Any], box_grid: Grid, *, outside: float, order: Literal[0, 1] = 1
    ) -> NDArray[np.float32]:
        values = np.asarray(values, dtype=np.float32)
        if self.inner is not None:
            box, shape = self.inner
            whole = np.zeros(shape, dtype=np.float32)
            whole[box] = values
            values = whole
        if self.steps is not None:
            back = tuple(1.0 / step for step in self.steps)
            return np.array(stepped(values, box_grid.shape, back, order=order))
        if self.stretched:
            return np.array(stretch(values, box_grid.shape, order=order, apart=self.apart))
        if self.grid is None:
            return np.array(values)
        return np.asarray(
            resample(values, self.grid, box_grid, order=order, fill_value=outside), dtype=np.float32
        )


def _decided(
    values: Callable[[int, float], NDArray[Any]], n_channels: int, rule: VoxelLabels
) -> NDArray[Any]:
    """Labels from the values of each channel; values(channel, what stands where the network saw nothing)."""
    if rule.way == "painted":
        least = rule.threshold
        if rule.resampled != "probabilities":
            least = float(np.log(rule.threshold / (1 - rule.threshold))) if 0 < rule.threshold < 1 else 0.0
        label: NDArray[Any] | None = None
        for channel in rule.order or range(len(rule.paint)):
            painted = values(channel, -np.inf) >= least
            if label is None:
                label = np.zeros(painted.shape, dtype=np.uint16 if max(rule.paint) > 255 else np.uint8)
            label[painted] = rule.paint[channel]
        return np.zeros(0) if label is None else label
    best = np.array(values(0, 0.0), dtype=np.float32)
    label = np.zeros(best.shape, dtype=np.uint8 if n_channels <= _MOST_LABELS_8_BIT else np.uint16)
    for channel in range(1, n_channels):
        found = values(channel, -np.inf)
        better = found > best
        label[better] = channel
        np.copyto(best, found, where=better)
    return label


def _probabilities(
    logits: Callable[[int], NDArray[Any]], n_channels: int, rule: VoxelLabels
) -> Callable[[int], NDArray[Any]]:
    """Of channel i: its sigmoid where channels stand alone, else the softmax, whose sum is made in a first round."""
    if rule.way == "painted":
        return lambda channel: special.expit(np.asarray(logits(channel), dtype=np.float32))
    total = np.array(logits(0), dtype=np.float32)
    for channel in range(1, n_channels):
        np.logaddexp(total, logits(channel), out=total)
    return lambda channel: np.exp(logits(channel) - total)


def prepare_volume(images: Sequence[Image], settings: VolumePreprocessing) -> VolumeInput:
    """The network's input for one image a channel, in the card's order.

    Images after the first are brought onto the grid of the first where theirs differs. Raises RefusedInput for another
    number of images, for colour or time, for values that are not finite; GeometryError where an axis or millimetres are
    needed and the file states none.
    """
    volumes = _on_one_grid(images, settings)
    image_grid = images[0].grid
    view = (
        StandardView.of_grid(image_grid, settings.axes)
        if settings.axes
        else StandardView(settings.stored_order, _UNTURNED)
    )
    seen = [view.apply(volume) for volume in volumes]
    box = _box(seen, settings.crop)
    inside = _not_zero(seen)[box] if settings.crop == "nonzero" else None
    if settings.grey_values_of == "whole":
        seen = _scaled([np.asarray(volume, dtype=np.float32) for volume in seen], settings, None)
    values = [np.asarray(volume[box], dtype=np.float32) for volume in seen]
    grid = _part(view.grid(image_grid), box)
    scaled = settings.grey_values_of == "whole" or settings.grey_values_first
    if settings.grey_values_of == "crop" and settings.grey_values_first:
        values = _scaled(values, settings, inside)
    placed = _on_network_grid(values, grid, settings)
    values = placed.values
    if not scaled:
        values = _scaled(values, settings, None)
    inner = _above_zero(values) if settings.crop_prepared else None
    shape = values[0].shape
    if inner is not None:
        values = [volume[inner] for volume in values]
    return VolumeInput(
        np.stack(values),
        image_grid,
        view,
        box,
        placed.grid,
        stretched=placed.steps is None and settings.grid != "patient" and shape != grid.shape,
        apart=placed.apart,
        steps=placed.steps,
        inner=None if inner is None else (inner, shape),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """Volumes on the network's voxels, and what the way back needs; as in `VolumeInput`."""

    values: list[NDArray[np.float32]]
    grid: Grid | None = None
    apart: int | None = None
    steps: tuple[float, ...] | None = None


def _on_one_grid(images: Sequence[Image], settings: VolumePreprocessing) -> list[NDArray[Any]]:
    if len(images) != len(settings.channels):
        needed = ", ".join(channel.name for channel in settings.channels)
        raise RefusedInput(f"the model takes {needed}; {len(images)} images were given")
    volumes: list[NDArray[Any]] = []
    for image, channel in zip(images, settings.channels, strict=True):
        if image.is_colour or image.array.ndim != 3:
            raise RefusedInput(
                f"{channel.name} is in colour or a movie; one grey volume is needed. Give one phase of it."
            )
        if channel.unit is not None and image.unit != channel.unit:
            raise RefusedInput(f"{channel.name} is in {image.unit}, and the model takes {channel.unit}")
        values = image.array
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise RefusedInput(f"{channel.name} has values that are not finite. Use the scanner's original.")
        if volumes and not image.grid.is_same_as(images[0].grid):
            values = resample(
                values, image.grid, images[0].grid, order=1, fill_value=float(np.asarray(values).min())
            )
        volumes.append(values)
    return volumes


def _not_zero(volumes: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    mask = np.zeros(volumes[0].shape, dtype=np.bool_)
    for volume in volumes:
        mask |= volume != 0
    return np.asarray(ndimage.binary_fill_holes(mask), dtype=np.bool_)


def _head(volumes: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """What stands out from the air of the first channel, its largest piece."""
    volume = volumes[0]
    darkest, bright = (float(v) for v in np.percentile(volume, (0.0, 99.5)))
    mask = np.asarray(volume > darkest + _HEAD_SHARE * (bright - darkest))
    return np.asarray(label_components(mask)[0] == 1, dtype=np.bool_)


def _box(volumes: Sequence[NDArray[Any]], crop: str) -> Box:
    whole = slice(0, volumes[0].shape[0]), slice(0, volumes[0].shape[1]), slice(0, volumes[0].shape[2])
    if crop == "none":
        return whole
    mask = _not_zero(volumes) if crop == "nonzero" else _head(volumes)
    if not mask.any():
        raise RefusedInput("the volume is empty: there is nothing in it that the model could see")
    found = ndimage.find_objects(mask.astype(np.uint8))[0]
    return found[0], found[1], found[2]


def _above_zero(volumes: Sequence[NDArray[Any]]) -> Box:
    mask = np.zeros(volumes[0].shape, dtype=np.bool_)
    for volume in volumes:
        mask |= volume > 0
    if not mask.any():
        raise RefusedInput(
            "nothing in the volume is above 0 once it is prepared: the model would see nothing"
        )
    found = ndimage.find_objects(mask.astype(np.uint8))[0]
    return found[0], found[1], found[2]


def _part(grid: Grid, box: Box) -> Grid:
    """The grid of a box of an array on `grid`."""
    z, y, x = (part.stop - part.start for part in box)
    if grid.affine is None:
        return Grid((z, y, x), None, grid.frame_of_reference_uid)
    affine = grid.affine.copy()
    affine[:3, 3] = grid.index_to_mm(np.array([part.start for part in box], dtype=np.float64))
    return Grid((z, y, x), affine, grid.frame_of_reference_uid)


def _on_network_grid(values: list[NDArray[np.float32]], grid: Grid, settings: VolumePreprocessing) -> _Placed:
    """The volumes on the network's voxels."""
    order = settings.order
    if settings.grid == "patient":
        target = _target(grid, settings)
        if target.is_same_as(grid):
            return _Placed(values)
        return _Placed(
            [
                resample(v, grid, target, order=order, fill_value=float(v.min())).astype(np.float32)
                for v in values
            ],
            grid=target,
        )
    if settings.grid == "fixed":
        if settings.shape is None:
            raise UsageError("a fixed grid has a shape")
        return _Placed([stretch(v, settings.shape, order=order) for v in values])
    spacing = _spacing(grid, settings)
    if settings.grid == "first":
        steps = tuple(new / old for old, new in zip(grid.spacing_mm, spacing, strict=True))
        shape = stepped_shape(grid.shape, grid.spacing_mm, spacing)
        if shape == grid.shape and np.allclose(steps, 1.0, rtol=0, atol=1e-6):
            return _Placed(values)
        return _Placed([stepped(v, shape, steps, order=order) for v in values], steps=steps)
    shape = stretched_shape(grid.shape, grid.spacing_mm, spacing)
    apart, back = None, None
    if settings.coarse_axis_apart:
        apart, back = coarse_axis(grid.spacing_mm, spacing), coarse_axis(spacing, grid.spacing_mm)
    return _Placed([stretch(v, shape, order=order, apart=apart) for v in values], apart=back)


def _spacing(grid: Grid, settings: VolumePreprocessing) -> tuple[float, float, float]:
    """Of the network's grid; what the card leaves open is the image's."""
    stated = settings.spacing_mm or (None, None, None)
    z, y, x = (own if mm is None else mm for own, mm in zip(grid.spacing_mm, stated, strict=True))
    return z, y, x


def _target(grid: Grid, settings: VolumePreprocessing) -> Grid:
    if settings.spacing_mm is None and settings.shape is None:
        return grid
    spacing = _spacing(grid, settings)
    if settings.shape is None:
        if np.allclose(spacing, grid.spacing_mm, rtol=0, atol=1e-4):
            return grid
        return grid_with_spacing(grid, spacing)
    steps = np.array(spacing) / np.array(grid.spacing_mm)
    first = ((np.array(grid.shape) - 1) - (np.array(settings.shape) - 1) * steps) / 2
    affine = np.array(grid.affine)
    affine[:3, 3] = grid.index_to_mm(first)
    affine[:3, :3] *= steps
    return Grid(settings.shape, affine, grid.frame_of_reference_uid)


def _scaled(
    values: list[NDArray[np.float32]], settings: VolumePreprocessing, inside: NDArray[np.bool_] | None
) -> list[NDArray[np.float32]]:
    scaled = []
    for volume, channel in zip(values, settings.channels, strict=True):
        found = grey_values(volume, channel.grey_values, inside)
        for step in channel.then:
            found = grey_values(found, step, inside)
        scaled.append(found)
    return scaled


def grey_values(
    volume: NDArray[np.float32], rule: GreyValues, inside: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Grey values of a volume (z, y, x) as `rule` says; inside: where `inside_only` looks, 0 is set elsewhere.

    Raises RefusedInput for a volume without contrast where the rule divides by it.
    """
    if rule.way == "none":
        return volume
    if rule.way == "clip-zscore":
        clipped = np.clip(volume, rule.low, rule.high)
        return np.asarray((clipped - rule.mean) / max(rule.standard_deviation, 1e-8), dtype=np.float32)
    if rule.way == "range":
        share = (volume - rule.low) / (rule.high - rule.low)
        scaled = share * (rule.to_high - rule.to_low) + rule.to_low
        if rule.clip:
            scaled = np.clip(scaled, min(rule.to_low, rule.to_high), max(rule.to_low, rule.to_high))
        return np.asarray(scaled, dtype=np.float32)
    if rule.way == "zscore":
        return _zscore(volume, rule, inside)
    low, high = 0.0, float(volume.max())
    if rule.way == "unit-range":
        low, high = (float(v) for v in np.percentile(volume, (rule.percentile_low, rule.percentile_high)))
    if not high > low:
        raise RefusedInput("the volume has no contrast: check that the file holds an image")
    scaled = (volume - np.float32(low)) / np.float32(high - low)
    if rule.way == "max-one":
        return np.asarray(scaled, dtype=np.float32)
    if rule.clip:
        scaled = np.clip(scaled, 0.0, 1.0)
    return np.asarray(scaled * np.float32(rule.to_high - rule.to_low) + np.float32(rule.to_low))


def _zscore(
    volume: NDArray[np.float32], rule: GreyValues, inside: NDArray[np.bool_] | None
) -> NDArray[np.float32]:
    if rule.nonzero_only:
        inside = volume != 0
    masked = inside is not None and (rule.inside_only or rule.nonzero_only)
    looked_at = volume[inside] if masked else volume
    if not looked_at.size:
        return volume
    mean, spread = float(looked_at.mean(dtype=np.float64)), float(looked_at.std(dtype=np.float64))
    scaled = (volume - np.float32(mean)) / np.float32(max(spread, 1e-8))
    if masked:
        scaled[~inside] = 0.0  # type: ignore[operator]  # masked only where it is there
    return np.asarray(scaled, dtype=np.float32)
