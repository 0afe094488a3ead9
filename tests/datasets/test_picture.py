import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.datasets import fit_picture, restore_map


def blob(height, width):
    y, x = np.mgrid[0:height, 0:width]
    return np.exp(-(((y - height * 0.6) / (height / 6)) ** 2) - ((x - width * 0.3) / (width / 6)) ** 2)


@pytest.mark.parametrize("shape", [(64, 64), (200, 120), (90, 301), (512, 512)])
def test_there_and_back_keeps_a_smooth_map_in_place(shape):
    picture = blob(*shape)
    square = fit_picture(picture, size=192, percentiles=(0.0, 100.0))
    back = restore_map(square, shape)
    assert back.shape == shape
    assert np.abs(back - (picture - picture.min()) / np.ptp(picture)).max() < 0.03


@given(st.floats(0.1, 500), st.floats(-1000, 1000))
def test_scale_and_offset_of_grey_values_are_immaterial(factor, offset):
    picture = blob(40, 40)
    np.testing.assert_allclose(
        fit_picture(picture * factor + offset, size=48), fit_picture(picture, size=48), atol=2e-2
    )


def test_the_whole_slice_is_kept_centred():
    square = fit_picture(np.tile([0.0, 1.0], (20, 20)) + np.arange(20)[:, None], size=64)
    assert not square[:16].any()
    assert not square[48:].any()
    assert square[20:48].any()


def test_an_even_picture_becomes_zeros():
    assert not fit_picture(np.full((30, 30), 5.0), size=32).any()


def test_what_is_no_slice_is_refused():
    with pytest.raises(RefusedInput, match="no single slice"):
        fit_picture(np.zeros((3, 4, 5)), size=32)
    with pytest.raises(RefusedInput, match="not finite"):
        fit_picture(np.array([[1.0, np.nan]]), size=32)
