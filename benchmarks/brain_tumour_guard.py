"""What the input guard of the shipped brain tumour model refuses, set by set.

    HOUNSFIELD_DATA=/folder/of/data python -m benchmarks.brain_tumour_guard

Beyond the sets that the recipe names: full-size originals, slices of CT series and of PET, an even picture,
and slices of the same collection without contrast or tumour (reported apart: they are the guard's hardest
neighbours, and it was not asked to refuse them). The 64x64 chest films were looked at when the guard's
features were chosen; no other set was.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import nibabel
import numpy as np
import pydicom

from hounsfield.core.errors import RefusedInput
from hounsfield.datasets import Case
from hounsfield.inference import load_model

AT_MOST = 120


def raster(pattern):
    return [Case(path.name, path, "", "").picture() for path in sorted(ROOT.glob(pattern))]


def originals(*, right):
    with (ROOT / "originals_2d/labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["set"] == "brain_tumour_mri") == right]
    return [Case(row["file"], ROOT / "originals_2d" / row["file"], "", "").picture() for row in rows]


def dicom(pattern):
    return [pydicom.dcmread(path).pixel_array.astype(np.float32) for path in sorted(ROOT.glob(pattern))]


def nifti(pattern):
    pictures = []
    for path in sorted(ROOT.glob(pattern)):
        volume = np.asanyarray(nibabel.load(path).dataobj)
        pictures += [volume[:, :, k].T.astype(np.float32) for k in range(0, volume.shape[2], 8)]
    return pictures


def without_tumour():
    with (ROOT / "brain_tumour_mri/labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] == "none"]
    return [Case(row["file"], ROOT / "brain_tumour_mri" / row["file"], "", "").picture() for row in rows]


def noise(sigma):
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(5)
    return [gaussian_filter(rng.normal(size=(200, 200)), sigma) for _ in range(60)]


ROOT = Path(os.environ.get("HOUNSFIELD_DATA", "../shared/data"))
SETS = {
    "chest films, NIH": lambda: raster("nih_cxr/images/*.jpg"),
    "chest films, COVID-19": lambda: raster("covid_cxr/images/*.jpg"),
    "chest films 64x64 (looked at)": lambda: list(np.load(ROOT / "nih_cxr_64/images.npz")["images"]),
    "head CT": lambda: raster("head_ct_haemorrhage/images/*.png"),
    "breast ultrasound": lambda: raster("breast_us/images/*.jpg"),
    "mammograms": lambda: raster("mias_mammography/images/*.jpg"),
    "full-size originals, foreign": lambda: originals(right=False),
    "chest CT slices": lambda: dicom("chest_ct_nsclc/ct/*.dcm"),
    "PET slices (DICOM)": lambda: dicom("sts_raw_pet/pet/*.dcm"),
    "CT, MR and PET of the body (NIfTI)": lambda: nifti("sts/*/[CMPT]*[0-9T].nii.gz"),
    "white noise": lambda: noise(0),
    "smooth noise": lambda: noise(6),
    "an even picture": lambda: [np.full((192, 192), 80.0)],
    "apart: brain slices without tumour, mixed sequences": without_tumour,
    "apart: full-size originals of the right kind": lambda: originals(right=True),
}


def main() -> None:
    model = load_model("brain-tumour-mr")
    print(f"guard threshold {model.bundle.card.guard.threshold:.3f}")
    print("| pictures | n | refused | share | median distance |")
    print("|---|---|---|---|---|")
    for name, load in SETS.items():
        pictures = load()
        pictures = pictures[:: max(1, len(pictures) // AT_MOST)]
        if not pictures:
            print(f"| {name} | 0 | absent | | |")
            continue
        distances = []
        for picture in pictures:
            try:
                distances.append(model.run(picture).guard_distance)
            except RefusedInput:
                distances.append(np.inf)
        refused = int((np.array(distances) > model.bundle.card.guard.threshold).sum())
        share = refused / len(pictures)
        print(f"| {name} | {len(pictures)} | {refused} | {share:.1%} | {np.median(distances):.2f} |")


if __name__ == "__main__":
    main()
