"""Fixtures B11e and B11h: lean body mass, SUL, metabolic response; B11f and B11g: peak and volume."""

from __future__ import annotations

import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.measures import PercistInputs, SulInputs, percist_1_0, sul_james128, sul_janmahasatian
from hounsfield.measures.percist_1_0 import measurable_from_sul
from hounsfield.measures.sul_james128 import lean_body_mass_kg as james_kg
from hounsfield.measures.sul_janmahasatian import lean_body_mass_kg as janmahasatian_kg


def evaluate_lean_mass(given):
    inputs = SulInputs(suvbw_g_ml=1.0, **given)
    james = james_kg(**given)
    if james < 0.3 * given["weight_kg"]:
        # The reference prints the broken number; the rule refuses it.
        with pytest.raises(RefusedInput):
            sul_james128(inputs)
        sul_james = float(james) / given["weight_kg"]
    else:
        sul_james = sul_james128(inputs).value("sul-james128")
    return {
        "bmi": given["weight_kg"] / given["height_m"] ** 2,
        "lbm_janmahasatian_kg": float(janmahasatian_kg(**given)),
        "lbm_james128_kg": float(james),
        "sul_per_suvbw_janma": sul_janmahasatian(inputs).value("sul-janmahasatian"),
        "sul_per_suvbw_james128": sul_james,
    }


def evaluate_percist(given):
    if "liver_mean_sul" in given:
        least = measurable_from_sul(liver_sul=given["liver_mean_sul"], liver_sd_sul=given["liver_sd_sul"])
        return {"measurable_threshold": float(least)}
    inputs = PercistInputs(baseline_sul=given["sulpeak_baseline"], followup_sul=given["sulpeak_followup"])
    return percist_1_0(inputs).category("percist")


EVALUATIONS = {
    "B11e": (("sul-janmahasatian", "sul-james128"), evaluate_lean_mass),
    "B11h": (("percist-1.0",), evaluate_percist),
}
