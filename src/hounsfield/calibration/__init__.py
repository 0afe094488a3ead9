"""From raw outputs to probabilities, and whether a picture is of the kind a model knows.

Here: fitting and applying calibrators and input guards, pure functions of arrays. Not here: running
models (inference), figures of merit (metrics). Read temperature.py first, then choice.py and guard.py.
"""

from hounsfield.calibration.choice import (
    CALIBRATORS,
    IDENTITY,
    CalibratorChoice,
    calibrate_per_label,
    choose_calibrator,
)
from hounsfield.calibration.guard import GUARD_METHOD, Guard, fit_guard, threshold_for
from hounsfield.calibration.per_label import (
    PLATT_PER_LABEL,
    SIGMOID,
    apply_platt_per_label,
    fit_platt_per_label,
    sigmoid,
)
from hounsfield.calibration.temperature import (
    TEMPERATURE,
    apply_temperature,
    fit_temperature,
    softmax,
)

__all__ = [
    "CALIBRATORS",
    "GUARD_METHOD",
    "IDENTITY",
    "PLATT_PER_LABEL",
    "SIGMOID",
    "TEMPERATURE",
    "CalibratorChoice",
    "Guard",
    "apply_platt_per_label",
    "apply_temperature",
    "calibrate_per_label",
    "choose_calibrator",
    "fit_guard",
    "fit_platt_per_label",
    "fit_temperature",
    "sigmoid",
    "softmax",
    "threshold_for",
]
