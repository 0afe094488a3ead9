"""Beats of a heart and the volume of its left ventricle over time.

Intervals. Electromechanical systole: 546 - 2.1 x rate ms (Weissler 1968, Circulation 37:149, men);
isovolumic contraction 40 ms and relaxation 60 ms, during which the volume stands still (textbook
ranges 30 to 50 and 60 to 100 ms). Atrial fibrillation: intervals with a coefficient of variation of about
0.2, no atrial contraction, and a stroke volume that grows with the interval before (Hardman 1998,
Cardiovasc Res 38:82). An ectopic beat comes early, ejects less, and is followed by a pause that makes up
for it and by a stronger beat (textbook). How steeply volumes follow intervals is chosen here, so that beats
of one recording differ by several points of EF.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Rhythm = Literal["sinus", "atrial-fibrillation", "ectopic"]
RHYTHMS: tuple[Rhythm, ...] = ("sinus", "atrial-fibrillation", "ectopic")
CONTRACTION_S, RELAXATION_S = 0.040, 0.060
# Parts of the stroke volume that come back early and with the atrium (E to A of about 1.5 in the middle of life).
EARLY_PART = 0.72
EARLY_S, ATRIAL_S = 0.18, 0.11
SINUS_VARIATION, FIBRILLATION_VARIATION = 0.02, 0.20
PREMATURE, PAUSE = 0.62, 1.38
SHORTEST_S = 0.33
# Relative change of filling and ejection with that of the interval before, each with its limits.
FILL_SLOPE, FILL_LIMITS = 0.20, (-0.12, 0.08)
EJECT_SLOPE, EJECT_LIMITS = 0.45, (-0.30, 0.15)
HIGHEST_EF_PERCENT = 85.0


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat from its R wave on: interval to the next, volume at its beginning and at end-systole."""

    start_s: float
    interval_s: float
    edv_ml: float
    esv_ml: float

    @property
    def ef_percent(self) -> float:
        """100 (EDV - ESV) / EDV."""
        return 100.0 * (self.edv_ml - self.esv_ml) / self.edv_ml

    @property
    def systole_s(self) -> float:
        """From the R wave to the closing of the aortic valve; at most 55 % of the interval."""
        return float(min(0.546 - 0.0021 * 60.0 / self.interval_s, 0.55 * self.interval_s))


def make_beats(
    rng: np.random.Generator,
    rhythm: Rhythm,
    *,
    rate_per_min: float,
    n_beats: int,
    edv_ml: float,
    ef_percent: float,
) -> tuple[Beat, ...]:
    """One beat before time 0, `n_beats` from 0 on, and one after; only those between are complete in a cine."""
    mean_s = 60.0 / rate_per_min
    relative = _relative_intervals(rng, rhythm, n_beats + 3)
    intervals_s = np.maximum(relative * mean_s, SHORTEST_S)
    before = intervals_s / mean_s - 1.0
    # In sinus rhythm every beat is alike; else a longer interval before fills and ejects more.
    depends = 0.0 if rhythm == "sinus" else 1.0
    fill = 1.0 + depends * np.clip(FILL_SLOPE * before, *FILL_LIMITS)
    eject = 1.0 + depends * np.clip(EJECT_SLOPE * before, *EJECT_LIMITS)
    beats, start_s = [], -float(intervals_s[1])
    for k in range(1, n_beats + 3):
        edv = edv_ml * float(fill[k - 1])
        ef = min(ef_percent * float(eject[k - 1]), HIGHEST_EF_PERCENT)
        beats.append(Beat(start_s, float(intervals_s[k]), edv, edv * (1.0 - ef / 100.0)))
        start_s += float(intervals_s[k])
    return tuple(beats)


def _relative_intervals(rng: np.random.Generator, rhythm: Rhythm, n: int) -> NDArray[np.float64]:
    """Intervals over their mean."""
    variation = FIBRILLATION_VARIATION if rhythm == "atrial-fibrillation" else SINUS_VARIATION
    relative = 1.0 + variation * np.clip(rng.standard_normal(n), -2.0, 2.0)
    if rhythm == "ectopic":
        # The second beat in view comes early: the interval before it is short, the one after it long.
        relative[2], relative[3] = PREMATURE, PAUSE
    return np.asarray(relative)


def volume_ml(beats: tuple[Beat, ...], time_s: float, rhythm: Rhythm) -> float:
    """Volume of the cavity at `time_s`, which lies within the beats but not in the last."""
    k = max(i for i, beat in enumerate(beats[:-1]) if beat.start_s <= time_s + 1e-12)
    beat, following = beats[k], beats[k + 1]
    since_s = time_s - beat.start_s
    if since_s <= CONTRACTION_S:
        return beat.edv_ml
    ejected = _smooth((since_s - CONTRACTION_S) / (beat.systole_s - CONTRACTION_S))
    if ejected < 1.0:
        return beat.edv_ml - ejected * (beat.edv_ml - beat.esv_ml)
    filling_s = since_s - beat.systole_s - RELAXATION_S
    available_s = beat.interval_s - beat.systole_s - RELAXATION_S
    return beat.esv_ml + _filled(filling_s, available_s, rhythm) * (following.edv_ml - beat.esv_ml)


def _filled(since_s: float, available_s: float, rhythm: Rhythm) -> float:
    """Part of the filling that is done: early, then with the atrium at the end if it contracts."""
    early_part = EARLY_PART if rhythm == "sinus" else 1.0
    if rhythm == "ectopic":
        early_part = 0.85
    early_s = min(EARLY_S, available_s * (0.6 if early_part < 1.0 else 1.0))
    atrial_s = min(ATRIAL_S, available_s - early_s)
    filled = early_part * _smooth(since_s / early_s)
    if early_part < 1.0:
        filled += (1.0 - early_part) * _smooth((since_s - (available_s - atrial_s)) / atrial_s)
    return filled


def _smooth(part: float) -> float:
    """From 0 at 0 to 1 at 1, level at both ends."""
    clipped = min(max(part, 0.0), 1.0)
    return clipped * clipped * (3.0 - 2.0 * clipped)
