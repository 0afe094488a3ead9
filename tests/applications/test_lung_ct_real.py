"""The lungs of a real chest CT against contours drawn for radiotherapy."""

from __future__ import annotations

import pytest

import hounsfield
from hounsfield.metrics import dice
from hounsfield.studies import read_study


@pytest.mark.real_data
@pytest.mark.slow
def test_lungs_agree_with_the_contours_of_a_radiotherapy_plan(real_data):
    (reading,) = hounsfield.read(real_data / "chest_ct_nsclc" / "ct", applications=["lung_ct"])
    assert reading.status == "complete"
    grid = reading.region("left-lung").grid
    (contours,) = read_study(real_data / "chest_ct_nsclc" / "rtstruct.dcm").series
    drawn = {region.name: region.mask for region in contours.regions(grid)}
    # The contours leave out consolidated lung and most of the tumour at the left hilum, as density does.
    assert dice(drawn["lung-left"], reading.region("left-lung").mask) >= 0.95
    assert dice(drawn["lung-right"], reading.region("right-lung").mask) >= 0.95
    # 3 mm slices, a header that states no contrast, and air in the trachea at about -970 HU.
    assert {c.code for c in reading.conditions} == {
        "lung-density-invalid",
        "contrast-unstated",
        "air-off-calibration",
    }
    assert {m.name for m in reading.measurements} == {"volume", "mean-density"}
