"""Fixtures B17: LI-RADS."""

from __future__ import annotations

from hounsfield.measures import LiradsInputs, lirads_ctmr_2018
from hounsfield.measures.lirads_ctmr_2018 import threshold_growth


def evaluate_lirads(given):
    if "prior_mm" in given:
        return {"threshold_growth": threshold_growth(**given)}
    patient = {"age_years": 60, "risk": "cirrhosis", "agent": "extracellular"}
    return lirads_ctmr_2018(LiradsInputs(**patient, **given)).category("lirads")


EVALUATIONS = {"B17": (("lirads-ctmr-2018",), evaluate_lirads)}
