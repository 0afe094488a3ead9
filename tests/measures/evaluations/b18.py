"""Fixtures B18: fetal age, weight, growth, crown-rump length, standards, redating."""

from __future__ import annotations

from hounsfield.core.errors import RefusedInput
from hounsfield.measures import (
    CrlIntergrowthInputs,
    CrlRobinsonInputs,
    HadlockEfwInputs,
    HadlockGaInputs,
    HadlockGrowthInputs,
    IntergrowthInputs,
    RedatingInputs,
    acog_redating_700,
    crl_intergrowth,
    crl_robinson,
    hadlock_efw_1985,
    hadlock_ga_1984,
    hadlock_growth_1991,
    intergrowth_biometry_2014,
)


def evaluate_age(given):
    if given.get("formula") == "combined":
        sizes_cm = {name.lower(): cm for name, cm in given.items() if name != "formula"}
        return {"ga_weeks": hadlock_ga_1984(HadlockGaInputs(**sizes_cm)).value("ga-by-all")}
    name = given["measure"].lower()
    outcome = hadlock_ga_1984(HadlockGaInputs(**{f"{name}_cm": given["cm"]}))
    return {"ga_weeks": outcome.value(f"ga-by-{name}")}


def evaluate_weight(given):
    outcome = hadlock_efw_1985(HadlockEfwInputs(**{name.lower(): cm for name, cm in given.items()}))
    formulas = ("H1_ac_fl", "H2_bpd_ac_fl", "H3_hc_ac_fl", "H4_bpd_hc_ac_fl")
    return {name: outcome.value(f"efw-{name.lower().replace('_', '-')}") for name in formulas}


def evaluate_growth(given):
    outcome = hadlock_growth_1991(HadlockGrowthInputs(**given))
    return {
        "hadlock1991_median_g": outcome.value("fetal-weight-median"),
        "p10_g": outcome.value("fetal-weight-p10"),
        "p90_g": outcome.value("fetal-weight-p90"),
    }


def evaluate_crown_rump_length(given):
    try:
        days = crl_intergrowth(CrlIntergrowthInputs(**given)).value("ga-by-crl")
    except RefusedInput:
        days = None
    return {
        "robinson_days": crl_robinson(CrlRobinsonInputs(**given)).value("ga-by-crl"),
        "intergrowth_days": days,
    }


def evaluate_standards(given):
    outcome = intergrowth_biometry_2014(IntergrowthInputs(**given))
    return {
        name: {
            "mean_mm": outcome.value(f"{name.lower()}-mean"),
            "sd_mm": outcome.value(f"{name.lower()}-sd"),
        }
        for name in ("HC", "BPD", "AC", "FL")
    }


def evaluate_redating(given):
    outcome = acog_redating_700(RedatingInputs(**given))
    return {
        "limit_days": outcome.value("redating-limit"),
        "redate": outcome.category("redating") == "redate",
    }


EVALUATIONS = {
    "B18a": (("hadlock-ga-1984",), evaluate_age),
    "B18b": (("hadlock-efw-1985",), evaluate_weight),
    "B18c": (("hadlock-growth-1991",), evaluate_growth),
    "B18d": (("crl-robinson", "crl-intergrowth"), evaluate_crown_rump_length),
    "B18e": (("intergrowth-biometry-2014",), evaluate_standards),
    "B18f": (("acog-redating-700",), evaluate_redating),
}
