"""Survival curves, tests, concordance and predicted risks: by hand, by simulation, and with everybody followed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    FollowUp,
    auroc,
    auroc_at,
    cluster_bootstrap,
    harrell_c,
    integrated_brier,
    kaplan_meier,
    log_rank,
    survival_brier,
    survival_brier_intervals,
    survival_calibration,
    uno_c,
)

# Five patients: event at 1 and 3 (with a loss at 3), loss at 2, event at 5.
FIVE = FollowUp(np.array([1, 2, 3, 3, 5]), np.array([True, False, True, False, True]))


def simulated(rng, n=400, shape=1.0):
    """Exponential times of a known hazard exp(shape * risk), and losses that have nothing to do with it."""
    risk = rng.standard_normal(n)
    time = rng.exponential(np.exp(-shape * risk))
    lost = rng.exponential(2.0, n)
    return FollowUp(np.minimum(time, lost), time <= lost), risk, time


def test_curve_by_hand():
    curve = kaplan_meier(FIVE)
    assert curve.time.tolist() == [1.0, 3.0, 5.0]
    assert curve.n_at_risk.tolist() == [5, 3, 1]
    assert curve.survival == pytest.approx([4 / 5, 4 / 5 * 2 / 3, 0.0])
    assert curve.at(0.5).value == 1.0
    assert curve.at(4.9).value == pytest.approx(8 / 15)
    assert curve.at(9.0).value == 0.0
    # Greenwood after 3: 1/(5*4) + 1/(3*2); its root over |log S| moves log(-log S) by 1.96 of them.
    shift = 1.959964 * math.sqrt(1 / 20 + 1 / 6) / abs(math.log(8 / 15))
    low, high = ((8 / 15) ** math.exp(sign * shift) for sign in (1, -1))
    assert (curve.at(3.0).low, curve.at(3.0).high) == pytest.approx((low, high))
    assert math.isnan(curve.at(5.0).low)


def test_nothing_is_known_behind_the_longest_follow_up():
    curve = kaplan_meier(FollowUp(np.array([1.0, 4.0]), np.array([True, False])))
    assert curve.at(4.0).value == 0.5
    assert math.isnan(curve.at(4.1).value)
    assert curve.median.value == 1.0
    nobody = kaplan_meier(FollowUp(np.array([1.0, 4.0]), np.array([False, False])))
    assert nobody.at(2.0).value == 1.0
    assert nobody.median.value == math.inf


def test_interval_of_the_curve_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(11)
    held = []
    for _ in range(300):
        at = kaplan_meier(simulated(rng, 80, shape=0.0)[0]).at(0.7)
        held.append(at.low <= math.exp(-0.7) <= at.high)
    assert 0.92 <= np.mean(held) <= 0.98


def test_log_rank_by_hand():
    """a: events at 1 and 3; b: event at 2, loss at 4. Expected in a: 2/4 + 1/3 + 1/2; variance 1/4 + 2/9 + 1/4."""
    follow_up = FollowUp(np.array([1, 3, 2, 4]), np.array([True, True, True, False]))
    found = log_rank(follow_up, np.array(["a", "a", "b", "b"]))
    expected, variance = 2 / 4 + 1 / 3 + 1 / 2, 1 / 4 + 2 / 9 + 1 / 4
    assert found.observed.tolist() == [2.0, 1.0]
    assert found.expected[0] == pytest.approx(expected)
    assert found.chi2 == pytest.approx((2 - expected) ** 2 / variance)
    assert found.df == 1


def test_log_rank_raises_false_alarms_as_often_as_it_says_and_sees_a_difference():
    rng = np.random.default_rng(3)
    null = [log_rank(simulated(rng, 90, 0.0)[0], np.arange(90) % 3).p < 0.05 for _ in range(300)]
    assert 0.02 <= np.mean(null) <= 0.085
    follow_up, risk, _ = simulated(rng, 200)
    assert log_rank(follow_up, risk > 0).p < 1e-6


def test_concordance_by_hand():
    """Comparable: the event at 1 with all four, that at 3 with the loss at 3 and the event at 5."""
    found = harrell_c(FIVE, np.array([5.0, 9.0, 3.0, 1.0, 3.0]))
    assert (found.n_concordant, found.n_discordant, found.n_tied_risk, found.n_tied_time) == (4, 1, 1, 0)
    assert found.c.value == pytest.approx(4.5 / 6)


def test_events_at_one_time_are_left_out():
    follow_up = FollowUp(np.array([2.0, 2.0, 3.0]), np.array([True, True, False]))
    found = harrell_c(follow_up, np.array([2.0, 1.0, 0.0]))
    assert (found.n_concordant, found.n_tied_time) == (2, 1)


def test_concordance_of_many_is_that_of_looking_at_every_pair():
    rng = np.random.default_rng(8)
    follow_up = FollowUp(rng.integers(0, 30, 700), rng.random(700) < 0.8)
    risk = rng.integers(0, 12, 700).astype(float)
    earlier = follow_up.time[:, None] < follow_up.time
    same = (follow_up.time[:, None] == follow_up.time) & ~follow_up.event
    pairs = follow_up.event[:, None] & (earlier | same)
    found = harrell_c(follow_up, risk)
    assert found.n_concordant == (pairs & (risk[:, None] > risk)).sum()
    assert found.n_tied_risk == (pairs & (risk[:, None] == risk)).sum()
    assert found.n_discordant == (pairs & (risk[:, None] < risk)).sum()


def test_interval_of_concordance_is_that_of_resampling_and_grows_with_clusters():
    follow_up, risk, _ = simulated(np.random.default_rng(5), 150)
    by_influence = harrell_c(follow_up, risk).c
    resampled = cluster_bootstrap(
        lambda cases: harrell_c(follow_up.of(cases), risk[cases]).c.value,
        np.arange(150),
        rng=np.random.default_rng(0),
        n_resamples=400,
    )
    assert by_influence.high - by_influence.low == pytest.approx(resampled.high - resampled.low, rel=0.15)
    thrice = FollowUp(np.tile(follow_up.time, 3), np.tile(follow_up.event, 3))
    together = harrell_c(thrice, np.tile(risk, 3), groups=np.tile(np.arange(150), 3)).c
    alone = harrell_c(thrice, np.tile(risk, 3)).c
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_unos_concordance_does_not_follow_the_losses_where_harrells_does():
    """Risk ranks early events better than late ones: losing patients early flatters Harrell's C."""
    rng = np.random.default_rng(12)
    n = 1500
    time = rng.exponential(1.0, n)
    risk = np.where(time < 0.3, 2.0, 0.0) + rng.standard_normal(n)
    whole = FollowUp(np.minimum(time, 1.5), time <= 1.5)
    lost = rng.exponential(0.5, n)
    short = FollowUp(np.minimum(whole.time, lost), whole.event & (whole.time <= lost))
    each, until = np.arange(n), 1.5
    truth = uno_c(whole, risk, each, until=until, rng=rng, n_resamples=1).value
    uno = uno_c(short, risk, each, until=until, rng=rng, n_resamples=1).value
    assert abs(uno - truth) < 0.02
    assert harrell_c(short, risk).c.value - truth > 0.04


def test_without_losses_figures_at_a_time_are_those_of_the_plain_question():
    follow_up, risk, time = simulated(np.random.default_rng(2), 200)
    whole = FollowUp(time, np.ones(200, dtype=bool))
    rng = np.random.default_rng(0)
    area = auroc_at(whole, risk, [0.5], np.arange(200), rng=rng, n_resamples=100)[0]
    assert area.value == pytest.approx(auroc(time <= 0.5, risk))
    assert area.low < area.value < area.high
    chance = np.exp(-0.5 * np.exp(risk))
    assert survival_brier(whole, chance[:, None], [0.5])[0] == pytest.approx(
        np.mean(((time > 0.5) - chance) ** 2)
    )
    assert follow_up.event.sum() < 200


def test_losses_do_not_move_what_is_estimated_at_a_time():
    rng = np.random.default_rng(7)
    moved = []
    for _ in range(40):
        follow_up, risk, time = simulated(rng, 300)
        chance = np.exp(-0.6 * np.exp(risk))[:, None]
        whole = FollowUp(time, np.ones(300, dtype=bool))
        pairs = [
            (
                auroc_at(one, risk, [0.6], np.arange(300), rng=rng, n_resamples=1)[0].value,
                survival_brier(one, chance, [0.6])[0],
            )
            for one in (follow_up, whole)
        ]
        moved.append(np.subtract(*pairs))
    error = np.std(moved, axis=0) / math.sqrt(40)
    assert (np.abs(np.mean(moved, axis=0)) < 3 * error).all()


def test_true_risk_scores_better_than_the_curve_of_all():
    follow_up, risk, _ = simulated(np.random.default_rng(9), 400)
    times = np.array([0.2, 0.5, 0.9])
    right = np.exp(-times * np.exp(risk)[:, None])
    curve = kaplan_meier(follow_up)
    same = np.tile([curve.at(t).value for t in times], (400, 1))
    assert integrated_brier(follow_up, right, times) < integrated_brier(follow_up, same, times) - 0.02


def test_interval_of_the_score_is_that_of_scoring_drawn_patients():
    follow_up, risk, _ = simulated(np.random.default_rng(14), 150)
    chance = np.exp(-0.5 * np.exp(risk))[:, None]
    found = survival_brier_intervals(
        follow_up, chance, [0.5], np.arange(150), rng=np.random.default_rng(0), n_resamples=300
    )[0]
    plain = cluster_bootstrap(
        lambda cases: survival_brier(follow_up.of(cases), chance[cases], [0.5])[0],
        np.arange(150),
        rng=np.random.default_rng(0),
        n_resamples=300,
    )
    assert (found.low, found.value, found.high) == pytest.approx((plain.low, plain.value, plain.high))
    few = FollowUp(np.array([1.0, 2.0, 9.0]), np.array([True, True, False]))
    drawn = survival_brier_intervals(
        few, np.full((3, 1), 0.5), [5.0], np.arange(3), rng=np.random.default_rng(0), n_resamples=50
    )[0]
    assert drawn.n_undefined > 0


def test_integral_is_the_mean_over_the_span():
    follow_up, risk, _ = simulated(np.random.default_rng(9), 100)
    chance = np.exp(-0.5 * np.exp(risk))
    scores = survival_brier(follow_up, np.stack([chance, chance], axis=1), [0.5, 0.6])
    whole = integrated_brier(follow_up, np.stack([chance, chance], axis=1), [0.5, 0.6])
    assert whole == pytest.approx(scores.mean())


def test_calibration_sees_right_risks_and_those_that_are_too_high():
    follow_up, risk, _ = simulated(np.random.default_rng(21), 2000)
    right = 1 - np.exp(-0.5 * np.exp(risk))
    bins = survival_calibration(follow_up, right, 0.5, n_bins=5)
    assert [one.n for one in bins] == [400] * 5
    assert sum(one.observed.low <= one.predicted <= one.observed.high for one in bins) >= 4
    high = survival_calibration(follow_up, np.sqrt(right), 0.5, n_bins=5)
    assert all(one.predicted > one.observed.high for one in high)


def test_equal_risks_stay_in_one_bin():
    follow_up, _, _ = simulated(np.random.default_rng(1), 100)
    bins = survival_calibration(follow_up, np.repeat([0.2, 0.6], 50), 0.3, n_bins=10)
    assert [one.n for one in bins] == [50, 50]
    assert [one.predicted for one in bins] == pytest.approx([0.2, 0.6])


def refused():
    rng = np.random.default_rng(0)
    risk, each = np.arange(5.0), np.arange(5)
    return [
        (lambda: FollowUp(np.array([1.0]), np.array([True, False])), "one of each for every patient"),
        (lambda: FollowUp(np.array([-1.0]), np.array([True])), "below 0"),
        (lambda: log_rank(FIVE, np.zeros(5)), "two groups at least"),
        (
            lambda: log_rank(FollowUp(np.array([1, 2]), np.array([False, False])), np.array([0, 1])),
            "no event happened",
        ),
        (lambda: harrell_c(FIVE, np.arange(4.0)), "one finite number each"),
        (
            lambda: harrell_c(FollowUp(np.array([2.0]), np.array([True])), np.ones(1)),
            "no pair can be compared",
        ),
        (lambda: uno_c(FIVE, risk, each, until=0.5, rng=rng), "no event before 0.5"),
        (lambda: auroc_at(FIVE, risk, [5.0], each, rng=rng), "nobody was followed beyond 5"),
        (lambda: auroc_at(FIVE, risk, [0.5], each, rng=rng), "no event happened by 0.5"),
        (lambda: survival_brier(FIVE, np.full((5, 1), 1.2), [2.0]), "outside 0 to 1"),
        (lambda: survival_brier(FIVE, np.full((5, 2), 0.2), [2.0]), "predictions of shape"),
        (lambda: integrated_brier(FIVE, np.full((5, 1), 0.2), [2.0]), "two times at least"),
        (lambda: survival_calibration(FIVE, np.full(5, -0.1), 2.0), "outside 0 to 1"),
    ]


@pytest.mark.parametrize(("call", "says"), refused())
def test_what_cannot_be_judged_is_refused(call, says):
    with pytest.raises(RefusedInput, match=says):
        call()
