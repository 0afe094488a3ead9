"""What the applications on brain volumes share: which series fit, the labels of the model, and what they amount to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.applications._t1_head import NO_CONTRAST, against_t1_head
from hounsfield.core import Condition, LabelRegion, Measurement, Region, Role
from hounsfield.core.code import ANATOMICAL_STRUCTURE, BRAIN, LEFT, RIGHT, Code
from hounsfield.measures import region_volume

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.core import Grid, Inputs, Series, VolumeModel

MODEL = "brain-volumes-mr"
HEAD = Role("head", modalities=("MR",), geometry="volume", spacing_mm=6.0, min_slices=20)
WHOLE = "brain"
FINE_MM = 1.5  # coarser voxels blur the border of deep structures: the networks learned from 1 mm
LEAST_BRAIN_ML, MOST_BRAIN_ML = 500.0, 2200.0  # outside it no head of a child or an adult was labelled
_FLUID = re.compile(r"ventricle|inf-lat-vent|csf", re.IGNORECASE)
_NOTHING = re.compile(r"background|unknown|^bg$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LabelledBrain:
    """The structures of one head, whole first, with the volume of each in ml by the region's name."""

    regions: tuple[Region, ...]
    volumes: tuple[Measurement, ...]
    conditions: tuple[Condition, ...]

    def volume_ml(self, name: str) -> float | None:
        """Volume of the region of that name; None where the model found none."""
        return next((m.value for m in self.volumes if m.regions == (name,)), None)


def against(series: Series) -> Condition | None:
    """Why a series is no T1-weighted head, by its header; None where nothing speaks against it."""
    text = against_t1_head(series, wanted="the T1-weighted volume of a head")
    return None if text is None else Condition("not-a-t1-head", "refusal", text, series.files[:1])


def label_brain(inputs: Inputs) -> LabelledBrain | Condition:
    """Run the model on the head; a Condition where what it labelled is no brain."""
    series = inputs[HEAD.name]
    image = series.image()
    model = inputs.volume_model(MODEL)
    labels = model.segment([image], inputs.progress)
    regions = _regions(labels, model, image.grid)
    volumes = tuple(region_volume(region) for region in regions)
    whole_ml = volumes[0].value if volumes else 0.0
    if not LEAST_BRAIN_ML <= whole_ml <= MOST_BRAIN_ML:
        text = (
            f"The model labelled {whole_ml:.0f} ml of brain; {LEAST_BRAIN_ML:.0f} to {MOST_BRAIN_ML:.0f} ml are believed. "
            "Give a T1-weighted volume of a whole head with its true orientation and spacing."
        )
        return Condition("no-brain-found", "refusal", text, series.files[:1])
    conditions = [*_warnings(series, image.grid), *_extent(regions[0])]
    if model.card["guard"] is None:
        text = "The bundle holds no guard: it does not notice when an image is not of the kind that it was made for."
        conditions.append(Condition("model-without-guard", "warning", text))
    return LabelledBrain(regions, volumes, tuple(conditions))


def _regions(labels: NDArray[Any], model: VolumeModel, grid: Grid) -> tuple[Region, ...]:
    """The whole brain without its ventricles, then each structure that holds a voxel."""
    classes: Sequence[Mapping[str, Any]] = model.card["classes"]
    counts = np.bincount(labels.ravel(), minlength=len(classes))
    shown = [
        (number, one)
        for number, one in enumerate(classes)
        if counts[number] and not _NOTHING.search(str(one["name"]))
    ]
    tissue = [number for number, one in shown if not _FLUID.search(str(one["name"]))]
    if not tissue:
        return ()
    whole = Region(WHOLE, BRAIN, grid, np.isin(labels, tissue), category=ANATOMICAL_STRUCTURE)
    names = _unique([_kebab(str(one["name"])) for _, one in shown])
    return (
        whole,
        *(
            LabelRegion(
                name,
                Code(str(one["value"]), str(one["scheme"]), str(one["meaning"])),
                grid,
                (labels, number),
                category=ANATOMICAL_STRUCTURE,
                laterality=_side(name),
            )
            for name, (number, one) in zip(names, shown, strict=True)
            if name != WHOLE
        ),
    )


def _unique(names: Sequence[str]) -> list[str]:
    return [f"{name}-{k}" if name in names[:k] else name for k, name in enumerate(names)]


def _kebab(name: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", name.lower())) or "structure"


def _side(name: str) -> Code | None:
    words = set(name.split("-"))
    return LEFT if words & {"left", "lh"} else RIGHT if words & {"right", "rh"} else None


def _warnings(series: Series, grid: Grid) -> list[Condition]:
    found = []
    if max(grid.spacing_mm) > FINE_MM:
        text = (
            f"Voxels of {max(grid.spacing_mm):.2f} mm: the model was made for 1 mm, and small structures are blurred. Use "
            "the volume that was acquired."
        )
        found.append(Condition("voxels-coarse-for-brain", "warning", text, series.files[:1]))
    agent = str(series.tags.get("ContrastBolusAgent") or "").strip().upper()
    if agent and agent not in NO_CONTRAST:
        text = "A contrast agent was given (0018,0010): vessels and meninges are bright and may be labelled as brain."
        found.append(Condition("contrast-in-brain", "warning", text, series.files[:1]))
    return found


def _extent(whole: Region) -> list[Condition]:
    """Brain that reaches the image's edge was cut off there."""
    mask = whole.mask if whole.mask is not None else np.zeros((1, 1, 1), dtype=np.bool_)
    ends = [mask.take(index, axis).any() for axis in range(3) for index in (0, -1)]
    if not any(ends):
        return []
    text = "The image cuts the brain off: volumes hold only what is imaged."
    return [Condition("brain-cut-off", "warning", text)]
