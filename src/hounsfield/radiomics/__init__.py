"""Radiomics by the conventions of IBSI: what is done to a region's voxels, and numbers of them.

Here: re-segmentation, resampling, discretisation, first-order features (intensity statistics, histogram,
local peaks). Not here: morphology and texture; clinical rules (measures). Pure functions of arrays;
the order is resampling, re-segmentation, discretisation, features. Read intensity_statistics.py first.
"""

from hounsfield.radiomics._registry import radiomic_rules
from hounsfield.radiomics.discretisation import fixed_bin_number, fixed_bin_size, require_calibrated_unit
from hounsfield.radiomics.ibsi_1 import FirstOrderInputs, ibsi_1
from hounsfield.radiomics.intensity_histogram import IntensityHistogram, intensity_histogram
from hounsfield.radiomics.intensity_statistics import IntensityStatistics, intensity_statistics
from hounsfield.radiomics.local_intensity import LocalIntensity, local_intensity
from hounsfield.radiomics.resampling import resample_linear, resample_mask, resampled_axis, to_whole_hu
from hounsfield.radiomics.resegmentation import within_range, without_outliers

__all__ = [
    "FirstOrderInputs",
    "IntensityHistogram",
    "IntensityStatistics",
    "LocalIntensity",
    "fixed_bin_number",
    "fixed_bin_size",
    "ibsi_1",
    "intensity_histogram",
    "intensity_statistics",
    "local_intensity",
    "radiomic_rules",
    "require_calibrated_unit",
    "resample_linear",
    "resample_mask",
    "resampled_axis",
    "to_whole_hu",
    "within_range",
    "without_outliers",
]
