"""Predictive values, the move between prevalences, and Wilson's interval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import at_prevalence, predictive_values, wilson_interval


@given(st.integers(0, 200), st.integers(1, 200))
def test_interval_holds_the_share_and_mirrors(k, extra):
    n = k + extra
    found, mirrored = wilson_interval(k, n), wilson_interval(n - k, n)
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    assert found.low == pytest.approx(1.0 - mirrored.high, abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_what_is_no_proportion_is_refused(k, n):
    with pytest.raises(RefusedInput, match=f"{k} of {n} is no proportion"):
        wilson_interval(k, n)


@pytest.mark.parametrize("name", ["sensitivity", "specificity", "prevalence"])
@pytest.mark.parametrize("value", [-0.01, 1.01, 90.0, float("nan")])
def test_percentages_are_refused(name, value):
    stated = {"sensitivity": 0.9, "specificity": 0.9, "prevalence": 0.1, name: value}
    with pytest.raises(RefusedInput, match=f"{name} is .*Divide a percentage by 100"):
        predictive_values(**stated)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_prevalence_there_and_back(probability, here, there):
    moved = at_prevalence(probability, calibrated_at=here, used_at=there)
    assert at_prevalence(moved, calibrated_at=there, used_at=here) == pytest.approx(probability)
    assert (moved > probability) == (there > here) or moved == pytest.approx(probability)


def test_move_between_prevalences_is_bayes():
    # A positive answer (0.9 / 0.9) is worth 0.9 at 50 %; at 1 % it is worth the predictive value there.
    moved = at_prevalence(0.9, calibrated_at=0.5, used_at=0.01)
    there = predictive_values(sensitivity=0.9, specificity=0.9, prevalence=0.01)
    assert moved == pytest.approx(there.positive)


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_certainty_stays(certain):
    assert at_prevalence(certain, calibrated_at=0.5, used_at=0.01) == certain


@pytest.mark.parametrize("prevalence", [0.0, 1.0])
def test_prevalence_of_nobody_or_all_is_refused(prevalence):
    with pytest.raises(RefusedInput, match=r"used_at is .* a prevalence between 0 and 1"):
        at_prevalence(0.5, calibrated_at=0.5, used_at=prevalence)
