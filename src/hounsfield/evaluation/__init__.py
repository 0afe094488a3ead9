"""How good a model is on data that it never saw: figures with intervals, and a page that shows them.

Each kind of answer has what reads its data, its figures and its parts of the page: labels (prediction_table.py, read
first; by_label.py), classes that exclude each other and models (model_evaluation.py, model_run.py), outlines
(mask_files.py, by_structure.py), detections (detection.py), continuous values (value_evaluation.py). The page is document.py. Not here: single figures of merit (metrics), what is
fitted on data (calibration, training).
"""

from hounsfield.evaluation.by_label import Comparison, LabelFigures, TableEvaluation, evaluate_table
from hounsfield.evaluation.by_structure import MaskEvaluation, StructureFigures, evaluate_masks
from hounsfield.evaluation.case_pictures import picture_of_file
from hounsfield.evaluation.case_table import groups_of, patients_of
from hounsfield.evaluation.class_figures import Evaluation, Measured, Predictions, evaluate
from hounsfield.evaluation.class_table import ClassTable, read_class_table
from hounsfield.evaluation.detection import (
    DetectionEvaluation,
    Detections,
    evaluate_detections,
    read_detections,
)
from hounsfield.evaluation.detection_sections import detection_record, write_detection_evaluation
from hounsfield.evaluation.document import cell, write_document
from hounsfield.evaluation.label_sections import table_record, write_table_evaluation
from hounsfield.evaluation.label_statistics import Use
from hounsfield.evaluation.locked_thresholds import (
    ThresholdRule,
    choose_thresholds,
    read_thresholds,
    thresholds_for,
    thresholds_record,
    write_thresholds,
)
from hounsfield.evaluation.mask_files import (
    PairedMasks,
    judge_masks,
    pair_masks,
    read_masks,
    read_pair,
    volume_of,
)
from hounsfield.evaluation.mask_sections import Volumes, mask_record, write_mask_evaluation
from hounsfield.evaluation.model_evaluation import (
    OUTLINE,
    About,
    AsLabels,
    Foreign,
    Guarded,
    ModelEvaluation,
    Outlines,
    evaluate_model,
    model_record,
    one_against_others,
    write_model_evaluation,
)
from hounsfield.evaluation.model_run import TOLERANCE_PX, ModelRun, check_classes, open_labelled, run_model
from hounsfield.evaluation.overlaps import Overlap, Scale, overlap_of
from hounsfield.evaluation.prediction_table import (
    PATIENT_COLUMNS,
    Columns,
    PredictionTable,
    read_prediction_table,
    read_probabilities,
)
from hounsfield.evaluation.value_evaluation import (
    ValueEvaluation,
    ValueTable,
    evaluate_values,
    read_value_table,
)
from hounsfield.evaluation.value_sections import value_record, write_value_evaluation

__all__ = [
    "OUTLINE",
    "PATIENT_COLUMNS",
    "TOLERANCE_PX",
    "About",
    "AsLabels",
    "ClassTable",
    "Columns",
    "Comparison",
    "DetectionEvaluation",
    "Detections",
    "Evaluation",
    "Foreign",
    "Guarded",
    "LabelFigures",
    "MaskEvaluation",
    "Measured",
    "ModelEvaluation",
    "ModelRun",
    "Outlines",
    "Overlap",
    "PairedMasks",
    "PredictionTable",
    "Predictions",
    "Scale",
    "StructureFigures",
    "TableEvaluation",
    "ThresholdRule",
    "Use",
    "ValueEvaluation",
    "ValueTable",
    "Volumes",
    "cell",
    "check_classes",
    "choose_thresholds",
    "detection_record",
    "evaluate",
    "evaluate_detections",
    "evaluate_masks",
    "evaluate_model",
    "evaluate_table",
    "evaluate_values",
    "groups_of",
    "judge_masks",
    "mask_record",
    "model_record",
    "one_against_others",
    "open_labelled",
    "overlap_of",
    "pair_masks",
    "patients_of",
    "picture_of_file",
    "read_class_table",
    "read_detections",
    "read_masks",
    "read_pair",
    "read_prediction_table",
    "read_probabilities",
    "read_thresholds",
    "read_value_table",
    "run_model",
    "table_record",
    "thresholds_for",
    "thresholds_record",
    "value_record",
    "volume_of",
    "write_detection_evaluation",
    "write_document",
    "write_mask_evaluation",
    "write_model_evaluation",
    "write_table_evaluation",
    "write_thresholds",
    "write_value_evaluation",
]
