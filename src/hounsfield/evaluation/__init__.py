"""How good a model is on data that it never saw: figures with intervals, and a page that shows them.

Here, for tables of predictions of any model: prediction_table.py (read first), by_label.py (figures), label_page.py
(JSON and HTML). For models that are trained here: `evaluate` (figures.py) and `write_evaluation` (page.py). Not here:
single figures of merit (metrics), what is fitted on data (calibration, training).
"""

from hounsfield.evaluation.by_label import Comparison, LabelFigures, TableEvaluation, evaluate_table
from hounsfield.evaluation.figures import Evaluation, Measured, Predictions, evaluate
from hounsfield.evaluation.label_page import cell, table_record, write_table_evaluation
from hounsfield.evaluation.page import About, Shown, write_evaluation
from hounsfield.evaluation.prediction_table import (
    Columns,
    PredictionTable,
    read_prediction_table,
    read_probabilities,
)

__all__ = [
    "About",
    "Columns",
    "Comparison",
    "Evaluation",
    "LabelFigures",
    "Measured",
    "PredictionTable",
    "Predictions",
    "Shown",
    "TableEvaluation",
    "cell",
    "evaluate",
    "evaluate_table",
    "read_prediction_table",
    "read_probabilities",
    "table_record",
    "write_evaluation",
    "write_table_evaluation",
]
