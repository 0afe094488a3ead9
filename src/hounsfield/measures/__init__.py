"""Clinical rules: one published rule a file, each giving numbers and classes with rule and version.

Begin with region_volume.py (the shortest on images), ctr.py (the shortest on numbers) and
core/rule.py (what all share); SUV from the header of a PET series is in suvbw_qiba.py. Nothing here
reads files, and no rule names a diagnosis.
"""

from hounsfield.measures._pet_header import PetHeader
from hounsfield.measures._rule import Measure, RuleCard, measure, measures
from hounsfield.measures._suv_refusals import suv_refusal
from hounsfield.measures.ctr import HeartAndThoraxWidth, ctr
from hounsfield.measures.laa910 import laa910
from hounsfield.measures.laa950 import laa950
from hounsfield.measures.mean_attenuation import mean_attenuation
from hounsfield.measures.mtv import THRESHOLDS, UptakeThreshold, mtv
from hounsfield.measures.perc15 import perc15
from hounsfield.measures.region_volume import region_volume
from hounsfield.measures.suv_max import suv_max
from hounsfield.measures.suv_mean import suv_mean
from hounsfield.measures.suvbw_qiba import SuvFactor, suv_factor
from hounsfield.measures.suvpeak_1cm3 import suvpeak_1cm3
from hounsfield.measures.tlg import tlg

__all__ = [
    "THRESHOLDS",
    "HeartAndThoraxWidth",
    "Measure",
    "PetHeader",
    "RuleCard",
    "SuvFactor",
    "UptakeThreshold",
    "ctr",
    "laa910",
    "laa950",
    "mean_attenuation",
    "measure",
    "measures",
    "mtv",
    "perc15",
    "region_volume",
    "suv_factor",
    "suv_max",
    "suv_mean",
    "suv_refusal",
    "suvpeak_1cm3",
    "tlg",
]
