"""How good a model is on data that it never saw: figures with intervals, and a page that shows them.

Here: `evaluate` (figures.py, read first), and `write_evaluation` (page.py: JSON and HTML). Not here:
single figures of merit (metrics), what is fitted on data (calibration, training).
"""

from hounsfield.evaluation.figures import Evaluation, Measured, Predictions, evaluate
from hounsfield.evaluation.page import About, Shown, write_evaluation

__all__ = ["About", "Evaluation", "Measured", "Predictions", "Shown", "evaluate", "write_evaluation"]
