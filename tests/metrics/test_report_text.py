"""Words, BLEU, ROUGE, labels and entities of reports: by hand, against scikit-learn, and what must hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    Rouge,
    bleu_counts,
    entity_overlap,
    exact_overlap,
    label_f1,
    partial_overlap,
    report_words,
    rouge_intervals,
    rouge_l,
    rouge_n,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Left-sided effusion, 3.5 cm.", ["left", "sided", "effusion", "3.5", "cm"]),
        ("Kein Erguß; 1,5cm", ["kein", "erguss", "1,5", "cm"]),
        ("patient's L4/L5", ["patient's", "l4", "l5"]),
        ("Ro\u0308ntgen \u00e9tat", ["r\u00f6ntgen", "\u00e9tat"]),
        (" \n ", []),
    ],
)
def test_words_of_a_report(text, words):
    assert report_words(text) == words


def test_signs_are_words_where_asked_for():
    assert report_words("No mass. (?)", punctuation=True) == ["no", "mass", ".", "(", "?", ")"]


def test_bleu_by_hand():
    """Papineni's own example: "the" seven times against two of them gives a clipped precision of 2/7."""
    text = ["the"] * 7
    references = [["the", "cat", "is", "on", "the", "mat"], ["there", "is", "a", "cat", "on", "the", "mat"]]
    assert bleu_counts([text], [references]).bleu(1) == pytest.approx(2 / 7)
    # Three words of four: all of them right, 4 / 3 too short.
    short = bleu_counts([["a", "b", "c"]], [[["a", "b", "c", "d"]]])
    assert short.bleu(2) == pytest.approx(math.exp(1 - 4 / 3))
    assert short.bleu(4) == 0.0


def test_shorter_of_two_references_equally_near_counts():
    counts = bleu_counts([["a", "b", "c"]], [[["a", "b", "c", "d"], ["a", "b"]]])
    assert counts.n_reference_words.tolist() == [2]


def test_bleu_of_a_set_is_of_its_counts_and_not_the_mean_of_its_reports():
    counts = bleu_counts([["a"], ["b", "c", "d"]], [[["a"]], [["x", "y", "z"]]])
    assert counts.bleu(1) == pytest.approx(1 / 4)
    assert counts.bleu(1, report_weight=np.array([3.0, 1.0])) == pytest.approx(3 / 6)
    found = counts.interval([1, 2], rng=np.random.default_rng(0), longest_run=1, n_resamples=100)
    assert (found.low, found.value, found.high) == pytest.approx((0.0, 1 / 4, 1.0))


WORDS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=8)


@settings(deadline=None)
@given(WORDS)
def test_same_text_is_perfect(words):
    assert bleu_counts([words], [[words]]).bleu(1) == pytest.approx(1.0)
    assert rouge_l(words, words) == Rouge(1.0, 1.0, 1.0)
    assert rouge_n(words, words, run=1).f1 == 1.0


@settings(deadline=None)
@given(WORDS, WORDS)
def test_longest_common_sequence_is_that_of_trying_all(first, second):
    def common(a, b):
        if not a or not b:
            return 0
        if a[0] == b[0]:
            return 1 + common(a[1:], b[1:])
        return max(common(a[1:], b), common(a, b[1:]))

    n = common(first[:6], second[:6])
    assert rouge_l(first[:6], second[:6]).recall == pytest.approx(n / len(second[:6]))
    assert rouge_l(second[:6], first[:6]).precision == rouge_l(first[:6], second[:6]).recall


def test_denied_finding_differs_from_a_stated_one_by_one_word_only():
    """Why these figures never stand alone."""
    denied, stated = report_words("no large pleural effusion"), report_words("large pleural effusion")
    assert rouge_l(denied, stated).f1 > 0.85
    assert exact_overlap([("effusion", "absent", "")], [("effusion", "present", "")]).f1 == 0.0


def test_texts_that_cannot_be_judged_are_refused():
    with pytest.raises(RefusedInput, match="at least one reference"):
        bleu_counts([["a"]], [[]])
    with pytest.raises(RefusedInput, match="1 to 4 are counted"):
        bleu_counts([["a"]], [[["a"]]]).bleu(5)
    with pytest.raises(RefusedInput, match="1 or more are needed"):
        rouge_n(["a"], ["a"], run=0)
    with pytest.raises(RefusedInput, match="one report at least"):
        rouge_intervals([], [], rng=np.random.default_rng(0))
    assert math.isnan(bleu_counts([[]], [[[]]]).bleu())
    assert bleu_counts([[]], [[["a"]]]).bleu(1) == 0.0
    assert rouge_n([], ["a"], run=1) == Rouge(0.0, 0.0, 0.0)


def test_mean_of_rouge_has_intervals_by_patient():
    figures = [Rouge(1.0, 0.5, 2 / 3), Rouge(0.0, 0.0, 0.0)] * 20
    found = rouge_intervals(figures, np.arange(40), rng=np.random.default_rng(0), n_resamples=200)
    assert found["recall"].value == pytest.approx(0.25)
    assert found["recall"].low < 0.25 < found["recall"].high
    # The same pair of reports for every patient: no resample differs.
    paired = rouge_intervals(figures, np.arange(40) // 2, rng=np.random.default_rng(0), n_resamples=50)
    assert paired["recall"].low == pytest.approx(paired["recall"].high)


LABELS = ("effusion", "mass", "fracture", "edema")


def test_label_f1_by_hand():
    """effusion: 1 hit of 1 + 2; mass: none of 1 + 0; fracture: 1 of 1 + 1; edema nowhere."""
    truth = [{"effusion", "mass"}, set(), {"fracture"}]
    predicted = [{"effusion"}, {"effusion"}, {"fracture"}]
    found = label_f1(truth, predicted, [1, 2, 3], labels=LABELS, rng=np.random.default_rng(0), n_resamples=50)
    values = {label: interval.value for label, interval in found.per_label.items()}
    assert values == pytest.approx(
        {"effusion": 2 / 3, "mass": 0.0, "fracture": 1.0, "edema": math.nan}, nan_ok=True
    )
    assert found.micro.value == pytest.approx(4 / 6)
    assert found.macro.value == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert found.n_undefined == 1


def test_intervals_of_label_f1_share_each_draw_of_patients():
    rng = np.random.default_rng(4)
    true, said = ([{"mass"} if one else set() for one in rng.random(60) < 0.5] for _ in range(2))
    found = label_f1(true, said, np.arange(60), labels=("mass",), rng=rng, n_resamples=100)
    assert found.micro == found.macro == found.per_label["mass"]
    assert found.micro.low < found.micro.value < found.micro.high


def test_labels_that_cannot_be_judged_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(RefusedInput, match="report 0 has the label 'gas'"):
        label_f1([{"gas"}], [set()], [1], labels=LABELS, rng=rng)
    with pytest.raises(RefusedInput, match="stands twice"):
        label_f1([set()], [set()], [1], labels=("mass", "mass"), rng=rng)
    with pytest.raises(RefusedInput, match="one each is needed"):
        label_f1([set()], [], [1], labels=LABELS, rng=rng)


TRUE = [("pleural effusion", "present", "left"), ("heart", "anatomy", ""), ("mass", "absent", "")]
SAID = [("effusion", "present", "left"), ("heart", "anatomy", ""), ("heart", "anatomy", "")]


def test_entities_by_hand():
    exact = exact_overlap(TRUE, SAID)
    assert (exact.shared, exact.n_truth, exact.n_predicted) == (1.0, 3, 2)
    assert (exact.precision, exact.recall, exact.f1) == pytest.approx((1 / 2, 1 / 3, 2 / 5))
    # One word of two and one: 2 / 3 of a credit.
    partial = partial_overlap(TRUE, SAID)
    assert partial.shared == pytest.approx(1 + 2 / 3)
    assert partial_overlap(TRUE, TRUE).f1 == 1.0


def test_label_or_relation_that_differs_earns_nothing():
    assert (
        partial_overlap([("effusion", "present", "left")], [("effusion", "present", "right")]).shared == 0.0
    )
    assert partial_overlap([("effusion", "present", "")], [("effusion", "absent", "")]).shared == 0.0


def test_each_item_is_paired_once_and_for_the_most_credit():
    true = [("a b", "x", ""), ("a", "x", "")]
    assert partial_overlap(true, [("a", "x", "")]).shared == 1.0
    assert partial_overlap(true, [("a", "x", ""), ("b", "x", "")]).shared == pytest.approx(1 + 2 / 3)


def test_empty_reports_are_undefined_and_counted_apart():
    assert math.isnan(exact_overlap([], []).f1)
    assert partial_overlap(TRUE, []).recall == 0.0
    assert math.isnan(partial_overlap(TRUE, []).precision)
    found = entity_overlap(
        [TRUE, []], [SAID, []], [1, 2], rng=np.random.default_rng(0), rule=partial_overlap, n_resamples=50
    )
    assert found["f1"].value == pytest.approx(2 * (5 / 3) / 5)
    assert found["f1-per-report"].value == pytest.approx(2 * (5 / 3) / 5)
    assert found["f1"].n_undefined > 0
    with pytest.raises(RefusedInput, match="one each is needed"):
        entity_overlap([TRUE], [], [1], rng=np.random.default_rng(0))
