"""Figures of merit: pure functions of arrays, one file a metric, and intervals clustered by group.

Here: how good a prediction is, compared with the truth. Not here: what a lesion measures (measures),
pages (evaluation). Read auroc.py first. `metrics` lists all by name.
"""

from hounsfield.metrics._bootstrap import Interval, cluster_bootstrap
from hounsfield.metrics._registry import Metric, metric, metrics
from hounsfield.metrics._surface_places import OutlineDefinition
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
from hounsfield.metrics.label_maps import ClassAgreement, compare_label_maps
from hounsfield.metrics.lesion_overlap import LesionOverlap, match_by_overlap
from hounsfield.metrics.multiplicity import holm
from hounsfield.metrics.obuchowski_rockette import ReaderStudy, delong_study, jackknife_study, reader_study
from hounsfield.metrics.ppv_npv import PredictiveValues, at_prevalence, predictive_values
from hounsfield.metrics.segmentation_overlap import OverlapCounts, count_overlap
from hounsfield.metrics.sensitivity import sensitivity
from hounsfield.metrics.specificity import specificity
from hounsfield.metrics.surface import SurfaceDistances, surface_distances
from hounsfield.metrics.volume_error import VolumeError, volume_error
from hounsfield.metrics.voxel_distances import VoxelDistances, mahalanobis_distance, voxel_distances
from hounsfield.metrics.wafroc import wafroc
from hounsfield.metrics.wilson import wilson_interval

__all__ = [
    "SEVEN_RATES",
    "AurocCovariance",
    "CalibrationBin",
    "CalibrationLine",
    "ClassAgreement",
    "DecisionCounts",
    "Difference",
    "FrocCurve",
    "Interval",
    "LesionOverlap",
    "Marks",
    "Matched",
    "Metric",
    "OutlineDefinition",
    "OverlapCounts",
    "PredictiveValues",
    "ReaderStudy",
    "SortedScore",
    "SurfaceDistances",
    "VolumeError",
    "VoxelDistances",
    "at_prevalence",
    "auroc",
    "auroc_resamples",
    "average_precision",
    "brier",
    "calibration_bins",
    "calibration_error_if_perfect",
    "calibration_line",
    "cluster_bootstrap",
    "compare_label_maps",
    "count_decisions",
    "count_overlap",
    "cpm_interval",
    "delong",
    "delong_study",
    "dice",
    "expected_calibration_error",
    "holm",
    "jackknife_study",
    "mahalanobis_distance",
    "match_by_overlap",
    "match_centres",
    "metric",
    "metrics",
    "net_benefit",
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
    "volume_error",
    "voxel_distances",
    "wafroc",
    "wilson_interval",
]
