"""Fixtures B23: CT number scale and phantom inserts."""

from __future__ import annotations

from hounsfield.measures import HuScaleInputs, hu_scale


def evaluate_scale(given):
    if "material" in given:
        return {"within": hu_scale(HuScaleInputs(**given)).category("phantom-insert") == "within"}
    inputs = HuScaleInputs(mu_per_cm=given["mu_cm-1"], mu_water_per_cm=given["mu_water_cm-1"])
    return {"hu": hu_scale(inputs).value("ct-number")}


EVALUATIONS = {"B23": (("hu-scale",), evaluate_scale)}
