"""A bundle that another runtime runs answers as with torch, and says what ran it."""

import json

import numpy as np
import pytest
import torch
from tests.inference.runtimes.small_networks import noise, small_outliner
from tests.tiny_bundle import head_slice, tiny_card, tiny_network, write_tiny_bundle

from hounsfield.core.errors import MissingModel, ModelError, UsageError
from hounsfield.inference import load_model, open_model
from hounsfield.inference.runtimes import TOLERANCES, WholeAnswer, made_sample
from hounsfield.inference.runtimes import choice as choice_module
from hounsfield.zoo import write_bundle


@pytest.fixture(autouse=True)
def quick_trials(monkeypatch):
    monkeypatch.setattr(choice_module, "TRIAL_S", 0.01)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("m"), calibrated=True, guarded=True)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino", "auto"])
def test_the_prediction_is_the_same_with_any_runtime(bundle, runtime):
    plain, other = load_model(bundle), load_model(bundle, runtime=runtime)
    assert plain.runtime is None
    for seed in range(3):
        a, b = plain.run(head_slice(seed)), other.run(head_slice(seed))
        assert b.probabilities == pytest.approx(a.probabilities, abs=0.01)
        assert b.mask == pytest.approx(a.mask, abs=0.03)
        assert b.guard_distance == pytest.approx(a.guard_distance, rel=0.05)
        assert b.is_foreign == a.is_foreign


def test_the_runtime_is_told(bundle):
    told = load_model(bundle, runtime="openvino").runtime
    assert told["name"].startswith("openvino ")
    assert told["tolerance"] == TOLERANCES[told["name"].split()[1]].to_json()
    assert told["difference"]["typical"] <= told["tolerance"]["typical"]
    assert json.loads(json.dumps(told)) == told


def test_test_time_flips_are_run_too(tmp_path):
    from hounsfield.zoo import InferenceSettings

    flipped = write_tiny_bundle(tmp_path, inference=InferenceSettings(test_time_flips=True))
    a = load_model(flipped).run(head_slice())
    b = load_model(flipped, runtime="onnxruntime").run(head_slice())
    assert b.logits == pytest.approx(a.logits, abs=1e-4)
    assert b.mask == pytest.approx(a.mask, abs=1e-4)


def test_an_unknown_runtime_is_refused(bundle):
    with pytest.raises(UsageError, match="a runtime is auto"):
        open_model(bundle, runtime="tflite")


def test_a_runtime_that_is_not_installed_is_refused(bundle, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    with pytest.raises(MissingModel, match=r"hounsfield\[runtime\]"):
        open_model(bundle, runtime="openvino")


def test_the_whole_answer_encodes_once_and_changes_nothing():
    network, x = small_outliner(), torch.from_numpy(noise(2, 1, 48, 48))
    encode, n_runs = network.encode, []
    network.stem.register_forward_hook(lambda *_: n_runs.append(1))
    with torch.inference_mode():
        logits, features, mask_logits = WholeAnswer(network).eval()(x)
        assert len(n_runs) == 1
        plain_logits, plain_mask = network(x)
        assert torch.equal(logits, plain_logits)
        assert torch.equal(mask_logits, plain_mask)
        assert torch.equal(features, network.features(x))
    assert network.encode == encode


def test_a_bundles_own_sample_is_what_runtimes_are_tried_on(tmp_path, monkeypatch):
    from hounsfield.inference.runtimes import bundled_network

    card, sample = tiny_card(), noise(1, 1, 48, 48)
    own = write_bundle(tmp_path / card.name, card=card, weights=tiny_network().state_dict(), sample=sample)
    seen = []
    original = bundled_network.choose_predictor
    monkeypatch.setattr(
        bundled_network, "choose_predictor", lambda n, s, **k: (seen.append(s), original(n, s, **k))[1]
    )
    load_model(own, runtime="onnxruntime")
    assert np.array_equal(seen[0], sample)
    other = write_bundle(
        tmp_path / card.name, card=card, weights=tiny_network().state_dict(), sample=sample[..., :40]
    )
    load_model(other, runtime="onnxruntime")
    assert np.array_equal(seen[1], made_sample((1, 1, 48, 48)))


def test_a_sample_of_another_form_is_refused(tmp_path):
    card = tiny_card()
    bad = write_bundle(
        tmp_path / card.name, card=card, weights=tiny_network().state_dict(), sample=np.zeros((4, 4))
    )
    with pytest.raises(ModelError, match="does not hold one float32 array"):
        bad.sample()


def test_the_made_sample_is_the_same_each_time_and_standard():
    one = made_sample((1, 2, 20, 24, 12))
    assert np.array_equal(one, made_sample((1, 2, 20, 24, 12)))
    assert (one.mean(), one.std()) == (pytest.approx(0, abs=1e-5), pytest.approx(1, abs=1e-5))
