"""The measures of four counts: by hand, by the paper's definitions voxel by voxel, by other programs, on empty masks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import OverlapCounts, count_overlap

# TP 6, FP 2, FN 4, TN 8: n 20, truth 10, prediction 8.
EXAMPLE = OverlapCounts(true_positive=6, false_positive=2, false_negative=4, true_negative=8)
RATIOS = (
    *("dice", "jaccard", "sensitivity", "specificity", "false_positive_rate", "false_negative_rate", "precision"),
    *("global_consistency_error", "volume_similarity", "rand", "adjusted_rand", "mutual_information_nats"),
    *("variation_of_information_nats", "intraclass_correlation", "probabilistic_distance", "kappa", "auc"),
)  # fmt: skip


def entropy(*shares):
    return -sum(share * math.log(share) for share in shares)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dice", 12 / 18),
        ("jaccard", 6 / 12),
        ("sensitivity", 6 / 10),
        ("specificity", 8 / 10),
        ("false_positive_rate", 2 / 10),
        ("false_negative_rate", 4 / 10),
        ("precision", 6 / 8),
        # One way 4 (4 + 12) / 10 + 2 (2 + 16) / 10 = 10, the other 2 (2 + 12) / 8 + 4 (4 + 16) / 12 = 10.1667.
        ("global_consistency_error", 10 / 20),
        ("volume_similarity", 1 - 2 / 18),
        # Pairs: together 15 + 1 + 6 + 28 = 50; by the truth 90, by the prediction 28 + 66 = 94, of 190.
        ("rand", (50 + 190 - 90 - 94 + 50) / 190),
        # (50 - 90 * 94 / 190) / ((90 + 94) / 2 - 90 * 94 / 190), as Hubert writes it.
        ("adjusted_rand", (50 - 90 * 94 / 190) / (92 - 90 * 94 / 190)),
        ("mutual_information_nats", math.log(2) + entropy(0.4, 0.6) - entropy(0.3, 0.1, 0.2, 0.4)),
        ("variation_of_information_nats", 2 * entropy(0.3, 0.1, 0.2, 0.4) - math.log(2) - entropy(0.4, 0.6)),
        # Mean 0.45: between 2 / 19 (6 * 0.3025 + 6 * 0.0025 + 8 * 0.2025), within 6 / 40.
        ("intraclass_correlation", (2 / 19 * 3.45 - 0.15) / (2 / 19 * 3.45 + 0.15)),
        ("probabilistic_distance", 6 / 12),
        # Observed 0.7; by chance 0.5 * 0.4 + 0.5 * 0.6 = 0.5.
        ("kappa", 0.4),
        ("auc", 1 - (0.2 + 0.4) / 2),
    ],
)
def test_example_by_hand(name, expected):
    assert getattr(EXAMPLE, name) == pytest.approx(expected)


def test_f_beta_by_hand():
    assert EXAMPLE.f_beta() == pytest.approx(EXAMPLE.dice)
    assert EXAMPLE.f_beta(2.0) == pytest.approx(5 * 0.75 * 0.6 / (4 * 0.75 + 0.6))
    with pytest.raises(RefusedInput, match="beta is 0; above 0 is needed"):
        EXAMPLE.f_beta(0.0)


COUNTS = st.builds(
    OverlapCounts,
    true_positive=st.integers(1, 60),
    false_positive=st.integers(1, 60),
    false_negative=st.integers(1, 60),
    true_negative=st.integers(1, 60),
)


def masks_of(counts):
    truth = [True] * counts.n_truth + [False] * (counts.n - counts.n_truth)
    prediction = [True] * counts.true_positive + [False] * counts.false_negative
    prediction += [True] * counts.false_positive + [False] * counts.true_negative
    return np.array(truth), np.array(prediction)


@given(COUNTS)
def test_counts_of_masks_are_those_they_were_made_of(counts):
    assert count_overlap(*masks_of(counts)) == counts


@settings(deadline=None, max_examples=40)
@given(COUNTS)
def test_measures_are_those_of_scikit_learn_and_scikit_image(counts):
    from skimage.metrics import variation_of_information
    from sklearn import metrics as peers

    truth, prediction = masks_of(counts)
    bits = variation_of_information(truth.astype(int), prediction.astype(int))
    pairs = [
        (counts.jaccard, peers.jaccard_score(truth, prediction)),
        (counts.f_beta(0.5), peers.fbeta_score(truth, prediction, beta=0.5)),
        (counts.rand, peers.rand_score(truth, prediction)),
        (counts.adjusted_rand, peers.adjusted_rand_score(truth, prediction)),
        (counts.mutual_information_nats, peers.mutual_info_score(truth, prediction)),
        (counts.variation_of_information_nats, math.log(2) * sum(bits)),
        (counts.kappa, peers.cohen_kappa_score(truth, prediction)),
        (counts.auc, peers.roc_auc_score(truth, prediction)),
    ]
    for ours, theirs in pairs:
        assert ours == pytest.approx(theirs, abs=1e-9)


@given(COUNTS)
def test_intraclass_correlation_is_that_of_two_raters_of_every_voxel(counts):
    ratings = np.stack(masks_of(counts)).astype(float)
    mean, n = ratings.mean(axis=0), counts.n
    between = 2 / (n - 1) * ((mean - ratings.mean()) ** 2).sum()
    within = ((ratings - mean) ** 2).sum() / n
    assert counts.intraclass_correlation == pytest.approx((between - within) / (between + within))


@given(COUNTS)
def test_swapping_the_masks_changes_no_symmetric_measure(counts):
    swapped = OverlapCounts(
        counts.true_positive, counts.false_negative, counts.false_positive, counts.true_negative
    )
    one_sided = {
        "sensitivity",
        "specificity",
        "false_positive_rate",
        "false_negative_rate",
        "precision",
        "auc",
    }
    for name in set(RATIOS) - one_sided:
        assert getattr(swapped, name) == pytest.approx(getattr(counts, name), abs=1e-12)
    assert swapped.sensitivity == counts.precision


@given(COUNTS, st.integers(1, 500))
def test_more_background_changes_only_what_knows_true_negatives(counts, more):
    wider = OverlapCounts(
        counts.true_positive, counts.false_positive, counts.false_negative, counts.true_negative + more
    )
    for name in (
        "dice",
        "jaccard",
        "sensitivity",
        "precision",
        "volume_similarity",
        "probabilistic_distance",
    ):
        assert getattr(wider, name) == getattr(counts, name)
    assert wider.specificity > counts.specificity


def test_equal_masks_give_every_best_value():
    perfect = OverlapCounts(5, 0, 0, 7)
    ones = {
        "dice",
        "jaccard",
        "sensitivity",
        "specificity",
        "precision",
        "volume_similarity",
        "rand",
        "adjusted_rand",
    }
    ones |= {"intraclass_correlation", "kappa", "auc"}
    for name in ones:
        assert getattr(perfect, name) == pytest.approx(1.0)
    for name in set(RATIOS) - ones - {"mutual_information_nats"}:
        assert getattr(perfect, name) == pytest.approx(0.0, abs=1e-12)
    assert perfect.mutual_information_nats == pytest.approx(entropy(5 / 12, 7 / 12))


NAN, INF = math.nan, math.inf
EMPTY = {
    "dice": (NAN, 0, 0),
    "jaccard": (NAN, 0, 0),
    "volume_similarity": (NAN, 0, 0),
    "sensitivity": (NAN, NAN, 0),
    "false_negative_rate": (NAN, NAN, 1),
    "precision": (NAN, 0, NAN),
    "specificity": (1, 0.75, 1),
    "false_positive_rate": (0, 0.25, 0),
    "auc": (NAN, NAN, 0.5),
    "kappa": (NAN, 0, 0),
    "adjusted_rand": (NAN, 0, 0),
    "mutual_information_nats": (0, 0, 0),
    "probabilistic_distance": (NAN, INF, INF),
    "variation_of_information_nats": (0, entropy(0.25, 0.75), entropy(0.25, 0.75)),
    # Pairs: 6 of 28 voxels 2 and 6: 1 + 15 of 28 are together in both.
    "rand": (1, 16 / 28, 16 / 28),
}


@pytest.mark.parametrize("name", EMPTY)
def test_empty_masks_give_what_the_policy_says(name):
    both, truth_empty, prediction_empty = (
        OverlapCounts(0, 0, 0, 8),
        OverlapCounts(0, 2, 0, 6),
        OverlapCounts(0, 0, 2, 6),
    )
    found = [getattr(counts, name) for counts in (both, truth_empty, prediction_empty)]
    assert found == pytest.approx(EMPTY[name], nan_ok=True, abs=1e-12)


def test_intraclass_correlation_of_empty_masks():
    assert math.isnan(OverlapCounts(0, 0, 0, 8).intraclass_correlation)
    assert OverlapCounts(0, 2, 0, 6).intraclass_correlation < 0
    assert OverlapCounts(0, 0, 1, 6).intraclass_correlation == pytest.approx(0.0)


def test_no_voxel_at_all_is_undefined():
    nothing = OverlapCounts(0, 0, 0, 0)
    assert all(math.isnan(getattr(nothing, name)) for name in RATIOS)


def test_masks_on_other_grids_and_negative_counts_are_refused():
    with pytest.raises(RefusedInput, match="must lie on one grid"):
        count_overlap(np.zeros(3), np.zeros(4))
    with pytest.raises(RefusedInput, match="negative count"):
        OverlapCounts(1, 2, -1, 4)
