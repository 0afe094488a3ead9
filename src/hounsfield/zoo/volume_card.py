"""The part of a card that says how a volume becomes a network's input, and how its output becomes labels of voxels.

`VolumePreprocessing` is the order of work: axes, crop, grey values, grid. `inference.VolumeModel` carries it out.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hounsfield.zoo.card_part import CardPart, Fraction, Text

Side = Annotated[int, Field(ge=1, le=4096)]
SpacingMm = Annotated[float, Field(gt=0.0, le=1000.0)]
Letter = Literal["L", "R", "A", "P", "S", "I"]
_ALONG = {"L": 0, "R": 0, "A": 1, "P": 1, "S": 2, "I": 2}


class GreyValues(CardPart):
    """How the grey values of one channel become numbers for the network.

    none: as they are. zscore: less the mean, by the standard deviation, of the volume, or with `inside_only` of the part
    that the crop kept, or with `nonzero_only` of the voxels that are not 0, which alone change. clip-zscore: clipped to `low` and `high`, then less `mean`, by `standard_deviation` (nnU-Net's
    scheme for CT). unit-range: the percentiles `percentile_low` and `percentile_high` of the volume to `to_low` and
    `to_high`, clipped where `clip` says so. max-one: divided by the largest. range: `low` to `to_low`, `high` to `to_high`, clipped where `clip` says so
    (MONAI's ScaleIntensityRange).
    """

    way: Literal["none", "zscore", "clip-zscore", "unit-range", "max-one", "range"]
    inside_only: bool = False
    nonzero_only: bool = False
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    standard_deviation: float = Field(default=1.0, ge=0.0)
    percentile_low: float = Field(default=0.0, ge=0.0, le=100.0)
    percentile_high: float = Field(default=100.0, ge=0.0, le=100.0)
    to_low: float = 0.0
    to_high: float = 1.0
    clip: bool = True

    @model_validator(mode="after")
    def _limits_are_ordered(self) -> Self:
        if self.percentile_low >= self.percentile_high:
            raise ValueError("percentile_low is not below percentile_high")
        if self.way in {"clip-zscore", "range"} and self.low >= self.high:
            raise ValueError(f"grey values of {self.way} need low ({self.low:g}) below high ({self.high:g})")
        return self


class Channel(CardPart):
    """One input volume: its name, the DICOM modalities it may be of (none stated: any), the unit its values must be in
    (`HU`, `SUVbw`; None: any), and what its grey values become; then: further steps, in turn.
    """

    name: Text
    modalities: tuple[str, ...] = ()
    unit: str | None = None
    grey_values: GreyValues
    then: tuple[GreyValues, ...] = Field(default=(), max_length=8)


class VolumePreprocessing(CardPart):
    """How volumes become the network's input (channels, z, y, x), in the order of the fields.

    axes: patient direction in which each of the network's axes grows; None: as the file stores them, which `stored_order`
    may reorder (its numbers are axes of the file, 0 the slowest). crop: "nonzero" keeps the box of voxels that are not 0
    in any channel, holes filled; "head" the box of what stands out from the air around it. grey_values_of: "crop" scales grey values by what the crop kept, "whole" before anything is cropped or
    resampled. grey_values_first: whether grey values are scaled before the grid changes (nnU-Net) or after. spacing_mm:
    of the network's grid, along its axes; None, of all or of one: as it is. grid: "patient" resamples at places in the
    patient; "stretch" gives the array the rounded number of voxels and stretches it (nnU-Net), a coarse axis by its
    nearest slices unless `coarse_axis_apart` is off; "first" steps from the first voxel on (MONAI); "fixed" stretches it
    to `shape`. order: of the interpolation (0, 1, 3). shape: with grid "patient", the volume is cut or padded around its
    centre to it.
    crop_prepared: whether of the prepared volume the box of what is above 0 in any channel is kept (MONAI's foreground).
    """

    kind: Literal["volume"] = "volume"
    channels: tuple[Channel, ...] = Field(min_length=1, max_length=16)
    axes: tuple[Letter, Letter, Letter] | None = None
    stored_order: tuple[Literal[0, 1, 2], Literal[0, 1, 2], Literal[0, 1, 2]] = (0, 1, 2)
    crop: Literal["none", "nonzero", "head"] = "none"
    grey_values_of: Literal["crop", "whole"] = "crop"
    grey_values_first: bool = False
    spacing_mm: tuple[SpacingMm | None, SpacingMm | None, SpacingMm | None] | None = None
    grid: Literal["patient", "stretch", "first", "fixed"] = "patient"
    coarse_axis_apart: bool = True
    order: Literal[0, 1, 3] = 1
    shape: tuple[Side, Side, Side] | None = None
    crop_prepared: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.axes is not None and {_ALONG[letter] for letter in self.axes} != {0, 1, 2}:
            raise ValueError(f"axes {', '.join(self.axes)} are not one of each of L/R, A/P and S/I")
        if len(set(self.stored_order)) != 3 or (self.axes is not None and self.stored_order != (0, 1, 2)):
            raise ValueError("stored_order names each axis once, and only where `axes` is not stated")
        if self.grid == "fixed" and (self.shape is None or self.spacing_mm is not None):
            raise ValueError("grid fixed needs a shape and takes no spacing_mm")
        if self.grid in {"stretch", "first"} and (self.shape is not None or self.spacing_mm is None):
            raise ValueError(f"grid {self.grid} needs spacing_mm and takes no shape")
        if len({channel.name for channel in self.channels}) != len(self.channels):
            raise ValueError("two channels share a name")
        return self


class WindowSettings(CardPart):
    """`inference.Windows` as a card states it: sides of the patch, overlap, weights, spread, padding, mirrored axes (0 z,
    1 y, 2 x).

    dims: 2 for a network of pictures that is run on each slice (the first side of the patch is then 1).
    """

    patch_zyx: tuple[Side, Side, Side]
    overlap: float = Field(default=0.5, ge=0.0, lt=1.0)
    blend: Literal["gaussian", "gaussian-16-bit", "constant"] = "gaussian"
    spread: Literal["fixed", "even"] = "even"
    pad: Literal["end", "centre", "centre-edge"] = "end"
    mirror_axes: tuple[Literal[0, 1, 2], ...] = ()
    batch_size: int = Field(default=1, ge=1, le=64)
    dims: Literal[2, 3] = 3

    @model_validator(mode="after")
    def _picture_is_one_voxel_thick(self) -> Self:
        if self.dims == 2 and (self.patch_zyx[0] != 1 or 0 in self.mirror_axes):
            raise ValueError("a network of pictures has a patch one voxel thick and is not mirrored along z")
        return self


class VoxelLabels(CardPart):
    """How logits of voxels become labels, which number the card's classes; 0 is the background.

    argmax: one channel a class, the largest wins. painted: channel i paints its voxels of a probability (sigmoid) of
    `threshold` or more with the label `paint[i]`, in turn, later ones over earlier (nested regions, or a single mask), in
    the order of the channels or in `order`. resampled: what is brought back where the network's voxels are not the image's:
    logits (nnU-Net), probabilities, or labels by their nearest (both MONAI).
    """

    way: Literal["argmax", "painted"] = "argmax"
    paint: tuple[Annotated[int, Field(ge=1)], ...] = ()
    order: tuple[Annotated[int, Field(ge=0)], ...] = ()
    threshold: Fraction = 0.5
    resampled: Literal["logits", "probabilities", "labels"] = "logits"

    @model_validator(mode="after")
    def _painted_needs_labels(self) -> Self:
        if self.order and sorted(self.order) != list(range(len(self.paint))):
            raise ValueError("`order` names each painted channel once")
        if (self.way == "painted") != bool(self.paint):
            raise ValueError("`paint` is given exactly where the way is painted")
        return self


class VolumeInference(CardPart):
    """How the network is run on a prepared volume. windows: None for the whole volume at once."""

    windows: WindowSettings | None = None
    voxel_labels: VoxelLabels = VoxelLabels()


class Origin(CardPart):
    """Where an imported model came from: its format, the SHA-256 of the file that was given, and what it did not say.

    left_out: outputs of the file that the bundle does not have, each with the reason.
    """

    format: Text
    source: Text
    source_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    unstated: tuple[Text, ...] = ()
    left_out: tuple[Text, ...] = ()
