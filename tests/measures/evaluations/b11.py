"""Fixtures B11: SUV from the header, SUL, peak, metabolic volume, metabolic response."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from tests.measures.test_suvbw_qiba import BASE, NINE, changed, moment
from tests.measures.volumes import everything, grid_of, image_of

from hounsfield.core.errors import RefusedInput
from hounsfield.measures import (
    THRESHOLDS,
    PercistInputs,
    SulInputs,
    mtv,
    percist_1_0,
    sul_james128,
    sul_janmahasatian,
    suv_factor,
    tlg,
)
from hounsfield.measures._pet_header import average_count_rate_time_s
from hounsfield.measures.percist_1_0 import measurable_from_sul
from hounsfield.measures.sul_james128 import lean_body_mass_kg as james_kg
from hounsfield.measures.sul_janmahasatian import lean_body_mass_kg as janmahasatian_kg
from hounsfield.measures.suvpeak_1cm3 import RADIUS_MM


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


def evaluate_suv(given):
    header = replace(
        BASE,
        weight_kg=given["weight_kg"],
        total_dose_bq=given["total_dose_bq"],
        decay_correction=given["decay_correction"],
        injection_datetime=NINE - timedelta(seconds=given["uptake_s"]),
    )
    factor = suv_factor(header)
    return {
        "decayed_dose_bq": factor.decayed_dose_bq,
        "suvbw_g_per_ml": given["bqml"] * factor.suvbw_per_unit,
    }


def evaluate_injection_time(given):
    stated, alone = given["radiopharmaceutical_start_datetime"], given["radiopharmaceutical_start_time"]
    scan = moment(given["scan_datetime"])
    header = replace(
        BASE,
        series_datetime=scan,
        earliest_acquisition_datetime=scan,
        injection_datetime=moment(stated) if stated else None,
        injection_time=moment("20240101" + alone).time() if alone else None,
    )
    return {"uptake_s": suv_factor(header).uptake_s}


def evaluate_count_rate_time(given):
    return {"average_count_rate_time_s": average_count_rate_time_s(**given)}


def evaluate_units(given):
    header = replace(
        BASE,
        units=given["units"],
        suv_type=given.get("suv_type"),
        philips_suv_factor=given.get("suv_scale_factor_7053_1000"),
        philips_activity_factor=given.get("activity_scale_factor_7053_1009"),
    )
    pixel = given.get("stored", 0) * given.get("slope", 1.0) + given.get("intercept", 0.0)
    if given.get("suv_type") == "LBMJANMA":
        # The file's own SUL: no SUVbw is made from it.
        with pytest.raises(RefusedInput):
            suv_factor(header)
        return {"sul_janma": pixel, "suvbw": None}
    per_unit = given.get("activity_scale_factor_7053_1009") or 1.0
    return {"bqml": pixel * per_unit, "suvbw": pixel * suv_factor(header).suvbw_per_unit}


def evaluate_sphere(given):
    if "volume_cm3" in given:
        return {"radius_mm": RADIUS_MM, "diameter_mm": 2 * RADIUS_MM}
    grid = grid_of((21, 21, 21), [float(mm) for mm in given["voxel_mm"]])
    index = np.indices(grid.shape).reshape(3, -1).T
    n_voxels = int((np.linalg.norm(grid.index_to_mm(index - 10) - grid.origin_mm, axis=1) <= RADIUS_MM).sum())
    return {"n_voxels": n_voxels, "sampled_volume_mm3": n_voxels * math.prod(given["voxel_mm"])}


def evaluate_metabolic_volume(given):
    image = image_of(given["suv"], "SUVbw", (4.0, 4.0, 4.0))
    threshold = dict(zip(["41% of max", "fixed 2.5", "fixed 4.0"], THRESHOLDS, strict=True))[given["rule"]]
    volume_ml = mtv(image, everything(image), threshold=threshold).value
    glycolysis_g = tlg(image, everything(image), threshold=threshold).value
    return {
        "threshold": threshold.suv(image.array.astype(float)),
        "n": round(volume_ml / given["voxel_ml"]),
        "mtv_ml": volume_ml,
        "suv_mean": glycolysis_g / volume_ml,
        "tlg_g": glycolysis_g,
    }


def evaluate_header(given):
    factor = suv_factor(changed(given.get("changes_to_base", {})))
    return {
        "reference_from": factor.reference_from,
        "uptake_s": factor.uptake_s,
        "suvbw_per_bqml": factor.suvbw_per_unit,
    }


EVALUATIONS = {
    "B11a": (("suvbw-qiba",), evaluate_suv),
    "B11b": (("suvbw-qiba",), evaluate_injection_time),
    "B11c": (("suvbw-qiba",), evaluate_count_rate_time),
    "B11d": (("suvbw-qiba",), evaluate_units),
    "B11e": (("sul-janmahasatian", "sul-james128"), evaluate_lean_mass),
    "B11f": (("suvpeak-1cm3",), evaluate_sphere),
    "B11g": (("mtv", "tlg"), evaluate_metabolic_volume),
    "B11h": (("percist-1.0",), evaluate_percist),
    "B11i": (("suvbw-qiba",), evaluate_header),
}
