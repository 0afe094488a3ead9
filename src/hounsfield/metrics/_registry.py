"""The registry of metrics: a function of truth and prediction, and what its best value is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hounsfield.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

Prediction = Literal["score", "probability", "decision", "mask"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A registered metric.

    function(truth, prediction): two boolean or real arrays of one shape. predicts: what the second
    argument holds: any score (n,), probabilities (n,), decisions (n,) or a mask. best: value of a perfect
    prediction. All are ratios (unit 1); nan where the metric is undefined, and the caller counts those.
    """

    name: str
    function: Callable[..., float]
    predicts: Prediction
    best: float


# No single figure of truth and prediction: intervals, tests, curves and lines.
_BESIDES = (
    *("ppv_npv", "wilson", "delong", "decisions", "calibration_line", "decision_curve"),
    *("froc", "wafroc", "obuchowski_rockette", "multiplicity", "surface"),
    *("boxes", "detection", "free_response", "froc_intervals", "localisation", "map_localisation"),
    *("report_words", "bleu", "rouge", "label_f1", "entity_overlap"),
    *("survival", "concordance", "survival_prediction"),
    *("image_similarity", "frechet", "task_change"),
    *("label_maps", "segmentation_overlap", "voxel_distances", "lesion_overlap", "volume_error"),
    *("kappa", "confusion_matrix", "several_classes", "calibration_error", "measured_values"),
    *("limits_of_agreement", "intraclass_correlation", "sample_size", "fewest_cases"),
    *("conformal_betting", "observed_expected", "window_tests"),
)
metrics: Registry[Metric] = Registry("metric", "hounsfield.metrics", besides=_BESIDES)


def metric(name: str, *, predicts: Prediction, best: float) -> Callable[[Any], Any]:
    """Register the decorated function as the metric `name` (the name of its file)."""

    def register(function: Any) -> Any:
        metrics.add(name, Metric(name, function, predicts, best))
        return function

    return register
