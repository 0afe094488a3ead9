"""Figures of merit: pure functions of arrays, one file a metric, and intervals clustered by group.

Here: how good a prediction is, compared with the truth. Not here: what a lesion measures (measures),
pages (evaluation). Read auroc.py first. `metrics` lists all by name.
"""

from hounsfield.metrics._bootstrap import Interval, cluster_bootstrap
from hounsfield.metrics._registry import Metric, metric, metrics
from hounsfield.metrics.auroc import auroc, roc_curve
from hounsfield.metrics.brier import brier
from hounsfield.metrics.dice import dice
from hounsfield.metrics.expected_calibration_error import (
    CalibrationBin,
    calibration_bins,
    calibration_error_if_perfect,
    expected_calibration_error,
)
from hounsfield.metrics.ppv_npv import PredictiveValues, at_prevalence, predictive_values
from hounsfield.metrics.sensitivity import sensitivity
from hounsfield.metrics.specificity import specificity
from hounsfield.metrics.wilson import wilson_interval

__all__ = [
    "CalibrationBin",
    "Interval",
    "Metric",
    "PredictiveValues",
    "at_prevalence",
    "auroc",
    "brier",
    "calibration_bins",
    "calibration_error_if_perfect",
    "cluster_bootstrap",
    "dice",
    "expected_calibration_error",
    "metric",
    "metrics",
    "predictive_values",
    "roc_curve",
    "sensitivity",
    "specificity",
    "wilson_interval",
]
