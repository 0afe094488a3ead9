"""Fixtures B5: Lung-RADS v2022."""

from __future__ import annotations

from hounsfield.core.exact import round_half_up
from hounsfield.measures import ScreeningNodule, lung_rads_2022


def evaluate_sphere(given):
    nodule = ScreeningNodule(type="solid", mean_diameter_mm=given["diameter_mm"], status="baseline")
    volume_mm3 = lung_rads_2022(nodule).value("sphere-volume")
    return {"sphere_volume_mm3": volume_mm3, "rounded": int(round_half_up(volume_mm3))}


def evaluate_growth(given):
    nodule = ScreeningNodule(
        type="solid",
        mean_diameter_mm=given["current_mm"],
        prior_mm=given["prior_mm"],
        interval_months=given["interval_months"],
    )
    return lung_rads_2022(nodule).category("growth")


EVALUATIONS = {
    "B5a": (("lung-rads-2022",), evaluate_sphere),
    "B5b": (
        ("lung-rads-2022",),
        lambda given: lung_rads_2022(ScreeningNodule(**given)).category("lung-rads"),
    ),
    "B5c": (("lung-rads-2022",), evaluate_growth),
}
