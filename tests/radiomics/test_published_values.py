"""First-order features against the published values of IBSI and the baseline of PyRadiomics."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import astuple

import nibabel
import numpy as np
import pytest
from tests.measures.fixture_lines import fixture_lines
from tests.measures.volumes import grid_of

from hounsfield.core import Region
from hounsfield.core.code import LESION
from hounsfield.measures import region_volume
from hounsfield.radiomics import (
    fixed_bin_number,
    fixed_bin_size,
    intensity_histogram,
    intensity_statistics,
    local_intensity,
    resample_linear,
    resample_mask,
    to_whole_hu,
    within_range,
    without_outliers,
)
from hounsfield.studies import read_studies

pytestmark = pytest.mark.real_data

# Tags of the published tables in the order of IntensityStatistics.
STATISTICS = (
    *("mean", "var", "skew", "kurt", "median", "min", "p10", "p90", "max", "iqr", "range"),
    *("mad", "rmad", "medad", "cov", "qcod", "energy", "rms"),
)
NOT_OF_THE_HISTOGRAM = {"energy", "rms"}
# Names of B13d that are first-order features, and the tags of the published table.
OF_THE_REFERENCE = {
    "mean": "stat_mean",
    "variance": "stat_var",
    "skewness": "stat_skew",
    "excess_kurtosis": "stat_kurt",
    "median": "stat_median",
    "p90": "stat_p90",
    "iqr": "stat_iqr",
    "mad": "stat_mad",
    "robust_mad": "stat_rmad",
    "median_ad": "stat_medad",
    "cov": "stat_cov",
    "energy": "stat_energy",
    "rms": "stat_rms",
    "hist_entropy": "ih_entropy",
    "hist_uniformity": "ih_uniformity",
    "local_peak": "loc_peak_loc",
    "global_peak": "loc_peak_glob",
}
# Lattice of the CT phantom, its options by configuration: spacing, range, outliers, bins.
CONFIGURATIONS = {
    "a": ((3.0, None, None), (-500, 400), False, "width 25"),
    "b": ((3.0, 2.0, 2.0), (-500, 400), False, "32 bins"),
    "c": ((2.0, 2.0, 2.0), (-1000, 400), False, "width 25"),
    "d": ((2.0, 2.0, 2.0), None, True, "32 bins"),
}


def published(path):
    """Tag to (value, tolerance) of one table of reference values."""
    with path.open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter=";") if row["reference value"]]
    return {row["tag"]: (float(row["reference value"]), float(row["tolerance"] or 0)) for row in rows}


def all_features(array, mask, levels, spacing_mm):
    """The 43 first-order features of a region by their tags."""
    statistics = dict(zip(STATISTICS, astuple(intensity_statistics(array[mask])), strict=True))
    histogram, peaks = intensity_histogram(levels), local_intensity(array, mask, spacing_mm)
    of_levels = dict(zip(STATISTICS, astuple(histogram.levels), strict=True))
    return {
        **{f"stat_{tag}": value for tag, value in statistics.items()},
        **{f"ih_{tag}": value for tag, value in of_levels.items() if tag not in NOT_OF_THE_HISTOGRAM},
        "ih_mode": histogram.mode,
        "ih_entropy": histogram.entropy_bits,
        "ih_uniformity": histogram.uniformity,
        "ih_max_grad": histogram.maximum_gradient,
        "ih_max_grad_g": histogram.maximum_gradient_level,
        "ih_min_grad": histogram.minimum_gradient,
        "ih_min_grad_g": histogram.minimum_gradient_level,
        "loc_peak_loc": peaks.local_peak,
        "loc_peak_glob": peaks.global_peak,
    }


def disagreements(found, reference):
    """Features that differ at three significant figures and by more than the tolerance."""
    return {
        tag: (value, *reference[tag])
        for tag, value in found.items()
        if float(f"{value:.3g}") != reference[tag][0]
        and abs(value - reference[tag][0]) > reference[tag][1] + 1e-12
    }


@pytest.fixture(scope="module")
def digital_phantom(real_data):
    folder = real_data / "ibsi_phantoms" / "digital_1"
    array = np.asarray(nibabel.load(folder / "phantom.nii.gz").dataobj).astype(float)
    mask = np.asarray(nibabel.load(folder / "mask.nii.gz").dataobj) > 0
    return all_features(array, mask, array[mask].astype(int), (2.0, 2.0, 2.0))


@pytest.fixture(scope="module")
def ct_phantom(real_data):
    """CT numbers (z, y, x), the mask of the tumour, spacing in mm."""
    folder = real_data / "ibsi_phantoms" / "ct_phantom"
    [study] = read_studies(folder / "dicom").studies
    image = next(series for series in study.series if series.modality == "CT").image()
    mask = np.asarray(nibabel.load(folder / "nifti" / "mask.nii.gz").dataobj).transpose(2, 1, 0) > 0
    # The table's mean before any processing fixes that mask and image lie as they should.
    assert image.array[mask].mean() == pytest.approx(-46.88, abs=0.01)
    return image.array, mask, tuple(round(float(mm), 3) for mm in image.grid.spacing_mm)


def test_digital_phantom_agrees_with_the_published_table(digital_phantom, real_data):
    table = published(real_data / "ibsi_phantoms" / "reference_values_1" / "ibsi_1_dig_phantom.csv")
    assert len(digital_phantom) == 43
    assert not disagreements(digital_phantom, table)


@pytest.mark.parametrize(
    "line",
    [line for line in fixture_lines("B13d") if line["in"]["feature"] in OF_THE_REFERENCE],
    ids=lambda line: line["id"],
)
def test_digital_phantom_agrees_with_the_reference(digital_phantom, line):
    expected = line["out"]
    found = digital_phantom[OF_THE_REFERENCE[line["in"]["feature"]]]
    rounded = float(f"{found:.{expected['significant_figures']}g}")
    assert rounded == pytest.approx(expected["reference"], abs=expected["tolerance"] + 1e-12)


def test_volume_of_the_digital_phantom_agrees_with_the_reference(real_data):
    mask = np.asarray(nibabel.load(real_data / "ibsi_phantoms" / "digital_1" / "mask.nii.gz").dataobj) > 0
    region = Region("tumour", LESION, grid_of(mask.shape, (2.0, 2.0, 2.0)), mask=mask)
    [line] = [line for line in fixture_lines("B13d") if line["in"]["feature"] == "volume_voxel_mm3"]
    assert region_volume(region).value * 1000 == pytest.approx(line["out"]["reference"])


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_ct_phantom_agrees_with_the_published_table(ct_phantom, real_data, name):
    array, mask, old_mm = ct_phantom
    spacing, limits, outliers, bins = CONFIGURATIONS[name]
    new_mm = tuple(new or old for new, old in zip(spacing, old_mm, strict=True))
    array = to_whole_hu(resample_linear(array, old_mm, new_mm))
    mask = resample_mask(mask, old_mm, new_mm)
    if limits:
        mask = within_range(array, mask, lowest=limits[0], highest=limits[1])
    if outliers:
        mask = without_outliers(array, mask)
    fixed_size = bins == "width 25"
    levels = (
        fixed_bin_size(array[mask], width=25, lowest=limits[0])
        if fixed_size
        else fixed_bin_number(array[mask], 32)
    )
    table = published(real_data / "ibsi_phantoms" / "reference_values_1" / f"ibsi_1_chest_config_{name}.csv")
    assert not disagreements(all_features(array, mask, levels, new_mm), table)


PYRADIOMICS = {
    "Mean": "mean",
    "Variance": "var",
    "Skewness": "skew",
    "Median": "median",
    "Minimum": "min",
    "10Percentile": "p10",
    "90Percentile": "p90",
    "Maximum": "max",
    "InterquartileRange": "iqr",
    "Range": "range",
    "MeanAbsoluteDeviation": "mad",
    "RobustMeanAbsoluteDeviation": "rmad",
}


@pytest.mark.parametrize("case", ["brain1", "brain2", "breast1", "lung1", "lung2"])
@pytest.mark.parametrize("outliers", [False, True], ids=["whole", "3 SD"])
def test_pyradiomics_baseline(real_data, case, outliers):
    import SimpleITK

    folder = real_data / "pyradiomics"
    image, label = (
        SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / f"{case}_{part}.nrrd")))
        for part in ("image", "label")
    )
    mask = without_outliers(image, label == 1) if outliers else label == 1
    values = image[mask].astype(float)
    with (folder / "baseline" / "baseline_firstorder.csv").open(encoding="utf-8") as lines:
        column = {
            row["featureName"]: row[f"{case}_resegmentation" if outliers else case]
            for row in csv.DictReader(lines)
        }
    expected = {
        name: float(value)
        for row, value in column.items()
        if (name := row.removeprefix("original_firstorder_")) != row
    }
    found = dict(zip(STATISTICS, astuple(intensity_statistics(values)), strict=True))
    for name, tag in PYRADIOMICS.items():
        assert found[tag] == pytest.approx(expected[name], rel=1e-9), name
    # PyRadiomics leaves 3 in its kurtosis, and lays bins from a multiple of their width.
    assert found["kurt"] + 3 == pytest.approx(expected["Kurtosis"], rel=1e-9)
    settings = column["diagnostics_Configuration_Settings"]
    width_hu, shift = setting(settings, "binWidth", 25.0), setting(settings, "voxelArrayShift", 0.0)
    levels = fixed_bin_size(values, width=width_hu, lowest=math.floor(values.min() / width_hu) * width_hu)
    histogram = intensity_histogram(levels)
    assert histogram.entropy_bits == pytest.approx(expected["Entropy"], rel=1e-9)
    assert histogram.uniformity == pytest.approx(expected["Uniformity"], rel=1e-9)
    shifted = intensity_statistics(values + shift)
    assert shifted.energy == pytest.approx(expected["Energy"], rel=1e-9)
    assert shifted.root_mean_square == pytest.approx(expected["RootMeanSquared"], rel=1e-9)


def setting(settings, name, default):
    """A number of the settings that a column was computed with, or the program's default."""
    stated = re.search(rf"'{name}': ([\d.]+)", settings)
    return float(stated.group(1)) if stated else default
