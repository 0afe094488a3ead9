"""Classes that exclude each other as parts of the page: figures over all classes, confusion, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.evaluation.charts import calibration_chart
from hounsfield.evaluation.document import Chart, FigureTable, Section, cell

if TYPE_CHECKING:
    from hounsfield.evaluation.class_figures import Evaluation

OVERALL = {
    "auroc": "AUROC, one class against the others, mean over classes",
    "accuracy": "accuracy: share of cases whose most likely class is the true one",
    "kappa": "Cohen's kappa: agreement beyond chance",
    "brier": "Brier score, all classes summed",
    "ece": "expected calibration error of the most likely class",
    "ece-uncalibrated": "the same before calibration",
    "dice": "Dice overlap of the outline with the reference, mean over cases",
}
CLASS_METHODS = (
    "The classes exclude each other: the most likely one is the answer, compared with the true one as accuracy and Cohen's "
    "kappa (1960); recall and precision are of that answer. Areas and calibration of a class take it against all others; "
    "the expected calibration error over all classes is that of the most likely class in ten bins of equal width."
)


def class_section(evaluation: Evaluation) -> Section:
    """Figures over all classes, the confusion matrix with recall and precision, and the calibration of the answer."""
    rows = [
        (text, cell(item.overall))
        for name, text in OVERALL.items()
        if (item := evaluation.figures.get(name)) is not None and item.overall is not None
    ]
    overall = FigureTable("Figures over all classes, with 95 % intervals.", ("figure", "value"), tuple(rows))
    perfect = evaluation.calibration["error_if_perfect"]
    low, high = perfect["ci95"]
    chart = Chart(
        calibration_chart(evaluation.calibration["bins"]),
        f"Calibration: {evaluation.calibration['kind']}; numbers are cases. A perfectly calibrated model would reach an "
        f"error of {perfect['value']:.3f} on so few by chance alone ({low:.3f} to {high:.3f}).",
    )
    return Section("All classes together", tables=(overall, _confusion(evaluation)), charts=(chart,))


def _confusion(evaluation: Evaluation) -> FigureTable:
    recall, precision = (evaluation.figures[name].by_class for name in ("recall", "precision"))
    rows = [
        (name, *(f"{count:,}" for count in evaluation.confusion[k].tolist()), cell(recall[name]))
        for k, name in enumerate(evaluation.classes)
    ]
    foot = ("precision", *(cell(precision[name]) for name in evaluation.classes), "")
    return FigureTable(
        "Confusion matrix: truth in rows, most likely class in columns; recall of each class at the end of its row, "
        "precision at the foot of its column.",
        ("truth", *(f"read as {name}" for name in evaluation.classes), "recall"),
        tuple(rows),
        foot=(foot,),
    )
