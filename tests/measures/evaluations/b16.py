"""Fixtures B16: bands of likelihood of BI-RADS."""

from __future__ import annotations

from hounsfield.measures import BiradsInputs, birads_bands


def evaluate_band(given):
    inputs = BiradsInputs(likelihood_percent=given["likelihood_pct"], calibrator="temperature")
    return birads_bands(inputs).category("birads-band")


EVALUATIONS = {"B16": (("birads-bands",), evaluate_band)}
