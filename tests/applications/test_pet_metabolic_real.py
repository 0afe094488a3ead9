"""The PET application on real FDG-PET whose figures were computed by others.

STS_001 raw: the README beside the data, from pixel centres of the RTSTRUCT. sts: its index, made by the
origin before the images were cropped. Soft-tissue-sarcoma collection, DOI 10.7937/K9/TCIA.2015.7GO2GSKS.
"""

from __future__ import annotations

import csv
import shutil

import numpy as np
import pytest
from tests.applications.pet_studies import codes, text_of, values

import hounsfield

pytestmark = pytest.mark.real_data
STATED = {"PET": ("PT", "SUVbw")}
KNOWN = {
    "volume": 366.08,
    "suv-max": 7.911,
    "suv-mean": 2.555,
    "mtv-41": 113.0,
    "mtv-2.5": 181.6,
    "mtv-4.0": 55.9,
}


def read(folder, **options):
    (reading,) = hounsfield.read(folder, applications=["pet_metabolic"], **options)
    return reading


def test_raw_series_with_contours_gives_the_known_figures(real_data, tmp_path):
    shutil.copytree(real_data / "sts_raw_pet" / "pet", tmp_path / "pet")
    shutil.copy(real_data / "sts_raw_pet" / "rtstruct_pet.dcm", tmp_path)
    reading = read(tmp_path)
    measured = values(reading, "gtv-mass")
    for name, known in KNOWN.items():
        assert measured[name] == pytest.approx(known, rel=5e-4), name
    assert reading.region("gtv-mass").n_voxels == 5095
    assert measured["suv-mean"] < measured["suv-peak"] < measured["suv-max"]
    assert [(f.name, f.presence) for f in reading.findings] == [
        ("gtv-mass", "present"),
        ("gtv-edema", "present"),
    ]
    assert not {"tracer-unstated", "tracer-not-fdg", "contours-outside-image"} & set(codes(reading))


def test_bladder_and_tumour_are_found_and_stay_open(real_data):
    reading = read(real_data / "sts_raw_pet" / "pet")
    assert [finding.presence for finding in reading.findings] == ["indeterminate", "indeterminate"]
    bladder, tumour = values(reading, "uptake-1"), values(reading, "uptake-2")
    assert bladder["suv-max"] == pytest.approx(66.52, abs=0.005)
    assert tumour["suv-max"] == pytest.approx(7.911, abs=0.0005)
    middle_mm = reading.regions[0].grid.index_to_mm(np.argwhere(reading.regions[0].mask)).mean(axis=0)
    assert abs(middle_mm[2] + 678.54) < 15.0  # the README: z of the largest value
    assert "uptake-1" in text_of(reading, "region-at-edge")  # the series was cut there


def test_masks_give_the_figures_of_the_index(real_data, tmp_path):
    with (real_data / "sts" / "index.csv").open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["modality"] == "PET"]
    assert len(rows) == 28
    for row in rows:
        folder = tmp_path / row["patient"]
        folder.mkdir()
        for name in ("PET.nii.gz", "PET_mask.nii.gz"):
            shutil.copy(real_data / "sts" / row["patient"] / name, folder)
        reading = read(folder, stated=STATED)
        measured = values(reading, "pet-mask")
        # 12 bits of mantissa were kept: 1 part in 4096.
        assert measured["suv-max"] == pytest.approx(float(row["max"]), rel=1 / 4096), row["patient"]
        assert measured["suv-mean"] == pytest.approx(float(row["mean"]), rel=1 / 4096), row["patient"]
        assert measured["volume"] == pytest.approx(float(row["volume_ml"]), rel=1e-4), row["patient"]
        assert [finding.presence for finding in reading.findings] == ["indeterminate"]
        assert "tracer-unstated" in codes(reading)


def test_whole_folder_of_a_patient_takes_the_mask_of_the_pet(real_data):
    reading = read(real_data / "sts" / "STS_002", stated=STATED)
    assert [region.name for region in reading.regions] == ["pet-mask"]
    assert values(reading, "pet-mask")["suv-max"] == pytest.approx(21.67575, rel=1 / 4096)
