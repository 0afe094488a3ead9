"""Eight bits: close to the network, calibrated on what is given, and nobody is told."""

import subprocess
import sys

import numpy as np
import pytest
from tests.inference.runtimes.small_networks import noise, small_densenet

from hounsfield.core.errors import MissingModel, UsageError
from hounsfield.inference.runtimes import (
    TOLERANCES,
    OpenVinoPredictor,
    TorchPredictor,
    exported_onnx,
    likeness,
)
from hounsfield.inference.runtimes.int8 import quantised


def test_a_quantised_network_stays_near_the_network():
    network, batch = small_densenet(), noise(6, 1, 40, 40)
    model = quantised(exported_onnx(network, batch[:1]), [noise(1, 1, 40, 40, seed=k) for k in range(12)])
    assert "FakeQuantize" in {operation.get_type_name() for operation in model.get_ops()}
    predictor = OpenVinoPredictor(model, precision="int8", n_threads=1)
    near = likeness(predictor(batch), TorchPredictor(network)(batch))
    assert near.typical <= TOLERANCES["int8"].typical
    assert near.typical > TOLERANCES["fp32"].typical  # it did calculate in eight bits
    assert predictor(batch[:1])[0].shape == (1, 4)


def test_too_few_inputs_are_refused():
    with pytest.raises(UsageError, match="3 inputs are too few"):
        quantised(b"", [np.zeros((1, 1, 8, 8), np.float32)] * 3)


def test_without_nncf_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(MissingModel, match=r"'nncf'.*hounsfield\[runtime\]"):
        quantised(b"", [np.zeros((1, 1, 8, 8), np.float32)] * 4)


def test_the_maker_of_nncf_is_not_told_of_its_use():
    """The package that would tell is not imported, and stays importable for who asks for it."""
    program = (
        "from hounsfield.inference.runtimes.int8 import _nncf\n"
        "import sys\n"
        "_nncf()\n"
        "from nncf.telemetry.wrapper import telemetry\n"
        "print(type(telemetry).__module__, 'openvino_telemetry' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.stdout.split() == ["unittest.mock", "False"]
