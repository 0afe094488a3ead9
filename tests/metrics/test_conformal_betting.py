"""Bets over a stream: ranks by hand, no gain without a change however often one looks, a gain with one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, kstest

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import betting_log10, calibration_places, category_ranks, number_ranks

HALVES = ((0.0, 0.5), (0.5, 1.0))


class Half:
    """A source of chance that always says one half."""

    def random(self, n):
        return np.full(n, 0.5)


def test_ranks_of_numbers_by_hand():
    ranks = number_ranks(np.array([1.0, 2.0, 3.0]), np.array([4.0, 2.0]), rng=Half())
    # 4 is the largest of 4: half a place. Then 2 meets 2 below 3 and 4: 2 above, itself and one tie.
    assert ranks == pytest.approx([0.5 / 4, (2 + 0.5 * 2) / 5])


def test_ranks_of_categories_by_hand():
    ranks = category_ranks(np.array(list("aaab")), np.array(["c", "b"]), rng=Half())
    # c stands once, as b does: both are the rarest of 5. Then b stands twice, above c (1), below a (3): of 6.
    assert ranks == pytest.approx([0.5 * 2 / 5, (1 + 0.5 * 2) / 6])


def test_a_number_that_is_none_is_refused():
    with pytest.raises(RefusedInput, match="must be finite"):
        number_ranks(np.array([1.0]), np.array([np.nan]), rng=np.random.default_rng(0))


def test_first_bet_by_hand():
    # At rank 1/2 the five slopes hold 1 each, two of the others 0.5 x 0.5 ^ -0.5 and two 0.75 x 0.5 ^ -0.25.
    held = (5 + 2 * 0.5 * 0.5**-0.5 + 2 * 0.75 * 0.5**-0.25) / 9
    assert betting_log10(np.array([0.5]))[1] == pytest.approx(np.log10(held))


def test_bets_are_fair():
    total = sum(quad(lambda rank: 10 ** betting_log10(np.array([rank]))[1], *ends)[0] for ends in HALVES)
    assert total == pytest.approx(1.0, abs=1e-4)


def test_right_probabilities_give_even_places_whatever_they_are():
    rng = np.random.default_rng(1)
    probability = rng.beta(0.5, 3, 20_000)
    truth = rng.random(20_000) < probability
    assert kstest(calibration_places(truth, probability, rng=rng), "uniform").pvalue > 0.01
    assert kstest(calibration_places(truth, probability**2, rng=rng), "uniform").pvalue < 1e-6


def test_a_shift_is_found_and_found_sooner_when_it_is_large():
    rng = np.random.default_rng(2)

    def delay(shift):
        stream = np.concatenate([rng.normal(size=300), rng.normal(shift, 1, 700)])
        held = betting_log10(number_ranks(rng.normal(size=500), stream, rng=rng))
        reached = np.flatnonzero(held >= np.log10(20))
        return int(reached[0]) - 300

    assert 0 < delay(1.5) < delay(0.5) < 400


def test_a_scanner_that_was_never_seen_is_found():
    rng = np.random.default_rng(3)
    stream = np.where(rng.random(400) < 0.15, "new", rng.choice(["a", "b"], 400))
    held = betting_log10(category_ranks(rng.choice(["a", "b"], 300), stream, rng=rng))
    assert held.max() >= np.log10(200)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["numbers", "categories"])
def test_all_looks_together_raise_no_more_alarms_than_stated(kind):
    n_runs, n_alarms = 1000, 0
    for run in range(n_runs):
        rng = np.random.default_rng((5, run))
        if kind == "numbers":
            ranks = number_ranks(rng.normal(size=100), rng.normal(size=300), rng=rng)
        else:
            ranks = category_ranks(rng.integers(0, 3, 100), rng.integers(0, 3, 300), rng=rng)
        n_alarms += betting_log10(ranks).max() >= np.log10(20)
    assert n_alarms <= binom.interval(0.999, n_runs, 0.05)[1]
