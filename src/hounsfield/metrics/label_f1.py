"""F1 of the labels of reports: what a generated text says that the patient has, against what the true one says.

Labels are sets: what a labeller (CheXbert, a rule, a reader) found in a text. Source: van Rijsbergen 1979, Information
Retrieval (F measure); Sokolova and Lapalme 2009, Inf Process Manag 45:427 (micro and macro).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._weighted import percentile_interval, resampled

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from hounsfield.metrics._bootstrap import Interval


@dataclass(frozen=True, slots=True)
class LabelF1:
    """micro: F1 of all labels counted together. macro: mean of the labels' own, over those that are defined.

    per_label: by name; nan where neither side ever has the label. n_undefined: how many labels those are.
    """

    micro: Interval
    macro: Interval
    per_label: dict[str, Interval]
    n_undefined: int


def label_f1(
    truth: Sequence[Collection[str]],
    predicted: Sequence[Collection[str]],
    groups: Sequence[Any],
    *,
    labels: Sequence[str],
    rng: np.random.Generator,
    n_resamples: int = 1000,
) -> LabelF1:
    """F1 micro, macro and per label with 95 % intervals by resampling patients; all share each draw.

    truth, predicted: for each report the labels that it has. groups: the patient of each report. labels: those that are
    judged, each once. A label that neither side ever has is nan and left out of the macro mean (others count it as 0 or
    as 1). Raises RefusedInput for lengths that differ, no report, or a label that is not among `labels`.
    """
    if not truth or not len(truth) == len(predicted) == len(groups):
        raise RefusedInput(
            f"{len(truth)} true reports, {len(predicted)} predicted and {len(groups)} groups; one each is needed."
        )
    true, said = _table(truth, labels), _table(predicted, labels)
    both, sides = (true & said).astype(np.float64), true.astype(np.float64) + said

    def figures(weights: NDArray[np.float64]) -> list[float]:
        hits, total = weights @ both, weights @ sides
        own = np.divide(2 * hits, total, out=np.full(len(labels), np.nan), where=total > 0)
        defined = own[np.isfinite(own)]
        micro = 2 * hits.sum() / total.sum() if total.sum() else np.nan
        return [micro, defined.mean() if defined.size else np.nan, *own]

    values = figures(np.ones(len(truth)))
    drawn = resampled(figures, groups, rng=rng, n_resamples=n_resamples)
    micro, macro, *own = (
        percentile_interval(float(value), column) for value, column in zip(values, drawn.T, strict=True)
    )
    n_undefined = sum(not np.isfinite(interval.value) for interval in own)
    return LabelF1(micro, macro, dict(zip(labels, own, strict=True)), n_undefined)


def _table(reports: Sequence[Collection[str]], labels: Sequence[str]) -> NDArray[np.bool_]:
    place = {label: column for column, label in enumerate(labels)}
    if len(place) != len(labels):
        raise RefusedInput("a label stands twice in the list of labels.")
    table = np.zeros((len(reports), len(labels)), dtype=np.bool_)
    for row, report in enumerate(reports):
        for label in report:
            if label not in place:
                raise RefusedInput(
                    f"report {row} has the label {label!r}, which is not among the labels judged."
                )
            table[row, place[label]] = True
    return table
