"""Fixtures B15: PI-RADS."""

from __future__ import annotations

from hounsfield.measures import PiradsInputs, pirads_2_1


def evaluate_lesion(given):
    scores = {name: str(value) for name, value in given.items()}
    return int(pirads_2_1(PiradsInputs(**scores)).category("pirads"))


def evaluate_gland(given):
    gland_cm = (given["length_cm"], given["width_cm"], given["height_cm"])
    outcome = pirads_2_1(
        PiradsInputs(zone="PZ", t2w="1", dwi="1", dce="-", gland_cm=gland_cm, psa_ng_ml=given["psa_ng_ml"])
    )
    return {
        "volume_ml": outcome.value("volume"),
        "psa_density": outcome.value("psa-density"),
        "ge_0_15": outcome.category("psa-density-limit") == "reached",
    }


EVALUATIONS = {
    "B15a": (("pirads-2.1",), evaluate_lesion),
    "B15b": (("pirads-2.1",), evaluate_gland),
}
