"""Scores that the authors of a model show: never probabilities, and none beside a calibrator."""

import numpy as np
import pytest
from pydantic import ValidationError
from tests.tiny_bundle import CLASSES, tiny_card

from hounsfield.inference import scores_of
from hounsfield.zoo import Calibrator, Scores

LOGITS = np.array([-1.0, 0.0, 2.0])
POINTS = dict(zip(CLASSES, (0.2, 0.5, 0.9), strict=True))


def test_the_operating_point_becomes_one_half():
    card = tiny_card(scores=Scores(way="operating-point", name="s", operating_points=POINTS))
    points = np.array(list(POINTS.values()))
    at = scores_of(np.log(points / (1 - points)), card)
    np.testing.assert_allclose(at, 0.5)
    p = 1 / (1 + np.exp(-LOGITS))  # 0.269, 0.5, 0.881
    expected = [1 - (1 - p[0]) / 1.6, 0.5, p[2] / 1.8]
    np.testing.assert_allclose(scores_of(LOGITS, card), expected)


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("logits", LOGITS),
        ("sigmoid", 1 / (1 + np.exp(-LOGITS))),
        ("softmax", np.exp(LOGITS) / np.exp(LOGITS).sum()),
    ],
)
def test_plain_ways(way, expected):
    card = tiny_card(scores=Scores(way=way, name="s"))
    np.testing.assert_allclose(scores_of(np.stack([LOGITS, LOGITS]), card), [expected, expected])


def test_nothing_is_shown_unasked_or_beside_a_calibrator():
    assert scores_of(LOGITS, tiny_card()) is None
    calibrator = Calibrator(name="temperature", parameters={"temperature": 2.0}, fitted_on="nothing")
    card = tiny_card(scores=Scores(way="softmax", name="s"), calibrator=calibrator)
    assert scores_of(LOGITS, card) is None


def test_points_of_other_classes_are_refused():
    with pytest.raises(ValidationError, match="other classes"):
        tiny_card(scores=Scores(way="operating-point", name="s", operating_points={"glioma": 0.5}))
    with pytest.raises(ValidationError, match="exactly for the way"):
        Scores(way="sigmoid", name="s", operating_points=POINTS)
