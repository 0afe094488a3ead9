"""How long intervals of areas under ROC curves take, beside scikit-learn, and those of a FROC curve.

    .venv/bin/python -m benchmarks.intervals

Fourteen labels of 25,000 films of 6,000 patients, drawn from a seed: DeLong's intervals of all, and 2,000 resamples of patients
of all. The peer is scikit-learn's roc_auc_score: once a label for the areas (it has no interval), and within a plain
bootstrap by numpy on a fraction of the resamples, scaled to all. Both take turns in one process; their areas
are compared. The time of imports is told apart. Ratios are of medians. The FROC curve has the size of LUNA16's candidates
(888 scans, 1,186 nodules, 50,000 candidates); beside it stands the plain way, which sorts anew for each resample.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._table import heading, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hounsfield.metrics import Matched

PROMISED_DELONG_S = 0.2
PROMISED_RESAMPLES_S = 10.0
LARGEST_DIFFERENCE = 1e-12
_IMPORT = "import time; t = time.process_time(); {}; print(time.process_time() - t)"


def films(
    n_labels: int, n_films: int, n_patients: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.intp]]:
    """Truths and probabilities (labels, films) and the patient of each film; one film in ten is positive."""
    rng = np.random.default_rng(1)
    truths = rng.random((n_labels, n_films)) < 0.1
    scores = 1 / (1 + np.exp(2 - rng.standard_normal((n_labels, n_films)) - truths))
    return truths, np.round(scores, 6), rng.integers(0, n_patients, n_films)


def seconds(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and processor seconds of a call, and what it gave."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    result = call()
    return time.perf_counter() - wall_s, time.process_time() - cpu_s, result


def import_seconds(statement: str) -> float:
    """Processor seconds of an import in a fresh process after numpy."""
    said = subprocess.run(
        [sys.executable, "-c", "import numpy; " + _IMPORT.format(statement)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    return float(said.stdout)


def plain_bootstrap(
    truths: NDArray[np.bool_], scores: NDArray[np.float64], patients: NDArray[np.intp], n_resamples: int
) -> NDArray[np.float64]:
    """Areas (n_resamples, labels): patients drawn, their films put together, scikit-learn on each label."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(2)
    names, inverse = np.unique(patients, return_inverse=True)
    by_patient = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    found = []
    for _ in range(n_resamples):
        cases = np.concatenate([by_patient[one] for one in rng.integers(0, len(names), len(names))])
        found.append([roc_auc_score(t[cases], s[cases]) for t, s in zip(truths, scores, strict=True)])
    return np.array(found)


def compared(
    ours: Callable[[], Any], theirs: Callable[[], Any], repeat: int
) -> tuple[tuple[float, float], tuple[float, float], Any, Any]:
    """Median wall and processor seconds of both, taking turns, and what each gave."""
    first, second = [], []
    for _ in range(repeat):
        first.append(seconds(ours))
        second.append(seconds(theirs))

    def middle(runs: list[tuple[float, float, Any]]) -> tuple[float, float]:
        return statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs)

    return middle(first), middle(second), first[-1][2], second[-1][2]


def detections(n_scans: int, n_nodules: int, n_candidates: int) -> Matched:
    """Made candidates of a detector, four nodules of five hit; scores of six digits, so that some tie."""
    from hounsfield.metrics import Matched

    rng = np.random.default_rng(3)
    hits = np.where(rng.random(n_nodules) < 0.8, np.round(rng.beta(3, 2, n_nodules), 6), -np.inf)
    false = np.round(rng.beta(0.3, 4, n_candidates), 6)
    return Matched(
        hits, rng.integers(0, n_scans, n_nodules), false, rng.integers(0, n_scans, n_candidates), 0, n_scans
    )


def plain_cpm(matched: Matched, weight: NDArray[np.float64]) -> float:
    """CPM of weighted scans, every mark sorted for it."""
    from hounsfield.metrics import SEVEN_RATES

    score = np.concatenate([matched.hit_score, matched.false_score])
    hits = np.concatenate([weight[matched.target_image], np.zeros(matched.false_score.size)])
    falls = np.concatenate([np.zeros(matched.hit_score.size), weight[matched.false_image]])
    order = np.argsort(-score, kind="stable")[: int(np.isfinite(score).sum())]
    ends = np.append(np.flatnonzero(np.diff(score[order])), order.size - 1)
    sensitivity = np.cumsum(hits[order])[ends] / weight[matched.target_image].sum()
    rate = np.cumsum(falls[order])[ends] / weight.sum()
    return float(np.interp(SEVEN_RATES, [0.0, *rate], [0.0, *sensitivity]).mean())


def froc_row(n_resamples: int, n_plain: int) -> tuple[list[str], float]:
    """The row of the CPM, and the largest difference of a resample from the plain way."""
    from hounsfield.metrics import cpm_interval

    matched = detections(888, 1186, 50_000)
    rng = np.random.default_rng(2)
    draws = [np.bincount(rng.integers(0, 888, 888), minlength=888).astype(float) for _ in range(n_plain)]
    *ours, _ = seconds(lambda: cpm_interval(matched, rng=np.random.default_rng(2), n_resamples=n_resamples))
    wall_s, cpu_s, plain = seconds(lambda: [plain_cpm(matched, draw) for draw in draws])
    ranked = matched.ranked()
    apart = max(abs(ranked.curve(draw).cpm - one) for draw, one in zip(draws, plain, strict=True))
    theirs = [one * n_resamples / n_plain for one in (wall_s, cpu_s)]
    name = f"{n_resamples} resamples of a CPM; the peer is the plain way"
    return [
        name,
        *(f"{one:.3f}" for one in (*ours, *theirs)),
        f"{theirs[0] / ours[0]:.1f}",
        f"{theirs[1] / ours[1]:.1f}",
        "",
    ], apart


def main() -> None:
    """Print the table; leave with 1 where an area differs from the peer's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=14)
    parser.add_argument("--films", type=int, default=25_000)
    parser.add_argument("--patients", type=int, default=6_000)
    parser.add_argument("--resamples", type=int, default=2_000)
    parser.add_argument("--fraction", type=int, default=20, help="resamples that the peer does")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--froc-resamples", type=int, default=500)
    options = parser.parse_args()

    from sklearn.metrics import roc_auc_score

    from hounsfield.metrics import auroc_resamples, delong

    truths, scores, patients = films(options.labels, options.films, options.patients)
    exact = compared(
        lambda: [delong(t, s).interval() for t, s in zip(truths, scores, strict=True)],
        lambda: [roc_auc_score(t, s) for t, s in zip(truths, scores, strict=True)],
        options.repeat,
    )
    drawn = compared(
        lambda: auroc_resamples(
            truths, scores, patients.tolist(), rng=np.random.default_rng(2), n_resamples=options.resamples
        ),
        lambda: plain_bootstrap(truths, scores, patients, options.fraction),
        1,
    )
    scale = options.resamples / options.fraction
    apart = max(
        float(np.abs(np.array([one.value for one in exact[2]]) - exact[3]).max()),
        float(np.abs(drawn[2][: options.fraction] - drawn[3]).max()),
    )
    inputs = (
        f"{options.labels} labels of {options.films} films of {options.patients} patients; {options.repeat} repeats of the areas, "
        f"one of the resamples; the peer's {options.fraction} resamples are scaled to {options.resamples}"
    )
    print(heading("Intervals of areas under ROC curves", inputs=inputs))
    rows = []
    for name, (ours, theirs, *_), factor, promised in (
        ("DeLong; the peer areas alone", exact, 1.0, PROMISED_DELONG_S),
        (f"{options.resamples} resamples of patients", drawn, scale, PROMISED_RESAMPLES_S),
    ):
        wall_s, cpu_s = (factor * one for one in theirs)
        rows.append(
            [
                name,
                *(f"{one:.3f}" for one in (*ours, wall_s, cpu_s)),
                f"{wall_s / ours[0]:.1f}",
                f"{cpu_s / ours[1]:.1f}",
                f"{promised:g}",
            ]
        )
    froc, froc_apart = froc_row(options.froc_resamples, max(1, options.froc_resamples // options.fraction))
    rows.append(froc)
    columns = (
        "what",
        "wall s",
        "cpu s",
        "peer wall s",
        "peer cpu s",
        "wall, times",
        "cpu, times",
        "goal, wall s",
    )
    print(table(columns, rows))
    ours_s = import_seconds("import hounsfield.metrics")
    print(
        f"\nimports, cpu s: hounsfield.metrics {ours_s:.2f}, sklearn.metrics {import_seconds('import sklearn.metrics'):.2f}"
    )
    print(f"largest difference of an area: {apart:.1e} (limit {LARGEST_DIFFERENCE:.0e})")
    print(f"largest difference of a CPM from the plain way: {froc_apart:.1e}")
    if max(apart, froc_apart) > LARGEST_DIFFERENCE:
        raise SystemExit("areas differ from scikit-learn's, or a CPM from the plain way")


if __name__ == "__main__":
    main()
