"""The most likely class of each voxel, class by class: the same as argmax, and several times faster where classes lie apart."""

from __future__ import annotations

import torch

_MOST_8_BIT = 256


def largest_class(sums: torch.Tensor) -> torch.Tensor:
    """Number of the largest of sums (classes, *places) at each place, the first of equal ones; uint8, int16 from 257 on.

    torch's own argmax over the first axis steps through memory by a whole class for every voxel; a running maximum
    reads each class once from end to end. sums: finite.

    >>> largest_class(torch.tensor([[1.0, 5.0, 2.0], [1.0, 4.0, 3.0]])).tolist()
    [0, 0, 1]
    """
    kind = torch.uint8 if len(sums) <= _MOST_8_BIT else torch.int16
    label = torch.zeros(sums.shape[1:], dtype=kind)
    best = sums[0].clone()
    for number, one in enumerate(sums[1:], start=1):
        label.masked_fill_(one > best, number)
        torch.maximum(best, one, out=best)
    return label
