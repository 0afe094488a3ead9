"""Clinical rules: one published rule a file, each giving a number with unit, rule and version.

Begin with region_volume.py (the shortest) and _rule.py (what all share); SUV from the header of a
PET series is in suvbw_qiba.py. Nothing here reads files, and no rule names a diagnosis.
"""

from hounsfield.measures._pet_header import PetHeader
from hounsfield.measures._rule import Measure, RuleCard, measure, measures
from hounsfield.measures._suv_refusals import suv_refusal
from hounsfield.measures.suvbw_qiba import SuvFactor, suv_factor

__all__ = [
    "Measure",
    "PetHeader",
    "RuleCard",
    "SuvFactor",
    "measure",
    "measures",
    "suv_factor",
    "suv_refusal",
]
