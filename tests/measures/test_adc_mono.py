"""Apparent diffusion coefficient: the reference's lines, maps, noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.measures.outcomes import about, values

from hounsfield.core.errors import RefusedInput
from hounsfield.measures.adc_mono import AdcInputs, adc_map, adc_mono, trace_weighted


@given(st.floats(-200, 3500), st.floats(1, 5000), st.lists(st.integers(0, 1500), min_size=2, max_size=6))
def test_fit_finds_what_made_the_signal(adc, s0, b):
    if len(set(b)) < 2:
        b = [*b, max(b) + 500]
    signal = tuple(s0 * math.exp(-value * adc * 1e-6) for value in b)
    found = values(adc_mono(AdcInputs(b_s_mm2=tuple(float(value) for value in b), signal=signal)))
    assert found["adc"] == pytest.approx(adc, rel=1e-6, abs=1e-4)
    assert found["s0"] == pytest.approx(s0, rel=1e-6)


def test_map_is_the_number_of_each_voxel_and_masks_the_noise():
    signal = np.array([[1000.0, 1000.0, 300.0, 800.0], [449.328964, 10.0, 0.0, 900.0]])
    found = adc_map([0, 800], signal, background_sd=6.0)
    assert found[0] == about(1000.0)
    # 10 is below 2 x 6, and 0 has no logarithm; the negative value of the last is kept.
    assert np.isnan(found[1:3]).all()
    assert found[3] < 0


@pytest.mark.parametrize(("background_sd", "refused"), [(50.0, False), (50.01, True), (49.0, False)])
def test_noise_floor_is_two_deviations(background_sd, refused):
    inputs = AdcInputs(b_s_mm2=(0.0, 1000.0), signal=(500.0, 100.0), background_sd=background_sd)
    if refused:
        with pytest.raises(RefusedInput, match="below twice the background's SD"):
            adc_mono(inputs)
    else:
        assert values(adc_mono(inputs))["adc"] == about(math.log(5) * 1000)


@pytest.mark.parametrize(
    ("b", "signal"),
    [((0.0,), (1.0,)), ((800.0, 800.0), (1.0, 2.0)), ((0.0, 800.0), (1.0,)), ((), ())],
)
def test_one_b_value_is_refused(b, signal):
    with pytest.raises(RefusedInput, match="at least two different b-values"):
        adc_mono(AdcInputs(b_s_mm2=b, signal=signal))


def test_organ_brings_its_repeatability():
    # A change of 27 % is true with 95 % confidence: one measurement is known to 27 / sqrt(2) %.
    found = adc_mono(AdcInputs(b_s_mm2=(0.0, 1000.0), signal=(1000.0, 367.879441), organ="liver"))
    assert found.measurements[0].uncertainty == about(1000.0 * 0.27 / math.sqrt(2))
    assert (
        adc_mono(AdcInputs(b_s_mm2=(0.0, 1000.0), signal=(1000.0, 367.879441))).measurements[0].uncertainty
        is None
    )


def test_directions_are_averaged_geometrically():
    assert trace_weighted(np.array([[8.0], [1.0], [1.0]])) == pytest.approx([2.0])
