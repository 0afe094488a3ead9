"""The fetal head: its perimeter is exact, follows its standard, and can be measured on the picture."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from hounsfield.core.errors import UsageError
from hounsfield.measures import (
    IntergrowthInputs,
    intergrowth_biometry_2014,
)
from hounsfield.measures._fetal_scan import head_circumference_mm
from hounsfield.phantoms import write_phantom
from hounsfield.phantoms.fetal_head import RANGE_DB, FetalHeadParameters, Head, make_fetal_head
from hounsfield.studies import read_study


def test_perimeter_is_that_of_the_ellipse():
    head = Head.of_circumference(220.0, 0.78, (0.0, 0.0), 0.0)
    turn = np.linspace(0, 2 * np.pi, 20_001)
    points = np.stack([head.half_long_mm * np.cos(turn), head.half_short_mm * np.sin(turn)])
    assert np.hypot(*np.diff(points)).sum() == pytest.approx(220.0, rel=1e-6)
    assert head.circumference_mm == pytest.approx(220.0)
    assert Head.of_circumference(2 * math.pi, 1.0, (0.0, 0.0), 0.0).half_long_mm == pytest.approx(1.0)


@pytest.mark.parametrize(("ga_weeks", "z"), [(16.0, -1.5), (24.0, 0.0), (36.0, 2.0)])
def test_size_is_that_of_the_standard_and_of_the_rule(ga_weeks, z):
    truth = make_fetal_head(FetalHeadParameters(ga_weeks=ga_weeks, hc_z=z, pixel_mm=1.0)).truth
    ramanujan_mm = head_circumference_mm(bpd_outer_mm=truth["bpd_outer_outer_mm"], ofd_mm=truth["ofd_mm"])
    assert ramanujan_mm == pytest.approx(truth["hc_mm"], rel=1e-5)
    outcome = intergrowth_biometry_2014(IntergrowthInputs(ga_weeks=ga_weeks, hc_mm=truth["hc_mm"]))
    [found] = [one.value for one in outcome.measurements if one.name == "hc-z"]
    assert found == pytest.approx(z, abs=1e-6)


def test_cephalic_index_varies_within_its_range():
    found = [
        make_fetal_head(FetalHeadParameters(seed=seed, pixel_mm=1.0)).truth["cephalic_index"]
        for seed in range(12)
    ]
    assert 0.70 <= min(found) < max(found) <= 0.86
    assert np.mean(found) == pytest.approx(0.783, abs=0.03)


@pytest.mark.parametrize(("seed", "ga_weeks"), [(1, 18.0), (2, 26.0), (3, 36.0)])
def test_circumference_is_found_on_the_picture_within_a_percent(seed, ga_weeks):
    """Outermost place within 6 dB (half of the amplitude) of the skull, on rays from the centre that are averaged."""
    phantom = make_fetal_head(FetalHeadParameters(seed=seed, ga_weeks=ga_weeks))
    truth, smooth = phantom.truth, ndimage.gaussian_filter(phantom.array[0].astype(float), 0.7)
    turn, (a, b) = math.radians(truth["turn_deg"]), truth["half_axes_px"]
    angles, parts = np.linspace(0, 2 * np.pi, 360, endpoint=False), np.arange(0.85, 1.1, 0.002)
    u, v = parts[:, None] * a * np.cos(angles), parts[:, None] * b * np.sin(angles)
    row = truth["centre_px"][0] + u * math.sin(turn) + v * math.cos(turn)
    column = truth["centre_px"][1] + u * math.cos(turn) - v * math.sin(turn)
    profiles = ndimage.map_coordinates(smooth, [row, column], order=1)
    # Where the skull lies along the beam it is faint: the brighter half decides, as for a reader.
    brightest = ndimage.gaussian_filter1d(profiles.max(axis=0), 8, mode="wrap")
    profile = profiles[:, brightest > np.median(brightest)].mean(axis=1)
    border = parts[profile > profile.max() - 6.0 / RANGE_DB * 255].max()
    assert border == pytest.approx(1.0, abs=0.01)


def test_mask_has_the_area_of_the_ellipse_and_the_skull_is_bright():
    phantom = make_fetal_head()
    a, b = phantom.truth["half_axes_px"]
    assert phantom.masks["head"].sum() == pytest.approx(math.pi * a * b, rel=0.01)
    brain = phantom.masks["head"] & ~phantom.masks["skull"]
    assert phantom.array[phantom.masks["skull"]].mean() > phantom.array[brain].mean() + 80


def test_it_is_read_with_its_millimetres(tmp_path):
    phantom = write_phantom("fetal-head-us", tmp_path, ga_weeks=20.0)
    [one] = read_study(tmp_path).series
    assert not one.conditions
    image = one.image()
    np.testing.assert_array_equal(image.array, phantom.array)
    assert image.plane_spacing.row_mm == pytest.approx(0.4)
    assert image.plane_spacing.kind == "calibrated"


@pytest.mark.parametrize(
    ("options", "says"), [({"ga_weeks": 41.0}, "ga_weeks is 41.0"), ({"hc_z": 4.0}, "hc_z is 4.0")]
)
def test_what_no_fetus_has_is_refused(options, says):
    with pytest.raises(UsageError, match=says):
        FetalHeadParameters(**options)
