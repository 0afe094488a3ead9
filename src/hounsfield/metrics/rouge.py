"""ROUGE: how much of the reference's words, pairs and order a text has; precision, recall and their harmonic mean.

Here each report is judged against one reference, as one sequence of words: ROUGE-L is the sentence-level form (one
longest common subsequence of the whole texts), not the summary-level form that parts them at line ends. No stemming.
Like BLEU it counts words and not findings. Source: Lin 2004, ACL Workshop Text Summarization Branches Out:74.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._weighted import percentile_interval, resampled
from hounsfield.metrics.bleu import runs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.metrics._bootstrap import Interval


@dataclass(frozen=True, slots=True)
class Rouge:
    """Ratios of 0 to 1. recall: of the reference; precision: of the text; f1: their harmonic mean, 0 if both are."""

    precision: float
    recall: float
    f1: float


def rouge_n(text: Sequence[str], reference: Sequence[str], *, run: int) -> Rouge:
    """Runs of so many words that both have: ROUGE-1 by run=1, ROUGE-2 by run=2.

    text, reference: lists of words (`report_words`). Where a side has no run all three are 0. Raises RefusedInput for a
    run below 1.
    """
    if run < 1:
        raise RefusedInput(f"runs of {run} words were asked for; 1 or more are needed.")
    ours, theirs = runs_of(text, run), runs_of(reference, run)
    return _rouge((ours & theirs).total(), ours.total(), theirs.total())


def rouge_l(text: Sequence[str], reference: Sequence[str]) -> Rouge:
    """The longest sequence of words that both have in this order, with gaps: ROUGE-L of whole texts."""
    return _rouge(_longest_common(text, reference), len(text), len(reference))


def rouge_intervals(
    figures: Sequence[Rouge], groups: Sequence[Any], *, rng: np.random.Generator, n_resamples: int = 1000
) -> dict[str, Interval]:
    """Mean precision, recall and f1 over reports, with 95 % intervals by resampling patients; they share each draw.

    figures: of each report. groups: the patient of each report. Raises RefusedInput without reports.
    """
    if not figures or len(groups) != len(figures):
        raise RefusedInput(
            f"{len(figures)} reports and {len(groups)} groups; one report at least and one group each."
        )
    names = ("precision", "recall", "f1")
    table = np.array([[getattr(figure, name) for name in names] for figure in figures])
    drawn = resampled(
        lambda weights: (weights @ table / weights.sum()).tolist(), groups, rng=rng, n_resamples=n_resamples
    )
    return {
        name: percentile_interval(float(table[:, column].mean()), drawn[:, column])
        for column, name in enumerate(names)
    }


def _rouge(both: int, n_text: int, n_reference: int) -> Rouge:
    if not both:
        return Rouge(0.0, 0.0, 0.0)
    precision, recall = both / n_text, both / n_reference
    return Rouge(precision, recall, 2 * precision * recall / (precision + recall))


def _longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, one row of the table at a time."""
    row = [0] * (len(second) + 1)
    for word in first:
        before = row
        row = [0]
        for place, other in enumerate(second):
            row.append(before[place] + 1 if word == other else max(before[place + 1], row[place]))
    return row[-1]
