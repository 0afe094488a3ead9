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
from hounsfield.metrics.conformal_betting import (
    betting_log10,
    calibration_places,
    category_ranks,
    number_ranks,
)
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
from hounsfield.metrics.multiplicity import holm
from hounsfield.metrics.observed_expected import observed_to_expected
from hounsfield.metrics.obuchowski_rockette import ReaderStudy, delong_study, jackknife_study, reader_study
from hounsfield.metrics.ppv_npv import PredictiveValues, at_prevalence, predictive_values
from hounsfield.metrics.sensitivity import sensitivity
from hounsfield.metrics.specificity import specificity
from hounsfield.metrics.surface import SurfaceDistances, surface_distances
from hounsfield.metrics.wafroc import wafroc
from hounsfield.metrics.wilson import wilson_interval
from hounsfield.metrics.window_tests import (
    Windows,
    WindowTest,
    auroc_test,
    calibration_tests,
    category_test,
    distribution_test,
    mean_test,
    vector_test,
)

__all__ = [
    "SEVEN_RATES",
    "AurocCovariance",
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
    "WindowTest",
    "Windows",
    "at_prevalence",
    "auroc",
    "auroc_resamples",
    "auroc_test",
    "average_precision",
    "betting_log10",
    "brier",
    "calibration_bins",
    "calibration_error_if_perfect",
    "calibration_line",
    "calibration_places",
    "calibration_tests",
    "category_ranks",
    "category_test",
    "cluster_bootstrap",
    "count_decisions",
    "cpm_interval",
    "delong",
    "delong_study",
    "dice",
    "distribution_test",
    "expected_calibration_error",
    "holm",
    "jackknife_study",
    "match_centres",
    "mean_test",
    "metric",
    "metrics",
    "net_benefit",
    "number_ranks",
    "observed_to_expected",
    "percentile_interval",
    "placements",
    "precision_recall_curve",
    "predictive_values",
    "reader_study",
    "resampled",
    "roc_curve",
    "sensitivity",
    "sort_score",
    "specificity",
    "surface_distances",
    "vector_test",
    "wafroc",
    "wilson_interval",
]
