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
from hounsfield.metrics.class_agreement import (
    ConfusionFigures,
    confusion_figures,
    confusion_matrix,
    fleiss_kappa,
    krippendorff_alpha,
)
from hounsfield.metrics.class_probabilities import (
    class_auroc,
    class_brier,
    class_log_loss,
    classwise_calibration_error,
    exact_match,
    hamming_loss,
    pairwise_auroc,
    top_k_accuracy,
)
from hounsfield.metrics.concordance import Concordance, harrell_c, uno_c
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
from hounsfield.metrics.frechet import FrechetAtInfinity, frechet_distance, frechet_infinity, kernel_distance
from hounsfield.metrics.free_response import FreeResponse, free_response_interval
from hounsfield.metrics.froc import SEVEN_RATES, FrocCurve, Marks, Matched, cpm_interval, match_centres
from hounsfield.metrics.froc_intervals import froc_sensitivity_intervals
from hounsfield.metrics.image_similarity import ms_ssim, nrmse, psnr, ssim, ssim_map
from hounsfield.metrics.label_f1 import LabelF1, label_f1
from hounsfield.metrics.label_maps import ClassAgreement, compare_label_maps
from hounsfield.metrics.lesion_overlap import LesionOverlap, match_by_overlap
from hounsfield.metrics.localisation import centre_distance_mm, pointing_distance_mm, pointing_game
from hounsfield.metrics.measurement_agreement import (
    LimitsOfAgreement,
    bland_altman,
    concordance_correlation,
    correlation,
    intraclass_correlation,
    mean_absolute_error,
    repeatability_coefficient,
    root_mean_square_error,
)
from hounsfield.metrics.multiplicity import holm
from hounsfield.metrics.obuchowski_rockette import ReaderStudy, delong_study, jackknife_study, reader_study
from hounsfield.metrics.ppv_npv import PredictiveValues, at_prevalence, predictive_values
from hounsfield.metrics.report_words import report_words
from hounsfield.metrics.rouge import Rouge, rouge_intervals, rouge_l, rouge_n
from hounsfield.metrics.sample_size import (
    CasesNeeded,
    ReaderComponents,
    auroc_variance,
    cases_against_bound,
    cases_for_accuracy,
    cases_for_auroc,
    cases_for_auroc_difference,
    cases_for_observed_to_expected,
    cases_for_proportion,
    design_effect,
    reader_study_power,
)
from hounsfield.metrics.segmentation_overlap import OverlapCounts, count_overlap
from hounsfield.metrics.sensitivity import sensitivity
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

__all__ = [
    "COCO_OVERLAPS",
    "SEVEN_RATES",
    "AurocCovariance",
    "BleuCounts",
    "Boxes",
    "BrierParts",
    "CalibrationBin",
    "CalibrationError",
    "CalibrationLine",
    "CasesNeeded",
    "ClassAgreement",
    "Concordance",
    "ConfusionFigures",
    "DecisionCounts",
    "DetectionFigures",
    "Difference",
    "FollowUp",
    "FrechetAtInfinity",
    "FreeResponse",
    "FrocCurve",
    "Interval",
    "KaplanMeier",
    "LabelF1",
    "LesionOverlap",
    "LimitsOfAgreement",
    "LogRank",
    "Marks",
    "Matched",
    "Metric",
    "OutlineDefinition",
    "Overlap",
    "OverlapCounts",
    "PredictiveValues",
    "ReaderComponents",
    "ReaderStudy",
    "Rouge",
    "SortedScore",
    "SurfaceDistances",
    "SurvivalBin",
    "TaskChange",
    "VolumeError",
    "VoxelDistances",
    "at_prevalence",
    "auroc",
    "auroc_at",
    "auroc_resamples",
    "auroc_variance",
    "average_precision",
    "bland_altman",
    "bleu_counts",
    "box_centre_distance_mm",
    "box_giou",
    "box_iou",
    "box_sizes",
    "boxes_of_masks",
    "brier",
    "brier_parts",
    "calibration_bins",
    "calibration_error",
    "calibration_error_if_perfect",
    "calibration_line",
    "cases_against_bound",
    "cases_for_accuracy",
    "cases_for_auroc",
    "cases_for_auroc_difference",
    "cases_for_observed_to_expected",
    "cases_for_proportion",
    "centre_distance_mm",
    "class_auroc",
    "class_brier",
    "class_log_loss",
    "classwise_calibration_error",
    "cluster_bootstrap",
    "compare_label_maps",
    "concordance_correlation",
    "confusion_figures",
    "confusion_matrix",
    "correlation",
    "count_decisions",
    "count_overlap",
    "cpm_interval",
    "delong",
    "delong_study",
    "design_effect",
    "detection_average_precision",
    "dice",
    "entity_overlap",
    "exact_match",
    "exact_overlap",
    "expected_calibration_error",
    "fleiss_kappa",
    "frechet_distance",
    "frechet_infinity",
    "free_response_interval",
    "froc_sensitivity_intervals",
    "hamming_loss",
    "harrell_c",
    "holm",
    "integrated_brier",
    "intraclass_correlation",
    "jackknife_study",
    "kaplan_meier",
    "kernel_distance",
    "krippendorff_alpha",
    "label_f1",
    "log_rank",
    "mahalanobis_distance",
    "mask_iou",
    "match_boxes",
    "match_by_overlap",
    "match_centres",
    "mean_absolute_error",
    "mean_average_precision",
    "metric",
    "metrics",
    "ms_ssim",
    "net_benefit",
    "nrmse",
    "pairwise_auroc",
    "partial_overlap",
    "percentile_interval",
    "placements",
    "pointing_distance_mm",
    "pointing_game",
    "precision_recall_curve",
    "predictive_values",
    "psnr",
    "reader_study",
    "reader_study_power",
    "repeatability_coefficient",
    "report_words",
    "resampled",
    "roc_curve",
    "root_mean_square_error",
    "rouge_intervals",
    "rouge_l",
    "rouge_n",
    "sensitivity",
    "share_inside",
    "sort_score",
    "specificity",
    "ssim",
    "ssim_map",
    "surface_distances",
    "survival_brier",
    "survival_brier_intervals",
    "survival_calibration",
    "task_change",
    "top_k_accuracy",
    "uno_c",
    "volume_error",
    "voxel_distances",
    "wafroc",
    "wilson_interval",
]
