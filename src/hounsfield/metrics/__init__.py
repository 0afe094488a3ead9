"""Figures of merit: pure functions of arrays, one file a metric, and intervals clustered by group.

Here: how good a prediction is, compared with the truth. Not here: what a lesion measures (measures),
pages (evaluation). Read auroc.py first. `metrics` lists all by name.
"""

from hounsfield.metrics._bootstrap import Interval, cluster_bootstrap
from hounsfield.metrics._registry import Metric, metric, metrics
from hounsfield.metrics._weighted import (
    SortedScore,
    auroc_resamples,
    percentile_interval,
    resampled,
    sort_score,
)
from hounsfield.metrics.auroc import auroc, roc_curve
from hounsfield.metrics.average_precision import average_precision, precision_recall_curve
from hounsfield.metrics.brier import brier
from hounsfield.metrics.calibration_line import CalibrationLine, calibration_line
from hounsfield.metrics.decision_curve import net_benefit
from hounsfield.metrics.decisions import DecisionCounts, count_decisions
from hounsfield.metrics.delong import AurocCovariance, Difference, delong, placements
from hounsfield.metrics.dice import dice
from hounsfield.metrics.expected_calibration_error import (
    CalibrationBin,
    calibration_bins,
    calibration_error_if_perfect,
    expected_calibration_error,
)
from hounsfield.metrics.froc import SEVEN_RATES, FrocCurve, Marks, Matched, cpm_interval, match_centres
from hounsfield.metrics.localisation import (
    BOX_LEVELS,
    Box,
    box_of_mask,
    boxes_of_map,
    iobb,
    iou,
    points_at,
    share_inside,
)
from hounsfield.metrics.multiplicity import holm
from hounsfield.metrics.obuchowski_rockette import ReaderStudy, delong_study, jackknife_study, reader_study
from hounsfield.metrics.ppv_npv import PredictiveValues, at_prevalence, predictive_values
from hounsfield.metrics.sensitivity import sensitivity
from hounsfield.metrics.specificity import specificity
from hounsfield.metrics.surface import SurfaceDistances, surface_distances
from hounsfield.metrics.wafroc import wafroc
from hounsfield.metrics.wilson import wilson_interval

__all__ = [
    "BOX_LEVELS",
    "SEVEN_RATES",
    "AurocCovariance",
    "Box",
    "CalibrationBin",
    "CalibrationLine",
    "DecisionCounts",
    "Difference",
    "FrocCurve",
    "Interval",
    "Marks",
    "Matched",
    "Metric",
    "PredictiveValues",
    "ReaderStudy",
    "SortedScore",
    "SurfaceDistances",
    "at_prevalence",
    "auroc",
    "auroc_resamples",
    "average_precision",
    "box_of_mask",
    "boxes_of_map",
    "brier",
    "calibration_bins",
    "calibration_error_if_perfect",
    "calibration_line",
    "cluster_bootstrap",
    "count_decisions",
    "cpm_interval",
    "delong",
    "delong_study",
    "dice",
    "expected_calibration_error",
    "holm",
    "iobb",
    "iou",
    "jackknife_study",
    "match_centres",
    "metric",
    "metrics",
    "net_benefit",
    "percentile_interval",
    "placements",
    "points_at",
    "precision_recall_curve",
    "predictive_values",
    "reader_study",
    "resampled",
    "roc_curve",
    "sensitivity",
    "share_inside",
    "sort_score",
    "specificity",
    "surface_distances",
    "wafroc",
    "wilson_interval",
]
