"""Fixtures B1: coronary calcium."""

from __future__ import annotations

from hounsfield.measures import (
    AgatstonScore,
    CalciumAndInsert,
    CalciumBurden,
    CalciumLesions,
    CalciumVoxels,
    SliceCalcium,
    agatston_1990,
    agatston_kvp_graeni_2018,
    cac_bands_rumberger,
    cac_drs_2018,
    calcium_mass,
    calcium_volume,
)

SCAN = {"kvp": 120, "contrast": "none", "is_gated": True}


def evaluate_agatston(given):
    lesions = [SliceCalcium(area_mm2=area, max_hu=hu) for area, hu in given["lesions_area_mm2_max_hu"]]
    calcium = CalciumLesions(lesions=lesions, slice_increment_mm=given["slice_increment_mm"], **SCAN)
    return agatston_1990(calcium).value("agatston-score")


def evaluate_classes(given):
    score = given["agatston"]
    return {
        "rumberger": cac_bands_rumberger(AgatstonScore(agatston=score)).category("calcium-band"),
        "cac_drs": cac_drs_2018(CalciumBurden(agatston=score)).category("cac-drs"),
    }


def evaluate_volume_or_mass(given):
    if "insert_hu" in given:
        outcome = calcium_mass(CalciumAndInsert(**given))
        return {
            "c_mg_per_mm3_per_hu": outcome.value("calibration-factor"),
            "mass_mg": outcome.value("calcium-mass"),
        }
    return {"volume_mm3": calcium_volume(CalciumVoxels(**given, **SCAN)).value("calcium-volume")}


def evaluate_factor(given):
    """1 mm2 on slices 3 mm apart scores its factor."""
    lesion = SliceCalcium(area_mm2=1, max_hu=given["max_hu"])
    calcium = CalciumLesions(lesions=[lesion], slice_increment_mm=3, **{**SCAN, "kvp": given["kvp"]})
    return {"factor": agatston_kvp_graeni_2018(calcium).value("agatston-score")}


EVALUATIONS = {
    "B1a": (("agatston-1990",), evaluate_agatston),
    "B1b": (("cac-bands-rumberger", "cac-drs-2018"), evaluate_classes),
    "B1c": (("calcium-volume", "calcium-mass"), evaluate_volume_or_mass),
    "B1d": (("agatston-kvp-graeni-2018",), evaluate_factor),
}
