"""Fixtures B19: bone age."""

from __future__ import annotations

from hounsfield.measures import BoneAgeInputs, bone_age_z


def evaluate_bone_age(given):
    outcome = bone_age_z(
        BoneAgeInputs(
            bone_age_months=given["bone_age_months"],
            age_months=given["chronological_months"],
            sd_months=given["sd_months"],
            sd_table="of the fixture",
            sex="M",
        )
    )
    return {
        "difference_months": outcome.value("bone-age-difference"),
        "z": outcome.value("bone-age-z"),
        "state": outcome.category("bone-age-state"),
    }


EVALUATIONS = {"B19": (("bone-age-z",), evaluate_bone_age)}
