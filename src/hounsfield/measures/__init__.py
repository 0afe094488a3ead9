"""Clinical rules: one published rule a file, each giving numbers and classes with rule and version.

Begin with region_volume.py (the shortest on images), ctr.py (the shortest on numbers) and
core/rule.py (what all share); SUV from the header of a PET series is in suvbw_qiba.py. Nothing here
reads files, and no rule names a diagnosis.
"""

from hounsfield.measures._calcium_classes import AgatstonScore
from hounsfield.measures._calcium_scan import CalciumScan, SliceCalcium
from hounsfield.measures._course_growth import vdt_over_time
from hounsfield.measures._fetal_scan import FetalScan, head_circumference_mm
from hounsfield.measures._from_reading import of_rule, values_of_reading
from hounsfield.measures._nodule_growth import growth_over
from hounsfield.measures._nodule_size import sphere_volume_mm3
from hounsfield.measures._patient_size import SulInputs
from hounsfield.measures._pet_header import PetHeader
from hounsfield.measures._rano import TumourSizes, volume_ratio_of_diameters, volume_ratio_of_products
from hounsfield.measures._rule import Measure, RuleCard, measure, measures
from hounsfield.measures._suv_refusals import suv_refusal
from hounsfield.measures._tumour_visits import TargetLesion, TumourVisit, irecist_over_time, recist_over_time
from hounsfield.measures.abc2 import HaemorrhageLengths, abc2
from hounsfield.measures.acog_redating_700 import RedatingInputs, acog_redating_700
from hounsfield.measures.acr_tirads_2017 import TiradsInputs, acr_tirads_2017
from hounsfield.measures.adc_mono import AdcInputs, adc_map, adc_mono, trace_weighted
from hounsfield.measures.agatston_1990 import CalciumLesions, agatston_1990, agatston_of_image
from hounsfield.measures.agatston_kvp_graeni_2018 import agatston_kvp_graeni_2018
from hounsfield.measures.aspects import AspectsRegions, aspects
from hounsfield.measures.atrophy_rate import VolumeAtTwoTimes, atrophy_rate
from hounsfield.measures.birads_bands import BiradsInputs, birads_bands
from hounsfield.measures.birads_density import DensityInputs, birads_density
from hounsfield.measures.bone_age_z import BoneAgeInputs, bone_age_z
from hounsfield.measures.brock_2b import BaselineNodule, brock_2b
from hounsfield.measures.cac_bands_rumberger import cac_bands_rumberger
from hounsfield.measures.cac_drs_2018 import CalciumBurden, cac_drs_2018
from hounsfield.measures.calcium_mass import CalciumAndInsert, calcium_mass
from hounsfield.measures.calcium_volume import CalciumVoxels, calcium_volume
from hounsfield.measures.centiloid_pib import PibUptake, centiloid_pib
from hounsfield.measures.chest_film_gates import FilmGateInputs, chest_film_gates
from hounsfield.measures.chest_film_quality import ChestFilmInputs, chest_film_quality
from hounsfield.measures.crl_intergrowth import CrlIntergrowthInputs, crl_intergrowth
from hounsfield.measures.crl_robinson import CrlRobinsonInputs, crl_robinson
from hounsfield.measures.ctr import HeartAndThoraxWidth, ctr
from hounsfield.measures.dawn import CoreAndDeficit, dawn
from hounsfield.measures.defuse3_mismatch import CoreAndHypoperfusion, defuse3_mismatch
from hounsfield.measures.deviation_index import DeviationInputs, deviation_index
from hounsfield.measures.fib4 import Fib4Inputs, fib4
from hounsfield.measures.fleischner_2017 import IncidentalNodule, fleischner_2017
from hounsfield.measures.hadlock_efw_1985 import HadlockEfwInputs, hadlock_efw_1985
from hounsfield.measures.hadlock_ga_1984 import HadlockGaInputs, hadlock_ga_1984
from hounsfield.measures.hadlock_growth_1991 import HadlockGrowthInputs, hadlock_growth_1991
from hounsfield.measures.hir import DelayedTissue, hir
from hounsfield.measures.hu_scale import HuScaleInputs, hu_scale
from hounsfield.measures.ich_score import HaemorrhageOfPatient, ich_score
from hounsfield.measures.intergrowth_biometry_2014 import IntergrowthInputs, intergrowth_biometry_2014
from hounsfield.measures.irecist_2017 import AfterUnconfirmedProgression, irecist_2017
from hounsfield.measures.laa910 import laa910
from hounsfield.measures.laa950 import laa950
from hounsfield.measures.lirads_ctmr_2018 import LiradsInputs, lirads_ctmr_2018
from hounsfield.measures.liver_spleen_ct import LiverSpleenInputs, liver_spleen_ct
from hounsfield.measures.lung_rads_2022 import ScreeningNodule, lung_rads_2022, lung_rads_of_exam
from hounsfield.measures.lv_volume_area_length import AreaAndLength, lv_volume_area_length
from hounsfield.measures.lv_volume_biplane_discs import DiscsOfTwoViews, lv_volume_biplane_discs
from hounsfield.measures.lvef_ase_2015 import VentricleVolumes, lvef_ase_2015
from hounsfield.measures.mean_attenuation import mean_attenuation
from hounsfield.measures.midline_shift import SeptumAndInnerTable, midline_shift
from hounsfield.measures.mtv import THRESHOLDS, UptakeThreshold, mtv
from hounsfield.measures.pdff_grade import PdffInputs, pdff_grade
from hounsfield.measures.perc15 import perc15, volume_adjusted_g_per_l
from hounsfield.measures.percist_1_0 import PercistInputs, percist_1_0
from hounsfield.measures.pirads_2_1 import PiradsInputs, pirads_2_1
from hounsfield.measures.ppv_npv import PredictiveInputs, ppv_npv
from hounsfield.measures.rano_2_0_2023 import rano_2_0_2023
from hounsfield.measures.rano_2010 import rano_2010
from hounsfield.measures.recist_1_1 import RecistAssessment, overall_response, recist_1_1
from hounsfield.measures.region_area import region_area
from hounsfield.measures.region_pixels import region_pixels
from hounsfield.measures.region_volume import region_volume
from hounsfield.measures.smi_l3 import MUSCLE_HU, SUBCUTANEOUS_FAT_HU, VISCERAL_FAT_HU, SmiInputs, smi_l3
from hounsfield.measures.sul_james128 import sul_james128
from hounsfield.measures.sul_janmahasatian import sul_janmahasatian
from hounsfield.measures.suv_max import suv_max
from hounsfield.measures.suv_mean import suv_mean
from hounsfield.measures.suvbw_qiba import SuvFactor, suv_factor
from hounsfield.measures.suvpeak_1cm3 import suvpeak_1cm3
from hounsfield.measures.tlg import tlg
from hounsfield.measures.vdt import NoduleAtTwoTimes, vdt
from hounsfield.measures.volume_z import VolumeAndNorm, volume_z
from hounsfield.measures.wilson import WilsonInputs, wilson

__all__ = [
    "MUSCLE_HU",
    "SUBCUTANEOUS_FAT_HU",
    "THRESHOLDS",
    "VISCERAL_FAT_HU",
    "AdcInputs",
    "AfterUnconfirmedProgression",
    "AgatstonScore",
    "AreaAndLength",
    "AspectsRegions",
    "BaselineNodule",
    "BiradsInputs",
    "BoneAgeInputs",
    "CalciumAndInsert",
    "CalciumBurden",
    "CalciumLesions",
    "CalciumScan",
    "CalciumVoxels",
    "ChestFilmInputs",
    "CoreAndDeficit",
    "CoreAndHypoperfusion",
    "CrlIntergrowthInputs",
    "CrlRobinsonInputs",
    "DelayedTissue",
    "DensityInputs",
    "DeviationInputs",
    "DiscsOfTwoViews",
    "FetalScan",
    "Fib4Inputs",
    "FilmGateInputs",
    "HadlockEfwInputs",
    "HadlockGaInputs",
    "HadlockGrowthInputs",
    "HaemorrhageLengths",
    "HaemorrhageOfPatient",
    "HeartAndThoraxWidth",
    "HuScaleInputs",
    "IncidentalNodule",
    "IntergrowthInputs",
    "LiradsInputs",
    "LiverSpleenInputs",
    "Measure",
    "NoduleAtTwoTimes",
    "PdffInputs",
    "PercistInputs",
    "PetHeader",
    "PibUptake",
    "PiradsInputs",
    "PredictiveInputs",
    "RecistAssessment",
    "RedatingInputs",
    "RuleCard",
    "ScreeningNodule",
    "SeptumAndInnerTable",
    "SliceCalcium",
    "SmiInputs",
    "SulInputs",
    "SuvFactor",
    "TargetLesion",
    "TiradsInputs",
    "TumourSizes",
    "TumourVisit",
    "UptakeThreshold",
    "VentricleVolumes",
    "VolumeAndNorm",
    "VolumeAtTwoTimes",
    "WilsonInputs",
    "abc2",
    "acog_redating_700",
    "acr_tirads_2017",
    "adc_map",
    "adc_mono",
    "agatston_1990",
    "agatston_kvp_graeni_2018",
    "agatston_of_image",
    "aspects",
    "atrophy_rate",
    "birads_bands",
    "birads_density",
    "bone_age_z",
    "brock_2b",
    "cac_bands_rumberger",
    "cac_drs_2018",
    "calcium_mass",
    "calcium_volume",
    "centiloid_pib",
    "chest_film_gates",
    "chest_film_quality",
    "crl_intergrowth",
    "crl_robinson",
    "ctr",
    "dawn",
    "defuse3_mismatch",
    "deviation_index",
    "fib4",
    "fleischner_2017",
    "growth_over",
    "hadlock_efw_1985",
    "hadlock_ga_1984",
    "hadlock_growth_1991",
    "head_circumference_mm",
    "hir",
    "hu_scale",
    "ich_score",
    "intergrowth_biometry_2014",
    "irecist_2017",
    "irecist_over_time",
    "laa910",
    "laa950",
    "lirads_ctmr_2018",
    "liver_spleen_ct",
    "lung_rads_2022",
    "lung_rads_of_exam",
    "lv_volume_area_length",
    "lv_volume_biplane_discs",
    "lvef_ase_2015",
    "mean_attenuation",
    "measure",
    "measures",
    "midline_shift",
    "mtv",
    "of_rule",
    "overall_response",
    "pdff_grade",
    "perc15",
    "percist_1_0",
    "pirads_2_1",
    "ppv_npv",
    "rano_2_0_2023",
    "rano_2010",
    "recist_1_1",
    "recist_over_time",
    "region_area",
    "region_pixels",
    "region_volume",
    "smi_l3",
    "sphere_volume_mm3",
    "sul_james128",
    "sul_janmahasatian",
    "suv_factor",
    "suv_max",
    "suv_mean",
    "suv_refusal",
    "suvpeak_1cm3",
    "tlg",
    "trace_weighted",
    "values_of_reading",
    "vdt",
    "vdt_over_time",
    "volume_adjusted_g_per_l",
    "volume_ratio_of_diameters",
    "volume_ratio_of_products",
    "volume_z",
    "wilson",
]
