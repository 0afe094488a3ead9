"""What every registered metric must do."""

import numpy as np
import pytest

from hounsfield.metrics import metrics

TRUTH = np.array([True, False, True, True, False, False, True, False])
PERFECT = {"score": TRUTH * 2.0 - 1, "probability": TRUTH * 1.0, "decision": TRUTH, "mask": TRUTH}
WORST = {"score": 1 - TRUTH * 2.0, "probability": 1 - TRUTH * 1.0, "decision": ~TRUTH, "mask": ~TRUTH}
METRICS = {metric.name: metric for metric in metrics}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_perfect_gives_the_best_and_wrong_does_not(metric):
    assert metric.function(TRUTH, PERFECT[metric.predicts]) == pytest.approx(metric.best)
    assert metric.function(TRUTH, WORST[metric.predicts]) != pytest.approx(metric.best)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_the_order_of_cases_changes_nothing(metric):
    rng = np.random.default_rng(1)
    said = rng.random(8) if metric.predicts in {"score", "probability"} else rng.random(8) > 0.5
    order = rng.permutation(8)
    assert metric.function(TRUTH[order], said[order]) == pytest.approx(metric.function(TRUTH, said))


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_no_case_at_all_is_undefined(metric):
    nothing = np.array([], dtype=bool)
    assert np.isnan(metric.function(nothing, nothing))
