"""A bundle as a model: strict loading, and outputs that mean what the card says."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from tests.tiny_bundle import CLASSES, SIZE_PX, head_slice, tiny_card, tiny_network, write_tiny_bundle

from hounsfield.core.errors import ModelError, RefusedInput
from hounsfield.inference import load_model, network_outputs
from hounsfield.zoo import Calibrator, Guard, InferenceSettings, Network, write_bundle


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(write_tiny_bundle(tmp_path_factory.mktemp("m"), calibrated=True, guarded=True))


def write(tmp_path, weights, **changes):
    card = tiny_card(**changes)
    return write_bundle(tmp_path / card.name, card=card, weights=weights)


def test_model_says_who_it_is(model):
    assert (model.name, model.version, model.classes) == ("brain-tumour-mr", "0.1.0", CLASSES)
    assert model.digest == model.bundle.digest
    assert model.card["intended_use"] == "Tests of this project."
    assert not model.network.training


def test_probabilities_are_the_softmax_of_logits_over_the_temperature(model):
    prediction = model.run(head_slice())
    exponents = np.exp(prediction.logits.astype(float) / 2.0)  # the card's temperature
    np.testing.assert_allclose(prediction.probabilities, exponents / exponents.sum(), rtol=1e-6)
    assert prediction.calibrator == "temperature"


def test_scores_without_calibrator_are_no_probabilities(tmp_path):
    prediction = load_model(write_tiny_bundle(tmp_path)).run(head_slice())
    assert prediction.probabilities is None
    assert prediction.calibrator is None
    assert prediction.guard_distance is None
    assert not prediction.is_foreign


@pytest.mark.parametrize("shape_yx", [(96, 80), (65, 131), (64, 64), (300, 200)])
def test_mask_lies_on_the_pictures_own_pixels(model, shape_yx):
    mask = model.run(head_slice(shape_yx=shape_yx)).mask
    assert mask.shape == shape_yx
    assert mask.min() >= 0
    assert mask.max() <= 1


def test_same_picture_gives_the_same_prediction(model):
    first, second = model.run(head_slice(3)), model.run(head_slice(3))
    for name in ("logits", "probabilities", "mask", "features"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.guard_distance == second.guard_distance


def test_loading_leaves_the_global_random_state_alone(tmp_path):
    import torch

    bundle = write_tiny_bundle(tmp_path)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_model(bundle)
    assert torch.equal(torch.rand(3), expected)


def test_guard_knows_what_it_was_fitted_on_and_not_noise(model):
    assert not model.run(head_slice(3)).is_foreign
    noise = np.random.default_rng(0).normal(size=(90, 90))
    assert model.run(noise).is_foreign


def test_mirrored_pass_makes_the_outputs_symmetric(tmp_path):
    model = load_model(write_tiny_bundle(tmp_path, inference=InferenceSettings(test_time_flips=True)))
    picture = head_slice(shape_yx=(96, 96))
    plain, mirrored = model.run(picture), model.run(picture[:, ::-1])
    np.testing.assert_allclose(plain.logits, mirrored.logits, atol=1e-5)
    np.testing.assert_allclose(plain.mask, mirrored.mask[:, ::-1], atol=1e-5)


def test_mirrored_pass_is_the_mean_of_both(tmp_path):
    import torch

    network = tiny_network().eval()
    inputs = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 1, 48, 48)).astype(np.float32))
    both = network_outputs(network, inputs, test_time_flips=True)
    with torch.inference_mode():
        logits = [network(x)[0].numpy() for x in (inputs, inputs.flip(3))]
    np.testing.assert_allclose(both.logits, np.mean(logits, axis=0), atol=1e-6)


def test_even_picture_is_refused(model):
    with pytest.raises(RefusedInput, match="no contrast"):
        model.run(np.zeros((80, 80)))


def test_missing_weight_is_named(tmp_path):
    weights = dict(tiny_network().state_dict())
    del weights["mask_head.bias"]
    with pytest.raises(ModelError, match=r"lack 'mask_head\.bias'\. The weights do not belong"):
        load_model(write(tmp_path, weights))


def test_weight_that_would_stay_unused_is_named(tmp_path):
    weights = {**tiny_network().state_dict(), "extra.weight": np.zeros(3), "more.bias": np.zeros(3)}
    with pytest.raises(ModelError, match=r"hold what the network has not: 'extra\.weight' and 1 more"):
        load_model(write(tmp_path, weights))


def test_weight_of_another_shape_is_named(tmp_path):
    weights = {**tiny_network().state_dict(), "mask_head.bias": np.zeros(2, np.float32)}
    with pytest.raises(ModelError, match=r"'mask_head\.bias'.* has shape \(2,\), the network needs \(1,\)"):
        load_model(write(tmp_path, weights))


def test_wrong_number_of_classes_is_named(tmp_path):
    two = tiny_card().classes[:2]
    with pytest.raises(ModelError, match=r"gives 3 classes, its card names 2 \(glioma, meningioma\)"):
        load_model(write(tmp_path, tiny_network().state_dict(), classes=two))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": Network(name="no-such-net")}, "'no-such-net' .* cannot be built"),
        (
            {"network": Network(name="unet-classifier", arguments={"n_classes": 3, "colour": "red"})},
            "cannot be built .*colour",
        ),
        ({"calibrator": Calibrator(name="magic", parameters={}, fitted_on="x")}, "calibrator 'magic'"),
        (
            {"calibrator": Calibrator(name="temperature", parameters={"heat": 2.0}, fitted_on="x")},
            "does not take the card's parameters",
        ),
        (
            {"calibrator": Calibrator(name="temperature", parameters={"temperature": -1.0}, fitted_on="x")},
            "temperature must be above 0",
        ),
    ],
)
def test_card_that_this_version_cannot_serve_is_refused(tmp_path, changes, message):
    bundle = write_tiny_bundle(tmp_path)
    card = bundle.card.model_copy(update=changes)
    altered = type(bundle)(bundle.folder, card, bundle.digest)
    with pytest.raises(ModelError, match=message):
        load_model(altered)


def test_guard_of_other_features_is_refused(tmp_path):
    arrays = write_tiny_bundle(tmp_path, guarded=True).guard_arrays()
    arrays |= {name: arrays[name][..., :-1] for name in ("mean", "scale", "components")}
    card = tiny_card(
        guard=Guard(method="mahalanobis-residual", threshold=1.0, quantile=0.95, fitted_on="phantom")
    )
    bundle = write_bundle(
        tmp_path / card.name, card=card, weights=tiny_network().state_dict(), guard_arrays=arrays
    )
    with pytest.raises(ModelError, match="guard knows 35 features, the network gives 36"):
        load_model(bundle)


def test_guard_method_that_is_unknown_is_refused(tmp_path):
    bundle = write_tiny_bundle(tmp_path, guarded=True)
    guard = bundle.card.guard.model_copy(update={"method": "oracle"})
    altered = type(bundle)(bundle.folder, bundle.card.model_copy(update={"guard": guard}), bundle.digest)
    with pytest.raises(ModelError, match="guard 'oracle'; this version knows mahalanobis-residual"):
        load_model(altered)


def test_folder_and_name_open_too(tmp_path):
    bundle = write_tiny_bundle(tmp_path)
    assert load_model(bundle.folder).digest == load_model(str(bundle.folder)).digest == bundle.digest


def test_input_tensor_has_the_cards_size(model):
    tensor, prepared = model.preprocess(head_slice())
    assert tuple(tensor.shape) == (1, 1, SIZE_PX, SIZE_PX)
    assert prepared.shape_yx == (96, 80)


def test_absent_torch_is_explained():
    program = (
        "import sys\nsys.modules['torch'] = None\nimport hounsfield.inference as i\n"
        "from hounsfield.core.errors import MissingModel\n"
        "try:\n    i.load_model\nexcept MissingModel as error:\n    print(error)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert "need torch, which is not installed: pip install" in answer.stdout
