"""Relevance: equal to an independent program, conserved where it can be, and right at joints of real networks."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402 - torch must be there first

from hounsfield.core.errors import ModelError  # noqa: E402
from hounsfield.explain import explanations  # noqa: E402
from hounsfield.explain.lrp import (  # noqa: E402
    COMPOSITES,
    AlphaBeta,
    Box,
    Composite,
    Epsilon,
    Flat,
    Gamma,
    WSquare,
    ZPlus,
    propagate,
)
from hounsfield.networks import build_network  # noqa: E402


class WithoutOutline(nn.Module):
    """Any chain of layers as a network of this project."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x), None


def fixed(shape, phase):
    count = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(1.7 * count + phase).reshape(shape)


def small_network():
    """The network of the pinned numbers: two convolutions and a linear layer with biases, weights from a sine."""
    layers = [nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 3, stride=2), nn.ReLU(), nn.Flatten()]
    network = WithoutOutline(*layers, nn.Linear(27, 2)).double().eval()
    for index, parameter in enumerate(network.parameters()):
        parameter.data = fixed(tuple(parameter.shape), index) * (0.5 if parameter.ndim > 1 else 0.1)
    return network


def published(name, *, dims=2, biased=True, seed=0):
    """A small DenseNet or ResNet of double precision with batch statistics as after training."""
    options = {"densenet": {"depth": (3, 2), "growth": 8}, "resnet": {"depth": (1, 1), "width": 32}}[name]
    network = build_network(name, {"n_classes": 3, "dims": dims, **options}, seed=seed).double().eval()
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if hasattr(module, "running_mean"):
            for values, low, high in (
                (module.running_var, 0.5, 2.0),
                (module.weight.data, 0.5, 1.5),
                (module.running_mean, -0.1, 0.1),
                (module.bias.data, -0.2, 0.2),
            ):
                values.uniform_(low, high, generator=generator)
            if not biased:
                module.running_mean.zero_()
                module.bias.data.zero_()
    return network.requires_grad_(requires_grad=False)


def picture(dims=2, seed=5):
    shape = {2: (1, 1, 48, 40), 3: (1, 1, 24, 20, 28)}[dims]
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# Sum, projection on sin(1.7 k + 2), and the value at (3, 4), of the relevance of class 1 for sin(1.7 k + 0.3): once
# computed with zennit 0.5.1 (LGPL, not a dependency), epsilon in the linear layer, in the second block z+ in the second
# convolution, `zero_params="bias"` for w squared.
PINNED = {
    "epsilon": (Epsilon(), Epsilon(), (-0.0465167325, -0.8559431697, -0.4106677049)),
    "gamma": (Gamma(), Gamma(), (0.0358430142, -0.1214534558, -0.1413927335)),
    "alpha-beta": (AlphaBeta(), AlphaBeta(), (0.0297384381, -0.0807165701, -0.1143316718)),
    "z+": (ZPlus(), ZPlus(), (0.049865919, -0.0015259511, 0.001905076)),
    "flat": (Flat(), ZPlus(), (0.0528886993, 0.0061119409, 0.0101116604)),
    "w squared": (WSquare(), ZPlus(), (0.0528886654, 0.0065447046, 0.0155337128)),
    "z-B": (Box(-1.0, 1.0), ZPlus(), (0.0528886918, 0.0020811176, 0.0045273294)),
}


@pytest.mark.parametrize("name", PINNED)
def test_equals_an_independent_program(name):
    first, convolution, expected = PINNED[name]
    composite = Composite(first=first, convolution=convolution, linear=Epsilon())
    found = propagate(small_network(), fixed((1, 1, 8, 8), 0.3), 1, composite)[0, 0]
    numbers = (float(found.sum()), float((found * fixed((8, 8), 2.0)).sum()), float(found[3, 4]))
    assert numbers == pytest.approx(expected, abs=1e-8)


def test_one_linear_layer_by_hand():
    network = WithoutOutline(nn.Linear(3, 1)).double().eval()
    network.layers[0].weight.data = torch.tensor([[2.0, -1.0, 3.0]], dtype=torch.float64)
    network.layers[0].bias.data.zero_()
    x = torch.tensor([[1.0, 2.0, 1.0]], dtype=torch.float64)  # contributions 2, -2, 3; score 3

    def by(rule):
        return propagate(network, x, 0, Composite(first=rule, convolution=rule, linear=rule))[0].tolist()

    assert by(Epsilon()) == pytest.approx([2, -2, 3], abs=1e-5)
    assert by(ZPlus()) == pytest.approx([6 / 5, 0, 9 / 5], abs=1e-5)
    # 2 (2/5, 0, 3/5) 3 - 1 (0, 1, 0) 3.
    assert by(AlphaBeta()) == pytest.approx([12 / 5, -3, 18 / 5], abs=1e-5)
    # Positive contributions doubled: (4, -2, 6) / 8 of 3.
    assert by(Gamma(gamma=1.0)) == pytest.approx([12 / 8, -6 / 8, 18 / 8], abs=1e-5)
    assert by(Flat()) == pytest.approx([1, 1, 1], abs=1e-5)
    assert by(WSquare()) == pytest.approx([12 / 14, 3 / 14, 27 / 14], abs=1e-5)
    # Box 0 to 2: x w - 0 w+ - 2 w- = (2, -2 + 2, 3).
    assert by(Box(0.0, 2.0)) == pytest.approx([6 / 5, 0, 9 / 5], abs=1e-5)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("composite", ["epsilon", "epsilon-plus", "epsilon-plus-flat", "epsilon-gamma-box"])
@pytest.mark.parametrize("name", ["densenet", "resnet"])
def test_the_score_is_conserved_where_no_bias_takes_part(name, composite, dims):
    network = published(name, dims=dims, biased=False)
    network.classifier.bias.data.zero_()
    x = picture(dims)
    score = float(network(x)[0][0, 1])
    found = float(propagate(network, x, 1, COMPOSITES[composite]).sum())
    assert found == pytest.approx(score, rel=1e-4)


@pytest.mark.parametrize("composite", ["epsilon-plus", "epsilon-plus-flat", "epsilon-gamma-box"])
def test_biases_can_be_left_without_a_share(composite):
    torch.manual_seed(2)
    convolutions = [nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.AvgPool2d(4)]
    network = WithoutOutline(*convolutions, nn.Flatten(), nn.Linear(256, 2, bias=False)).double().eval()
    for parameter in network.parameters():
        parameter.data *= 4  # sums far above epsilon
    x = torch.rand(1, 1, 20, 20, dtype=torch.float64)
    chosen = COMPOSITES[composite]
    whole = Composite(chosen.first, chosen.convolution, chosen.linear, with_bias=False)
    score = float(network(x)[0][0, 1].detach())
    assert float(propagate(network, x, 1, whole).sum()) == pytest.approx(score, rel=1e-4)
    kept = float(propagate(network, x, 1, chosen).sum())
    assert abs(kept - score) > 1e-3 * abs(score)  # the biases' share, when they keep it


def test_neighbours_that_cancel_in_a_mean_do_not_explode():
    pool = WithoutOutline(
        nn.Conv2d(1, 1, 1, bias=False), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(1, 1)
    ).eval()
    pool.layers[0].weight.data.fill_(1.0)
    pool.layers[3].weight.data.fill_(1000.0)
    pool.layers[3].bias.data.zero_()
    x = torch.tensor([[[[1.0, -1.0], [1.0, -0.996]]]])  # mean 0.001, score 1
    assert propagate(pool, x, 0, COMPOSITES["epsilon"]).abs().max() > 200
    torch.testing.assert_close(
        propagate(pool, x, 0, COMPOSITES["epsilon-plus"])[0, 0],
        torch.tensor([[0.5, 0], [0.5, 0]]),
        atol=1e-4,
        rtol=0,
    )


def test_alpha_beta_does_not_conserve_where_an_output_is_reached_by_one_kind():
    network = WithoutOutline(nn.Linear(2, 1, bias=False)).double().eval()
    network.layers[0].weight.data = torch.tensor([[1.0, 1.0]], dtype=torch.float64)
    rule = AlphaBeta()
    found = propagate(
        network,
        torch.ones(1, 2, dtype=torch.float64),
        0,
        Composite(first=rule, convolution=rule, linear=rule),
    )
    assert float(found.sum()) == pytest.approx(2 * 2.0, rel=1e-5)  # alpha times the score of 2


def test_merged_batch_normalisation_gives_the_same_relevance():
    torch.manual_seed(0)
    conv, norm, last = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(4 * 36, 2)
    norm.running_mean.uniform_(-1, 1)
    norm.running_var.uniform_(0.5, 2)
    norm.bias.data.uniform_(-1, 1)
    merged = torch.nn.utils.fuse_conv_bn_eval(conv.eval(), norm.eval())
    x = torch.rand(1, 1, 8, 8)
    both = [
        propagate(
            WithoutOutline(*layers, nn.ReLU(), nn.Flatten(), last).eval(),
            x,
            0,
            COMPOSITES["epsilon-gamma-box"],
        )
        for layers in ((conv, norm), (merged,))
    ]
    torch.testing.assert_close(*both, rtol=1e-4, atol=1e-6)


def test_relevance_of_densenets_norms_passes_whatever_their_threshold():
    """A norm after a concatenation: conserved although it adds a bias."""
    network = published("densenet")
    network.classifier.bias.data.zero_()
    for name, module in network.named_modules():
        if name.endswith("norm2") or name == "stem.1":  # merged into the convolution before it
            module.bias.data.zero_()
            module.running_mean.zero_()
    score = float(network(picture())[0][0, 1])
    found = float(propagate(network, picture(), 1, COMPOSITES["epsilon-plus"]).sum())
    assert found == pytest.approx(score, rel=1e-4)


def test_what_does_not_reach_the_class_gets_nothing():
    network = WithoutOutline(
        nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 64, 2)
    ).eval()
    network.layers[3].weight.data.view(2, 3, 8, 8)[:, :, 4:] = 0
    for composite in COMPOSITES.values():
        found = propagate(network, torch.rand(1, 1, 8, 8), 0, composite)[0, 0]
        assert found[:4].abs().max() > 0
        assert found[5:].abs().max() == 0  # one pixel beyond the boundary still reaches across


@pytest.mark.parametrize("name", sorted(COMPOSITES))
def test_network_is_left_as_it_was(name):
    network = published("densenet")
    before = network(picture())[0]
    propagate(network, picture(), 0, COMPOSITES[name])
    assert torch.equal(network(picture())[0], before)
    assert not [1 for module in network.modules() if "forward" in vars(module)]


def test_every_composite_is_an_explanation():
    assert {f"lrp-{name}" for name in COMPOSITES} == {n for n in explanations.names() if n.startswith("lrp")}


def test_operations_in_place_change_nothing():
    maps = []
    for in_place in (True, False):
        torch.manual_seed(1)
        layers = [
            nn.Conv2d(1, 3, 3),
            nn.ReLU(inplace=in_place),
            nn.Conv2d(3, 3, 3),
            nn.ReLU(inplace=in_place),
        ]
        network = WithoutOutline(*layers, nn.Flatten(), nn.Linear(48, 2)).eval()
        maps.append(propagate(network, torch.rand(1, 1, 8, 8), 0, COMPOSITES["epsilon-gamma-box"]))
    assert torch.equal(*maps)


def test_what_no_rule_is_known_for_is_refused():
    transformer = build_network("vit", {"n_classes": 2, "patch": 8, "width": 24, "depth": 1}, seed=0).eval()
    with pytest.raises(ModelError, match=r"no rule for Softmax \(blocks\.0\.attention\.softmax\)"):
        propagate(transformer, torch.rand(1, 1, 32, 32), 0, COMPOSITES["epsilon"])
    with pytest.raises(ModelError, match="evaluation mode"):
        propagate(small_network().train(), torch.rand(1, 1, 8, 8), 0, COMPOSITES["epsilon"])
    circular = WithoutOutline(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")).eval()
    with pytest.raises(ModelError, match="pads with circular"):
        propagate(circular, torch.rand(1, 1, 8, 8), 0, COMPOSITES["epsilon"])
    with pytest.raises(ModelError, match="no convolution and no linear layer"):
        propagate(WithoutOutline(nn.Flatten()).eval(), torch.rand(1, 1, 8, 8), 0, COMPOSITES["epsilon"])
