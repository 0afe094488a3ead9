"""From raw outputs to probabilities, and whether a picture is of the kind a model knows.

Here: fitting and applying calibrators and input guards, pure functions of arrays. Not here: running
models (inference), figures of merit (metrics). Read temperature.py first, then guard.py.
"""

from hounsfield.calibration.guard import GUARD_METHOD, Guard, fit_guard, threshold_for
from hounsfield.calibration.temperature import (
    TEMPERATURE,
    apply_temperature,
    fit_temperature,
    softmax,
)

__all__ = [
    "GUARD_METHOD",
    "TEMPERATURE",
    "Guard",
    "apply_temperature",
    "fit_guard",
    "fit_temperature",
    "softmax",
    "threshold_for",
]
