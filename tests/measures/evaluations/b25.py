"""Fixtures B25: predictive values and Wilson's interval."""

from __future__ import annotations

from hounsfield.measures import PredictiveInputs, WilsonInputs, ppv_npv, wilson


def evaluate_proportions(given):
    if "interval" in given:
        outcome = wilson(WilsonInputs(k=given["k"], n=given["n"]))
        return {"low": outcome.value("interval-low"), "high": outcome.value("interval-high")}
    outcome = ppv_npv(
        PredictiveInputs(sensitivity=given["sens"], specificity=given["spec"], prevalence=given["prev"])
    )
    return {
        "ppv": outcome.value("ppv"),
        "npv": outcome.value("npv"),
        "lr_pos": outcome.value("lr-positive"),
        "lr_neg": outcome.value("lr-negative"),
    }


EVALUATIONS = {"B25": (("ppv-npv", "wilson"), evaluate_proportions)}
