"""The evaluation as a file for programs (JSON) and one page for people (HTML, self-contained)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from hounsfield.core import RESEARCH_USE
from hounsfield.evaluation.charts import calibration_chart, histogram, outlined_picture, roc_chart
from hounsfield.metrics import Interval, auroc, roc_curve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from hounsfield.evaluation.figures import Evaluation, Predictions

_EXPLAINED = {
    "auroc": "Area under the ROC curve, one class against the others; macro mean",
    "accuracy": "Share of slices whose most likely class is the true one",
    "sensitivity": "Sensitivity at the class's locked threshold",
    "specificity": "Specificity at the class's locked threshold",
    "dice": "Dice overlap of the outline with the reference, mean over slices",
    "ece": "Expected calibration error after calibration",
    "ece-uncalibrated": "Expected calibration error before calibration",
    "brier": "Brier score (all classes summed; one class against the others)",
}


@dataclass(frozen=True, slots=True)
class About:
    """The page's words: title, version, the paragraph on methods, and what the guard refused.

    guard: (name, n, refused share, lower and upper limit of its 95 % interval) of each set of pictures.
    """

    title: str
    version: str
    methods: str
    guard: tuple[tuple[str, int, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A case to show: its index in the predictions, picture (s, s) in [0, 1], true and found mask."""

    index: int
    picture: NDArray[np.float32]
    truth: NDArray[np.bool_]
    found: NDArray[np.bool_]


def write_evaluation(
    evaluation: Evaluation,
    predictions: Predictions,
    shown: Sequence[Shown],
    about: About,
    folder: Path,
) -> Path:
    """Write `evaluation.json` and `evaluation.html` into `folder`; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "notice": RESEARCH_USE,
        "title": about.title,
        "version": about.version,
        "methods": about.methods,
        **evaluation.to_json(),
        "guard": [
            {"name": name, "n": n, "refused_fraction": share, "low95": low, "high95": high}
            for name, n, share, low, high in about.guard
        ],
    }
    text = json.dumps(record, indent=2, allow_nan=False) + "\n"
    (folder / "evaluation.json").write_text(text, encoding="utf-8")
    page = folder / "evaluation.html"
    page.write_text(_render(evaluation, predictions, shown, about), encoding="utf-8")
    return page


def _render(evaluation: Evaluation, predictions: Predictions, shown: Sequence[Shown], about: About) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("hounsfield.evaluation", "templates"), autoescape=True, undefined=StrictUndefined
    )
    classes = evaluation.classes
    curves = {}
    for index, name in enumerate(classes):
        truth, score = predictions.labels == index, predictions.probabilities[:, index]
        if truth.any() and not truth.all():
            false_alarms, sensitivity, _ = roc_curve(truth, score)
            curves[f"{name} {auroc(truth, score):.3f}"] = (false_alarms, sensitivity)
    return environment.get_template("evaluation.html").render(
        about=about,
        evaluation=evaluation,
        notice=RESEARCH_USE,
        rows=[
            (_EXPLAINED[name], _cell(item.overall), [_cell(item.by_class.get(own)) for own in classes])
            for name, item in evaluation.figures.items()
        ],
        roc=roc_chart(curves),
        perfect=evaluation.calibration["error_if_perfect"],
        calibration=calibration_chart(evaluation.calibration["bins"]),
        overlap=histogram(predictions.dice, "Dice") if predictions.dice is not None else None,
        cases=[_case(predictions, item) for item in shown],
    )


def _cell(interval: Interval | None) -> str:
    if interval is None:
        return ""
    if not isfinite(interval.value):
        return "undefined"
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _case(predictions: Predictions, item: Shown) -> dict[str, str]:
    said = predictions.probabilities[item.index]
    leading = int(said.argmax())
    measured = predictions.dice is not None and isfinite(predictions.dice[item.index])
    overlap = (
        f"Dice {predictions.dice[item.index]:.2f}; " if measured and predictions.dice is not None else ""
    )
    return {
        "source": outlined_picture(item.picture, item.truth, item.found),
        "text": (
            f"{overlap}{predictions.classes[int(predictions.labels[item.index])]}, "
            f"read as {predictions.classes[leading]} ({said[leading]:.2f})"
        ),
    }
