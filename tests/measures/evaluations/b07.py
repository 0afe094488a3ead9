"""Fixtures B7: volume doubling time."""

from __future__ import annotations

from hounsfield.measures import NoduleAtTwoTimes, vdt


def evaluate_times(given):
    outcome = vdt(NoduleAtTwoTimes(**given))
    return {
        "volume_change_pct": outcome.value("volume-change"),
        "vdt_days": outcome.value("vdt"),
        "state": outcome.category("growth-state"),
    }


EVALUATIONS = {
    "B7a": (("vdt",), evaluate_times),
    "B7b": (("vdt",), lambda given: vdt(NoduleAtTwoTimes(**given)).category("vdt-band")),
}
