"""Networks that label voxels: axes, grids and windows, held to weights whose labels are known."""

import numpy as np
import pytest

pytest.importorskip("torch")

from tests.tiny_volume_bundle import threshold_weights, volume_card, write_volume_bundle

from hounsfield.core import Grid, Image
from hounsfield.core.errors import ModelError, RefusedInput
from hounsfield.inference import load_model, open_model, prepare_volume
from hounsfield.zoo import (
    Channel,
    GreyValues,
    VolumeInference,
    VolumePreprocessing,
    VoxelLabels,
    WindowSettings,
)


def grid(shape, *, spacing_mm=(1.0, 1.0, 1.0), directions=((0, 0, 1), (0, 1, 0), (1, 0, 0))):
    """A grid whose array axes grow along `directions` (LPS, x y z), of that spacing."""
    affine = np.eye(4)
    affine[:3, :3] = np.array(directions, dtype=float).T * spacing_mm
    return Grid(shape, affine)


def image(array, **geometry):
    return Image(np.asarray(array, dtype=np.float32), grid(np.shape(array), **geometry), "1")


def blob(shape=(12, 14, 16), seed=0):
    values = np.random.default_rng(seed).uniform(0.0, 1.0, shape)
    values.flat[0], values.flat[-1] = 0.0, 1.0
    return values


def test_labels_lie_on_the_image(tmp_path):
    model = open_model(write_volume_bundle(tmp_path))
    values = blob()
    labels = model.segment([image(values * 300 + 5)])
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, values.astype(np.float32) > 0.5)


TURNED = [
    ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    ((0, 0, -1), (0, 1, 0), (1, 0, 0)),
    ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    ((0, -1, 0), (-1, 0, 0), (0, 0, -1)),
]


@pytest.mark.parametrize("directions", TURNED)
@pytest.mark.parametrize("axes", [("L", "I", "A"), ("S", "P", "L")])
def test_a_network_sees_the_axes_that_its_card_states(tmp_path, directions, axes):
    """The network looks one voxel further along its first axis, whatever the order in which the file stores voxels."""
    bundle = write_volume_bundle(
        tmp_path, weights=threshold_weights(looks_at=(2, 1, 1)), preprocessing={"axes": axes}
    )
    values = blob()
    found = open_model(bundle).segment([image(values, directions=directions)])
    towards = {"L": (1, 0, 0), "S": (0, 0, 1)}[axes[0]]
    along = [int(np.dot(direction, towards)) for direction in directions]
    axis = int(np.argmax(np.abs(along)))
    neighbour = np.zeros_like(values)
    here, there = [slice(None)] * 3, [slice(None)] * 3
    here[axis], there[axis] = slice(0, -1), slice(1, None)
    if along[axis] < 0:
        here, there = there, here
    neighbour[tuple(here)] = values[tuple(there)]
    np.testing.assert_array_equal(found, neighbour.astype(np.float32) > 0.5)


@pytest.mark.parametrize("way", ["patient", "stretch", "fixed"])
def test_labels_come_back_from_another_grid(tmp_path, way):
    """A ball of 12 mm in an image of 1.5 x 1 x 0.75 mm, labelled at 2 mm, keeps volume and centre."""
    settings = {
        "patient": {"spacing_mm": (2.0, 2.0, 2.0)},
        "stretch": {"grid": "stretch", "spacing_mm": (2.0, 2.0, 2.0), "order": 3, "grey_values_first": True},
        "fixed": {"grid": "fixed", "shape": (24, 24, 24)},
    }[way]
    spacing = (1.5, 1.0, 0.75)
    z, y, x = (np.arange(n) * mm for n, mm in zip((32, 48, 64), spacing, strict=True))
    distance = np.sqrt(
        (z[:, None, None] - 22) ** 2 + (y[None, :, None] - 25) ** 2 + (x[None, None, :] - 20) ** 2
    )
    soft = np.clip((14 - distance) / 4, 0, 1)  # falls from 1 at 10 mm to 0 at 14 mm: half at 12 mm
    labels = open_model(write_volume_bundle(tmp_path, preprocessing=settings)).segment(
        [image(soft, spacing_mm=spacing)]
    )
    voxel_mm3 = np.prod(spacing)
    assert labels.sum() * voxel_mm3 == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.03)
    centre = [mean * mm for mean, mm in zip(np.argwhere(labels).mean(axis=0), spacing, strict=True)]
    np.testing.assert_allclose(centre, (22, 25, 20), atol=0.15)


def test_a_crop_leaves_the_background_and_puts_labels_back(tmp_path):
    values = np.zeros((20, 22, 24))
    values[5:13, 6:18, 7:20] = blob((8, 12, 13)) * 0.8 + 0.2
    bundle = write_volume_bundle(
        tmp_path, weights=threshold_weights(threshold=0.6), preprocessing={"crop": "nonzero"}
    )
    model = open_model(bundle)
    prepared = prepare_volume([image(values)], model.preprocessing)
    assert prepared.values.shape == (1, 8, 12, 13)
    inner = values[5:13, 6:18, 7:20]
    limit = 0.6 * (inner.max() - inner.min()) + inner.min()
    np.testing.assert_array_equal(model.segment([image(values)]), values > limit)


def test_windows_and_whole_volume_give_the_same_labels(tmp_path):
    windows = WindowSettings(patch_zyx=(8, 8, 8), overlap=0.5, mirror_axes=(0, 2))
    bundle = write_volume_bundle(tmp_path, volume=VolumeInference(windows=windows))
    values = blob((12, 14, 16), seed=3)
    np.testing.assert_array_equal(
        open_model(bundle).segment([image(values)]), values.astype(np.float32) > 0.5
    )


def test_painted_labels_lie_over_each_other(tmp_path):
    """Two nested regions: channel 0 paints what is above 0, channel 1 what is above 0.5, which wins."""
    weights = threshold_weights()
    weights["head.weight"] = np.array([1.0, 1.0], dtype=np.float32).reshape(2, 1, 1, 1, 1)
    weights["head.bias"] = np.array([-0.2, -0.5], dtype=np.float32)
    classes = [
        {"name": n, "value": n.upper(), "scheme": "99TEST", "meaning": n}
        for n in ("background", "core", "whole")
    ]
    rule = VoxelLabels(way="painted", paint=(2, 1))
    bundle = write_volume_bundle(
        tmp_path, weights=weights, classes=classes, volume=VolumeInference(voxel_labels=rule)
    )
    values = blob().astype(np.float32)
    expected = np.where(values >= 0.5, 1, np.where(values >= 0.2, 2, 0))
    np.testing.assert_array_equal(open_model(bundle).segment([image(values)]), expected)


def test_several_channels_come_onto_the_grid_of_the_first():
    channels = [Channel(name=n, grey_values=GreyValues(way="none")) for n in ("T1", "FLAIR")]
    settings = VolumePreprocessing(channels=channels)
    coarse = Image(np.full((6, 7, 8), 3.0, np.float32), grid((6, 7, 8), spacing_mm=(2.0, 2.0, 2.0)), "1")
    prepared = prepare_volume([image(blob()), coarse], settings)
    assert prepared.values.shape == (2, 12, 14, 16)
    assert np.all(prepared.values[1] == 3.0)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (GreyValues(way="none"), [0, 10, 20, 40]),
        (
            GreyValues(way="zscore"),
            [-1.18321596, -0.50709255, 0.16903085, 1.52127766],
        ),  # mean 17.5, SD 14.79
        (
            GreyValues(way="clip-zscore", low=5, high=30, mean=10, standard_deviation=5),
            [-1.0, 0.0, 2.0, 4.0],
        ),
        (GreyValues(way="unit-range"), [0.0, 0.25, 0.5, 1.0]),
        (GreyValues(way="max-one"), [0.0, 0.25, 0.5, 1.0]),
        (GreyValues(way="range", low=10, high=30, to_low=-1, to_high=1), [-1.0, -1.0, 0.0, 1.0]),
        (GreyValues(way="range", low=10, high=30, clip=False), [-0.5, 0.0, 0.5, 1.5]),
    ],
)
def test_grey_values_become_what_the_card_says(rule, expected):
    settings = VolumePreprocessing(channels=[Channel(name="T1", grey_values=rule)])
    values = np.array([0.0, 10.0, 20.0, 40.0]).reshape(1, 2, 2)
    found = prepare_volume([image(values)], settings).values
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-6)


def test_what_does_not_fit_is_refused(tmp_path):
    model = open_model(write_volume_bundle(tmp_path))
    with pytest.raises(RefusedInput, match="the model takes T1; 2 images were given"):
        model.segment([image(blob()), image(blob())])
    with pytest.raises(RefusedInput, match="not finite"):
        model.segment([image(np.full((3, 4, 5), np.nan))])
    with pytest.raises(RefusedInput, match="no contrast"):
        model.segment([image(np.ones((3, 4, 5)))])
    with pytest.raises(ModelError, match="one that reads pictures is needed"):
        load_model(model.bundle)


def test_a_card_of_another_number_of_channels_is_told(tmp_path):
    classes = [{"name": n, "value": n.upper(), "scheme": "99TEST", "meaning": n} for n in "abc"]
    bundle = write_volume_bundle(tmp_path, classes=classes)
    with pytest.raises(ModelError, match="gives 2 channels, its card needs 3"):
        open_model(bundle).segment([image(blob())])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outputs": "exclusive"}, "come together or not at all"),
        ({"volume": None}, "come together or not at all"),
        ({"origin": None}, "states its data"),
        (
            {"volume": VolumeInference(voxel_labels=VoxelLabels(way="painted", paint=(2,)))},
            "2 classes are too few",
        ),
        ({"preprocessing": {"axes": ("L", "R", "S")}}, "not one of each"),
        ({"preprocessing": {"grid": "fixed"}}, "needs a shape"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        volume_card(**changes)
