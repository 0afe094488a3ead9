"""Body composition on a real CT against published masks, and the level of L3 against a published label.

The masks are of slices from T11 to the middle of L2; limits were set with the upper half of them, so the lower
half is judged here. Below are the figures of `python -m benchmarks.body_composition` with a margin.
"""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

import hounsfield
from hounsfield.metrics import dice

JUDGED = range(15)
# Region, mask, range in HU, least Dice and largest difference of area against what of the mask is in the range.
TISSUES = (
    ("skeletal-muscle", "tissue_skeletal_muscle", (-29, 150), 0.82, 0.20),
    ("subcutaneous-fat", "tissue_subcutaneous_fat", (-190, -30), 0.93, 0.06),
    ("visceral-fat", "tissue_torso_fat", (-150, -50), 0.88, 0.14),
)


def array_of(path):
    return np.asanyarray(nib.load(path).dataobj).transpose(2, 1, 0)


def read(folder):
    (reading,) = hounsfield.read(
        folder / "ct.nii.gz", applications=["body_composition_ct"], stated={"ct": ("CT", "HU")}
    )
    return reading


@pytest.mark.real_data
def test_muscle_and_fat_agree_with_published_masks(real_data):
    folder = real_data / "totalsegmentator" / "trunk_3mm"
    reading = read(folder)
    # The scan ends above the iliac crests.
    assert reading.status == "partial"
    assert "l3-unknown" in {c.code for c in reading.conditions}
    hu = array_of(folder / "ct.nii.gz")[JUDGED.start : JUDGED.stop]
    for name, file, (low, high), least_dice, most_off in TISSUES:
        ours = reading.region(name).mask[JUDGED.start : JUDGED.stop]
        mask = array_of(folder / f"{file}.nii.gz")[JUDGED.start : JUDGED.stop] > 0
        theirs = mask & (hu >= low) & (hu <= high)
        assert dice(theirs, ours) >= least_dice, name
        assert ours.sum() == pytest.approx(theirs.sum(), rel=most_off), name


@pytest.mark.real_data
@pytest.mark.slow
def test_level_is_that_of_the_published_vertebra(real_data):
    folder = real_data / "totalsegmentator" / "spine"
    reading = read(folder)
    (k,) = np.flatnonzero(reading.region("skeletal-muscle-l3").mask.any(axis=(1, 2)))
    body = array_of(folder / "seg_vertebrae_body.nii.gz") == 1
    vertebra = array_of(folder / "seg_total.nii.gz") == 29
    middle = np.argwhere(body & vertebra)[:, 0].mean()
    assert abs(k - middle) * 3.0 <= 8.0
    assert "l3-estimated" in {c.code for c in reading.conditions}
    # This scan's field ends at the flanks of the patient at this level.
    assert "body-cut-off" in {c.code for c in reading.conditions}
    area = {m.name: m.value for m in reading.measurements}["skeletal-muscle-area"]
    assert (
        110 < area < 165
    )  # no mask exists here; the 2.5 slices of muscle nearest to it (L2) measure 120 cm2
