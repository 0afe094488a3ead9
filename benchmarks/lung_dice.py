"""Our lungs against the radiotherapy contours of a real chest CT, per side.

    python -m benchmarks.lung_dice [--data FOLDER]

The contours of chest_ct_nsclc leave out consolidated lung and jump around the hilum; the tumour lies in the
left lung. Dice is given against the contours alone and against contours and tumour (GTV-1) together. The last
columns say how much differs in all, and how much of it lies at the border: the contours run a little outside
the level half-way between lung and soft tissue, where ours end.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from benchmarks._table import heading, table, with_data_option
from hounsfield.metrics import dice

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Region

# Region of the reading, ROI of the RTSTRUCT, volume in ml that the data's README states.
SIDES = (("left-lung", "Lung-Left", 2276.7), ("right-lung", "Lung-Right", 2966.3))
TUMOUR = "GTV-1"
BORDER_MM = 1.5


def contours(data: Path, ours: Region) -> dict[str, np.ndarray]:
    """Masks of the RTSTRUCT on the grid of our region, by their names without case and hyphens."""
    from hounsfield.studies import read_study

    study = read_study(data / "chest_ct_nsclc" / "rtstruct.dcm")
    regions = [region for series in study.series for region in series.regions(ours.grid)]
    return {plain(region.name): region.mask for region in regions if region.mask is not None}


def plain(name: str) -> str:
    """A name without case, blanks and hyphens: "Lung-Left" and "lung-left" are one."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def differing(theirs: np.ndarray, ours: Region) -> tuple[int, int]:
    """Voxels of one mask alone, and those of them at most BORDER_MM inside or outside the contour."""
    spacing_mm = ours.grid.spacing_mm
    inside_mm = ndimage.distance_transform_edt(theirs, sampling=spacing_mm)
    outside_mm = ndimage.distance_transform_edt(~theirs, sampling=spacing_mm)
    apart = theirs != ours.mask
    return int(apart.sum()), int((apart & (inside_mm + outside_mm <= BORDER_MM)).sum())


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
                *(f"{voxels * millilitres:.1f}" for voxels in differing(theirs, ours)),
            )
        )
    print(heading("Lungs on a real chest CT", inputs="chest_ct_nsclc, 92 slices, 3 mm, with RTSTRUCT"))
    columns = ("region", "Dice", "Dice, tumour counted in", "ours ml", "contour ml", "README's contour ml")
    print(table((*columns, "differing ml", f"within {BORDER_MM} mm of the border"), rows))


if __name__ == "__main__":
    main()
