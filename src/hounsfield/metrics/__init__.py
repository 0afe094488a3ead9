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
from hounsfield.metrics.calibration_error import BrierParts, CalibrationError, brier_parts, calibration_error
from hounsfield.metrics.calibration_line import CalibrationLine, calibration_line
from hounsfield.metrics.confusion_matrix import (
    ConfusionMatrix,
    LabelDecisions,
    confusion_matrix,
    label_decisions,
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
from hounsfield.metrics.fewest_cases import why_withheld
from hounsfield.metrics.froc import SEVEN_RATES, FrocCurve, Marks, Matched, cpm_interval, match_centres
from hounsfield.metrics.intraclass_correlation import IntraclassCorrelation, intraclass_correlation
from hounsfield.metrics.kappa import cohen_kappa, fleiss_kappa, krippendorff_alpha
from hounsfield.metrics.limits_of_agreement import (
    Agreement,
    Repeatability,
    limits_of_agreement,
    limits_of_repeated_agreement,
    proportional_bias,
    repeatability,
)
from hounsfield.metrics.measured_values import (
    MeasurementErrors,
    concordance,
    measurement_errors,
    pearson,
    spearman,
)
from hounsfield.metrics.multiplicity import holm
from hounsfield.metrics.obuchowski_rockette import ReaderStudy, delong_study, jackknife_study, reader_study
from hounsfield.metrics.ppv_npv import PredictiveValues, at_prevalence, predictive_values
from hounsfield.metrics.sample_size import (
    CasesNeeded,
    auroc_cases,
    auroc_comparison_cases,
    auroc_standard_error,
    calibration_slope_cases,
    enrolled,
    observed_expected_cases,
    proportion_cases,
    proportion_cases_against,
    reader_study_power,
)
from hounsfield.metrics.sensitivity import sensitivity
from hounsfield.metrics.several_classes import (
    brier_several,
    classwise_calibration_error,
    hand_till_auroc,
    log_loss,
    one_vs_rest_auroc,
    top_k_accuracy,
    top_label_calibration_error,
)
from hounsfield.metrics.specificity import specificity
from hounsfield.metrics.surface import SurfaceDistances, surface_distances
from hounsfield.metrics.wafroc import wafroc
from hounsfield.metrics.wilson import wilson_interval

__all__ = [
    "SEVEN_RATES",
    "Agreement",
    "AurocCovariance",
    "BrierParts",
    "CalibrationBin",
    "CalibrationError",
    "CalibrationLine",
    "CasesNeeded",
    "ConfusionMatrix",
    "DecisionCounts",
    "Difference",
    "FrocCurve",
    "Interval",
    "IntraclassCorrelation",
    "LabelDecisions",
    "Marks",
    "Matched",
    "MeasurementErrors",
    "Metric",
    "PredictiveValues",
    "ReaderStudy",
    "Repeatability",
    "SortedScore",
    "SurfaceDistances",
    "at_prevalence",
    "auroc",
    "auroc_cases",
    "auroc_comparison_cases",
    "auroc_resamples",
    "auroc_standard_error",
    "average_precision",
    "brier",
    "brier_parts",
    "brier_several",
    "calibration_bins",
    "calibration_error",
    "calibration_error_if_perfect",
    "calibration_line",
    "calibration_slope_cases",
    "classwise_calibration_error",
    "cluster_bootstrap",
    "cohen_kappa",
    "concordance",
    "confusion_matrix",
    "count_decisions",
    "cpm_interval",
    "delong",
    "delong_study",
    "dice",
    "enrolled",
    "expected_calibration_error",
    "fleiss_kappa",
    "hand_till_auroc",
    "holm",
    "intraclass_correlation",
    "jackknife_study",
    "krippendorff_alpha",
    "label_decisions",
    "limits_of_agreement",
    "limits_of_repeated_agreement",
    "log_loss",
    "match_centres",
    "measurement_errors",
    "metric",
    "metrics",
    "net_benefit",
    "observed_expected_cases",
    "one_vs_rest_auroc",
    "pearson",
    "percentile_interval",
    "placements",
    "precision_recall_curve",
    "predictive_values",
    "proportion_cases",
    "proportion_cases_against",
    "proportional_bias",
    "reader_study",
    "reader_study_power",
    "repeatability",
    "resampled",
    "roc_curve",
    "sensitivity",
    "sort_score",
    "spearman",
    "specificity",
    "surface_distances",
    "top_k_accuracy",
    "top_label_calibration_error",
    "wafroc",
    "why_withheld",
    "wilson_interval",
]
