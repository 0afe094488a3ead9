"""Fixtures B9: stroke."""

from __future__ import annotations

from hounsfield.measures import (
    AspectsRegions,
    CoreAndDeficit,
    CoreAndHypoperfusion,
    DelayedTissue,
    HaemorrhageLengths,
    HaemorrhageOfPatient,
    SeptumAndInnerTable,
    abc2,
    aspects,
    dawn,
    defuse3_mismatch,
    hir,
    ich_score,
    midline_shift,
)


def renamed(given):
    names = {"age_y": "age_years", "A_cm": "a_cm", "B_cm": "b_cm", "slice_thickness_cm": "slice_spacing_cm"}
    return {names.get(name, name): value for name, value in given.items()}


def evaluate_abc2(given):
    outcome = abc2(HaemorrhageLengths(**renamed(given)))
    return {"C_cm": outcome.value("c"), "volume_ml": outcome.value("abc2-volume")}


def evaluate_mismatch(given):
    outcome = defuse3_mismatch(CoreAndHypoperfusion(**given))
    return {
        "mismatch_ml": outcome.value("mismatch"),
        "ratio": outcome.value("mismatch-ratio"),
        "target_mismatch": outcome.category("target-mismatch") == "present",
    }


def evaluate_dawn(given):
    return {"dawn_group": dawn(CoreAndDeficit(**renamed(given))).category("dawn-group")}


def evaluate_hir(given):
    outcome = hir(DelayedTissue(**given))
    is_favourable = outcome.category("collaterals") == "favourable"
    return {"hir": outcome.value("hir"), "favourable_lt_0_4": is_favourable}


EVALUATIONS = {
    "B9a": (("aspects",), lambda given: aspects(AspectsRegions(**given)).value("aspects")),
    "B9b": (("abc2",), evaluate_abc2),
    "B9c": (
        ("ich-score",),
        lambda given: ich_score(HaemorrhageOfPatient(**renamed(given))).value("ich-score"),
    ),
    "B9d": (
        ("midline-shift",),
        lambda given: {
            "midline_shift_mm": midline_shift(SeptumAndInnerTable(**given)).value("midline-shift")
        },
    ),
    "B9e": (("defuse3-mismatch",), evaluate_mismatch),
    "B9f": (("dawn",), evaluate_dawn),
    "B9g": (("hir",), evaluate_hir),
}
