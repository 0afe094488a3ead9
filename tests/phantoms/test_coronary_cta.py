"""The coronary CTA phantom: its voxels hold the arteries, narrowings and plaques that its truth states."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy import ndimage

import hounsfield
from hounsfield.core.errors import UsageError
from hounsfield.phantoms import write_phantom
from hounsfield.phantoms.coronary_cta import CoronaryCtaParameters, make_coronary_cta

ARTERIES = {"lad": 400, "lcx": 60, "rca": -20}


@cache
def phantom(**parameters):
    """Do not write into its arrays."""
    return make_coronary_cta(CoronaryCtaParameters(**parameters))


@pytest.mark.parametrize(
    ("stenosis_percent", "area_percent"), [(0.0, 0.0), (50.0, 75.0), (70.0, 91.0), (100.0, 100.0)]
)
def test_stenosis_of_area_follows_from_that_of_the_diameter(stenosis_percent, area_percent):
    truth = phantom(stenosis_percent=stenosis_percent, n_slices=60).truth["lad"]
    assert truth["diameter_stenosis_percent"] == pytest.approx(stenosis_percent, abs=0.1)
    assert truth["area_stenosis_percent"] == pytest.approx(area_percent, abs=0.1)
    assert truth["minimal_diameter_mm"] == pytest.approx(3.5 * (1 - stenosis_percent / 100), abs=0.01)


@pytest.mark.parametrize("seed", [1, 2])
def test_voxels_hold_the_volumes_of_the_formulas(seed):
    made = phantom(seed=seed)
    for name in ARTERIES:
        truth, voxel_mm3 = made.truth[name], made.grid.voxel_volume_mm3
        ends_mm3 = 4 / 3 * math.pi * (truth["reference_diameter_mm"] / 2) ** 3  # half a sphere at each end
        lumen_mm3 = made.masks[f"{name}-lumen"].sum() * voxel_mm3
        assert lumen_mm3 == pytest.approx(truth["lumen_volume_mm3"] + ends_mm3, rel=0.03)
        plaque_mm3 = made.masks[f"{name}-plaque"].sum() * voxel_mm3
        assert plaque_mm3 == pytest.approx(truth["plaque_volume_mm3"], rel=0.05)


def test_plaque_volume_is_that_of_a_shell_of_cosine_shape():
    """Lumen r (1 - s b) and wall r + g b with the bell b: the integral of pi (wall2 - lumen2), worked out by hand."""
    r, s, g, length = 1.75, 0.5, 0.6, 12.0
    mean_b, mean_b2 = 0.5, 0.375  # of (1 + cos) / 2 over its length
    by_hand = math.pi * length * ((2 * r * g + 2 * r * r * s) * mean_b + (g * g - (r * s) ** 2) * mean_b2)
    assert phantom().truth["rca"]["plaque_volume_mm3"] == pytest.approx(by_hand, rel=1e-3)


def test_densities_are_those_of_the_plaques_and_the_lumen():
    made = phantom()
    for name, plaque_hu in ARTERIES.items():
        inside = made.array[made.masks[f"{name}-plaque"]].astype(int)
        assert (np.abs(inside - plaque_hu) <= 1).sum() > 10
        core = ndimage.binary_erosion(made.masks[f"{name}-lumen"], iterations=2)
        assert np.median(made.array[core]) == pytest.approx(320, abs=1)


def test_an_occlusion_leaves_no_lumen_at_its_place():
    made = phantom(stenosis_percent=100.0)
    z, y, x = np.rint(made.grid.mm_to_index(np.array(made.truth["lcx"]["centre_mm"]))).astype(int)
    assert made.masks["lcx-plaque"][z, y, x]
    assert made.array[z, y, x] < 130


def test_it_is_told_as_enhanced_and_gated_and_no_calcium_is_scored(tmp_path):
    write_phantom("coronary-cta", tmp_path, n_slices=24, matrix_px=96)
    (reading,) = hounsfield.read(tmp_path, applications=["coronary_calcium"])
    assert (reading.status, {c.code for c in reading.conditions}) == ("refused", {"contrast-given"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stenosis_percent": 101.0}, "stenosis_percent is 101.0, outside 0 to 100"),
        ({"lumen_diameter_mm": 6.0}, "lumen_diameter_mm is 6.0"),
        ({"contrast": "none"}, "without iodine is none"),
    ],
)
def test_what_cannot_be_shown_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        CoronaryCtaParameters(**options)
