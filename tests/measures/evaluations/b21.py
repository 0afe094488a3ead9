"""Fixtures B21: low attenuation area, 15th percentile, gas trapping."""

from __future__ import annotations

import numpy as np
from tests.measures.volumes import everything, image_of

from hounsfield.measures import laa950, perc15, volume_adjusted_g_per_l
from hounsfield.measures.laa950 import low_attenuation_percent


def values_of(counts):
    return [float(hu) for hu, count in counts.items() for _ in range(count)]


def evaluate_density(given):
    if "perc15_hu" in given:
        density = given["perc15_hu"] + 1000.0
        return {
            "density_g_l": density,
            "volume_adjusted_g_l": volume_adjusted_g_per_l(
                given["perc15_hu"],
                lung_volume_l=given["lung_volume_l"],
                reference_volume_l=given["reference_volume_l"],
            ),
        }
    if "exp_hu_counts" in given:
        hu = np.array(values_of(given["exp_hu_counts"]))
        return {"gas_trapping_lt_856_pct": low_attenuation_percent(hu, threshold_hu=-856.0)}
    hu = values_of(given["hu_counts"]) if "hu_counts" in given else list(np.arange(-1000.0, -799.0))
    image = image_of(hu, "HU")
    lung = everything(image)
    inclusive = low_attenuation_percent(image.array.astype(float), threshold_hu=-950.0, inclusive=True)
    return {
        "laa_lt_950_pct": laa950(image, lung).value,
        "laa_le_950_pct": inclusive,
        "perc15_linear_hu": perc15(image, lung).value,
        "perc15_g_per_l": perc15(image, lung).value + 1000.0,
    }


EVALUATIONS = {"B21": (("laa950", "perc15"), evaluate_density)}
