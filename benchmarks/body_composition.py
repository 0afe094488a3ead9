"""Muscle and fat on a real CT of the trunk against published masks, slice by slice; and the level of L3.

    python -m benchmarks.body_composition [--data FOLDER]

The masks of totalsegmentator/trunk_3mm are output of a network that its authors keep as a reference, not expert
truth; they reach from T11 to the middle of L2 of one patient, so none of them lies at L3. Our limits were set
with the masks of the upper half of the slices; of the lower half and of what lies below it only pictures with our
own outlines were looked at, so the lower half is what counts. A mask holds all fat or muscle in its outline, our
measures only what lies in their ranges of HU: both comparisons are printed. Slices of one patient resemble each
other: the interval is a bootstrap over blocks of five neighbouring slices and says nothing about other patients.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np

from benchmarks._table import heading, table, with_data_option
from hounsfield.metrics import dice

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.core import Reading

# Region of the reading, file of the mask, limits in HU as the measures have them.
TISSUES = (
    ("skeletal-muscle", "tissue_skeletal_muscle", (-29, 150)),
    ("subcutaneous-fat", "tissue_subcutaneous_fat", (-190, -30)),
    ("visceral-fat", "tissue_torso_fat", (-150, -50)),
)
N_SLICES, FIRST_TUNED = 30, 15  # slices from the feet; the masks of 15 to 29 were used while limits were set
BLOCK, N_DRAWS = 5, 2000
L3_LABEL = 29  # labels_total.csv


def array_of(path: Path) -> NDArray[np.int16]:
    """A NIfTI file as (z, y, x)."""
    return np.asanyarray(nib.load(path).dataobj).transpose(2, 1, 0)  # type: ignore[attr-defined]  # an image has dataobj


def read_part(data: Path, part: str) -> Reading:
    """The reading of one CT of the set."""
    import hounsfield

    (reading,) = hounsfield.read(
        data / "totalsegmentator" / part / "ct.nii.gz",
        applications=["body_composition_ct"],
        stated={"ct": ("CT", "HU")},
    )
    if reading.status == "refused":
        raise SystemExit("; ".join(c.text for c in reading.conditions if c.severity == "refusal"))
    return reading


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of the mean, by drawing blocks of neighbouring slices."""
    rng = np.random.Generator(np.random.PCG64(1))
    blocks = [values[start : start + BLOCK] for start in range(0, values.size, BLOCK)]
    draws = rng.integers(0, len(blocks), (N_DRAWS, len(blocks)))
    means = [float(np.concatenate([blocks[i] for i in draw]).mean()) for draw in draws]
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def agreement(reading: Reading, data: Path, slices: range) -> list[tuple[str, ...]]:
    """A row for each tissue: Dice and area against the mask, and against what of it lies in the range."""
    folder = data / "totalsegmentator" / "trunk_3mm"
    hu = array_of(folder / "ct.nii.gz")
    rows = []
    for name, file, (low, high) in TISSUES:
        mask = reading.region(name).mask
        if mask is None:
            raise SystemExit(f"region {name} is no mask")
        theirs = array_of(folder / f"{file}.nii.gz") > 0
        for words, truth in (("mask", theirs), ("mask within range", theirs & (hu >= low) & (hu <= high))):
            overlap = np.array([dice(truth[k], mask[k]) for k in slices])
            ratio = np.array([mask[k].sum() / truth[k].sum() - 1.0 for k in slices])
            cm3 = [np.count_nonzero(one[slices.start : slices.stop]) * 0.027 for one in (mask, truth)]
            rows.append(
                (
                    name,
                    words,
                    str(len(slices)),
                    "{:.3f} ({:.3f} to {:.3f})".format(overlap.mean(), *interval(overlap)),
                    f"{overlap.min():.3f}",
                    "{:+.1%} ({:+.1%} to {:+.1%})".format(ratio.mean(), *interval(ratio)),
                    f"{cm3[0]:.0f} / {cm3[1]:.0f}",
                )
            )
    return rows


def main() -> None:
    """Read both CTs and print the tables."""
    options = with_data_option(argparse.ArgumentParser(description=__doc__)).parse_args()
    print(heading("Body composition on a real CT", inputs="totalsegmentator: trunk_3mm, spine; one patient"))
    reading = read_part(options.data, "trunk_3mm")
    columns = ("tissue", "against", "n slices", "Dice", "least Dice", "area, ours / theirs - 1", "cm3")
    for words, slices in (
        ("Lower half (L1, L2), whose masks were not used while limits were set", range(FIRST_TUNED)),
        ("Upper half (T11 to L1), whose masks were used", range(FIRST_TUNED, N_SLICES)),
    ):
        print(f"{words}:\n\n{table(columns, agreement(reading, options.data, slices))}\n")
    reading = read_part(options.data, "spine")
    labels = array_of(options.data / "totalsegmentator" / "spine" / "seg_total.nii.gz")
    vertebra = np.flatnonzero((labels == L3_LABEL).any(axis=(1, 2)))
    mask = reading.region("skeletal-muscle-l3").mask
    if mask is None:
        raise SystemExit("region skeletal-muscle-l3 is no mask")
    found = int(np.flatnonzero(mask.any(axis=(1, 2)))[0])
    areas = ", ".join(f"{m.regions[0]} {m.value:.1f}" for m in reading.measurements if m.unit == "cm2")
    middle = float(vertebra[0] + vertebra[-1]) / 2
    print(
        f"L3 (n = 1): estimated on slice {found}; the published label of L3 spans slices {vertebra[0]} to "
        f"{vertebra[-1]}, middle {middle:g}: {3.0 * (found - middle):+.1f} mm.\n"
        f"Areas there in cm2, with no mask to compare: {areas}."
    )


if __name__ == "__main__":
    main()
