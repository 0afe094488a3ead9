"""Fixtures B20: skeletal muscle index at L3."""

from __future__ import annotations

from hounsfield.measures import SmiInputs, smi_l3
from hounsfield.measures.smi_l3 import low_muscle


def evaluate_muscle(given):
    inputs = SmiInputs(
        muscle_area_cm2=given["muscle_cm2"],
        height_m=given["height_m"],
        sex=given["sex"],
        bmi_kg_m2=given["bmi"],
    )
    low = low_muscle(inputs)
    return {
        "smi_cm2_m2": smi_l3(inputs).value("smi-l3"),
        "low_martin": low.martin_2013,
        "low_prado_obese_only": low.prado_2008,
    }


EVALUATIONS = {"B20": (("smi-l3",), evaluate_muscle)}
