"""Peak memory of labelling a CT with many classes on another grid than its own.

    python -m benchmarks.many_classes [--classes 105] [--shape 300 512 512] [--to-mm 1.5]

A volume of noise, 1.5 x 0.8 x 0.8 mm, is stretched to the network's spacing as nnU-Net does, run in windows of 128 cubed by one
convolution that gives the classes, and the logits are brought back onto the volume's voxels. Peak memory is the process's
largest resident size (the weights of a real network and what it needs for one window come on top).
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from typing import Any

import numpy as np

from benchmarks._table import heading, table

SPACING_MM = (1.5, 0.8, 0.8)


def measured(shape: tuple[int, int, int], n_classes: int, to_mm: float) -> list[str]:
    """A row: voxels of the network's grid, where the logits lay, seconds, GB."""
    import torch

    from hounsfield.core import Grid, Image
    from hounsfield.inference.held_logits import held_window_logits
    from hounsfield.inference.sliding_window import Windows
    from hounsfield.inference.volume_input import prepare_volume
    from hounsfield.zoo import Channel, GreyValues, VolumePreprocessing, VoxelLabels

    affine = np.eye(4)
    affine[:3, :3] = np.diag(SPACING_MM)[::-1]
    volume = np.random.default_rng(0).integers(-1000, 1000, shape, dtype=np.int16)
    settings = VolumePreprocessing(
        channels=(Channel(name="CT", grey_values=GreyValues(way="zscore")),),
        grey_values_first=True,
        spacing_mm=(to_mm, to_mm, to_mm),
        grid="stretch",
        order=3,
    )
    head = torch.nn.Conv3d(1, n_classes, 1).eval()
    begun = time.monotonic()
    prepared = prepare_volume([Image(volume, Grid(shape, affine), "HU")], settings)
    held = held_window_logits(head, prepared.values, Windows((128, 128, 128), blend="gaussian-16-bit"))
    labels: Any = prepared.labels(held.channel, n_classes, VoxelLabels())
    seconds = time.monotonic() - begun
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return [
        str(n_classes),
        " x ".join(map(str, labels.shape)),
        " x ".join(map(str, prepared.values.shape[1:])),
        "disk" if held.on_disk else "memory",
        f"{n_classes * prepared.values.size * 4 / 1e9:.1f}",
        f"{seconds:.0f}",
        f"{peak_gb:.2f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--classes", type=int, default=105)
    parser.add_argument("--shape", type=int, nargs=3, default=(300, 512, 512))
    parser.add_argument("--to-mm", type=float, default=1.5)
    options = parser.parse_args()
    row = measured(tuple(options.shape), options.classes, options.to_mm)
    columns = ["classes", "volume", "network's grid", "logits in", "as 32 bits, GB", "seconds", "peak, GB"]
    sys.stdout.write(heading("Memory of many classes", inputs="noise") + "\n" + table(columns, [row]) + "\n")


if __name__ == "__main__":
    main()
