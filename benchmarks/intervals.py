"""Areas with intervals for 14 labels of 25,000 films: DeLong's, and by resampling patients, beside scikit-learn.

    python -m benchmarks.intervals [--resamples N]

Made scores of 5,000 patients, five films each. scikit-learn has no interval of an area: what it would take is its area,
14 times for each of N resamples; a fiftieth of them is run and the time multiplied. Processor time is told beside elapsed
time, since neighbours move that one less.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._table import heading, table
from hounsfield.metrics import auroc_resamples, delong

if TYPE_CHECKING:
    from collections.abc import Callable

N_LABELS, N_PATIENTS, FILMS = 14, 5000, 5
SHARE = 50


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Elapsed and processor seconds of one run."""
    start, used = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resamples", type=int, default=2000)
    n_resamples = parser.parse_args().resamples
    rng = np.random.default_rng(0)
    n = N_PATIENTS * FILMS
    patients = np.repeat(np.arange(N_PATIENTS), FILMS)
    truth = rng.random((N_LABELS, n)) < rng.uniform(0.02, 0.3, N_LABELS)[:, None]
    score = rng.normal(size=(N_LABELS, n)) + truth
    print(
        heading(
            "Areas with intervals",
            inputs=f"{N_LABELS} labels, {n} films of {N_PATIENTS} patients, {n_resamples} resamples",
        )
    )
    rows = [
        ("DeLong, first call", *timed(lambda: by_delong(truth, score))),
        ("DeLong", *timed(lambda: by_delong(truth, score))),
        (
            "resampling patients",
            *timed(
                lambda: auroc_resamples(truth, score, patients, rng=rng, n_resamples=n_resamples),
            ),
        ),
    ]
    peer = timed(lambda: by_scikit_learn(truth, score, patients, n_resamples // SHARE))
    rows.append((f"scikit-learn, {SHARE} x a {SHARE}th", *(SHARE * seconds for seconds in peer)))
    print(table(["way", "elapsed s", "processor s"], [(name, f"{a:.2f}", f"{b:.2f}") for name, a, b in rows]))
    print(f"\nresampling: {rows[3][2] / rows[2][2]:.0f} times less processor time than scikit-learn")


def by_delong(truth: np.ndarray, score: np.ndarray) -> list[object]:
    """Interval of every label."""
    return [delong(one, said).interval() for one, said in zip(truth, score, strict=True)]


def by_scikit_learn(truth: np.ndarray, score: np.ndarray, patients: np.ndarray, n_resamples: int) -> None:
    """Areas of resampled films, patient by patient."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    films = patients.reshape(N_PATIENTS, FILMS) * FILMS + np.arange(FILMS)
    for _ in range(n_resamples):
        drawn = films[rng.integers(0, N_PATIENTS, N_PATIENTS)].ravel()
        for one, said in zip(truth, score, strict=True):
            roc_auc_score(one[drawn], said[drawn])


if __name__ == "__main__":
    main()
