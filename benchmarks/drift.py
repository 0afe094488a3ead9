"""How often an audit of drift is wrong, and what it finds: made cases with and without planted shifts.

    python -m benchmarks.drift [--runs 200] [--data FOLDER]

Each made audit has a reference and a window of 300 patients (1 to 3 cases each, alike within a patient), ten monitors:
three numbers of the input, a gate, two tags, the answer, its calibration (level and slope) and its area. A planted
shift concerns one of them. With the real predictions (chexnet_predictions), random halves of patients are the null and
a window of one view, or of another network, the shift.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._table import heading, table, wilson_interval
from hounsfield.evaluation.audit.drift import DriftOptions, watch_windows
from hounsfield.evaluation.audit.drift_cases import DriftCases
from hounsfield.evaluation.audit.drift_over_time import watch_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

N_PATIENTS = 300
# planted shift -> what changes in the window
SHIFTS: dict[str, Mapping[str, float]] = {
    "none": {},
    "input up by 0.3 SD": {"input": 0.3},
    "input up by 0.5 SD": {"input": 0.5},
    "prevalence 10 % to 20 %": {"prevalence": 0.2},
    "answers too high by 0.5 in the logit": {"logit": 0.5},
    "answers too high by 1.0 in the logit": {"logit": 1.0},
    "new scanner for 5 % of patients": {"scanner": 0.05},
    "new scanner for 20 % of patients": {"scanner": 0.2},
    "gate speaks in 12 % instead of 5 %": {"gate": 0.12},
    "answers with half their information": {"noise": 1.5},
}


def made_cases(
    n_patients: int, rng: np.random.Generator, *, name: str = "a", shift: Mapping[str, float] | None = None
) -> DriftCases:
    """Cases of n patients with planted shifts; a model whose probabilities are right without one."""
    shift = shift or {}
    n_each = rng.integers(1, 4, n_patients)
    patient = np.repeat(np.arange(n_patients), n_each)
    n = len(patient)

    def alike(deviation: float = 1.0) -> np.ndarray:
        shared, own = rng.normal(size=n_patients)[patient], rng.normal(size=n)
        return np.asarray(deviation * (0.7 * shared + np.sqrt(1 - 0.49) * own))

    base = np.log(shift.get("prevalence", 0.1) / (1 - shift.get("prevalence", 0.1)))
    # The logit that the model sees, and from which the truth is drawn.
    logit = base - 0.9 + alike(1.4)
    truth = rng.random(n) < 1 / (1 + np.exp(-logit))
    said = logit + shift.get("logit", 0.0) + rng.normal(size=n) * shift.get("noise", 0.0)
    scanner = np.where(rng.random(n_patients) < 0.3, "B", "A")
    scanner = np.where(rng.random(n_patients) < shift.get("scanner", 0.0), "C", scanner)[patient]
    return DriftCases(
        np.array([f"{name}{index}" for index in range(n)]),
        np.array([f"{name}{index}" for index in patient]),
        np.array(
            [f"2026-01-01T{index // 3600:02d}:{index // 60 % 60:02d}:{index % 60:02d}" for index in range(n)]
        ),
        np.full(n, "m"),
        np.array(
            [f"2026-02-01T{index // 3600:02d}:{index // 60 % 60:02d}:{index % 60:02d}" for index in range(n)]
        ),
        np.zeros((n, 0)),
        {
            "guard_distance": np.exp(0.3 * (alike() + shift.get("input", 0.0))),
            "grey_mean": alike(),
            "age_years": np.round(50 + 15 * alike()),
        },
        {"nodule": 1 / (1 + np.exp(-said))},
        {"nodule": truth.astype(np.float64)},
        {"rotated": np.where(rng.random(n) < shift.get("gate", 0.05), "warning", "nothing said")},
        {"scanner": scanner, "view": np.where(rng.random(n) < 0.4, "AP", "PA")},
    )


def window_rates(
    runs: int, shift: Mapping[str, float], *, n_permutations: int = 999
) -> tuple[int, dict[str, int]]:
    """How many of the runs raised an alarm, and how often each monitor did."""
    n_alarms, by_monitor = 0, dict[str, int]()
    for run in range(runs):
        rng = np.random.default_rng((7, run))
        reference = made_cases(N_PATIENTS, rng)
        window = made_cases(N_PATIENTS, rng, name="b", shift=shift)
        found = [
            f"{one.subject} {one.name}"
            for one in watch_windows(reference, window, DriftOptions(seed=run, n_permutations=n_permutations))
            if one.adjusted <= 0.05
        ]
        n_alarms += bool(found)
        for name in found:
            by_monitor[name] = by_monitor.get(name, 0) + 1
    return n_alarms, by_monitor


def stream_rates(runs: int, shift: Mapping[str, float], *, n_patients: int = 1000) -> tuple[int, list[int]]:
    """How many of the runs ever raised an alarm over all looks, and after how many patients."""
    delays = []
    for run in range(runs):
        rng = np.random.default_rng((8, run))
        reference = made_cases(N_PATIENTS, rng)
        stream = made_cases(n_patients, rng, name="b", shift=shift)
        alarms = [
            track.alarm for track in watch_stream(reference, stream, seed=run) if track.alarm is not None
        ]
        if alarms:
            delays.append(min(alarms) + 1)
    return len(delays), delays


def real_rates(data: Path, runs: int) -> list[tuple[str, ...]]:
    """Random halves of the patients of the real predictions, as they are and with a change of case mix or network."""
    from hounsfield.evaluation import Columns, read_prediction_table, read_probabilities

    folder = data / "chexnet_predictions"
    columns = Columns("image", "patient_id", "prob_", ("view", "sex"))
    films = read_prediction_table(folder / "predictions.csv.gz", None, columns)
    other = read_probabilities(
        folder / "predictions_models_bcd.csv.gz", films, Columns("image", probability_prefix="D_")
    )
    at = films.labels.index("Effusion")

    def cases(chosen: np.ndarray, probability: np.ndarray) -> DriftCases:
        n = len(chosen)
        return DriftCases(
            films.cases[chosen], films.patients[chosen], np.full(n, "2026-01-01"), np.full(n, ""), np.full(n, ""),
            np.zeros((n, 0)), {}, {"Effusion": probability[at][chosen]},
            {"Effusion": films.truth[at][chosen].astype(np.float64)}, {},
            {name: values[chosen] for name, values in films.groups.items()},
        )  # fmt: skip

    patients = np.unique(films.patients)
    kinds: dict[str, Callable[[np.random.Generator, np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
        "none: random halves of patients": lambda _, late: (late, films.probability),
        "case mix: AP films three times as likely": lambda rng, late: (
            late[rng.random(len(late)) < np.where(films.groups["view"][late] == "AP", 1.0, 1 / 3)],
            films.probability,
        ),
        "network D instead of A": lambda _, late: (late, other),
    }
    rows: list[tuple[str, ...]] = []
    for name, change in kinds.items():
        n_alarms, subjects = 0, dict[str, int]()
        for run in range(runs):
            rng = np.random.default_rng((9, run))
            dealt = rng.permutation(patients)[:1200]
            early = np.flatnonzero(np.isin(films.patients, dealt[:600]))
            late, probability = change(rng, np.flatnonzero(np.isin(films.patients, dealt[600:])))
            monitors = watch_windows(
                cases(early, films.probability), cases(late, probability), DriftOptions(seed=run)
            )
            found = {f"{one.subject} {one.name}" for one in monitors if one.adjusted <= 0.05}
            n_alarms += bool(found)
            for one in found:
                subjects[one] = subjects.get(one, 0) + 1
        rows.append((name, _share(n_alarms, runs), _most(subjects, runs)))
    return rows


def _share(n: int, runs: int) -> str:
    low, high = wilson_interval(n, runs)
    return f"{n / runs:.1%} ({low:.1%} to {high:.1%})"


def _most(by_monitor: Mapping[str, int], runs: int) -> str:
    first = sorted(by_monitor.items(), key=lambda item: -item[1])[:3]
    return ", ".join(f"{name} {n / runs:.0%}" for name, n in first)


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=200, help="audits a row (default 200); the null gets 5 times as many"
    )
    default = os.environ.get("HOUNSFIELD_DATA")
    parser.add_argument("--data", type=Path, default=Path(default) if default else None)
    options = parser.parse_args()
    print(heading("Drift", inputs=f"made cases, {N_PATIENTS} patients in the reference and in the window"))
    rows = []
    for name, shift in SHIFTS.items():
        runs = options.runs * (1 if shift else 5)
        n_alarms, by_monitor = window_rates(runs, shift)
        rows.append((name, runs, _share(n_alarms, runs), _most(by_monitor, runs)))
    print("One window against the reference, level 5 % a run\n")
    print(table(("shift", "audits", "alarm (95 % interval)", "raised most by"), rows))
    rows = []
    for name, shift in SHIFTS.items():
        runs = max(20, options.runs // 4 * (1 if shift else 5))
        n_alarms, delays = stream_rates(runs, shift)
        middle = f"{np.median(delays):.0f}" if shift and delays else ""
        rows.append((name, runs, _share(n_alarms, runs), middle))
    print("\nLooked at after every one of 1000 patients, level 5 % over all looks\n")
    print(table(("shift", "streams", "alarm (95 % interval)", "median patients to it"), rows))
    if options.data is not None:
        print("\nReal answers to 600 and 600 patients (Effusion, chexnet_predictions), level 5 % a run\n")
        real = real_rates(options.data, options.runs)
        print(table(("shift", "alarm (95 % interval)", "raised most by"), real))


if __name__ == "__main__":
    main()
