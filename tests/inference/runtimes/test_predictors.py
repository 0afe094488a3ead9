"""Every runtime gives the numbers that torch gives; one that does not is not taken."""

import sys

import numpy as np
import pytest
import torch
from tests.inference.runtimes.small_networks import noise, small_densenet, small_outliner, small_unet

from hounsfield.core.errors import MissingModel, ModelError, UsageError
from hounsfield.inference import runtimes
from hounsfield.inference.runtimes import (
    TOLERANCES,
    Likeness,
    OnnxRuntimePredictor,
    OpenVinoPredictor,
    TorchPredictor,
    choose_predictor,
    exported_onnx,
    likeness,
)
from hounsfield.inference.runtimes import choice as choice_module

CASES = {
    "densenet": (small_densenet, (2, 1, 40, 40)),
    "unet-classifier": (small_outliner, (2, 1, 48, 48)),
    "unet": (small_unet, (1, 1, 16, 24, 16)),
}


def plain(network, batch):
    """What torch gives, without any of our code."""
    with torch.inference_mode():
        found = network(torch.from_numpy(batch))
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,)) if one is not None]


def has_bf16():
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@pytest.fixture
def quick_trials(monkeypatch):
    monkeypatch.setattr(choice_module, "TRIAL_S", 0.01)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("runtime", ["torch", "onnxruntime", "openvino"])
def test_every_runtime_gives_the_networks_numbers(case, runtime):
    make, shape = CASES[case]
    network, batch = make(), noise(*shape)
    graph = exported_onnx(network, batch)
    predictor = {
        "torch": lambda: TorchPredictor(network),
        "onnxruntime": lambda: OnnxRuntimePredictor(graph, n_threads=1),
        "openvino": lambda: OpenVinoPredictor(graph, n_threads=1),
    }[runtime]()
    assert (predictor.name, predictor.precision, predictor.device) == (runtime, "fp32", "cpu")
    for asked in (batch, noise(3, *shape[1:], seed=5)):  # another length of batch than the sample's
        found, expected = predictor(asked), plain(network, asked)
        assert [one.dtype for one in found] == [np.float32] * len(expected)
        for one, other in zip(found, expected, strict=True):
            assert one == pytest.approx(other, abs=2e-4 * float(np.abs(other).max()))


@pytest.mark.parametrize("case", ["densenet", "unet"])
def test_sixteen_bits_stay_within_their_tolerance(case):
    make, shape = CASES[case]
    network, batch = make(), noise(*shape)
    found = [TorchPredictor(network, precision="bf16")(batch)]
    if has_bf16():
        found.append(OpenVinoPredictor(exported_onnx(network, batch), precision="bf16", n_threads=1)(batch))
    for one in found:
        near = likeness(one, plain(network, batch))
        assert near.within(TOLERANCES["bf16"]), near
        assert not near.within(TOLERANCES["fp32"])  # it did calculate in sixteen


@pytest.mark.parametrize("case", ["densenet", "unet"])
def test_the_fastest_that_is_equivalent_is_taken(case, quick_trials):
    make, shape = CASES[case]
    network, batch = make(), noise(*shape)
    chosen = choose_predictor(network, batch)
    timed = {trial.name: trial.seconds for trial in chosen.trials if trial.seconds is not None}
    assert {"torch fp32", "onnxruntime fp32", "openvino fp32"} <= set(timed)
    assert timed[chosen.name] == min(timed.values())
    assert likeness(chosen.predictor(batch), plain(network, batch)).within(TOLERANCES["bf16"])
    told = chosen.to_json()
    assert told["name"] == chosen.name
    assert told["tolerance"] == TOLERANCES[chosen.predictor.precision].to_json()
    assert told["difference"]["agreement"] >= told["tolerance"]["agreement"]


def wrong(kind):
    """A runtime that gives twice the logits: every decision is kept, and they are no longer the network's."""
    return type("Wrong", (kind,), {"__call__": lambda self, b: tuple(2 * o for o in kind.__call__(self, b))})


def test_a_runtime_that_gives_other_numbers_is_not_taken(monkeypatch, quick_trials):
    monkeypatch.setattr(choice_module, "OnnxRuntimePredictor", wrong(OnnxRuntimePredictor))
    monkeypatch.setattr(choice_module, "OpenVinoPredictor", wrong(OpenVinoPredictor))
    network, batch = small_densenet(), noise(2, 1, 40, 40)
    chosen = choose_predictor(network, batch)
    assert chosen.predictor.name == "torch"
    refused = {trial.name: trial for trial in chosen.trials if trial.reason}
    assert {"onnxruntime fp32", "openvino fp32"} <= set(refused)
    assert "differs from torch" in refused["openvino fp32"].reason
    assert refused["openvino fp32"].seconds is None
    with pytest.raises(ModelError, match=r"onnxruntime cannot run this network: .*differs from torch"):
        choose_predictor(network, batch, runtime="onnxruntime")


def test_sixteen_bits_are_taken_only_where_they_are_faster(monkeypatch, quick_trials):
    seconds = {"torch fp32": 0.01, "torch bf16": 0.02}
    monkeypatch.setattr(
        choice_module, "_seconds", lambda predictor, _: seconds[f"torch {predictor.precision}"]
    )
    network, batch = small_densenet(), noise(1, 1, 40, 40)
    assert choose_predictor(network, batch, runtime="torch").name == "torch fp32"
    seconds["torch bf16"] = 0.005
    assert choose_predictor(network, batch, runtime="torch").name == "torch bf16"


@pytest.mark.parametrize("package", ["onnxruntime", "openvino"])
def test_a_missing_package_is_named_with_its_extra(package, monkeypatch, quick_trials):
    monkeypatch.setitem(sys.modules, package, None)
    network, batch = small_densenet(), noise(1, 1, 40, 40)
    with pytest.raises(MissingModel, match=rf"'{package}'.*pip install 'hounsfield\[runtime\]'"):
        choose_predictor(network, batch, runtime=package)
    chosen = choose_predictor(network, batch)
    assert chosen.predictor.name != package
    [trial] = [trial for trial in chosen.trials if trial.name == f"{package} fp32"]
    assert "hounsfield[runtime]" in trial.reason


def test_without_any_of_the_packages_torch_runs(monkeypatch, quick_trials):
    for package in ("onnx", "onnxruntime", "openvino"):
        monkeypatch.setitem(sys.modules, package, None)
    assert choose_predictor(small_densenet(), noise(1, 1, 40, 40)).predictor.name == "torch"


def test_a_network_without_a_graph_runs_with_torch(quick_trials):
    class Odd(torch.nn.Module):
        def forward(self, x):
            return torch.linalg.svdvals(x[:, 0, :4, :4])

    chosen = choose_predictor(Odd().eval(), noise(2, 1, 8, 8))
    assert chosen.predictor.name == "torch"
    assert any("no ONNX form" in trial.reason for trial in chosen.trials)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda n, b: choose_predictor(n, b, runtime="tflite"), "a runtime is auto, torch"),
        (lambda n, b: choose_predictor(n, b, precisions=("fp8",)), "precisions are fp32, bf16"),
        (lambda n, _: TorchPredictor(n, precision="int8"), "torch runs in fp32 or bf16"),
        (lambda n, b: OpenVinoPredictor(exported_onnx(n, b), precision="fp8"), "OpenVINO runs in"),
        (lambda n, b: OnnxRuntimePredictor(exported_onnx(n, b), device="npu"), "has no device 'npu'"),
    ],
)
def test_what_no_runtime_knows_is_refused(act, message):
    with pytest.raises(UsageError, match=message):
        act(small_densenet(), noise(1, 1, 40, 40))


@pytest.mark.parametrize("make", [OnnxRuntimePredictor, OpenVinoPredictor])
def test_bytes_that_are_no_graph_are_refused(make):
    with pytest.raises(ModelError, match="cannot read the graph"):
        make(b"no graph")


@pytest.mark.parametrize("make", [OnnxRuntimePredictor, OpenVinoPredictor])
def test_a_batch_of_other_sides_is_refused(make):
    network = small_unet()
    predictor = make(exported_onnx(network, noise(1, 1, 16, 16, 16)))
    with pytest.raises(ModelError, match="cannot run the graph on"):
        predictor(noise(1, 2, 16, 16, 16))


def test_likeness_by_hand():
    """Deviation of the expected numbers is 2; differences are 0 and 0.4: 0.4 / sqrt(2) / 2 and 0.4 / 2."""
    expected, found = np.array([[0.0, 4.0]]), np.array([[0.0, 4.4]])
    near = likeness([found], [expected])
    assert near.typical == pytest.approx(0.4 / np.sqrt(2) / 2)
    assert near.largest == pytest.approx(0.2)
    assert near.agreement == 1.0
    assert likeness([expected[:, ::-1]], [expected]).agreement == 0.0
    for other in ([expected, expected], [expected[:, :1]], [expected * np.nan]):
        assert likeness(other, [expected]) == Likeness(float("inf"), float("inf"), 0.0)


def test_names_of_outputs_must_be_as_many():
    with pytest.raises(ModelError, match="gives 1 outputs and 2 names"):
        exported_onnx(small_densenet(), noise(1, 1, 40, 40), outputs=("logits", "mask"))


def test_all_public_names_are_there():
    assert all(hasattr(runtimes, name) for name in runtimes.__all__)
