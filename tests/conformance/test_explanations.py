"""Every registered explanation: a map on the picture's own pixels, in [0, 1], the same each time."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tiny_bundle import head_slice, tiny_card

from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.explain import explanations
from hounsfield.inference import load_model
from hounsfield.networks import build_network
from hounsfield.zoo import Network, write_bundle

NAMES = explanations.names()
# What a method needs of a network, and one that has it.
HAVING = {
    "": Network(name="unet-classifier", arguments={"n_classes": 3, "widths": [4, 6, 8]}),
    "attention": Network(name="vit", arguments={"n_classes": 3, "patch": 8, "width": 24, "depth": 2}),
}


def write(parent, network, *, seed=1):
    card = tiny_card(network=network)
    weights = build_network(network.name, network.arguments, seed=seed).state_dict()
    return write_bundle(parent / card.name, card=card, weights=weights)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return {
        needs: load_model(write(tmp_path_factory.mktemp("models"), network))
        for needs, network in HAVING.items()
    }


@pytest.fixture
def model(models, request):
    return models[explanations.get(request.node.callspec.params["name"]).needs]


def explain(name, model, picture, class_index=0):
    return explanations.get(name)(model, picture, class_index)


def test_there_is_one():
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape_yx", [(96, 80), (67, 131), (64, 64)])
def test_map_is_a_picture_of_fractions(name, model, shape_yx):
    found = explain(name, model, head_slice(shape_yx=shape_yx))
    assert found.shape == shape_yx
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() in (0, 1)


@pytest.mark.parametrize("name", NAMES)
def test_same_picture_gives_the_same_map(name, model):
    maps = [explain(name, model, head_slice(2)) for _ in range(2)]
    np.testing.assert_array_equal(*maps)


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_not_changed(name, model):
    picture = head_slice()
    explain(name, model, picture)
    np.testing.assert_array_equal(picture, head_slice())


@pytest.mark.parametrize("name", NAMES)
def test_unknown_class_and_even_picture_are_refused(name, model):
    with pytest.raises(UsageError, match="none with index 7"):
        explain(name, model, head_slice(), 7)
    with pytest.raises(RefusedInput, match="no contrast"):
        explain(name, model, np.zeros((80, 80)))


@pytest.mark.parametrize("name", NAMES)
def test_weights_matter(name, model, tmp_path):
    """Adebayo 2018: with other weights the map must change."""
    other = load_model(write(tmp_path, HAVING[explanations.get(name).needs], seed=9))
    maps = [explain(name, m, head_slice()) for m in (model, other)]
    assert not np.allclose(*maps, atol=0.05)
