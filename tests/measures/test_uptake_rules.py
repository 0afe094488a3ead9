"""SUVmax, mean, peak, metabolic volume and glycolysis."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.measures.fixture_lines import fixture_lines
from tests.measures.volumes import everything, grid_of, image_of

from hounsfield.core import Image, Region
from hounsfield.core.code import LESION
from hounsfield.core.errors import RefusedInput
from hounsfield.measures import THRESHOLDS, UptakeThreshold, mtv, suv_max, suv_mean, suvpeak_1cm3, tlg
from hounsfield.measures.suvpeak_1cm3 import RADIUS_MM, sphere_weights

BY_RULE = dict(zip(["41% of max", "fixed 2.5", "fixed 4.0"], THRESHOLDS, strict=True))


@pytest.mark.parametrize("line", fixture_lines("B11g"), ids=lambda line: line["id"])
def test_metabolic_volume_by_hand(line):
    image = image_of(line["in"]["suv"], "SUVbw", (4.0, 4.0, 4.0))
    lesion, threshold = everything(image), BY_RULE[line["in"]["rule"]]
    expected = line["out"]
    assert mtv(image, lesion, threshold=threshold).value == pytest.approx(expected["mtv_ml"], rel=1e-4)
    assert tlg(image, lesion, threshold=threshold).value == pytest.approx(expected["tlg_g"], rel=1e-4)
    assert threshold.suv(image.array.astype(float)) == pytest.approx(expected["threshold"])
    mean = tlg(image, lesion, threshold=threshold).value / mtv(image, lesion, threshold=threshold).value
    assert mean == pytest.approx(expected["suv_mean"], rel=1e-4)


def test_names_tell_the_thresholds_apart():
    image = image_of([1.0, 5.0], "SUVbw")
    names = [rule(image, everything(image), threshold=t).name for t in THRESHOLDS for rule in (mtv, tlg)]
    assert names == ["mtv-41", "tlg-41", "mtv-2.5", "tlg-2.5", "mtv-4.0", "tlg-4.0"]


def test_nothing_above_a_fixed_threshold_is_zero_not_an_error():
    image = image_of([1.0, 1.5], "SUVbw")
    fixed = BY_RULE["fixed 4.0"]
    assert mtv(image, everything(image), threshold=fixed).value == 0.0
    assert tlg(image, everything(image), threshold=fixed).value == 0.0


@pytest.mark.parametrize("suv", [0.0, -0.5])
def test_nothing_taken_up_is_no_volume_at_any_threshold(suv):
    # 41 % of 0 is reached by every voxel, 41 % of a negative maximum by none above it.
    image = image_of([suv, suv], "SUVbw")
    for threshold in THRESHOLDS:
        assert mtv(image, everything(image), threshold=threshold).value == 0.0
        assert tlg(image, everything(image), threshold=threshold).value == 0.0


def test_threshold_needs_exactly_one_kind():
    with pytest.raises(ValueError, match="either a fraction of the maximum or a fixed SUV"):
        UptakeThreshold("both", fraction_of_max=0.5, fixed_suv=3.0)


def test_maximum_and_mean_are_of_the_region_alone():
    image = image_of([9.0, 1.0, 4.0, 7.0], "SUVbw")
    region = Region("lesion", LESION, image.grid, mask=np.array([[[False, True, True, False]]]))
    assert (suv_max(image, region).value, suv_mean(image, region).value) == (4.0, 2.5)


def test_radius_of_one_millilitre():
    (volume, four, two) = fixture_lines("B11f")
    assert pytest.approx(volume["out"]["radius_mm"], rel=1e-6) == RADIUS_MM
    for line in (four, two):
        grid = grid_of((21, 21, 21), [float(mm) for mm in line["in"]["voxel_mm"]])
        index = np.indices(grid.shape).reshape(3, -1).T
        inside = np.linalg.norm(grid.index_to_mm(index - 10) - grid.origin_mm, axis=1) <= RADIUS_MM
        assert inside.sum() == line["out"]["n_voxels"]


@pytest.mark.parametrize(
    "spacing_mm", [(4.0, 4.0, 4.0), (3.27, 4.6875, 4.6875), (1.0, 0.7, 0.7), (20.0, 5.0, 2.0)]
)
def test_weights_fill_one_cubic_centimetre(spacing_mm):
    weights = sphere_weights(grid_of((5, 5, 5), spacing_mm))
    assert weights.sum() * math.prod(spacing_mm) == pytest.approx(1000.0, rel=0.01)
    assert np.array_equal(weights, weights[::-1, ::-1, ::-1])
    assert weights.max() <= 1.0
    # Trimmed: a further layer would be empty, the outermost is not.
    assert all(weights.sum(axis=tuple({0, 1, 2} - {axis}))[0] > 0 for axis in range(3))


@settings(deadline=None)  # the first call imports scipy.signal
@given(st.floats(0.1, 60.0))
def test_peak_of_a_uniform_image_is_its_value(suv):
    image = image_of(np.full((7, 7, 7), suv), "SUVbw", (4.0, 4.0, 4.0))
    assert suvpeak_1cm3(image, everything(image)).value == pytest.approx(float(np.float32(suv)), rel=1e-9)


@settings(deadline=None)
@given(
    st.tuples(*[st.floats(-0.3, 0.3)] * 3),
    st.tuples(st.integers(3, 5), st.integers(3, 5), st.integers(3, 5)),
)
def test_peak_of_a_ramp_is_the_value_at_the_centre(slope_per_mm, centre):
    grid = grid_of((9, 9, 9), (3.27, 4.0, 4.0))
    mm = grid.index_to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))
    array = mm @ np.array(slope_per_mm) + 20.0
    mask = np.zeros(grid.shape, dtype=bool)
    mask[centre] = True
    peak = suvpeak_1cm3(Image(array, grid, "SUVbw"), Region("lesion", LESION, grid, mask=mask))
    assert peak.value == pytest.approx(array[centre], abs=1e-9)


def test_peak_is_the_highest_mean_over_all_centres():
    rng = np.random.default_rng(1)
    image = image_of(rng.gamma(2.0, 2.0, (9, 10, 11)), "SUVbw", (4.0, 3.0, 3.5))
    weights = sphere_weights(image.grid)
    rz, ry, rx = (n // 2 for n in weights.shape)
    by_hand = max(
        float((image.array[z - rz : z + rz + 1, y - ry : y + ry + 1, x - rx : x + rx + 1] * weights).sum())
        for z in range(rz, 9 - rz)
        for y in range(ry, 10 - ry)
        for x in range(rx, 11 - rx)
    )
    assert suvpeak_1cm3(image, everything(image)).value == pytest.approx(by_hand / weights.sum(), rel=1e-9)


def test_peak_lies_below_the_maximum():
    array = np.ones((9, 9, 9), dtype=np.float32)
    array[4, 4, 4] = 50.0
    image = image_of(array, "SUVbw", (4.0, 4.0, 4.0))
    # One voxel of 64 mm3 wholly inside a sphere of 1000 mm3.
    expected = 1.0 + 49.0 * 64.0 / 1000.0
    assert suvpeak_1cm3(image, everything(image)).value == pytest.approx(expected, rel=0.01)


def test_sphere_that_does_not_fit_is_refused():
    image = image_of(np.ones((2, 9, 9)), "SUVbw", (4.0, 4.0, 4.0))
    with pytest.raises(RefusedInput, match="Use the uncropped series"):
        suvpeak_1cm3(image, everything(image))


def test_lesion_at_the_edge_uses_only_whole_spheres():
    array = np.ones((9, 9, 9), dtype=np.float32)
    array[0] = 90.0
    image = image_of(array, "SUVbw", (4.0, 4.0, 4.0))
    whole = suvpeak_1cm3(image, everything(image)).value
    assert 1.0 < whole < 40.0
