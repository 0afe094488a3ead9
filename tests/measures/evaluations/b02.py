"""Fixtures B2: left ventricular volume and ejection fraction. The diameters of B2a are given as formulas."""

from __future__ import annotations

import math

from hounsfield.measures import (
    AreaAndLength,
    DiscsOfTwoViews,
    VentricleVolumes,
    lv_volume_area_length,
    lv_volume_biplane_discs,
    lvef_ase_2015,
)

MIDDLES = [(i - 0.5) / 20 for i in range(1, 21)]
DIAMETERS_CM = {
    "20 x 4.0": [4.0] * 20,
    "5*(i-0.5)/20, i=1..20": [5 * middle for middle in MIDDLES],
    "4*(i-0.5)/20": [4 * middle for middle in MIDDLES],
    "5.0*sqrt(1-((i-0.5)/20)^2)": [5.0 * math.sqrt(1 - middle**2) for middle in MIDDLES],
}


def evaluate_discs(given):
    a_cm = DIAMETERS_CM[given["a_cm"]]
    b_cm = a_cm if given["b_cm"] == "same" else DIAMETERS_CM[given["b_cm"]]
    views = DiscsOfTwoViews(a_cm=a_cm, b_cm=b_cm, l4_cm=given["L_cm"], l2_cm=given["L_cm"])
    exact_ml = 2 / 3 * math.pi * 2.5**2 * 8.5
    return {"volume_ml": lv_volume_biplane_discs(views).value("lv-volume"), "exact_ml": exact_ml}


def evaluate_area_length(given):
    if "area_cm2" in given:
        views = AreaAndLength(area4_cm2=given["area_cm2"], l4_cm=given["L_cm"])
    else:
        views = AreaAndLength(
            area4_cm2=given["area4_cm2"],
            area2_cm2=given["area2_cm2"],
            l4_cm=given["L4_cm"],
            l2_cm=given["L2_cm"],
        )
    volume_ml = lv_volume_area_length(views).value("lv-volume")
    return {"single_plane_area_length_ml": volume_ml, "biplane_area_length_ml": volume_ml}


def evaluate_lvef(given):
    outcome = lvef_ase_2015(VentricleVolumes(**given))
    return {
        "ef_pct": outcome.value("lvef"),
        "ase_grade": outcome.category("ase-grade"),
        "hf_band": outcome.category("hf-band"),
    }


EVALUATIONS = {
    "B2a": (("lv-volume-biplane-discs",), evaluate_discs),
    "B2b": (("lv-volume-area-length",), evaluate_area_length),
    "B2c": (("lvef-ase-2015",), evaluate_lvef),
}
