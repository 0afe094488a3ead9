"""Tests of maps: redrawn weights, covering, and a network whose reason is known, judged."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from types import SimpleNamespace  # noqa: E402 - torch must be there first

from torch import nn  # noqa: E402

from hounsfield.core.errors import UsageError  # noqa: E402
from hounsfield.evaluation.maps import (  # noqa: E402
    TESTS,
    CaseToJudge,
    areas_of_curves,
    judge_case,
    rank_correlation,
    redrawn,
    structural_similarity,
    summarise,
)
from hounsfield.inference import prepare  # noqa: E402
from hounsfield.metrics import box_of_mask  # noqa: E402
from hounsfield.networks import build_network  # noqa: E402
from hounsfield.zoo import InferenceSettings, Preprocessing  # noqa: E402

SIDE = 48


def test_redrawing_begins_with_the_last_layer():
    network = build_network("densenet", {"n_classes": 2, "depth": (2, 2), "growth": 8}, seed=5).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}

    def changed(share):
        other = redrawn(network, share).state_dict()
        return {name for name, value in before.items() if not torch.equal(value, other[name])}

    assert changed(0.0) == set()
    assert changed(0.01) == {"classifier.weight", "classifier.bias"}
    assert "stem.0.weight" not in changed(0.5)
    assert {name for name in before if name.endswith("weight") and before[name].ndim > 1} <= changed(1.0)
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in before.items())
    with pytest.raises(UsageError, match="between 0 and 1"):
        redrawn(network, 1.5)


def test_redrawing_leaves_torchs_own_state_and_is_the_same_each_time():
    network = nn.Sequential(nn.Linear(4, 4))
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first, second, other = (redrawn(network, 1.0, seed=seed)[0].weight for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_rank_correlation_sees_order_alone():
    values = np.arange(12.0).reshape(3, 4)
    assert rank_correlation(values, values**3) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)
    assert rank_correlation(values, np.ones((3, 4))) == 0


def test_structural_similarity_of_equal_and_of_unrelated_maps():
    rng = np.random.default_rng(0)
    values, others = rng.random((2, 40, 40))
    assert structural_similarity(values, values) == pytest.approx(1)
    assert abs(structural_similarity(values, others)) < 0.1


def test_even_maps_differ_by_their_level_alone():
    # Wang 2004: (2 a b + C1) / (a^2 + b^2 + C1) for a = 0.2, b = 0.8.
    found = structural_similarity(np.full((20, 20), 0.2), np.full((20, 20), 0.8))
    assert found == pytest.approx((2 * 0.16 + 1e-4) / (0.04 + 0.64 + 1e-4), rel=1e-6)


def test_areas_of_a_score_that_counts_bright_pixels():
    """Score: share of the bright square that is still there. The right order loses it at once, the reverse last."""
    inputs = torch.zeros(1, 1, 64, 64)
    inputs[0, 0, 4:10, 4:10] = 1.0

    def score(x):
        return (x[:, 0, 4:10, 4:10] > 0.9).float().mean(dim=(1, 2))

    right = areas_of_curves(score, inputs, inputs[0, 0].numpy())
    wrong = areas_of_curves(score, inputs, -inputs[0, 0].numpy())
    # 36 of 4096 pixels: gone within the first of twelve steps; the trapezoid gives 1/24 of the way.
    assert right.deletion == pytest.approx(1 / 24)
    assert right.insertion == pytest.approx(1 - 1 / 24)
    assert wrong.deletion == pytest.approx(1 - 1 / 24)
    assert wrong.insertion == pytest.approx(1 / 24)


class BrightSquare(nn.Module):
    """Says of class 0 how bright the brightest neighbourhood is: its reason is known."""

    def __init__(self):
        super().__init__()
        self.cam_layer = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), nn.ReLU())
        self.last = nn.Linear(4, 2)
        self.cam_layer[0].weight.data.fill_(1 / 25)
        self.cam_layer[0].bias.data.fill_(-0.5)
        self.last.weight.data.copy_(torch.tensor([[5.0], [-5.0]]).expand(2, 4))

    def forward(self, x):
        return self.last(self.cam_layer(x).flatten(2).mean(dim=2)), None


def as_model(network):
    settings = Preprocessing(size_px=SIDE, percentile_low=0.0, percentile_high=100.0)

    def preprocess(picture):
        prepared = prepare(picture, settings)
        return torch.from_numpy(prepared.pixels)[None, None], prepared

    card = SimpleNamespace(inference=InferenceSettings(), outputs="exclusive")
    return SimpleNamespace(
        name="square",
        classes=("bright", "dark"),
        network=network.eval(),
        bundle=SimpleNamespace(card=card),
        preprocess=preprocess,
    )


@pytest.fixture(scope="module")
def judged():
    network = BrightSquare()
    models = tuple(as_model(one) for one in (network, redrawn(network, 0.5), redrawn(network, 1.0)))
    rng = np.random.default_rng(0)
    scores, groups = {}, {}
    for number in range(12):
        truth = np.zeros((SIDE, SIDE), dtype=bool)
        y, x = rng.integers(8, 28, size=2)
        truth[y : y + 12, x : x + 12] = True
        picture = rng.random((SIDE, SIDE)) * 0.2 + truth
        name = f"case {number}"
        case = CaseToJudge(name, f"p{number // 2}", picture, 0, truth, (box_of_mask(truth),))
        scores[name] = judge_case(models, case, ["grad-cam", "lrp-epsilon", "attention-rollout"])
        groups[name] = case.group
    return {(one.map_name, one.test.name): one for one in summarise(scores, groups)}


@pytest.mark.parametrize(
    "test", ["pointing game", "share inside", "deletion", "insertion", "weak boxes, IoU 0.1"]
)
def test_a_map_of_a_network_whose_reason_is_known_passes(judged, test):
    assert judged["grad-cam", test].passed or test == "weak boxes, IoU 0.1"
    assert judged["grad-cam", test].n_cases == 12
    assert judged["grad-cam", test].n_groups == 6


def test_figures_are_those_of_the_known_reason(judged):
    assert judged["grad-cam", "pointing game"].figure.value == 1
    assert judged["grad-cam", "pointing game"].reference == pytest.approx(144 / SIDE**2)
    assert judged["grad-cam", "weak boxes, IoU 0.1"].figure.value == 1
    assert judged["lrp-epsilon", "share inside"].figure.value > 0.9


def test_every_test_is_there_for_every_map_that_the_network_supports(judged):
    assert {name for name, _ in judged} == {"grad-cam", "lrp-epsilon"}  # no transformer
    assert {test for _, test in judged} == {test.name for test in TESTS}


def test_a_map_that_does_not_change_with_the_weights_fails():
    values = {test.name: 0.0 for test in TESTS}
    values |= {test.reference: 0.0 for test in TESTS if isinstance(test.reference, str)}
    values["weights drawn anew, rank correlation"] = 0.98
    cases = {f"c{index}": {"edges": values} for index in range(8)}
    found = {one.test.name: one for one in summarise(cases, {name: name for name in cases})}
    assert not found["weights drawn anew, rank correlation"].passed
    assert found["weights drawn anew, structural similarity"].passed
    assert not found["deletion"].passed  # no better than random order
