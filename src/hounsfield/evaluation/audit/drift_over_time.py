"""Watching cases as they come, looked at as often as one likes: the false alarms of all looks together are bounded.

Each monitor bets against "nothing has changed since the reference" (hounsfield.metrics, conformal_betting.py). The
alarm of one of m monitors is at m / level, so that a stream without any change raises one with a chance of `level` at
most, however long it is watched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.evaluation.audit.drift import FEWEST_PATIENTS, Subject
from hounsfield.metrics import betting_log10, calibration_places, category_ranks, number_ranks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from hounsfield.evaluation.audit.drift_cases import DriftCases

    Ranks = Callable[[DriftCases, DriftCases, np.random.Generator], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One monitor over a stream.

    held_log10: (n + 1,) log10 of what the bets hold before the first case and after each. times: (n,) of these cases.
    alarm_log10: where the alarm is. alarm: place in `times` of the case that raised it, None without one.
    n_reference: cases that stand for before.
    """

    subject: Subject
    name: str
    held_log10: NDArray[np.float64]
    times: NDArray[np.str_]
    n_reference: int
    alarm_log10: float = 0.0

    @property
    def alarm(self) -> int | None:
        """Place in `times` of the case that raised the alarm."""
        reached = np.flatnonzero(self.held_log10[1:] >= self.alarm_log10)
        return int(reached[0]) if reached.size else None


def watch_stream(
    reference: DriftCases, stream: DriftCases, *, level: float = 0.05, seed: int = 0
) -> tuple[Track, ...]:
    """A track for every column that 20 patients of the reference state; the vectors and the area have none.

    Of each patient the first case counts. Labels are taken in the order in which they became known.
    """
    found = []
    for number, (subject, name, states, ranks) in enumerate(_watched(reference)):
        known, coming = (_first_of_patients(one, states(one)) for one in (reference, stream))
        if len(known) < FEWEST_PATIENTS:
            continue
        if subject == "calibration":
            coming = coming.take(np.argsort(coming.told_at, kind="stable"))
        held = betting_log10(ranks(known, coming, np.random.default_rng((seed, number))))
        times = coming.told_at if subject == "calibration" else coming.times
        found.append((subject, name, held, times, len(known)))
    alarm_log10 = float(np.log10(max(len(found), 1) / level))
    return tuple(Track(*one, alarm_log10) for one in found)


def _watched(
    reference: DriftCases,
) -> Iterator[tuple[Subject, str, Callable[[DriftCases], NDArray[np.bool_]], Ranks]]:
    for name in reference.features:
        yield "input", name, _states("features", name), _number("features", name)
    for name in reference.gates:
        yield "gate", name, _always, _category("gates", name)
    for name in reference.tags:
        yield "acquisition", name, _always, _category("tags", name)
    for name in reference.scores:
        yield "answer", name, _states("scores", name), _number("scores", name)
    for name in reference.labels:
        scores = reference.scores.get(name)
        if scores is None or not _are_probabilities(scores):
            continue

        def both(cases: DriftCases, name: str = name) -> NDArray[np.bool_]:
            return np.asarray(_states("scores", name)(cases) & _states("labels", name)(cases))

        yield "calibration", name, both, _calibration(name)


def _first_of_patients(cases: DriftCases, states: NDArray[np.bool_]) -> DriftCases:
    """The first case of each patient among those that state the column."""
    own = cases.take(np.flatnonzero(states))
    _, first = np.unique(own.patients, return_index=True)
    return own.take(np.sort(first))


def _always(cases: DriftCases) -> NDArray[np.bool_]:
    return np.ones(len(cases), dtype=bool)


def _states(kind: str, name: str) -> Callable[[DriftCases], NDArray[np.bool_]]:
    return lambda cases: np.asarray(np.isfinite(getattr(cases, kind)[name]))


def _number(kind: str, name: str) -> Ranks:
    return lambda known, coming, rng: number_ranks(
        getattr(known, kind)[name], getattr(coming, kind)[name], rng=rng
    )


def _category(kind: str, name: str) -> Ranks:
    return lambda known, coming, rng: category_ranks(
        getattr(known, kind)[name], getattr(coming, kind)[name], rng=rng
    )


def _calibration(name: str) -> Ranks:
    def ranks(known: DriftCases, coming: DriftCases, rng: np.random.Generator) -> NDArray[np.float64]:
        before, now = (
            calibration_places(one.labels[name] > 0, np.clip(one.scores[name], 0, 1), rng=rng)
            for one in (known, coming)
        )
        return number_ranks(before, now, rng=rng)

    return ranks


def _are_probabilities(scores: NDArray[np.float64]) -> bool:
    known = scores[np.isfinite(scores)]
    return bool(((known >= 0) & (known <= 1)).all())
