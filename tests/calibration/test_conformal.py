"""The promise of conformal answers, counted: coverage over many fits lies within its binomial limits."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from hounsfield.calibration import (
    conformal_quantile,
    coverage_band,
    fit_conformal_interval,
    fit_conformal_labels,
    fit_conformal_sets,
    fit_risk_control,
    fit_sets_by_patient,
    missed_share,
    one_case_a_group,
    softmax,
    strangeness,
)
from hounsfield.core.errors import UsageError

N_FITS = 200


def drawn(rng, n, shift=0.0):
    """Probabilities of three classes from an overconfident model, and the truth."""
    logits = rng.normal(size=(n, 3)) * 2
    labels = np.array([rng.choice(3, p=row) for row in softmax(logits)])
    return softmax(3 * logits + shift), labels


def test_the_quantile_is_the_corrected_rank():
    scores = np.arange(1.0, 10.0)  # nine cases: the ceil(10 * 0.9) = 9th of them
    assert conformal_quantile(scores, 0.9) == 9.0
    assert conformal_quantile(scores, 0.91) == math.inf
    assert conformal_quantile(scores[::-1], 0.5) == 5.0


@pytest.mark.parametrize("method", ["lac", "aps", "raps"])
@pytest.mark.parametrize("n", [6, 20, 100])
def test_coverage_lies_within_its_binomial_limits(n, method):
    """One new case a fit, so that the fits are independent; APS and RAPS may cover more, never less."""
    rng = np.random.default_rng(n)
    covered = 0
    for _ in range(N_FITS):
        probabilities, labels = drawn(rng, n + 1)
        fitted = fit_conformal_sets(probabilities[:n], labels[:n], coverage=0.8, method=method)
        covered += bool(fitted.sets(probabilities[n:])[0, labels[n]])
    assert covered >= binom.ppf(0.001, N_FITS, 0.8)
    if method == "lac":
        # ceil((n + 1) 0.8) / (n + 1) is what is promised and kept.
        kept = math.ceil((n + 1) * 0.8 - 1e-9) / (n + 1)
        assert covered <= binom.ppf(0.999, N_FITS, kept)


def test_too_few_cases_give_the_full_set():
    probabilities, labels = drawn(np.random.default_rng(0), 8)
    fitted = fit_conformal_sets(probabilities, labels, coverage=0.9)  # 1 / 9 > 0.1
    assert fitted.limits[""] == math.inf
    assert fitted.sets(probabilities).all()


def test_lac_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    fitted = fit_conformal_sets(probabilities, np.array([0, 0, 1, 0]), coverage=0.6)
    assert fitted.limits[""] == pytest.approx(0.4)  # third of 0.1, 0.3, 0.4, 0.8
    assert fitted.sets(np.array([[0.65, 0.35], [0.5, 0.5]])).tolist() == [[True, False], [False, False]]


def test_aps_adds_what_is_at_least_as_likely_and_ties_are_alike():
    assert strangeness(np.array([[0.5, 0.3, 0.2]]), "aps")[0] == pytest.approx([0.5, 0.8, 1.0])
    assert strangeness(np.array([[0.4, 0.4, 0.2]]), "aps")[0] == pytest.approx([0.8, 0.8, 1.0])
    assert strangeness(np.array([[0.4, 0.3, 0.2, 0.1]]), "raps")[0] == pytest.approx([0.4, 0.7, 0.91, 1.02])


def test_a_rare_class_is_covered_when_the_fit_is_made_by_class():
    rng = np.random.default_rng(3)

    def cases(n):
        labels = (rng.random(n) < 0.08).astype(int)
        score = rng.normal(size=n) + 1.2 * labels
        p = 1 / (1 + np.exp(-(2 * score - 4)))
        return np.stack([1 - p, p], axis=1), labels

    (fit_p, fit_y), (new_p, new_y) = cases(4000), cases(20_000)
    rates = {}
    for by in (False, True):
        sets = fit_conformal_sets(fit_p, fit_y, coverage=0.9, by_class=by).sets(new_p)
        rates[by] = sets[new_y == 1, 1].mean()
    assert rates[False] < 0.6
    assert rates[True] > 0.87


def test_a_hard_site_is_covered_when_the_fit_is_made_by_site():
    rng = np.random.default_rng(5)

    def cases(n):
        site = rng.choice(["easy", "hard"], p=[0.85, 0.15], size=n)
        spread = np.where(site == "easy", 4.0, 0.5)
        logits = rng.normal(size=(n, 3)) * spread[:, None]
        labels = np.array([rng.choice(3, p=row) for row in softmax(logits)])
        return softmax(logits * np.where(site == "easy", 1.0, 6.0)[:, None]), labels, site

    (fit_p, fit_y, fit_s), (new_p, new_y, new_s) = cases(3000), cases(6000)
    hard = new_s == "hard"
    over_all = fit_conformal_sets(fit_p, fit_y, coverage=0.9).sets(new_p)
    by_site = fit_conformal_sets(fit_p, fit_y, coverage=0.9, groups=fit_s).sets(new_p, new_s)
    rows = np.arange(new_y.size)
    assert over_all[rows, new_y][hard].mean() < 0.8
    assert by_site[rows, new_y][hard].mean() > 0.86
    with pytest.raises(UsageError, match="no conformal limit was fitted for the group 'third'"):
        fit_conformal_sets(fit_p, fit_y, coverage=0.9, groups=fit_s).sets(new_p[:1], ["third"])


def test_weights_restore_coverage_under_a_stated_shift():
    rng = np.random.default_rng(8)
    here, there = rng.normal(0, 1, 4000), rng.normal(1, 1, 4000)
    truth_here, truth_there = here**2 + rng.normal(size=4000), there**2 + rng.normal(size=4000)
    scores = np.abs(truth_here)  # an estimate of zero: worse where the patients went
    ratio = np.exp(here - 0.5)
    plain = conformal_quantile(scores, 0.9)
    limits = [conformal_quantile(scores, 0.9, ratio, float(np.exp(x - 0.5))) for x in there[:500]]
    assert (np.abs(truth_there) <= plain).mean() < 0.85
    assert (np.abs(truth_there[:500]) <= limits).mean() >= 0.87


def test_intervals_cover_and_widen_where_the_estimate_is_unsure():
    rng = np.random.default_rng(11)
    spread = rng.uniform(1, 5, 6000)
    estimate = rng.normal(60, 10, 6000)
    truth = estimate + rng.normal(size=6000) * spread
    fitted = fit_conformal_interval(estimate[:3000], truth[:3000], coverage=0.9, scales=spread[:3000])
    low, high = fitted.interval(estimate[3000:], spread[3000:])
    inside = (low <= truth[3000:]) & (truth[3000:] <= high)
    assert inside.mean() == pytest.approx(0.9, abs=0.02)
    assert inside[spread[3000:] > 4].mean() == pytest.approx(0.9, abs=0.05)
    assert fitted.half_width == pytest.approx(1.645, abs=0.08)


def test_the_band_holds_what_simulated_fits_reach():
    rng = np.random.default_rng(13)
    low, high = coverage_band(n_fitted=50, n_test=200, coverage=0.9)
    reached = []
    for _ in range(400):
        scores = rng.random(250)
        reached.append((scores[50:] <= conformal_quantile(scores[:50], 0.9)).mean())
    inside = np.mean((np.array(reached) >= low) & (np.array(reached) <= high))
    assert 0.92 <= inside <= 0.99
    assert coverage_band(n_fitted=5, n_test=100, coverage=0.9) == (1.0, 1.0)


def test_one_case_is_drawn_from_each_patient():
    groups = ["a", "b", "a", "c", "a"]
    kept = one_case_a_group(groups, rng=np.random.default_rng(0))
    assert [groups[i] for i in kept].count("a") == 1
    assert len(kept) == 3
    drawn_a = {min(one_case_a_group(["a"] * 3, rng=np.random.default_rng(s))) for s in range(40)}
    assert drawn_a == {0, 1, 2}


def test_masks_miss_no_more_than_was_agreed():
    """Sorted thresholds from strict to everything; the expected share missed stays below a tenth in new patients."""
    rng = np.random.default_rng(17)
    thresholds = np.append(np.linspace(0.95, 0.05, 19), 0.0)

    def losses(n):
        rows = []
        for _ in range(n):
            truth = np.zeros(400, bool)
            truth[: rng.integers(20, 200)] = True
            p = np.clip(truth * rng.normal(0.6, 0.1) + rng.normal(0.2, 0.15, 400), 0, 1)
            rows.append(missed_share(p, truth, thresholds))
        return np.array(rows)

    missed = []
    for _ in range(40):
        control = fit_risk_control(losses(40), thresholds, level=0.1)
        missed.append(losses(40)[:, np.flatnonzero(thresholds == control.setting)[0]].mean())
    assert np.mean(missed) <= 0.1 + 3 * np.std(missed) / math.sqrt(len(missed))
    assert np.mean(missed) > 0.02  # careful, but not by taking everything


def test_risk_control_refuses_a_loss_that_rises_with_care():
    with pytest.raises(UsageError, match="row 1 rises with care"):
        fit_risk_control(np.array([[0.5, 0.1, 0.0], [0.1, 0.4, 0.0]]), [0.9, 0.5, 0.0], level=0.1)
    with pytest.raises(UsageError, match="misses nothing"):
        fit_risk_control(np.array([[0.5, 0.1]]), [0.9, 0.5], level=0.1)


def test_risk_control_says_when_the_cases_are_too_few():
    control = fit_risk_control(np.zeros((5, 3)), [0.9, 0.5, 0.0], level=0.1)  # 1 / 6 > 0.1
    assert control.is_vacuous
    assert control.setting == 0.0
    enough = fit_risk_control(np.zeros((9, 3)), [0.9, 0.5, 0.0], level=0.1)  # 1 / 10
    assert not enough.is_vacuous
    assert enough.setting == 0.9


def test_missed_share_by_hand():
    said, true = np.array([0.9, 0.6, 0.5, 0.1]), np.array([True, True, True, False])
    assert missed_share(said, true, [0.95, 0.6, 0.5, 0.0]) == pytest.approx([1.0, 1 / 3, 0.0, 0.0])
    assert np.isnan(missed_share(said, np.zeros(4, bool), [0.5])).all()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: conformal_quantile(np.ones(3), 1.0), "between 0 and 1"),
        (lambda: conformal_quantile(np.array([np.nan, 1]), 0.5), "1 of 2 scores are not numbers"),
        (lambda: conformal_quantile(np.ones(3), 0.5, np.array([1, -1, 1])), "not below 0"),
        (lambda: fit_conformal_sets(np.ones((2, 2)), np.zeros(3), coverage=0.9), "do not fit"),
        (lambda: fit_conformal_sets(np.ones((2, 2)), np.zeros(2), coverage=0.9, groups=["a"]), "do not fit"),
        (lambda: fit_conformal_interval(np.ones(2), np.ones(2), coverage=0.9, scales=0.0), "above 0"),
    ],
)
def test_what_does_not_fit_is_refused(act, message):
    with pytest.raises(UsageError, match=message):
        act()


def _patients(rng, n_patients):
    """Pictures of patients that differ in how hard they are, 1 to 12 each: probabilities, labels, patients."""
    counts = rng.integers(1, 13, n_patients)
    patients = np.repeat(np.arange(n_patients), counts)
    labels = rng.integers(0, 3, len(patients))
    ease = np.repeat(rng.normal(1.0, 1.5, n_patients), counts)
    logits = rng.normal(0, 1, (len(patients), 3))
    logits[np.arange(len(labels)), labels] += ease
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True), labels, patients


def test_sets_by_patient_hold_their_coverage_for_a_picture_of_a_new_patient():
    """Over 400 fits on 15 patients each, the mean coverage of patients lies at or above 0.9 and not far above."""
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(400):
        sets = fit_sets_by_patient(*_patients(rng, 15), coverage=0.9)
        probabilities, labels, patients = _patients(rng, 40)
        inside = sets.sets(probabilities)[np.arange(len(labels)), labels]
        covered.append(np.mean([inside[patients == one].mean() for one in range(40)]))
    assert 0.895 < np.mean(covered) < 0.95


def test_sets_by_patient_of_one_picture_each_are_those_of_the_pictures():
    rng = np.random.default_rng(4)
    probabilities, labels, _ = _patients(rng, 30)
    whole = fit_conformal_sets(probabilities, labels, coverage=0.9)
    by_patient = fit_sets_by_patient(probabilities, labels, range(len(labels)), coverage=0.9)
    assert by_patient.limits == whole.limits


def test_too_few_patients_exclude_nothing():
    rng = np.random.default_rng(5)
    sets = fit_sets_by_patient(*_patients(rng, 8), coverage=0.9)
    assert sets.limits[""] == np.inf
    with pytest.raises(UsageError, match="do not fit"):
        fit_sets_by_patient(np.ones((2, 2)) / 2, np.zeros(2), ["a"], coverage=0.9)


def test_labels_are_kept_at_the_rate_promised_for_their_present_cases():
    rng = np.random.default_rng(6)
    truth = rng.random((4000, 2)) < (0.3, 0.05)
    said = 1 / (1 + np.exp(-(rng.normal(0, 1, truth.shape) + 2 * truth - 1)))
    sets = fit_conformal_labels(said[:2000], truth[:2000], coverage=0.9)
    inside = sets.sets(said[2000:])
    for label in range(2):
        low, high = coverage_band(
            n_fitted=int(truth[:2000, label].sum()),
            n_test=int(truth[2000:, label].sum()),
            coverage=0.9,
            within=0.999,
        )
        assert low <= inside[truth[2000:, label], label].mean() <= high
    with pytest.raises(UsageError, match="do not fit"):
        fit_conformal_labels(said, truth[:, :1], coverage=0.9)
