"""Readings of whole studies beside values known from outside: truth of phantoms, a published example.

Nothing here comes from a first output. Phantom truth is what the voxels were made from (truth.json); the
SUV example is B11a.1 of the rules' fixtures, worked by hand below.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.studies.reading import only_series, save
from tests.studies.test_intensity import pet


def truth_of(study):
    return json.loads((study / "truth.json").read_text("utf-8"))


def numbers_of(reading, region):
    return {m.name: m.value for m in reading.all_measurements() if m.regions == (region,)}


@pytest.mark.parametrize("side", ["left-lung", "right-lung"])
def test_lungs_of_the_chest_phantom(side, synthetic):
    """Voxels of 4 x 4 x 5 mm: the volume within 2 %, the mean within 3 HU of what was built in."""
    study, reading, _ = synthetic.results("lung_ct")
    true, measured = truth_of(study)[side], numbers_of(reading, side)
    assert measured["volume"] == pytest.approx(true["volume_ml"], rel=0.02)
    assert measured["mean-density"] == pytest.approx(true["mean_hu"], abs=3.0)


def test_spheres_of_the_pet_phantom(synthetic):
    """SUVmax carries the noise (4 %), and a volume above a limit may gain or lose a few voxels of 64 mm3."""
    study, reading, _ = synthetic.results("pet_metabolic")
    spheres = truth_of(study)["spheres"]
    assert len(spheres) == 6
    for sphere in spheres:
        measured = numbers_of(reading, sphere["name"])
        assert measured["suv-max"] == pytest.approx(sphere["suv_max"], rel=0.06)
        for limit in ("41", "2.5", "4.0"):
            assert measured[f"mtv-{limit}"] == pytest.approx(sphere[f"mtv_{limit}_ml"], rel=0.04, abs=0.2)
    large = numbers_of(reading, "sphere-37mm")
    assert large["suv-peak"] == pytest.approx(8.0, rel=0.03)  # the sphere's own SUV: 1 cm3 lies well inside
    # The isocontour at half of the plateau encloses the sphere's own volume, 4/3 pi r^3.
    assert large["mtv-4.0"] == pytest.approx(4 / 3 * np.pi * 1.85**3, rel=0.05)


def test_suv_of_the_published_example(tmp_path):
    """370 MBq, 70 kg, 3600 s before the scan, half-life 6586.2 s: 5000 Bq/ml are SUV 1.381683.

    Dose at the scan 370e6 * 2 ** (-3600 / 6586.2) = 253.3e6 Bq; 5000 * 70000 / 253.3e6 = 1.381683 g/ml.
    The last voxel of the third slice of tests/tiny_dicom.py stores 1 + 31 + 32 * 23 + 1024 * 2 = 2816 counts,
    which that slice's slope makes 2.5 Bq/ml each.
    """
    image = only_series(save(tmp_path, pet())).image()
    assert image.array[2, 23, 31] == pytest.approx(2816 * 2.5 * 1.381683 / 5000, rel=1e-6)
    assert pytest.approx(1.381683, abs=5e-7) == 5000 * 70_000 / (370e6 * 2 ** (-3600 / 6586.2))
