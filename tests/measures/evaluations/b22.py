"""Fixtures B22: FIB-4, liver and spleen on CT, fat fraction on MR."""

from __future__ import annotations

from hounsfield.measures import (
    Fib4Inputs,
    LiverSpleenInputs,
    PdffInputs,
    fib4,
    liver_spleen_ct,
    pdff_grade,
)
from hounsfield.measures.liver_spleen_ct import steatosis_signs


def evaluate_fib4(given):
    outcome = fib4(
        Fib4Inputs(
            age_years=given["age_y"],
            ast_u_l=given["ast_u_l"],
            alt_u_l=given["alt_u_l"],
            platelets_1e9_l=given["platelets_1e9_l"],
        )
    )
    return {
        "fib4": outcome.value("fib4"),
        "band": outcome.category("fib4-band") or "not validated below 35 y",
    }


def evaluate_liver_spleen(given):
    outcome = liver_spleen_ct(
        LiverSpleenInputs(
            liver_hu=given["liver_hu"],
            spleen_hu=given["spleen_hu"],
            phase=given["phase"],
            tube_voltage_kv=given["kvp"],
        )
    )
    signs = steatosis_signs(liver_hu=given["liver_hu"], spleen_hu=given["spleen_hu"])
    return {
        "liver_minus_spleen": outcome.value("liver-minus-spleen"),
        "liver_over_spleen": outcome.value("liver-over-spleen"),
        "liver_lt_40": signs.liver_below_40_hu,
        "diff_le_minus_10": signs.difference_at_most_minus_10_hu,
        "ratio_lt_0_8": signs.ratio_below_0_8,
    }


def evaluate_fat_fraction(given):
    grade = pdff_grade(PdffInputs(pdff_percent=given["pdff_pct"])).category("steatosis-grade")
    return {"grade_at_least": grade.removeprefix("S")}


EVALUATIONS = {
    "B22a": (("fib4",), evaluate_fib4),
    "B22b": (("liver-spleen-ct",), evaluate_liver_spleen),
    "B22c": (("pdff-grade",), evaluate_fat_fraction),
}
