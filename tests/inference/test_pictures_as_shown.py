"""Pictures for the networks of others: grey as it is shown, and the ways of others onto the square and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from hounsfield.core.errors import RefusedInput
from hounsfield.inference import PictureToInput, prepare
from hounsfield.zoo import Preprocessing

IMAGENET = {"mean": (0.485, 0.456, 0.406), "deviation": (0.229, 0.224, 0.225)}
FITS = {"pad": None, "crop": None, "stretch": None, "resize-crop": 72}
SHAPES = st.tuples(st.integers(60, 200), st.integers(60, 200))


def shown(**changes):
    return Preprocessing(**{"size_px": 64, "normalisation": "range", **changes})


def film(shape_yx, seed=0):
    """Smooth shadows and noise, uint8."""
    y, x = np.mgrid[: shape_yx[0], : shape_yx[1]]
    noise = np.random.default_rng(seed).normal(0, 12, shape_yx)
    return np.clip(128 + 100 * np.sin(y / 17) * np.cos(x / 11) + noise, 0, 255).astype(np.uint8)


def test_black_and_white_become_the_numbers_that_the_card_states():
    picture = np.zeros((64, 64), np.uint8)
    picture[:, 32:] = 255
    picture[0, 0] = 51
    pixels = prepare(picture, shown(black=-1024, white=1024)).pixels
    assert pixels[0, 0] == pytest.approx(2048 * 51 / 255 - 1024)
    assert pixels[5, 0] == -1024
    assert pixels[5, 40] == 1024


def test_channels_have_each_their_mean_and_deviation():
    prepared = prepare(film((64, 64)), shown(channels=3, **IMAGENET))
    for index in range(3):
        expected = (prepared.pixels - IMAGENET["mean"][index]) / IMAGENET["deviation"][index]
        np.testing.assert_allclose(prepared.channels[index], expected, atol=1e-6)


@pytest.mark.parametrize("shape_yx", [(100, 139), (171, 90), (64, 64), (33, 47)])
def test_crop_is_torchxrayvisions(shape_yx):
    """XRayCenterCrop, then XRayResizer: scikit-image's resize with its defaults and zeros around."""
    transform = pytest.importorskip("skimage.transform")
    picture = film(shape_yx)
    scaled = (2 * (picture.astype(np.float32) / 255) - 1.0) * 1024
    side = min(shape_yx)
    top, left = shape_yx[0] // 2 - side // 2, shape_yx[1] // 2 - side // 2
    part = scaled[None, top : top + side, left : left + side]
    expected = transform.resize(part, (1, 64, 64), mode="constant", preserve_range=True)[0]
    made = prepare(picture, shown(black=-1024, white=1024, fit="crop", interpolation="scikit-image"))
    np.testing.assert_allclose(made.pixels, expected, atol=2e-3)


@pytest.mark.parametrize("shape_yx", [(100, 139), (171, 90), (72, 72)])
@pytest.mark.parametrize("filter_name", ["bilinear", "bicubic"])
def test_resize_crop_is_torchvisions(shape_yx, filter_name):
    """Resize and CenterCrop of an 8-bit picture, ToTensor, Normalize; their formulas."""
    picture = film(shape_yx)
    height, width = (int(72 * side / min(shape_yx)) for side in shape_yx)
    resized = Image.fromarray(picture).resize((width, height), getattr(Image.Resampling, filter_name.upper()))
    top, left = round((height - 64) / 2.0), round((width - 64) / 2.0)
    tensor = np.asarray(resized.crop((left, top, left + 64, top + 64)), dtype=np.float32) / 255
    way = shown(
        fit="resize-crop",
        shorter_px=72,
        channels=3,
        interpolation=f"pillow-{filter_name}-8-bit",
        **IMAGENET,
    )
    expected = [(tensor - m) / d for m, d in zip(IMAGENET["mean"], IMAGENET["deviation"], strict=True)]
    np.testing.assert_allclose(prepare(picture, way).channels, expected, atol=1e-5)


@pytest.mark.parametrize("shape_yx", [(100, 139), (40, 90)])
def test_linear_is_torchs(shape_yx):
    torch = pytest.importorskip("torch")
    picture = film(shape_yx)
    tensor = torch.from_numpy(picture / 255.0)[None, None]
    expected = torch.nn.functional.interpolate(tensor, size=(64, 64), mode="bilinear")[0, 0].numpy()
    made = prepare(picture, shown(fit="stretch", interpolation="linear")).pixels
    np.testing.assert_allclose(made, expected, atol=1e-5)


@pytest.mark.parametrize("fit", FITS)
@given(shape_yx=SHAPES, row=st.floats(0.4, 0.6), column=st.floats(0.4, 0.6))
@settings(max_examples=20, deadline=None)
def test_a_map_comes_back_where_it_was(fit, shape_yx, row, column):
    """A disc near the picture's centre, outlined on the square, has its place and area on the picture."""
    y, x = np.mgrid[: shape_yx[0], : shape_yx[1]]
    centre = (row * (shape_yx[0] - 1), column * (shape_yx[1] - 1))
    radius_px = 0.2 * min(shape_yx)
    truth = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius_px**2
    prepared = prepare(truth * 255.0, shown(fit=fit, shorter_px=FITS[fit]))
    restored = prepared.restore((prepared.pixels > 0.5).astype(np.float32)) > 0.5
    edge_px = max(1.0, max(shape_yx) / 64)
    assert restored.shape == shape_yx
    assert abs(int(restored.sum()) - int(truth.sum())) < 2 * np.pi * radius_px * edge_px
    assert np.abs(np.argwhere(restored).mean(axis=0) - np.argwhere(truth).mean(axis=0)).max() < edge_px


def test_what_the_network_was_not_shown_is_nothing_in_the_map():
    prepared = prepare(film((100, 200)), shown(fit="crop"))
    restored = prepared.restore(np.ones((64, 64)))
    assert (restored[:, 50:150] == 1).all()
    assert not restored[:, :50].any()
    assert not restored[:, 150:].any()


@pytest.mark.parametrize(
    "picture",
    [film((64, 64)) * 16.0, film((64, 64)) / 255.0, film((64, 64)) - 128.0],
    ids=["12 bits", "from 0 to 1", "below black"],
)
def test_numbers_of_unknown_meaning_are_refused(picture):
    with pytest.raises(RefusedInput, match="Apply the window"):
        prepare(picture, shown())


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.full((70, 70), 7), "no contrast"),
        (np.full((70, 70), np.nan), "not finite"),
        (np.zeros((3, 70, 70), np.uint8), "single slice"),
    ],
)
def test_pictures_of_nothing_are_refused(picture, message):
    with pytest.raises(RefusedInput, match=message):
        prepare(picture, shown())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"black": 1.0}, "both 1"),
        ({"mean": (0.5,)}, "one number for each"),
        ({"channels": 3, "mean": (0.5,), "deviation": (0.5,)}, "one number for each"),
        ({"fit": "resize-crop"}, "shorter_px"),
        ({"shorter_px": 70}, "shorter_px"),
        ({"fit": "resize-crop", "shorter_px": 60}, "below size_px"),
        ({"normalisation": "percentile-zscore", "fit": "crop"}, "percentile-zscore"),
    ],
)
def test_cards_that_contradict_themselves(changes, message):
    with pytest.raises(ValidationError, match=message):
        shown(**changes)


def test_callable_form_gives_all_channels():
    way = shown(channels=3, **IMAGENET)
    made = PictureToInput(**way.model_dump(mode="json"))(film((80, 60)))
    np.testing.assert_array_equal(made, prepare(film((80, 60)), way).channels)
    assert made.shape == (3, 64, 64)
