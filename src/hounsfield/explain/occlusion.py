"""Occlusion: how far the score of a class falls when a patch of the picture is covered.

Source: Zeiler and Fergus 2014, ECCV, section 4.2. Patches overlap by half; each pixel gets the mean fall of the patches
that cover it. Covered is the mean of the picture, which is a lesser change than black.
"""

from __future__ import annotations

import itertools

import torch

from hounsfield.explain._registry import explanation

PATCHES = 12  # along the longest side; a patch is two of these wide
BATCH = 8


@explanation("occlusion")
def occlusion(
    network: torch.nn.Module, inputs: torch.Tensor, class_index: int, *, patches: int = PATCHES
) -> torch.Tensor:
    """Mean fall of the score (*spatial) over the patches that cover a pixel, for inputs (1, channels, *spatial).

    Below zero where covering raises the score. patches: steps along the longest side.
    """
    shape = [int(side) for side in inputs.shape[2:]]
    step = max(1, -(-max(shape) // patches))
    places: list[tuple[int, ...]] = list(itertools.product(*(range(0, side, step) for side in shape)))
    fill = inputs.mean()
    fallen, covered = inputs.new_zeros(shape), inputs.new_zeros(shape)
    with torch.no_grad():
        score = network(inputs)[0][0, class_index]
        for first in range(0, len(places), BATCH):
            spots = [
                tuple(slice(at, at + 2 * step) for at in place) for place in places[first : first + BATCH]
            ]
            copies = inputs.repeat(len(spots), *[1] * (inputs.ndim - 1))
            for index, spot in enumerate(spots):
                copies[index][(slice(None), *spot)] = fill
            falls = score - network(copies)[0][:, class_index]
            for fall, spot in zip(falls, spots, strict=True):
                fallen[spot] += fall
                covered[spot] += 1
    return fallen / covered
