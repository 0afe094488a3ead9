"""From raw outputs to probabilities, how sure these are, and whether a picture is of the kind a model knows.

Here: fitting and applying calibrators, conformal sets and input guards, pure functions of arrays. Not here: running
models (inference), figures of merit (metrics). Read temperature.py first, then choice.py, conformal.py and guard.py.
"""

from hounsfield.calibration.beta_calibration import BETA, apply_beta, fit_beta
from hounsfield.calibration.choice import (
    CALIBRATORS,
    EXCLUSIVE_CALIBRATORS,
    IDENTITY,
    CalibratorChoice,
    calibrate_per_label,
    choose_calibrator,
)
from hounsfield.calibration.conformal import (
    ConformalInterval,
    ConformalSets,
    conformal_quantile,
    coverage_band,
    fit_conformal_interval,
    fit_conformal_labels,
    fit_conformal_sets,
    fit_sets_by_patient,
    one_case_a_group,
    strangeness,
)
from hounsfield.calibration.conformal_risk import RiskControl, fit_risk_control, missed_share
from hounsfield.calibration.guard import GUARD_METHOD, Guard, fit_guard, threshold_for
from hounsfield.calibration.isotonic import ISOTONIC, apply_isotonic, fit_isotonic
from hounsfield.calibration.one_vs_rest import (
    BETA_ONE_VS_REST,
    ISOTONIC_ONE_VS_REST,
    apply_beta_one_vs_rest,
    apply_isotonic_one_vs_rest,
    fit_beta_one_vs_rest,
    fit_isotonic_one_vs_rest,
)
from hounsfield.calibration.per_label import (
    BETA_PER_LABEL,
    ISOTONIC_PER_LABEL,
    PLATT_PER_LABEL,
    SIGMOID,
    apply_beta_per_label,
    apply_isotonic_per_label,
    apply_platt_per_label,
    fit_beta_per_label,
    fit_isotonic_per_label,
    fit_platt_per_label,
    sigmoid,
)
from hounsfield.calibration.platt import PLATT, apply_platt, fit_platt
from hounsfield.calibration.prevalence import at_priors, estimated_priors
from hounsfield.calibration.temperature import TEMPERATURE, apply_temperature, fit_temperature, softmax
from hounsfield.calibration.uncertainty import Uncertainty, risk_coverage, uncertainty_of

__all__ = [
    "BETA",
    "BETA_ONE_VS_REST",
    "BETA_PER_LABEL",
    "CALIBRATORS",
    "EXCLUSIVE_CALIBRATORS",
    "GUARD_METHOD",
    "IDENTITY",
    "ISOTONIC",
    "ISOTONIC_ONE_VS_REST",
    "ISOTONIC_PER_LABEL",
    "PLATT",
    "PLATT_PER_LABEL",
    "SIGMOID",
    "TEMPERATURE",
    "CalibratorChoice",
    "ConformalInterval",
    "ConformalSets",
    "Guard",
    "RiskControl",
    "Uncertainty",
    "apply_beta",
    "apply_beta_one_vs_rest",
    "apply_beta_per_label",
    "apply_isotonic",
    "apply_isotonic_one_vs_rest",
    "apply_isotonic_per_label",
    "apply_platt",
    "apply_platt_per_label",
    "apply_temperature",
    "at_priors",
    "calibrate_per_label",
    "choose_calibrator",
    "conformal_quantile",
    "coverage_band",
    "estimated_priors",
    "fit_beta",
    "fit_beta_one_vs_rest",
    "fit_beta_per_label",
    "fit_conformal_interval",
    "fit_conformal_labels",
    "fit_conformal_sets",
    "fit_guard",
    "fit_isotonic",
    "fit_isotonic_one_vs_rest",
    "fit_isotonic_per_label",
    "fit_platt",
    "fit_platt_per_label",
    "fit_risk_control",
    "fit_sets_by_patient",
    "fit_temperature",
    "missed_share",
    "one_case_a_group",
    "risk_coverage",
    "sigmoid",
    "softmax",
    "strangeness",
    "threshold_for",
    "uncertainty_of",
]
