"""Maps from derivatives, covering and attention: hand-made cases, completeness, and both dimensions."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402 - torch must be there first

from hounsfield.core.errors import ModelError  # noqa: E402
from hounsfield.explain import explanations  # noqa: E402
from hounsfield.explain.attention_rollout import rollout  # noqa: E402
from hounsfield.explain.integrated_gradients import blurred, integrate  # noqa: E402
from hounsfield.networks import build_network  # noqa: E402

NAMES = explanations.names()


class Weighted(nn.Module):
    """A score that is a fixed weighted sum of the pixels."""

    def __init__(self, weights):
        super().__init__()
        self.weights = weights

    def forward(self, x):
        score = (x * self.weights).flatten(1).sum(dim=1)
        return torch.stack([score, -score], dim=1), None


def on_network(name, network, x, class_index=0):
    return explanations.get(name).on_network(network, x, class_index)


WEIGHTS = torch.linspace(-1, 1, 64).view(8, 8)


def test_saliency_of_a_weighted_sum_is_the_size_of_its_weights():
    found = on_network("saliency", Weighted(WEIGHTS), torch.rand(1, 1, 8, 8))
    torch.testing.assert_close(found, WEIGHTS.abs())
    torch.testing.assert_close(on_network("smooth-grad", Weighted(WEIGHTS), torch.rand(1, 1, 8, 8)), found)


def test_integrated_gradients_of_a_weighted_sum_are_its_summands():
    x = torch.rand(1, 1, 8, 8)
    start = torch.full_like(x, 0.3)
    found = integrate(Weighted(WEIGHTS), x, 1, baseline=start)
    torch.testing.assert_close(found.parts[0, 0], -WEIGHTS * (x - start)[0, 0])
    assert found.gap < 1e-5


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("densenet", {"depth": (2, 2), "growth": 8}, (48, 40)),
        ("resnet", {"depth": (1, 1), "width": 8, "dims": 3}, (16, 24, 20)),
        ("vit", {"patch": 8, "width": 24, "depth": 2}, (40, 48)),
        ("unet-classifier", {"widths": (8, 8, 8)}, (48, 40)),
    ],
)
def test_integrated_gradients_are_complete_to_one_percent_in_256_steps(name, options, shape):
    network = build_network(name, {"n_classes": 3, **options}, seed=0).eval()
    x = torch.rand((1, 1, *shape), generator=torch.Generator().manual_seed(0)) * 0.1
    x[0, 0, shape[0] // 3 : shape[0] // 2, shape[1] // 4 : shape[1] // 2] += 1.0
    with torch.no_grad():
        scores = [network(one)[0][0] for one in (x, blurred(x))]
    chosen = int((scores[0] - scores[1]).abs().argmax())  # a share of a change near zero says little
    assert integrate(network, x, chosen, n_steps=256).gap < 0.01


def test_an_even_baseline_says_nothing_to_a_network_that_standardises():
    """Why the baseline is a blurred picture: on the way from black the network sees one and the same picture."""
    network = build_network("densenet", {"n_classes": 2, "depth": (2,), "growth": 8}, seed=0).eval()
    x = torch.rand(1, 1, 32, 32)
    assert integrate(network, x, 0, baseline=torch.zeros_like(x)).gap > 0.9


def test_blurring_keeps_the_mean_and_takes_the_detail():
    x = torch.rand(1, 1, 64, 64)
    soft = blurred(x)
    assert float(soft.mean()) == pytest.approx(float(x.mean()), abs=1e-3)
    assert float(soft.std()) < 0.2 * float(x.std())


def test_occlusion_of_a_weighted_sum_falls_where_the_weight_lies():
    weights = torch.zeros(24, 24)
    weights[10:14, 10:14] = 1.0
    x = torch.zeros(1, 1, 24, 24)
    x[0, 0, 10:14, 10:14] = 1.0
    found = on_network("occlusion", Weighted(weights), x)
    row, column = divmod(int(found.argmax()), 24)
    assert 10 <= row < 14
    assert 10 <= column < 14
    assert found[:6].abs().max() == 0
    torch.testing.assert_close(on_network("occlusion", Weighted(weights), x, 1), -found)


def test_rollout_of_two_blocks_by_hand():
    first = torch.tensor([[[0.5, 0.5], [0.0, 1.0]]])
    second = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    # (A + I) / 2: [[.75, .25], [0, 1]] and [[1, 0], [.5, .5]]; the second times the first.
    torch.testing.assert_close(rollout([first, second]), torch.tensor([[0.75, 0.25], [0.375, 0.625]]))


def test_rollout_shares_sum_to_one_and_lie_on_patches():
    network = build_network("vit", {"n_classes": 2, "patch": 8, "width": 24, "depth": 3}, seed=0).eval()
    found = on_network("attention-rollout", network, torch.rand(1, 1, 40, 32))
    assert found.shape == (40, 32)
    patches = found[::8, ::8]
    assert float(patches.sum()) == pytest.approx(1.0, abs=1e-5)
    assert torch.equal(found, patches.repeat_interleave(8, 0).repeat_interleave(8, 1))


def test_rollout_needs_a_transformer():
    network = build_network("resnet", {"n_classes": 2, "depth": (1,), "width": 4}, seed=0).eval()
    with pytest.raises(ModelError, match="ResNet gives no `attention`"):
        on_network("attention-rollout", network, torch.rand(1, 1, 32, 32))


@pytest.mark.parametrize("name", [n for n in NAMES if n != "attention-rollout"])
def test_volumes_get_maps_of_their_own_shape(name):
    options = {"n_classes": 2, "depth": (2, 2), "growth": 4, "dims": 3, "in_channels": 2}
    network = build_network("densenet", options, seed=0).eval()
    found = on_network(name, network, torch.rand(1, 2, 20, 33, 24), 1)
    assert found.shape == (20, 33, 24)
    assert torch.isfinite(found).all()
    assert found.abs().max() > 0


def test_layer_cam_counts_only_what_raises_the_score():
    layer_cam, hires_cam = explanations.get("layer-cam"), explanations.get("hires-cam")
    network = build_network("densenet", {"n_classes": 2, "depth": (2,), "growth": 4}, seed=0).eval()
    x = torch.rand(1, 1, 32, 32)
    more, less = (one.on_network(network, x, 0) for one in (layer_cam, hires_cam))
    assert (more >= less - 1e-6).all()


def test_grad_cam_plus_plus_by_hand():
    """One channel: gradient g = 1 / n and activation A everywhere: alpha = g^2 / (2 g^2 + sum(A) g^3)."""

    class Pooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.cam_layer = nn.Identity()

        def forward(self, x):
            return self.cam_layer(x).flatten(2).mean(dim=2), None

    x = torch.rand(1, 1, 4, 4)
    g, total = 1 / 16, float(x.sum())
    weight = 16 * g * g**2 / (2 * g**2 + total * g**3)
    found = on_network("grad-cam-plus-plus", Pooled(), x)
    torch.testing.assert_close(found, weight * x[0, 0])
