"""Speckle has the statistics of its theory, and a fan of lines lands on the pixels that it should."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hounsfield.phantoms.ultrasound_speckle import Sector, amplitude, envelope, log_compressed, scatterers

RAYLEIGH_SNR = math.sqrt(math.pi / (4 - math.pi))  # 1.913: mean over standard deviation


@pytest.fixture
def rng():
    return np.random.Generator(np.random.PCG64(4))


@pytest.mark.parametrize("strength_db", [0.0, -30.0])
def test_even_tissue_has_a_rayleigh_envelope_of_its_strength(rng, strength_db):
    even = np.full((800, 800), strength_db, dtype=np.float32)
    found = envelope(scatterers(rng, even.shape) * amplitude(even), (1.5, 2.0))
    assert found.mean() / found.std() == pytest.approx(RAYLEIGH_SNR, rel=0.03)
    assert found.mean() == pytest.approx(10 ** (strength_db / 20), rel=0.03)


def test_grain_is_as_wide_as_beam_and_pulse(rng):
    found = envelope(scatterers(rng, (600, 600)), (1.0, 3.0))
    found = found - found.mean()
    along, across = ((found * np.roll(found, 2, axis=axis)).mean() / found.var() for axis in (0, 1))
    # Correlation of intensity after a shift d under a Gaussian of sigma s: exp(-d^2 / (2 s^2)); amplitude follows closely.
    assert along == pytest.approx(math.exp(-2.0), abs=0.06)
    assert across == pytest.approx(math.exp(-2.0 / 9.0), abs=0.06)


def test_the_display_range_is_black_below_and_white_at_the_top():
    grey = log_compressed(np.array([[1.0, 0.1, 0.001, 1e-5]], dtype=np.float32), 60.0)
    assert grey[0].tolist() == pytest.approx([255.0, 170.0, 0.0, 0.0], abs=0.1)


@pytest.mark.parametrize("radius_mm", [0.0, 55.0])
def test_a_sample_is_shown_where_it_lies(radius_mm):
    sector = Sector(100.0, 70.0, 0.5, n_lines=161, step_mm=0.25, radius_mm=radius_mm)
    x, depth, _, _ = sector.sample_places_mm()
    pixel_x, pixel_depth = sector.pixel_places_mm()
    at = (x - 12.0) ** 2 + (depth - 61.0) ** 2
    picture = sector.scan_converter().picture((255.0 * np.exp(-at / 8.0)).astype(np.float32))
    row, column = np.unravel_index(int(picture.argmax()), picture.shape)
    assert pixel_x[0, column] == pytest.approx(12.0, abs=0.5)
    assert pixel_depth[row, 0] == pytest.approx(61.0, abs=0.5)
    assert picture.shape == sector.shape_yx
    assert not picture[-1, 0]  # a corner lies outside of the fan
