"""What an audit says of drift: one window against the reference, and the stream since then."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.evaluation.audit.drift import DriftOptions, Monitor, watch_windows
from hounsfield.evaluation.audit.drift_charts import monitor_chart, track_chart
from hounsfield.evaluation.audit.drift_over_time import Track, watch_stream
from hounsfield.evaluation.audit.section import AuditSection, AuditTable, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.evaluation.audit.drift_cases import DriftCases


def window_section(
    reference: DriftCases,
    window: DriftCases,
    options: DriftOptions | None = None,
    *,
    told: Sequence[str] = (),
) -> AuditSection:
    """One window against the reference. told: what was left out, in sentences."""
    options = options or DriftOptions()
    monitors = watch_windows(reference, window, options)
    tested = [one for one in monitors if one.test is not None]
    raised = [one for one in tested if one.adjusted <= options.level]
    changed = sorted(set(window.models.tolist()) - set(reference.models.tolist()))
    verdict: Verdict = "found" if raised else "too few" if not tested else "look" if changed else "clear"
    said = [_answer(raised, tested, changed)]
    said += _about_labels(reference, window)
    said.append(
        f"Reference: {len(reference)} cases of {_n_patients(reference)} patients, {_days(reference)}. Window: {len(window)} "
        f"cases of {_n_patients(window)} patients, {_days(window)}."
    )
    said += [f"{one}." for one in told]
    said.append(
        "Patients, not cases, are exchanged between the windows; p values are adjusted by Holm over all "
        f"{len(tested)} monitors, so that {options.level:g} of audits of unchanged windows raise an alarm at most. "
        "Numbers: Kolmogorov-Smirnov; categories: G; feature vectors: maximum mean discrepancy; calibration: what one "
        "line through both windows leaves; area: DeLong's error."
    )
    charts = {"Monitors of the window": monitor_chart(monitors, options.level)} if tested else {}
    table = _window_table(monitors, options.level)
    return AuditSection(
        "drift", "Has anything changed since the reference?", verdict, tuple(said), (table,), charts,
        _window_record(reference, window, monitors, options),
    )  # fmt: skip


def stream_section(
    reference: DriftCases, stream: DriftCases, *, level: float = 0.05, seed: int = 0
) -> AuditSection:
    """The cases since the reference as they came, looked at after each."""
    tracks = watch_stream(reference, stream, level=level, seed=seed)
    alarms = [track for track in tracks if track.alarm is not None]
    verdict: Verdict = "found" if alarms else "clear" if tracks else "too few"
    if alarms:
        first = min(alarms, key=lambda track: (track.times[track.alarm], track.alarm))
        at = first.alarm or 0
        answer = (
            f"{len(alarms)} of {len(tracks)} monitors raised an alarm; the first was {first.subject}: {first.name} after "
            f"{at + 1} patients, on {first.times[at][:10]}."
        )
        said = [answer]
    elif tracks:
        said = [f"None of {len(tracks)} monitors raised an alarm."]
    else:
        said = ["The reference states nothing for 20 patients; nothing could be watched."]
    said.append(
        "Of each patient the first case is ranked among the reference and all before it; bets on these ranks "
        f"cannot win in the long run while nothing changes. However often one looks, and for ever, a false alarm comes "
        f"with a chance of {level:g} at most, over all monitors together. After an alarm that is understood, start a new "
        "reference."
    )
    rows = tuple(
        (
            track.subject, track.name, str(track.n_reference), str(len(track.times)),
            f"{10 ** float(track.held_log10.max()):,.3g}", f"{10**track.alarm_log10:,.0f}",
            track.times[track.alarm][:10] if track.alarm is not None else "",
        )
        for track in tracks
    )  # fmt: skip
    marked = frozenset(number for number, track in enumerate(tracks) if track.alarm is not None)
    columns = ("of", "monitor", "reference", "patients since", "most that bets held", "alarm at", "alarm on")
    charts = {}
    if tracks and len(stream):
        charts["What the bets hold, patient by patient"] = track_chart(
            tracks, stream.times[0][:10], stream.times[-1][:10]
        )
    tables = (AuditTable("Monitors over time", columns, rows, marked),) if tracks else ()
    return AuditSection(
        "drift_over_time", "When did it change?", verdict, tuple(said), tables, charts,
        {"level": level, "monitors": [_track_record(track) for track in tracks]},
    )  # fmt: skip


def _answer(raised: Sequence[Monitor], tested: Sequence[Monitor], changed: Sequence[str]) -> str:
    model = (
        f" The window holds answers of another model ({', '.join(one[:12] or 'unnamed' for one in changed)}): a change of "
        "answers may be that."
        if changed
        else ""
    )
    if raised:
        names = ", ".join(f"{one.subject} ({one.name})" for one in raised[:5])
        more = f" and {len(raised) - 5} more" if len(raised) > 5 else ""
        return f"{len(raised)} of {len(tested)} monitors differ from the reference beyond chance: {names}{more}.{model}"
    if not tested:
        return "Nothing could be judged: too few patients state anything in both windows."
    return (
        f"None of {len(tested)} monitors differs from the reference beyond chance. A small change can hide in a "
        f"window of this size.{model}"
    )


def _about_labels(reference: DriftCases, window: DriftCases) -> list[str]:
    said = []
    for name in sorted({*reference.scores, *window.scores}):
        labels, scores = window.labels.get(name), window.scores.get(name)
        if scores is None:
            continue
        known = np.isfinite(labels) if labels is not None else np.zeros(len(window), dtype=bool)
        if known.all():
            continue
        sentence = f"{name}: {int((~known).sum())} of {len(window)} cases of the window have no label yet"
        if known.any():
            with_label, without = (float(np.nanmean(scores[one])) for one in (known, ~known))
            sentence += f"; mean answer {with_label:.3f} with a label and {without:.3f} without"
            sentence += ". Figures of calibration and area speak for the labelled cases alone."
        else:
            sentence += ": calibration and area could not be watched."
        said.append(sentence)
    return said


def _window_table(monitors: Sequence[Monitor], level: float) -> AuditTable:
    rows = tuple(
        (
            one.subject,
            one.name,
            one.before,
            one.now,
            f"{one.test.p:.4f}" if one.test else "",
            f"{one.adjusted:.4f}" if one.test else one.why_not,
        )
        for one in monitors
    )
    marked = frozenset(
        number for number, one in enumerate(monitors) if one.test is not None and one.adjusted <= level
    )
    return AuditTable(
        "The window against the reference",
        ("of", "monitor", "reference", "window", "p", "adjusted p"),
        rows,
        marked,
    )


def _window_record(
    reference: DriftCases, window: DriftCases, monitors: Sequence[Monitor], options: DriftOptions
) -> dict[str, Any]:
    return {
        "level": options.level,
        "seed": options.seed,
        "reference": {"n_cases": len(reference), "n_patients": _n_patients(reference)},
        "window": {"n_cases": len(window), "n_patients": _n_patients(window)},
        "monitors": [
            {
                "of": one.subject,
                "name": one.name,
                "n_reference": one.n_reference,
                "n_window": one.n_window,
                "statistic": one.test.statistic if one.test else None,
                "p": one.test.p if one.test else None,
                "p_adjusted": one.adjusted if isfinite(one.adjusted) else None,
                "n_permutations": one.test.n_permutations if one.test else None,
                "alarm": bool(one.test and one.adjusted <= options.level),
                "why_not": one.why_not or None,
                "figures": dict(one.figures or {}),
            }
            for one in monitors
        ],
    }


def _track_record(track: Track) -> dict[str, Any]:
    return {
        "of": track.subject,
        "name": track.name,
        "n_reference": track.n_reference,
        "n_patients": len(track.times),
        "largest_log10": round(float(track.held_log10.max()), 4),
        "alarm_log10": round(track.alarm_log10, 4),
        "alarm_after": None if track.alarm is None else track.alarm + 1,
        "alarm_time": None if track.alarm is None else str(track.times[track.alarm]),
    }


def _n_patients(cases: DriftCases) -> int:
    return len(np.unique(cases.patients))


def _days(cases: DriftCases) -> str:
    return f"{cases.times[0][:10]} to {cases.times[-1][:10]}"
