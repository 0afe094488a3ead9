"""BLEU: share of a text's runs of 1 to 4 words that stand in the reference, over a whole set of reports.

It counts words that agree and knows nothing of what they mean: "no effusion" and "effusion" differ by one word. State
it beside label or entity figures, never alone. Source: Papineni 2002, ACL:311.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._weighted import percentile_interval, resampled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hounsfield.metrics._bootstrap import Interval

LONGEST_RUN = 4
Smoothing = Literal["none", "add-one", "halving"]


@dataclass(frozen=True, slots=True, eq=False)
class BleuCounts:
    """What BLEU is made of, for each report; `bleu_counts` makes it. Counts of a set are sums of rows.

    matched, possible: (n, 4), runs of 1 to 4 words that stand in a reference, and all runs. n_words, n_reference_words:
    (n,), of the text and of the reference whose length is nearest.
    """

    matched: NDArray[np.int64]
    possible: NDArray[np.int64]
    n_words: NDArray[np.int64]
    n_reference_words: NDArray[np.int64]

    def bleu(
        self,
        longest_run: int = LONGEST_RUN,
        *,
        smoothing: Smoothing = "none",
        report_weight: NDArray[Any] | None = None,
    ) -> float:
        """BLEU-1 to BLEU-4 of all reports together, 0 to 1; nan without any word in the texts or references.

        Geometric mean of the precisions of runs up to longest_run, times the brevity penalty exp(1 - reference / text)
        of a text that is shorter. smoothing: "none", as published: 0 where some length of run has no match. "add-one":
        1 is added to matches and runs of two words and more (Lin and Och 2004, COLING:501). "halving": the k-th
        precision of 0 becomes 1 / (2^k runs) (the third of Chen and Cherry 2014, WMT:362). report_weight: (n,), how
        often each report counts. Raises RefusedInput for a run outside 1 to 4.
        """
        if longest_run not in range(1, LONGEST_RUN + 1):
            raise RefusedInput(f"runs of {longest_run} words were asked for; 1 to {LONGEST_RUN} are counted.")
        weight = np.ones(self.n_words.size) if report_weight is None else np.asarray(report_weight)
        n_words, n_reference = float(weight @ self.n_words), float(weight @ self.n_reference_words)
        if not n_words or not n_reference:
            return 0.0 if n_reference else float("nan")
        precision = _smoothed(
            weight @ self.matched[:, :longest_run], weight @ self.possible[:, :longest_run], smoothing
        )
        if not (precision > 0).all():
            return 0.0
        brevity = min(0.0, 1.0 - n_reference / n_words)
        return float(np.exp(brevity + np.log(precision).mean()))

    def interval(
        self,
        groups: Sequence[Any],
        *,
        rng: np.random.Generator,
        longest_run: int = LONGEST_RUN,
        smoothing: Smoothing = "none",
        n_resamples: int = 1000,
    ) -> Interval:
        """`bleu` with its 95 % interval by resampling patients; groups: (n,), the patient of each report."""

        def of_weights(weights: NDArray[np.float64]) -> list[float]:
            return [self.bleu(longest_run, smoothing=smoothing, report_weight=weights)]

        drawn = resampled(of_weights, groups, rng=rng, n_resamples=n_resamples)
        return percentile_interval(self.bleu(longest_run, smoothing=smoothing), drawn[:, 0])


def bleu_counts(texts: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> BleuCounts:
    """Counts of runs for texts, each with one reference or more; all as lists of words (`report_words`).

    A run counts at most as often as in the reference that has it most often. Of references whose length is equally
    near the shorter counts. Raises RefusedInput if a text has no reference, or the numbers of texts differ.
    """
    if len(texts) != len(references) or not all(references):
        raise RefusedInput(
            f"{len(texts)} texts and {len(references)} sets of references; each text needs at least one reference."
        )
    matched = np.zeros((len(texts), LONGEST_RUN), dtype=np.int64)
    possible = np.zeros_like(matched)
    lengths = np.zeros((len(texts), 2), dtype=np.int64)
    for row, (text, own) in enumerate(zip(texts, references, strict=True)):
        for run in range(1, LONGEST_RUN + 1):
            counted = runs_of(text, run)
            most: Counter[tuple[str, ...]] = Counter()
            for reference in own:
                most |= runs_of(reference, run)
            matched[row, run - 1] = (counted & most).total()
            possible[row, run - 1] = counted.total()
        nearest = min((len(reference) for reference in own), key=lambda n: (abs(n - len(text)), n))
        lengths[row] = len(text), nearest
    return BleuCounts(matched, possible, lengths[:, 0], lengths[:, 1])


def runs_of(words: Sequence[str], run: int) -> Counter[tuple[str, ...]]:
    """How often each run of so many words stands in the text."""
    return Counter(zip(*(words[start:] for start in range(run)), strict=False))


def _smoothed(
    matched: NDArray[np.float64], possible: NDArray[np.float64], smoothing: Smoothing
) -> NDArray[np.float64]:
    """Precision of each length of run; 0 where a text is too short to have one."""
    if smoothing == "add-one":
        more = (np.arange(matched.size) > 0).astype(np.float64)
        matched, possible = matched + more, possible + more
    elif smoothing == "halving":
        empty = (matched == 0) & (possible > 0)
        matched = np.where(empty, 0.5 ** np.cumsum(empty), matched)
    return np.divide(matched, possible, out=np.zeros(matched.size), where=possible > 0)
