"""Fixtures B14: ACR TI-RADS."""

from __future__ import annotations

from hounsfield.measures import TiradsInputs, acr_tirads_2017
from hounsfield.measures.acr_tirads_2017 import significant_growth


def evaluate_tirads(given):
    described = {name: value for name, value in given.items() if name != "max_cm"}
    outcome = acr_tirads_2017(TiradsInputs(maximum_cm=given["max_cm"], **described))
    return {
        "points": outcome.value("tirads-points"),
        "level": outcome.category("tirads-level"),
        "action": outcome.category("tirads-action"),
    }


def evaluate_growth(given):
    return {"significant_growth": significant_growth(given["prior_cm"], given["current_cm"])}


EVALUATIONS = {
    "B14a": (("acr-tirads-2017",), evaluate_tirads),
    "B14b": (("acr-tirads-2017",), evaluate_growth),
}
