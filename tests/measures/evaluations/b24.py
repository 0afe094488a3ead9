"""Fixtures B24: rotation of a chest film, deviation index."""

from __future__ import annotations

from hounsfield.measures import ChestFilmInputs, DeviationInputs, chest_film_quality, deviation_index


def evaluate_rotation(given):
    outcome = chest_film_quality(ChestFilmInputs(**given))
    return {
        "asymmetry": outcome.value("clavicle-asymmetry"),
        "flag": "film-rotated" in [condition.code for condition in outcome.conditions],
    }


def evaluate_exposure(given):
    inputs = DeviationInputs(exposure_index=given["ei"], target_exposure_index=given["ei_target"])
    return {"di": deviation_index(inputs).value("deviation-index")}


EVALUATIONS = {
    "B24a": (("chest-film-quality",), evaluate_rotation),
    "B24b": (("deviation-index",), evaluate_exposure),
}
