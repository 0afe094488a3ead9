"""Fixtures B4: RANO by products and volumes."""

from __future__ import annotations

from hounsfield.measures import (
    TumourSizes,
    rano_2_0_2023,
    rano_2010,
    volume_ratio_of_diameters,
    volume_ratio_of_products,
)


def evaluate_response(given):
    unit = given["measure"].split()[0]
    sizes = {f"{name}_{unit}": given[name] for name in ("baseline", "nadir", "current")}
    rule = rano_2_0_2023 if given["minor_response_allowed"] else rano_2010
    outcome = rule(TumourSizes(**sizes, is_non_enhancing=given["minor_response_allowed"]))
    return outcome.category("radiographic-response")


def evaluate_ratio(given):
    if "product_ratio" in given:
        return {"equivalent_volume_ratio": volume_ratio_of_products(given["product_ratio"])}
    return {"equivalent_volume_ratio": volume_ratio_of_diameters(given["diameter_ratio"])}


EVALUATIONS = {
    "B4a": (("rano-2010", "rano-2.0-2023"), evaluate_response),
    "B4b": (("rano-2010", "rano-2.0-2023"), evaluate_ratio),
}
