"""Copies of pictures: found through crop, scale, brightness, mirror and marks; like pictures are not called copies."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw

from hounsfield.core.errors import RefusedInput
from hounsfield.evaluation.audit import as_thumbnails, near_duplicates
from hounsfield.evaluation.audit.near_duplicates import (
    LEAST_ALIKE,
    LEAST_COPY,
    aligned_correlation,
    descriptors,
    perceptual_hash,
    threshold_of,
    thumbnail,
)


def picture(seed, shape_yx=(240, 260)):
    """Soft shapes, edges and texture: another scene for each seed."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng((3, seed))
    coarse = gaussian_filter(rng.normal(size=shape_yx), 20) * 60
    fine = gaussian_filter(rng.normal(size=shape_yx), 2.0) * 3
    values = 128 + 90 * (coarse / coarse.std() / 2 + (coarse > 0.3) + fine / fine.std() / 4 - 0.5)
    return np.clip(values, 0, 255).astype(np.uint8)


def as_jpeg(image, quality):
    packed = BytesIO()
    Image.fromarray(image).save(packed, format="JPEG", quality=quality)
    return np.asarray(Image.open(packed))


def marked(image):
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    for place in ((10, 12), (150, 200), (60, 120)):
        draw.text(place, "LT 12.5 +", fill=255, font_size=18)
    return np.asarray(canvas)


def smaller(image, size):
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


CHANGES = {
    "as it is": lambda image: image,
    "jpeg": lambda image: as_jpeg(image, 50),
    "a third of the size": lambda image: smaller(image, (87, 80)),
    "squeezed to a square": lambda image: smaller(image, (120, 120)),
    "four percent cropped": lambda image: image[9:-8, 10:-6],
    "brighter": lambda image: (255 * (image / 255.0) ** 0.6).astype(np.uint8),
    "less contrast": lambda image: (image * 0.5 + 60).astype(np.uint8),
    "mirrored": lambda image: image[:, ::-1],
    "marks burned in": marked,
    "cropped, marked, jpeg": lambda image: as_jpeg(marked(image)[7:-4, 3:-9], 60),
    "16 bit": lambda image: image.astype(np.uint16) * 200 + 17,
}


@pytest.fixture(scope="module")
def training():
    return as_thumbnails([picture(seed) for seed in range(60)])


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_every_copy_is_found_and_nothing_else(training, change):
    test = as_thumbnails(
        [CHANGES[change](picture(seed)) for seed in range(10)] + [picture(seed) for seed in range(100, 120)]
    )
    pairs, threshold = near_duplicates(test, training)
    assert {(one.first, one.second) for one in pairs} == {(number, number) for number in range(10)}
    assert all(one.is_copy and one.mirrored == (change == "mirrored") for one in pairs)
    assert threshold.correlation < LEAST_COPY


def test_copies_within_one_set_are_told_once(training):
    everything = as_thumbnails(
        [picture(1), picture(2), as_jpeg(picture(1), 70), *map(picture, range(200, 220))]
    )
    pairs, _ = near_duplicates(everything)
    assert [(one.first, one.second) for one in pairs] == [(0, 2)]
    assert pairs[0].n_bits <= 4


def test_pictures_that_are_all_alike_raise_the_threshold():
    shared = picture(0).astype(np.float64)
    rng = np.random.default_rng(0)
    alike = [np.clip(shared + rng.normal(0, 25, shared.shape), 0, 255) for _ in range(40)]
    pairs, threshold = near_duplicates(as_thumbnails(alike[:20]), as_thumbnails(alike[20:]))
    assert threshold.correlation > 0.9
    assert len(pairs) <= 1


def test_threshold_by_hand():
    # Fisher's transform 0 in the middle and 0.2 x 1.2816 at the ninetieth percentile: its deviation is 0.2.
    values = np.tanh(0.2 * np.array([-1.2816] * 10 + [0.0] * 79 + [1.2816] * 21))
    found = threshold_of(values, n_compared=20_000, false_pairs=0.5)
    assert found.correlation == pytest.approx(np.tanh(0.2 * 4.0556), abs=0.002)
    assert threshold_of(np.array([]), n_compared=10, false_pairs=1.0).correlation == LEAST_ALIKE


def test_mirrored_descriptors_are_those_of_the_mirrored_picture():
    image = picture(4)
    here, mirror = as_thumbnails([image]), as_thumbnails([image[:, ::-1]])
    np.testing.assert_allclose(descriptors(here, mirrored=True), descriptors(mirror), atol=1e-3)
    assert (perceptual_hash(here, mirrored=True) == perceptual_hash(mirror)).all()


def test_alignment_undoes_a_small_turn():
    from scipy.ndimage import rotate

    image = picture(6)
    turned = rotate(image, 3, reshape=False, mode="nearest")
    assert aligned_correlation(thumbnail(turned)[0], thumbnail(image)[0]) > 0.8


def test_an_even_picture_is_told_and_never_a_copy():
    even = as_thumbnails([np.full((50, 60), 7), picture(1)])
    assert even.even.tolist() == [True, False]
    pairs, _ = near_duplicates(even, even)
    assert [(one.first, one.second) for one in pairs] == [(1, 1)]


def test_what_is_no_slice_is_refused():
    with pytest.raises(RefusedInput, match="give one slice"):
        thumbnail(np.zeros((4, 20, 20)))
