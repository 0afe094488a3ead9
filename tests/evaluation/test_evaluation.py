import json

import numpy as np
import pytest

from hounsfield.core.errors import UsageError
from hounsfield.evaluation import About, Predictions, Shown, evaluate, write_evaluation

ABOUT = About("Test <model>", "1.0.0", "What was done.", (("foreign & strange", 10, 0.9, 0.6, 0.98),))


def predictions(**changes):
    """Four groups of five cases of each class; every fifth case is said to be the other class."""
    labels = np.tile(np.repeat([0, 1], 5), 4)
    right = np.tile([True, True, True, True, False], 8)
    first = np.where((labels == 0) == right, 0.8, 0.2)
    said = np.stack([first, 1 - first], axis=1)
    values = {
        "classes": ("one", "two"),
        "names": tuple(map(str, range(40))),
        "groups": tuple(np.repeat(list("abcd"), 10).tolist()),
        "labels": labels,
        "probabilities": said,
        "uncalibrated": np.where(said > 0.5, 1.0, 0.0),
        "dice": np.where(right, 0.9, np.nan),
        "present_from": {"one": 0.5},
    }
    return Predictions(**(values | changes))


def test_figures_by_hand():
    found = evaluate(predictions(), n_resamples=50)
    figures = found.figures
    assert found.confusion.tolist() == [[16, 4], [4, 16]]
    assert figures["accuracy"].overall.value == pytest.approx(0.8)
    assert figures["ece"].overall.value == pytest.approx(0)
    assert figures["ece-uncalibrated"].overall.value == pytest.approx(0.2)
    # 16 of 20 score 0.8 and 4 score 0.2, mirrored in the other class: 0.64 won, 0.32 tied.
    assert figures["auroc"].by_class["one"].value == pytest.approx(0.64 + 0.32 / 2)
    assert figures["sensitivity"].by_class["one"].value == pytest.approx(0.8)
    assert figures["specificity"].by_class["one"].value == pytest.approx(0.8)
    assert figures["brier"].overall.value == pytest.approx(2 * (0.8 * 0.04 + 0.2 * 0.64))
    assert figures["dice"].overall.value == pytest.approx(0.9)
    assert (found.n_cases, found.n_groups) == (40, 4)


def test_the_same_seed_gives_the_same_intervals():
    assert (
        evaluate(predictions(), n_resamples=50).to_json() == evaluate(predictions(), n_resamples=50).to_json()
    )


def test_page_and_file_hold_the_figures_and_nothing_from_outside(tmp_path):
    given = predictions()
    found = evaluate(given, n_resamples=50)
    mask = np.zeros((16, 16), dtype=bool)
    mask[4:9, 4:9] = True
    shown = [Shown(4, np.random.default_rng(0).random((16, 16), dtype=np.float32), mask, mask)]
    page = write_evaluation(found, given, shown, ABOUT, tmp_path / "new").read_text()
    record = json.loads((tmp_path / "new/evaluation.json").read_text())
    assert record["figures"]["accuracy"]["overall"]["value"] == pytest.approx(0.8)
    assert record["guard"] == [
        {"name": "foreign & strange", "n": 10, "refused_fraction": 0.9, "low95": 0.6, "high95": 0.98}
    ]
    assert "Test &lt;model&gt;" in page
    assert "foreign &amp; strange" in page
    assert "95 % interval 0.800 to 0.800" in page
    assert "Dice nan" not in page
    assert page.count("<svg") == 3
    assert "data:image/png;base64," in page
    assert "Research use only. Not a medical device." in page
    assert 'src="http' not in page


def test_a_class_that_does_not_occur_is_told_as_null(tmp_path):
    given = predictions(labels=np.zeros(40, dtype=int))
    found = evaluate(given, n_resamples=20)
    page = write_evaluation(found, given, [], ABOUT, tmp_path).read_text()
    record = json.loads((tmp_path / "evaluation.json").read_text())
    assert record["figures"]["auroc"]["overall"]["value"] is None
    assert "undefined" in page


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="do not fit"):
        predictions(names=("one",))
    with pytest.raises(UsageError, match=r"must have shape \(40, 2\)"):
        predictions(probabilities=np.zeros((40, 3)))
