"""Classes that exclude each other, against scikit-learn, hand counts and published tables."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    ConfusionFigures,
    class_auroc,
    class_brier,
    class_log_loss,
    classwise_calibration_error,
    confusion_figures,
    confusion_matrix,
    exact_match,
    fleiss_kappa,
    hamming_loss,
    krippendorff_alpha,
    pairwise_auroc,
    top_k_accuracy,
)


def drawn(seed, n=200, n_classes=4):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    probability = rng.dirichlet(np.ones(n_classes), n)
    probability[np.arange(n), truth] += rng.random(n)
    return truth, probability / probability.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(3))
def test_figures_of_the_confusion_matrix_equal_scikit_learn(seed):
    truth, probability = drawn(seed)
    said = probability.argmax(axis=1)
    ours = confusion_figures(truth, said, 4)
    assert (ours.counts == sk.confusion_matrix(truth, said)).all()
    assert ours.accuracy == pytest.approx(sk.accuracy_score(truth, said), abs=1e-12)
    assert ours.balanced_accuracy == pytest.approx(sk.balanced_accuracy_score(truth, said), abs=1e-12)
    assert ours.mcc == pytest.approx(sk.matthews_corrcoef(truth, said), abs=1e-12)
    for name, theirs in (("recall", sk.recall_score), ("precision", sk.precision_score), ("f1", sk.f1_score)):
        assert getattr(ours, name) == pytest.approx(theirs(truth, said, average=None), abs=1e-12)
    for weights in ("none", "linear", "quadratic"):
        expected = sk.cohen_kappa_score(truth, said, weights=None if weights == "none" else weights)
        assert ours.kappa(weights).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_areas_and_scores_equal_scikit_learn(seed):
    truth, probability = drawn(seed)
    for average in ("macro", "weighted"):
        expected = sk.roc_auc_score(truth, probability, multi_class="ovr", average=average)
        assert class_auroc(truth, probability, average) == pytest.approx(expected, abs=1e-12)
    micro = sk.roc_auc_score(truth, probability, multi_class="ovr", average="micro")
    assert class_auroc(truth, probability, "micro") == pytest.approx(micro, abs=1e-12)
    pairs = sk.roc_auc_score(truth, probability, multi_class="ovo", average="macro")
    assert pairwise_auroc(truth, probability) == pytest.approx(pairs, abs=1e-12)
    assert class_log_loss(truth, probability) == pytest.approx(sk.log_loss(truth, probability), abs=1e-12)
    for k in (1, 2, 3):
        expected = sk.top_k_accuracy_score(truth, probability, k=k)
        assert top_k_accuracy(truth, probability, k) == pytest.approx(expected, abs=1e-12)


def test_kappa_and_its_error_are_those_of_the_published_table():
    """Fleiss, Levin and Paik 2003, table 18.1 (two raters, three diagnoses, 100 subjects): kappa 0.68, error 0.087."""
    table = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    found = ConfusionFigures(table).kappa()
    assert found.value == pytest.approx(0.676, abs=5e-4)
    assert (found.high - found.low) / 2 / 1.959964 == pytest.approx(0.087, abs=1e-3)


def test_the_interval_of_weighted_kappa_covers_as_stated():
    rng = np.random.default_rng(3)
    law = np.array([[0.3, 0.06, 0.02], [0.05, 0.2, 0.05], [0.02, 0.05, 0.25]])
    true = ConfusionFigures((law * 10**9).astype(np.int64)).kappa("quadratic").value
    inside = 0
    for _ in range(400):
        found = ConfusionFigures(rng.multinomial(150, law.ravel() / law.sum()).reshape(3, 3)).kappa(
            "quadratic"
        )
        inside += found.low <= true <= found.high
    assert 0.90 <= inside / 400 <= 0.985


def test_fleiss_kappa_of_the_published_example():
    """Ten subjects, fourteen readers, five classes: 0.210 (the worked example of Wikipedia's page on this kappa)."""
    table = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    assert fleiss_kappa(np.array(table)) == pytest.approx(0.210, abs=5e-4)


def test_krippendorff_alpha_of_the_published_example():
    """Krippendorff 2011, section C to F: four observers, twelve units, values missing."""
    gap = math.nan
    ratings = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, gap, gap, gap],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, gap, 3],
        [gap, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, gap],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, gap],
    ]
    assert krippendorff_alpha(ratings) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(ratings, "ordinal") == pytest.approx(0.815, abs=5e-4)
    assert krippendorff_alpha(ratings, "interval") == pytest.approx(0.849, abs=5e-4)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=3, max_size=40),
    st.permutations([0, 1, 2]),
)
def test_renaming_the_classes_changes_no_unweighted_figure(pairs, names):
    truth, said = (np.array(side) for side in zip(*pairs, strict=True))
    plain, renamed = (
        confusion_figures(truth, said, 3),
        confusion_figures(np.array(names)[truth], np.array(names)[said], 3),
    )
    for one, other in ((plain.mcc, renamed.mcc), (plain.kappa().value, renamed.kappa().value)):
        assert one == pytest.approx(other, abs=1e-9, nan_ok=True)


def test_two_classes_are_one_decision():
    agreement = ConfusionFigures(np.array([[50, 10], [5, 35]]))
    decision = agreement.one_against_rest(1)
    assert (decision.true_positive, decision.false_positive) == (35, 10)
    assert (decision.true_negative, decision.false_negative) == (50, 5)
    assert agreement.kappa().value == pytest.approx(decision.kappa)
    assert agreement.mcc == pytest.approx(decision.mcc)


def test_scores_by_hand():
    truth, probability = np.array([0, 1]), np.array([[0.8, 0.1, 0.1], [0.5, 0.3, 0.2]])
    # (0.2^2 + 0.1^2 + 0.1^2 + 0.5^2 + 0.7^2 + 0.2^2) / 2
    assert class_brier(truth, probability) == pytest.approx(0.42)
    labels, said = np.array([[1, 0], [1, 1], [0, 0]]), np.array([[1, 0], [1, 0], [1, 1]])
    assert exact_match(labels, said) == pytest.approx(1 / 3)
    assert hamming_loss(labels, said) == pytest.approx(3 / 6)


def test_calibrated_classes_have_no_error_left_by_class():
    rng = np.random.default_rng(0)
    probability = rng.dirichlet([1, 1, 1], 60_000)
    truth = np.array([rng.choice(3, p=row) for row in probability])
    assert classwise_calibration_error(truth, probability).max() < 0.01
    tilted = probability**2 / (probability**2).sum(axis=1, keepdims=True)
    assert classwise_calibration_error(truth, tilted).min() > 0.05


def test_undefined_figures_are_nan_and_wrong_input_is_refused():
    alone = ConfusionFigures(np.array([[4, 0], [0, 0]]))
    assert math.isnan(alone.kappa().value)
    assert math.isnan(alone.mcc)
    assert math.isnan(alone.recall[1])
    assert alone.balanced_accuracy == 1.0
    assert math.isnan(ConfusionFigures(np.zeros((2, 2), int)).accuracy)
    assert math.isnan(krippendorff_alpha([[1, 1], [1, 1]]))
    with pytest.raises(RefusedInput, match="classes 0 to 3 occur; there are 3"):
        confusion_matrix([0, 3], [0, 1], 3)
    with pytest.raises(RefusedInput, match="do not fit"):
        confusion_matrix([0, 1], [0], 3)
    with pytest.raises(RefusedInput, match="do not sum to 1"):
        class_auroc([0, 1], [[2.0, 1.0], [0.0, 1.0]])
    with pytest.raises(RefusedInput, match="1 to 2 classes"):
        top_k_accuracy([0], [[0.5, 0.5]], 3)
    with pytest.raises(RefusedInput, match="same number of readers"):
        fleiss_kappa(np.array([[2, 1], [1, 1]]))
