"""Channels and labels of an nnU-Net: what dataset.json names becomes channels and classes of the card."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import ModelError
from hounsfield.zoo.public_codes import coded_classes
from hounsfield.zoo.volume_card import Channel, VoxelLabels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hounsfield.zoo.model_card import ClassCode
    from hounsfield.zoo.volume_card import GreyValues

_MR = re.compile(
    r"^(mri?|t1\w*|t2\w*|t1[- ]?(w|c|ce|gd|post).*|t2[- ]?(w|f|flair|star).*|flair|adc|dwi|swi|pd|dce.*|bold|cine.*)$"
)
_PET = re.compile(r"^(pet|pt|suv\w*)$")
_MOST_LABELS = 4096


@dataclass(frozen=True, slots=True)
class Labels:
    """names: of the labels from 0, the background, on. n_outputs: channels of the network's logits."""

    names: tuple[str, ...]
    n_outputs: int
    voxel_labels: VoxelLabels

    @property
    def classes(self) -> tuple[ClassCode, ...]:
        """The labels as classes, with public codes where there are any."""
        return coded_classes(self.names)


def labels_of(dataset: Mapping[str, Any], said: str) -> Labels:
    """Labels as nnU-Net's LabelManager reads them; raises ModelError naming the label that does not fit."""
    labels = dataset.get("labels")
    if not isinstance(labels, dict) or not labels or len(labels) > _MOST_LABELS:
        raise ModelError(
            f"dataset.json of {said} lacks labels, a name and a number each. Get the file again."
        )
    numbers = {str(name): _numbers(value, str(name), said) for name, value in labels.items()}
    if numbers.get("background") != (0,):
        raise ModelError(f"dataset.json of {said} has no label named background of the number 0")
    seen = {name: value for name, value in numbers.items() if name != "ignore" and set(value) != {0}}
    if any(len(value) > 1 for value in seen.values()):
        return _regions(seen, dataset.get("regions_class_order"), said)
    ordered = sorted(seen, key=lambda name: seen[name])
    if [seen[name][0] for name in ordered] != list(range(1, len(ordered) + 1)):
        raise ModelError(
            f"dataset.json of {said} numbers its labels {', '.join(str(seen[n][0]) for n in ordered)}; nnU-Net's are "
            "consecutive from 1. It does not belong to this network."
        )
    return Labels(("background", *ordered), len(ordered) + 1, VoxelLabels())


def _numbers(value: Any, name: str, said: str) -> tuple[int, ...]:
    found = value if isinstance(value, list) else [value]
    try:
        return tuple(int(number) for number in found)
    except (TypeError, ValueError):
        raise ModelError(
            f"dataset.json of {said}: label {name!r} is {value!r}, and must be one or more whole numbers"
        ) from None


def _regions(regions: Mapping[str, tuple[int, ...]], order: Any, said: str) -> Labels:
    """Nested regions: each is painted over those before it, with the number that regions_class_order gives it."""
    if not isinstance(order, list) or len(order) != len(regions):
        raise ModelError(
            f"dataset.json of {said} has {len(regions)} regions and needs regions_class_order, a number for each"
        )
    painted = [_numbers(number, "regions_class_order", said)[0] for number in order]
    numbers = sorted(set(painted))
    names = ["background"]
    for number in numbers:
        place = max(i for i, other in enumerate(painted) if other == number)
        own = list(regions)[place]
        over = [name for name in list(regions)[place + 1 :] if set(regions[name]) & set(regions[own])]
        names.append(f"{own} without {over[0]}" if over else own)
    paint = tuple(1 + numbers.index(number) for number in painted)
    return Labels(tuple(names), len(regions), VoxelLabels(way="painted", paint=paint))


def channels_of(
    dataset: Mapping[str, Any], grey_values: Sequence[GreyValues], said: str
) -> tuple[Channel, ...]:
    """Channels with modality and unit where their name tells them. grey_values: one a channel, from the plans."""
    stated = dataset.get("channel_names", dataset.get("modality"))
    if not isinstance(stated, dict):
        raise ModelError(f"dataset.json of {said} lacks channel_names. Get the file again.")
    names = [str(stated.get(str(number), "")) for number in range(len(stated))]
    if not all(names) or len(names) != len(grey_values):
        raise ModelError(
            f"dataset.json of {said} names the channels {', '.join(map(str, stated))}; the plans normalise "
            f"{len(grey_values)}, numbered from 0"
        )
    channels = []
    for number, (name, rule) in enumerate(zip(names, grey_values, strict=True)):
        modalities, unit = _modality(name, is_ct=rule.way == "clip-zscore")
        shown = name if names.count(name) == 1 else f"{name} {number + 1}"
        channels.append(Channel(name=shown, modalities=modalities, unit=unit, grey_values=rule))
    return tuple(channels)


def _modality(name: str, *, is_ct: bool) -> tuple[tuple[str, ...], str | None]:
    """nnU-Net itself takes a channel for CT by this name alone."""
    plain = name.strip().casefold()
    if plain == "ct" or is_ct:
        return ("CT",), "HU"
    if _MR.match(plain):
        return ("MR",), None
    return (("PT",), None) if _PET.match(plain) else ((), None)
