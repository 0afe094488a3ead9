"""Our lungs against the radiotherapy contours of a real chest CT, per side.

    python -m benchmarks.lung_dice [--data FOLDER]

The contours of chest_ct_nsclc leave out consolidated lung and jump around the hilum; the tumour lies in the
left lung. Dice is given against the contours alone and against contours and tumour (GTV-1) together.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._table import heading, table, with_data_option
from hounsfield.metrics import dice

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Region

# Region of the reading, ROI of the RTSTRUCT, volume in ml that the data's README states.
SIDES = (("left-lung", "Lung-Left", 2276.7), ("right-lung", "Lung-Right", 2966.3))
TUMOUR = "GTV-1"


def contours(data: Path, ours: Region) -> dict[str, np.ndarray]:
    """Masks of the RTSTRUCT on the grid of our region, by their names without case and hyphens."""
    from hounsfield.studies import read_study

    study = read_study(data / "chest_ct_nsclc" / "rtstruct.dcm")
    regions = [region for series in study.series for region in series.regions(ours.grid)]
    return {plain(region.name): region.mask for region in regions if region.mask is not None}


def plain(name: str) -> str:
    """A name without case, blanks and hyphens: "Lung-Left" and "lung-left" are one."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def main() -> None:
    """Read the CT and print Dice for each side."""
    options = with_data_option(argparse.ArgumentParser(description=__doc__)).parse_args()
    import hounsfield

    folder = options.data / "chest_ct_nsclc" / "ct"
    (reading,) = hounsfield.read(folder, applications=["lung_ct"])
    if reading.status == "refused":
        raise SystemExit("; ".join(c.text for c in reading.conditions if c.severity == "refusal"))
    drawn = contours(options.data, reading.regions[0])
    rows = []
    for ours_name, theirs_name, stated_ml in SIDES:
        ours = reading.region(ours_name)
        theirs = drawn[plain(theirs_name)]
        with_tumour = theirs | drawn[plain(TUMOUR)] if ours_name == "left-lung" else theirs
        millilitres = ours.grid.voxel_volume_mm3 / 1000
        rows.append(
            (
                ours_name,
                f"{dice(theirs, ours.mask):.4f}",
                f"{dice(with_tumour, ours.mask):.4f}",
                f"{ours.n_voxels * millilitres:.1f}",
                f"{np.count_nonzero(theirs) * millilitres:.1f}",
                f"{stated_ml:.1f}",
            )
        )
    print(heading("Lungs on a real chest CT", inputs="chest_ct_nsclc, 92 slices, 3 mm, with RTSTRUCT"))
    columns = ("region", "Dice", "Dice, tumour counted in", "ours ml", "contour ml", "README's contour ml")
    print(table(columns, rows))


if __name__ == "__main__":
    main()
