"""Fixtures B13a to B13c: discretisation, resampling, statistics. B13d needs the phantom: tests/radiomics."""

from __future__ import annotations

import numpy as np

from hounsfield.radiomics import (
    FirstOrderInputs,
    fixed_bin_number,
    fixed_bin_size,
    ibsi_1,
    intensity_histogram,
    intensity_statistics,
    resampled_axis,
)


def evaluate_levels(given):
    if given["method"] == "FBN":
        ibsi_1(FirstOrderInputs(values=given["values"], unit="1", bins="number", n_bins=given["n_bins"]))
        return fixed_bin_number(np.array(given["values"], dtype=float), given["n_bins"]).tolist()
    values = np.array(given["values"], dtype=float)
    return fixed_bin_size(values, width=given["width"], lowest=given["min"]).tolist()


def evaluate_axis(given):
    new_n, offset_mm = resampled_axis(
        given["n"], spacing_mm=given["spacing_mm"], new_spacing_mm=given["new_spacing_mm"]
    )
    return {"new_n": new_n, "first_centre_offset_mm": offset_mm}


def evaluate_statistics(given):
    found = intensity_statistics(np.array(given["values"]))
    return {
        "mean": found.mean,
        "variance_population": found.variance,
        "skewness": found.skewness,
        "excess_kurtosis": found.excess_kurtosis,
        "energy": found.energy,
        "rms": found.root_mean_square,
        "mean_abs_dev": found.mean_absolute_deviation,
        "entropy_bits": intensity_histogram(np.array(given["values"])).entropy_bits,
    }


EVALUATIONS = {
    "B13a": (("ibsi-1",), evaluate_levels),
    "B13b": (("ibsi-1",), evaluate_axis),
    "B13c": (("ibsi-1",), evaluate_statistics),
}
