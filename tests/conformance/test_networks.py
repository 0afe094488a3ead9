"""What every registered network must do."""

import pytest

torch = pytest.importorskip("torch")

from hounsfield.networks import build_network, networks  # noqa: E402 - torch must be there first

NAMES = networks.names()
# Networks of published size are made small here.
SMALL = {
    "densenet": {"depth": (2, 2), "growth": 8},
    "resnet": {"depth": (1, 1), "width": 8},
    "vit": {"patch": 8, "width": 24, "depth": 2},
    "vit-class-token": {"patch": 8, "width": 24, "depth": 2, "grid": 8},
}
PUBLISHED = ("densenet", "layer-graph", "resnet", "vit-class-token")


def build(name, *, seed=3, **more):
    return build_network(name, {"n_classes": 3, **SMALL.get(name, {}), **more}, seed=seed)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(2, 1, 64, 64), (1, 1, 33, 47)], ids=["even", "one picture of odd sides"])
def test_shapes(name, shape):
    network = build(name).eval()
    with torch.inference_mode():
        logits, mask = network(torch.rand(shape))
        features = network.features(torch.rand(shape))
    assert logits.shape == (shape[0], 3)
    assert (mask is not None) == network.gives_mask
    assert mask is None or mask.shape == shape
    assert features.shape[0] == shape[0]
    assert features.ndim == 2
    assert torch.isfinite(features).all()


@pytest.mark.parametrize("name", NAMES)
def test_gradient_reaches_every_parameter(name):
    network = build(name).train()
    logits, mask = network(torch.rand(4, 1, 64, 64))
    (logits.square().sum() + (0 if mask is None else mask.square().mean())).backward()
    assert [key for key, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_the_weights_and_leaves_torchs_own_state(name):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second, other = (build(name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", NAMES)
def test_exportable(name):
    network = build(name).eval()
    picture = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        exported = torch.export.export(network, (picture,)).module()
        for ours, theirs in zip(network(picture), exported(picture), strict=True):
            assert (ours is None) == (theirs is None)
            if ours is not None:
                torch.testing.assert_close(theirs, ours)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_does_not_depend_on_its_batch(name):
    network = build(name).eval()
    pictures = torch.rand(3, 1, 64, 64)
    with torch.no_grad():
        together, alone = network(pictures)[0][1], network(pictures[1:2])[0][0]
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_scale_of_grey_values_is_immaterial(name):
    network = build(name).eval()
    picture = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        plain, scaled = network(picture)[0], network(picture * 300 - 40)[0]
    torch.testing.assert_close(plain, scaled, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_cam_layer_lies_on_the_way_to_the_class(name):
    network = build(name).eval()
    seen = []
    handle = network.cam_layer.register_forward_hook(lambda _m, _i, output: seen.append(output))
    logits, _ = network(torch.rand(1, 1, 64, 64))
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[0, 0], seen[0])
    assert gradient.ndim == 4
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_network_sees_the_numbers_that_it_is_given(name):
    network = build(name, published=True).eval()
    picture = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        for outputs in (lambda x: network(x)[0], network.features):
            assert (outputs(picture) - outputs(picture * 3)).abs().max() > 1e-3
