"""Free-response figures: hand-worked cases, the real candidates of LUNA16, and published reader studies."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import Marks, cpm_interval, match_centres, wafroc
from hounsfield.metrics.froc import Matched


def marks(*rows, radius=False):
    """Rows of (image, x, radius or score)."""
    table = np.array(rows, dtype=float).reshape(-1, 3)
    position = np.zeros((len(table), 3))
    position[:, 0] = table[:, 1]
    last = {"radius_mm" if radius else "score": table[:, 2]}
    return Marks(table[:, 0].astype(int), position, **last)


TARGETS = marks((0, 0.0, 5.0), (0, 30.0, 5.0), (1, 0.0, 4.0), radius=True)


def test_best_of_several_hits_counts_and_the_rest_is_ignored():
    found = match_centres(marks((0, 1, 0.4), (0, 2, 0.9), (0, -4, 0.7)), TARGETS, n_images=2)
    assert found.hit_score.tolist() == [0.9, -np.inf, -np.inf]
    assert found.false_score.size == 0
    assert found.n_ignored == 2


def test_hit_lies_on_the_radius_and_miss_behind_it():
    found = match_centres(marks((0, 5.0, 0.5), (0, 5.001, 0.6), (1, 4.5, 0.7)), TARGETS, n_images=2)
    assert found.hit_score.tolist() == [0.5, -np.inf, -np.inf]
    assert sorted(found.false_score) == [0.6, 0.7]


def test_candidate_in_another_image_hits_nothing():
    found = match_centres(marks((1, 30.0, 0.9)), TARGETS, n_images=2)
    assert not np.isfinite(found.hit_score).any()
    assert found.false_image.tolist() == [1]


def test_nearest_of_two_targets_is_hit():
    near = marks((0, 0.0, 9.0), (0, 8.0, 9.0), radius=True)
    assert match_centres(marks((0, 5.0, 0.9)), near, n_images=1).hit_score.tolist() == [-np.inf, 0.9]


def test_irrelevant_finding_takes_a_false_positive_away_but_no_hit():
    irrelevant = marks((0, 2.0, 5.0), (1, 20.0, 5.0), radius=True)
    found = match_centres(
        marks((0, 1, 0.9), (1, 21, 0.8), (1, 40, 0.3)), TARGETS, n_images=2, irrelevant=irrelevant
    )
    assert found.hit_score[0] == 0.9
    assert found.false_score.tolist() == [0.3]
    assert found.n_ignored == 1


def test_curve_by_hand():
    """Two images, three targets. Falling scores: hit .9, false .8, hit .7, false .6 and hit .6 together."""
    candidates = marks((0, 0, 0.9), (0, 99, 0.8), (0, 30, 0.7), (1, 99, 0.6), (1, 0, 0.6))
    curve = match_centres(candidates, TARGETS, n_images=2).curve()
    assert curve.threshold.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert curve.sensitivity == pytest.approx([1 / 3, 1 / 3, 2 / 3, 1])
    assert curve.false_per_image == pytest.approx([0, 0.5, 0.5, 1])
    # Between the thresholds the curve is a line; at a jump upwards the upper end counts; behind the last it is flat.
    assert curve.sensitivity_at((0.25, 0.75, 1.0, 8.0)) == pytest.approx([1 / 3, 5 / 6, 1, 1])


def test_images_without_marks_count_in_the_rates():
    few = match_centres(marks((0, 99, 0.5)), TARGETS, n_images=2).curve()
    many = match_centres(marks((0, 99, 0.5)), TARGETS, n_images=20).curve()
    assert (few.false_per_image[0], many.false_per_image[0]) == (0.5, 0.05)


def test_nothing_found_is_zero_and_nothing_to_find_is_undefined():
    nothing = Marks(np.array([], int), np.zeros((0, 3)), score=np.array([]))
    assert match_centres(nothing, TARGETS, n_images=2).curve().cpm == 0.0
    no_target = Marks(np.array([], int), np.zeros((0, 3)), radius_mm=np.array([]))
    assert np.isnan(match_centres(marks((0, 1, 0.5)), no_target, n_images=2).curve().sensitivity).all()


def test_weights_count_images_as_often_as_they_were_drawn():
    """Marks sorted once and weighted, beside all marks of the drawn images put together and sorted anew."""
    rng = np.random.default_rng(6)
    hit = np.where(rng.random(40) < 0.7, rng.integers(0, 9, 40) / 9, -np.inf)
    matched = Matched(
        hit, rng.integers(0, 12, 40), rng.integers(0, 9, 90) / 9, rng.integers(0, 12, 90), 0, 12
    )
    ranked = matched.ranked()
    for _ in range(20):
        weight = np.bincount(rng.integers(0, 12, 12), minlength=12)
        drawn = Matched(
            np.repeat(hit, weight[matched.target_image]),
            np.repeat(matched.target_image, weight[matched.target_image]),
            np.repeat(matched.false_score, weight[matched.false_image]),
            np.repeat(matched.false_image, weight[matched.false_image]),
            0,
            12,
        )
        whole = drawn.curve()
        rates = (0.05, 0.3, 1.0, 2.5, 20.0)
        along = np.interp(rates, [0.0, *whole.false_per_image], [0.0, *whole.sensitivity])
        assert ranked.curve(weight).sensitivity_at(rates) == pytest.approx(along, abs=1e-12)


def test_order_of_rows_changes_nothing():
    rng = np.random.default_rng(4)
    rows = np.column_stack([rng.integers(0, 2, 60), rng.uniform(-10, 40, 60), rng.integers(0, 9, 60) / 9])
    cpms = {match_centres(marks(*rng.permutation(rows)), TARGETS, n_images=2).curve().cpm for _ in range(5)}
    assert max(cpms) - min(cpms) < 1e-12


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (marks((2, 0, 0.5)), "outside 0 to 1"),
        (marks((0, np.nan, 0.5)), "not a finite number"),
        (Marks(np.array([0]), np.zeros((1, 2)), score=np.array([1.0])), "of one length"),
        (Marks(np.array([0]), np.zeros((1, 3))), "need scores"),
    ],
)
def test_marks_that_make_no_sense_are_refused(wrong, says):
    with pytest.raises(RefusedInput, match=says):
        match_centres(wrong, TARGETS, n_images=2)


@pytest.fixture(scope="module")
def luna(real_data):
    folder = real_data / "lung_nodule_marks"

    def table(name, last):
        opened = gzip.open if name.endswith(".gz") else open
        with opened(folder / name, "rt", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        image = np.array([int(row["scan"]) for row in rows])
        position = np.array([[float(row[f"coord{axis}"]) for axis in "XYZ"] for row in rows])
        return image, position, np.array([float(row[last]) for row in rows])

    image, position, diameter = table("nodules.csv", "diameter_mm")
    nodules = Marks(image, position, radius_mm=diameter / 2)
    image, position, diameter = table("irrelevant_findings.csv.gz", "diameter_mm")
    irrelevant = Marks(image, position, radius_mm=np.where(diameter < 0, 10.0, diameter) / 2)
    image, position, score = table("detector_dpn26_candidates.csv.gz", "probability")
    return match_centres(Marks(image, position, score=score), nodules, n_images=888, irrelevant=irrelevant)


@pytest.mark.real_data
def test_real_detector_has_its_known_figures(luna):
    """The README beside the data: computed there twice, by other programs."""
    curve = luna.curve()
    stated = [0.6922, 0.7690, 0.8238, 0.8651, 0.8929, 0.9174, 0.9334]
    assert curve.sensitivity_at() == pytest.approx(stated, abs=5e-5)
    assert curve.cpm == pytest.approx(0.84197, abs=5e-6)
    assert (luna.hit_score.size, int(np.isneginf(luna.hit_score).sum())) == (1186, 50)
    assert luna.false_score.size + 1186 - 50 == 50044


@pytest.mark.real_data
def test_interval_of_the_cpm_lies_around_it_and_follows_the_seed(luna):
    first, again = (cpm_interval(luna, rng=np.random.default_rng(1), n_resamples=60) for _ in range(2))
    assert first == again
    assert first.low < first.value < first.high
    assert 0.01 < first.high - first.low < 0.06


def test_wafroc_by_hand():
    """Normal cases rated -inf, 1, 3. Case a has lesions 2 and -inf, case b one of 3.

    Lesion 2 beats 2 of 3 cases, the unmarked one ties with 1 of 3, lesion 3 beats 2 and ties with 1.
    """
    found = wafroc(np.array([2, -np.inf, 3]), np.array(["a", "a", "b"]), np.array([-np.inf, 1, 3]))
    assert found == pytest.approx(((2 / 3 + 0.5 / 3) / 2 + 2.5 / 3) / 2)
    with pytest.raises(RefusedInput, match="sum to 1"):
        wafroc(np.array([1.0]), np.array([1]), np.array([0.0]), lesion_weight=np.array([0.5]))
    assert np.isnan(wafroc(np.array([]), np.array([]), np.array([1.0])))
