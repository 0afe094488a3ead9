"""Every network that gives logits for each voxel keeps the same contract."""

import pytest

torch = pytest.importorskip("torch")

from hounsfield.networks.segmentation import (  # noqa: E402 - torch must be there first
    build_segmentation_network,
    segmentation_networks,
)

NAMES = segmentation_networks.names()
STAGES = {"features": (4, 8), "sides": ((3, 3, 3),) * 2, "n_up": (1,)}
SMALL = {
    "unet": {"stages": STAGES | {"strides": ((1, 1, 1), (2, 2, 2)), "n_down": (1, 1)}},
    "residual-unet": {"stages": STAGES | {"strides": ((1, 1, 1), (1, 2, 2)), "n_down": (1, 2)}},
    "meshnet": {"channels": 5, "dilations": (1, 2, 1)},
    "monai": {
        "net": "UNet",
        "arguments": {"spatial_dims": 3, "channels": (4, 8), "strides": (2,), "num_res_units": 1},
    },
    "pooled-unet": {"features": (4,)},
    "ensemble": {"member": "meshnet", "options": {"channels": 5, "dilations": (1, 2)}},
}


def build(name, *, seed=3, n_classes=3, in_channels=1):
    options = SMALL[name] | {"n_classes": n_classes, "in_channels": in_channels}
    return build_segmentation_network(name, options, seed=seed)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1, 8, 8, 8), (2, 1, 4, 10, 6)])
def test_logits_lie_on_the_voxels_of_the_volume(name, shape):
    with torch.no_grad():
        logits = build(name).eval()(torch.rand(shape))
    assert logits.shape == (shape[0], 3, *shape[2:])
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", NAMES)
def test_several_channels_are_taken(name):
    with torch.no_grad():
        assert build(name, in_channels=4)(torch.rand(1, 4, 8, 8, 8)).shape[1] == 3


@pytest.mark.parametrize("name", NAMES)
def test_gradient_reaches_every_parameter(name):
    network = build(name).train()
    every_level = getattr(network, "every_level", None)
    levels = every_level(torch.rand(2, 1, 8, 8, 8)) if every_level else [network(torch.rand(2, 1, 8, 8, 8))]
    sum(level.square().sum() for level in levels).backward()
    assert [key for key, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_the_weights_and_leaves_torch_alone(name):
    torch.manual_seed(11)
    expected = torch.rand(1)
    torch.manual_seed(11)
    first, again, other = build(name), build(name), build(name, seed=4)
    assert torch.rand(1) == expected
    key = next(iter(first.state_dict()))
    assert torch.equal(first.state_dict()[key], again.state_dict()[key])
    assert not torch.equal(first.state_dict()[key], other.state_dict()[key])


@pytest.mark.parametrize("name", NAMES)
def test_a_volume_does_not_depend_on_its_batch(name):
    network, volumes = build(name).eval(), torch.rand(3, 1, 8, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(network(volumes)[1:2], network(volumes[1:2]), rtol=1e-4, atol=1e-5)
