"""Rows of letters burned into pictures."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from hounsfield.imaging.burned_text import find_text


def background(n=400):
    """Soft structures like those of a film."""
    rough = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(n, n)), 12)
    return np.clip(0.5 + 0.12 * rough / rough.std(), 0, 1)


def written(text, *, at=(80, 150), size=18, level=255):
    drawn = Image.fromarray(np.round(background() * 255).astype(np.uint8))
    ImageDraw.Draw(drawn).text(at, text, fill=level, font=ImageFont.load_default(size=size))
    return np.asarray(drawn, dtype=float) / 255


@pytest.mark.parametrize("level", [255, 0])
@pytest.mark.parametrize("size", [14, 18])
def test_a_row_of_letters_is_found_in_its_place(level, size):
    (line,) = find_text(written("PORTABLE", level=level, size=size))
    assert 4 <= line.n_letters <= 8
    assert line.top * 400 == pytest.approx(150 + 0.2 * size, abs=0.2 * size)
    assert 75 <= line.left * 400 <= 105


@pytest.mark.parametrize("text", ["", "L", "R AP"])
def test_side_markers_and_films_without_text_hold_no_row(text):
    assert find_text(written(text)) == []


def test_large_pictures_are_read_like_small_ones():
    large = np.kron(written("PORTABLE"), np.ones((5, 5)))
    (line,) = find_text(large)
    assert line.left * 400 == pytest.approx(83, abs=15)


def test_ribs_are_no_text():
    rows = np.arange(300)[:, None] + 0.2 * np.arange(300)[None, :]
    assert find_text(0.5 + 0.2 * np.sin(rows / 4.0)) == []
