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
from hounsfield.metrics.bleu import BleuCounts, bleu_counts
from hounsfield.metrics.boxes import (
    box_centre_distance_mm,
    box_giou,
    box_iou,
    box_sizes,
    boxes_of_masks,
    mask_iou,
    share_inside,
)
from hounsfield.metrics.brier import brier
from hounsfield.metrics.calibration_error import BrierParts, CalibrationError, brier_parts, calibration_error
from hounsfield.metrics.calibration_line import CalibrationLine, calibration_line
from hounsfield.metrics.concordance import Concordance, harrell_c, uno_c
from hounsfield.metrics.conformal_betting import (
    betting_log10,
    calibration_places,
    category_ranks,
    number_ranks,
)
from hounsfield.metrics.confusion_matrix import (
    ConfusionMatrix,
    LabelDecisions,
    confusion_matrix,
    label_decisions,
)
from hounsfield.metrics.decision_curve import net_benefit
from hounsfield.metrics.decisions import DecisionCounts, count_decisions
from hounsfield.metrics.delong import AurocCovariance, Difference, delong, placements
from hounsfield.metrics.detection import (
    COCO_OVERLAPS,
    Boxes,
    DetectionFigures,
    detection_average_precision,
    match_boxes,
    mean_average_precision,
)
from hounsfield.metrics.dice import dice
from hounsfield.metrics.entity_overlap import Overlap, entity_overlap, exact_overlap, partial_overlap
from hounsfield.metrics.expected_calibration_error import (
    CalibrationBin,
    calibration_bins,
    calibration_error_if_perfect,
    expected_calibration_error,
)
from hounsfield.metrics.fewest_cases import why_withheld
from hounsfield.metrics.frechet import FrechetAtInfinity, frechet_distance, frechet_infinity, kernel_distance
from hounsfield.metrics.free_response import FreeResponse, free_response_interval
from hounsfield.metrics.froc import SEVEN_RATES, FrocCurve, Marks, Matched, cpm_interval, match_centres
from hounsfield.metrics.froc_intervals import froc_sensitivity_intervals
from hounsfield.metrics.image_similarity import ms_ssim, nrmse, psnr, ssim, ssim_map
from hounsfield.metrics.intraclass_correlation import IntraclassCorrelation, intraclass_correlation
from hounsfield.metrics.kappa import cohen_kappa, fleiss_kappa, krippendorff_alpha
from hounsfield.metrics.label_f1 import LabelF1, label_f1
from hounsfield.metrics.label_maps import ClassAgreement, compare_label_maps
from hounsfield.metrics.lesion_overlap import LesionOverlap, match_by_overlap
from hounsfield.metrics.limits_of_agreement import (
    Agreement,
    Repeatability,
    limits_of_agreement,
    limits_of_repeated_agreement,
    proportional_bias,
    repeatability,
)
from hounsfield.metrics.localisation import centre_distance_mm, pointing_distance_mm, pointing_game
from hounsfield.metrics.map_localisation import (
    BOX_LEVELS,
    Box,
    box_of_mask,
    boxes_of_map,
    iobb,
    iou,
    points_at,
    share_of_map_inside,
)
from hounsfield.metrics.measured_values import (
    MeasurementErrors,
    concordance,
    measurement_errors,
    pearson,
    spearman,
)
from hounsfield.metrics.multiplicity import holm
from hounsfield.metrics.observed_expected import observed_to_expected
from hounsfield.metrics.obuchowski_rockette import ReaderStudy, delong_study, jackknife_study, reader_study
from hounsfield.metrics.ppv_npv import PredictiveValues, at_prevalence, predictive_values
from hounsfield.metrics.report_words import report_words
from hounsfield.metrics.rouge import Rouge, rouge_intervals, rouge_l, rouge_n
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
from hounsfield.metrics.segmentation_overlap import OverlapCounts, count_overlap
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
from hounsfield.metrics.survival import FollowUp, KaplanMeier, LogRank, kaplan_meier, log_rank
from hounsfield.metrics.survival_prediction import (
    SurvivalBin,
    auroc_at,
    integrated_brier,
    survival_brier,
    survival_brier_intervals,
    survival_calibration,
)
from hounsfield.metrics.task_change import TaskChange, task_change
from hounsfield.metrics.volume_error import VolumeError, volume_error
from hounsfield.metrics.voxel_distances import VoxelDistances, mahalanobis_distance, voxel_distances
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
    "BOX_LEVELS",
    "COCO_OVERLAPS",
    "SEVEN_RATES",
    "Agreement",
    "AurocCovariance",
    "BleuCounts",
    "Box",
    "Boxes",
    "BrierParts",
    "CalibrationBin",
    "CalibrationError",
    "CalibrationLine",
    "CasesNeeded",
    "ClassAgreement",
    "Concordance",
    "ConfusionMatrix",
    "DecisionCounts",
    "DetectionFigures",
    "Difference",
    "FollowUp",
    "FrechetAtInfinity",
    "FreeResponse",
    "FrocCurve",
    "Interval",
    "IntraclassCorrelation",
    "KaplanMeier",
    "LabelDecisions",
    "LabelF1",
    "LesionOverlap",
    "LogRank",
    "Marks",
    "Matched",
    "MeasurementErrors",
    "Metric",
    "OutlineDefinition",
    "Overlap",
    "OverlapCounts",
    "PredictiveValues",
    "ReaderStudy",
    "Repeatability",
    "Rouge",
    "SortedScore",
    "SurfaceDistances",
    "SurvivalBin",
    "TaskChange",
    "VolumeError",
    "VoxelDistances",
    "WindowTest",
    "Windows",
    "at_prevalence",
    "auroc",
    "auroc_at",
    "auroc_cases",
    "auroc_comparison_cases",
    "auroc_resamples",
    "auroc_standard_error",
    "auroc_test",
    "average_precision",
    "betting_log10",
    "bleu_counts",
    "box_centre_distance_mm",
    "box_giou",
    "box_iou",
    "box_of_mask",
    "box_sizes",
    "boxes_of_map",
    "boxes_of_masks",
    "brier",
    "brier_parts",
    "brier_several",
    "calibration_bins",
    "calibration_error",
    "calibration_error_if_perfect",
    "calibration_line",
    "calibration_places",
    "calibration_slope_cases",
    "calibration_tests",
    "category_ranks",
    "category_test",
    "centre_distance_mm",
    "classwise_calibration_error",
    "cluster_bootstrap",
    "cohen_kappa",
    "compare_label_maps",
    "concordance",
    "confusion_matrix",
    "count_decisions",
    "count_overlap",
    "cpm_interval",
    "delong",
    "delong_study",
    "detection_average_precision",
    "dice",
    "distribution_test",
    "enrolled",
    "entity_overlap",
    "exact_overlap",
    "expected_calibration_error",
    "fleiss_kappa",
    "frechet_distance",
    "frechet_infinity",
    "free_response_interval",
    "froc_sensitivity_intervals",
    "hand_till_auroc",
    "harrell_c",
    "holm",
    "integrated_brier",
    "intraclass_correlation",
    "iobb",
    "iou",
    "jackknife_study",
    "kaplan_meier",
    "kernel_distance",
    "krippendorff_alpha",
    "label_decisions",
    "label_f1",
    "limits_of_agreement",
    "limits_of_repeated_agreement",
    "log_loss",
    "log_rank",
    "mahalanobis_distance",
    "mask_iou",
    "match_boxes",
    "match_by_overlap",
    "match_centres",
    "mean_average_precision",
    "mean_test",
    "measurement_errors",
    "metric",
    "metrics",
    "ms_ssim",
    "net_benefit",
    "nrmse",
    "number_ranks",
    "observed_expected_cases",
    "observed_to_expected",
    "one_vs_rest_auroc",
    "partial_overlap",
    "pearson",
    "percentile_interval",
    "placements",
    "pointing_distance_mm",
    "pointing_game",
    "points_at",
    "precision_recall_curve",
    "predictive_values",
    "proportion_cases",
    "proportion_cases_against",
    "proportional_bias",
    "psnr",
    "reader_study",
    "reader_study_power",
    "repeatability",
    "report_words",
    "resampled",
    "roc_curve",
    "rouge_intervals",
    "rouge_l",
    "rouge_n",
    "sensitivity",
    "share_inside",
    "share_of_map_inside",
    "sort_score",
    "spearman",
    "specificity",
    "ssim",
    "ssim_map",
    "surface_distances",
    "survival_brier",
    "survival_brier_intervals",
    "survival_calibration",
    "task_change",
    "top_k_accuracy",
    "top_label_calibration_error",
    "uno_c",
    "vector_test",
    "volume_error",
    "voxel_distances",
    "wafroc",
    "why_withheld",
    "wilson_interval",
]
