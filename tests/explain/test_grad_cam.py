"""Grad-CAM and HiResCAM: equal to the known formula where one exists, and a property of the weights."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tests.tiny_bundle import head_slice, tiny_network, write_tiny_bundle
from torch import nn

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.explain import evidence_sentence, explanations
from hounsfield.inference import load_model, prepare
from hounsfield.zoo import InferenceSettings, MapEvidence, MapTest, Preprocessing

SIZE_PX = 48


class PooledNetwork(nn.Module):
    """Convolution, ReLU in place, global mean, linear: the network for which Grad-CAM is CAM."""

    def __init__(self, *, in_place: bool = True, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.cam_layer = nn.Sequential(nn.Conv2d(1, 5, 3, stride=2, padding=1), nn.ReLU(inplace=in_place))
        self.after = nn.Dropout(0.0, inplace=True)
        self.linear = nn.Linear(5, 3, bias=False)

    def forward(self, x):
        levels = self.after(self.cam_layer(x))
        return self.linear(levels.mean(dim=(2, 3))), x


def as_model(network, *, flips=False):
    """Just what an explanation asks of a model."""
    settings = Preprocessing(size_px=SIZE_PX)
    network = network.eval().requires_grad_(requires_grad=False)

    def preprocess(picture):
        prepared = prepare(picture, settings)
        return torch.from_numpy(prepared.pixels)[None, None], prepared

    card = SimpleNamespace(
        inference=InferenceSettings(test_time_flips=flips), network=SimpleNamespace(name="pooled")
    )
    return SimpleNamespace(
        name="pooled",
        classes=("a", "b", "c"),
        network=network,
        bundle=SimpleNamespace(card=card),
        preprocess=preprocess,
    )


GRAD_CAM = explanations.get("grad-cam")
HIRES_CAM = explanations.get("hires-cam")


@pytest.mark.parametrize("method", [GRAD_CAM, HIRES_CAM])
@pytest.mark.parametrize("class_index", [0, 1, 2])
def test_equals_class_activation_map_on_a_pooled_linear_head(method, class_index):
    network = PooledNetwork()
    model = as_model(network)
    picture = head_slice(shape_yx=(SIZE_PX, SIZE_PX))
    inputs, _ = model.preprocess(picture)
    with torch.no_grad():
        levels = network.cam_layer(inputs)[0].numpy()
    weights = network.linear.weight[class_index].numpy()
    cam = np.maximum(np.tensordot(weights, levels, axes=1), 0)
    found = method(model, picture, class_index)
    # Interpolation by two, pixels as areas: each cell's value lies a quarter of a cell beside two pixels,
    # so the mean over 2 x 2 pixels is the cell smoothed by 1/8, 3/4, 1/8 along both axes.
    padded = np.pad(cam, 1, mode="edge")
    rows = padded[:-2] / 8 + padded[1:-1] * 3 / 4 + padded[2:] / 8
    smooth = rows[:, :-2] / 8 + rows[:, 1:-1] * 3 / 4 + rows[:, 2:] / 8
    means = found.reshape(24, 2, 24, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(means / means.max(), smooth / smooth.max(), atol=1e-4)


def test_pixel_that_contributes_nothing_is_zero():
    network = PooledNetwork()
    with torch.no_grad():
        network.cam_layer[0].weight.abs_()
        network.cam_layer[0].bias.zero_()
        network.linear.weight.fill_(1.0)
    picture = np.zeros((SIZE_PX, SIZE_PX))
    picture[20:28, 20:28] = 1.0
    picture[21:25, 21:25] = 2.0
    model = as_model(network)
    # Fed as it is: after the z-score the background would be negative, not zero.
    model.preprocess = lambda p: (
        torch.from_numpy(p.astype(np.float32))[None, None],
        prepare(p, Preprocessing(size_px=SIZE_PX)),
    )
    found = GRAD_CAM(model, picture, 0)
    assert found.max() == 1.0
    assert (found[:16] == 0).all()
    assert (found[:, 34:] == 0).all()


class PartNetwork(PooledNetwork):
    """Reads the class from the upper left quarter alone."""

    def forward(self, x):
        levels = self.cam_layer(x)
        rows, columns = levels.shape[2] // 2, levels.shape[3] // 2
        return self.linear(levels[:, :, :rows, :columns].mean(dim=(2, 3))), x


def test_hires_cam_is_zero_where_the_class_was_not_read():
    """The published difference: Grad-CAM also marks what the class did not look at."""
    model = as_model(PartNetwork())
    picture = head_slice(shape_yx=(SIZE_PX, SIZE_PX))
    exact, averaged = HIRES_CAM(model, picture, 0), GRAD_CAM(model, picture, 0)
    half = SIZE_PX // 2 + 1  # one pixel of interpolation
    assert exact.max() == 1
    assert (exact[half:] == 0).all()
    assert (exact[:, half:] == 0).all()
    assert averaged[half:].max() > 0


def test_nothing_for_the_class_gives_an_empty_map():
    network = PooledNetwork()
    with torch.no_grad():
        network.linear.weight.fill_(-1.0)
    found = GRAD_CAM(as_model(network), head_slice(), 1)
    assert (found == 0).all()


def test_operations_in_place_change_nothing():
    maps = [GRAD_CAM(as_model(PooledNetwork(in_place=p)), head_slice(), 0) for p in (True, False)]
    np.testing.assert_array_equal(*maps)


def test_other_weights_give_another_map():
    """The sanity test of Adebayo 2018: a map that survives random weights explains the picture alone."""
    maps = [GRAD_CAM(as_model(PooledNetwork(seed=s)), head_slice(), 0).ravel() for s in (0, 1)]
    assert np.corrcoef(*maps)[0, 1] < 0.9


def test_classes_get_maps_of_their_own(tmp_path):
    model = load_model(write_tiny_bundle(tmp_path))
    maps = [GRAD_CAM(model, head_slice(), index) for index in range(3)]
    assert not np.array_equal(maps[0], maps[1])


@pytest.mark.parametrize("shape_yx", [(96, 80), (65, 131), (77, 77)])
def test_map_lies_on_the_pictures_pixels(tmp_path, shape_yx):
    found = GRAD_CAM(load_model(write_tiny_bundle(tmp_path)), head_slice(shape_yx=shape_yx), 0)
    assert found.shape == shape_yx
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1


def test_mirrored_picture_gives_the_mirrored_map_where_both_are_read():
    model = as_model(PooledNetwork(), flips=True)
    picture = head_slice(shape_yx=(SIZE_PX, SIZE_PX))
    plain, mirrored = GRAD_CAM(model, picture, 0), GRAD_CAM(model, picture[:, ::-1], 0)
    np.testing.assert_allclose(plain, mirrored[:, ::-1], atol=1e-5)


def test_explaining_leaves_no_trace_in_the_network(tmp_path):
    model = load_model(write_tiny_bundle(tmp_path))
    before = model.run(head_slice()).logits
    GRAD_CAM(model, head_slice(), 0)
    np.testing.assert_array_equal(model.run(head_slice()).logits, before)
    assert not model.network.cam_layer._forward_hooks
    assert all(parameter.grad is None for parameter in model.network.parameters())


@pytest.mark.parametrize("class_index", [-1, 3])
def test_class_that_is_not_there_is_named(class_index):
    with pytest.raises(UsageError, match=f"none with index {class_index}"):
        GRAD_CAM(as_model(PooledNetwork()), head_slice(), class_index)


def test_network_without_a_layer_for_it_is_refused():
    network = tiny_network()
    bare = nn.Module()
    bare.forward = network.forward
    with pytest.raises(ModelError, match="names no `cam_layer`"):
        GRAD_CAM(as_model(bare), head_slice(), 0)


def test_untested_map_says_so():
    assert "was not measured for this model" in evidence_sentence({"explanations": {}}, "grad-cam")


def test_tested_map_says_how_well_it_did():
    evidence = MapEvidence(
        value=0.614, low95=0.52, high95=0.7, n=150, n_groups=29, part="test", chance=0.021, note="Coarse."
    )
    sentence = evidence_sentence({"explanations": {"grad-cam": evidence.model_dump()}}, "grad-cam")
    assert "61% (95 % interval 52% to 70%) of 150 slices of the test part" in sentence
    assert "by chance does so in 2%. Coarse." in sentence


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        ((True, True), "It passed all 2 tests of maps."),
        ((True, False), "Of 2 tests of maps it failed 1: deletion."),
    ],
)
def test_further_tests_that_failed_are_named(passed, said):
    tests = tuple(
        MapTest(
            name=name,
            said=name,
            better="below",
            reference=0.5,
            passed=own,
            n=9,
            n_groups=3,
            value=0.1,
            low95=0,
            high95=1,
        )
        for name, own in zip(("weights drawn anew", "deletion"), passed, strict=True)
    )
    evidence = MapEvidence(
        value=0.6,
        low95=0.5,
        high95=0.7,
        n=9,
        n_groups=3,
        part="test",
        chance=0.02,
        note="Coarse.",
        tests=tests,
    )
    sentence = evidence_sentence({"explanations": {"grad-cam": evidence.model_dump()}}, "grad-cam")
    assert sentence.endswith(f"{said} Coarse.")
