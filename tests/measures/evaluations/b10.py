"""Fixtures B10: z-score, rate of change, Centiloid."""

from __future__ import annotations

from hounsfield.measures import (
    PibUptake,
    VolumeAndNorm,
    VolumeAtTwoTimes,
    atrophy_rate,
    centiloid_pib,
    volume_z,
)


def evaluate_z(given):
    outcome = volume_z(VolumeAndNorm(**given, age_years=70, sex="F", norm="invented test values"))
    return {
        "adjusted_mm3": outcome.value("adjusted-volume"),
        "z": outcome.value("z-score"),
        "percentile": outcome.value("percentile"),
    }


def evaluate_rate(given):
    outcome = atrophy_rate(VolumeAtTwoTimes(**given))
    return {
        f"{name}_pct_per_y": outcome.value(f"atrophy-rate-{name}") for name in ("simple", "symmetric", "log")
    }


EVALUATIONS = {
    "B10a": (("volume-z",), evaluate_z),
    "B10b": (("atrophy-rate",), evaluate_rate),
    "B10c": (
        ("centiloid-pib",),
        lambda given: {"centiloid": centiloid_pib(PibUptake(**given)).value("centiloid")},
    ),
}
