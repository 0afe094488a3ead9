"""Preprocessing: what training and reading share, and the way back onto the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.datasets import fit_picture
from hounsfield.inference import PictureToInput, Prepared, prepare
from hounsfield.zoo import Preprocessing

SETTINGS = Preprocessing(size_px=64)
SHAPES = st.tuples(st.integers(40, 200), st.integers(40, 200))


def disc(shape_yx, centre, radius_px):
    y, x = np.mgrid[: shape_yx[0], : shape_yx[1]]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius_px**2


def noise(shape_yx, seed=0):
    return np.random.default_rng(seed).normal(100, 20, shape_yx)


def test_input_is_what_training_makes():
    picture = noise((80, 60))
    expected = fit_picture(picture.astype(np.float32), size=64, percentiles=(1.0, 99.5))
    np.testing.assert_array_equal(prepare(picture, SETTINGS).pixels, expected)


@given(SHAPES, st.floats(0.3, 0.7), st.floats(0.3, 0.7))
@settings(max_examples=40, deadline=None)
def test_map_comes_back_where_it_was(shape_yx, row, column):
    """A disc drawn on the square at the place of a disc on the picture has its area and centre there."""
    centre = (row * (shape_yx[0] - 1), column * (shape_yx[1] - 1))
    radius_px = 0.2 * min(shape_yx)
    truth = disc(shape_yx, centre, radius_px)
    prepared = prepare(truth * 1.0 + noise(shape_yx) * 1e-3, SETTINGS)
    halfway = (prepared.pixels.max() + prepared.pixels.min()) / 2
    restored = prepared.restore((prepared.pixels > halfway).astype(np.float32)) > 0.5
    # One pixel of the square, in pixels of the picture, is how far an edge can move.
    edge_px = max(1.0, max(shape_yx) / 64)
    tolerance = 2 * np.pi * radius_px * edge_px
    assert abs(int(restored.sum()) - int(truth.sum())) < tolerance
    found = np.argwhere(restored).mean(axis=0)
    expected = np.argwhere(truth).mean(axis=0)
    assert np.abs(found - expected).max() < edge_px


@given(SHAPES, st.floats(0.01, 1000), st.floats(-1000, 1000))
@settings(max_examples=30, deadline=None)
def test_brightness_and_contrast_change_nothing(shape_yx, factor, offset):
    picture = noise(shape_yx)
    changed = prepare(picture * factor + offset, SETTINGS).pixels
    # float32 of an offset 1e5 times the contrast keeps two digits of it
    assert np.abs(changed - prepare(picture, SETTINGS).pixels).max() < 0.05


@pytest.mark.parametrize("shape_yx", [(100, 50), (50, 100)])
def test_aspect_is_kept(shape_yx):
    picture = np.ones(shape_yx) * 5.0
    picture[::2] = 10.0
    pixels = prepare(picture, SETTINGS).pixels
    axis = 0 if shape_yx[0] < shape_yx[1] else 1
    lines = pixels.std(axis=1 - axis)
    assert (lines[:15] == 0).all()
    assert (lines[-15:] == 0).all()


@pytest.mark.parametrize("value", [0.0, 7.0, -1e4])
def test_even_picture_is_refused(value):
    with pytest.raises(RefusedInput, match="no contrast"):
        prepare(np.full((70, 70), value), SETTINGS)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(bad):
    picture = noise((70, 70))
    picture[3, 3] = bad
    with pytest.raises(RefusedInput, match="not finite"):
        prepare(picture, SETTINGS)


@pytest.mark.parametrize("shape", [(4, 70, 70), (70,), (0, 70)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(RefusedInput, match="single slice"):
        prepare(np.ones(shape), SETTINGS)


def test_map_of_another_size_is_refused():
    with pytest.raises(RefusedInput, match=r"\(3, 3\) does not lie on"):
        Prepared(np.zeros((64, 64), np.float32), (80, 70)).restore(np.zeros((3, 3)))


def test_callable_form_takes_the_cards_words():
    picture = noise((80, 60))
    callable_form = PictureToInput(**SETTINGS.model_dump(mode="json"))
    expected = prepare(picture, SETTINGS).pixels[None]
    np.testing.assert_array_equal(callable_form(picture), expected)
    np.testing.assert_array_equal(callable_form(picture[None]), expected)
