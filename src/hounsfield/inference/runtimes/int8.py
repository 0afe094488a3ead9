"""A graph in 8-bit integers: OpenVINO's form, quantised by NNCF with pictures of the user's own."""

from __future__ import annotations

import io
import logging
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.inference.runtimes.predictor import runtime_package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FEWEST_INPUTS = 4  # fewer say nothing of the range of a layer's numbers
MOST_INPUTS = 300  # what NNCF looks at


def quantised(graph: bytes, inputs: Sequence[NDArray[np.float32]]) -> Any:
    """The graph as an `openvino.Model` whose convolutions calculate in int8, for `OpenVinoPredictor(..., precision="int8")`.

    graph: the bytes of an ONNX file. inputs: (1, channels, *spatial) each, of the kind the model will see; from them the
    range of every layer's numbers is taken. Raises UsageError for too few inputs, ModelError for a graph that NNCF does
    not take, MissingModel without it.
    """
    if len(inputs) < FEWEST_INPUTS:
        raise UsageError(
            f"{len(inputs)} inputs are too few to calibrate int8 with: give {FEWEST_INPUTS} or more"
        )
    openvino, nncf = runtime_package("openvino"), _nncf()
    model = openvino.Core().read_model(io.BytesIO(graph))
    chosen = [np.ascontiguousarray(one, dtype=np.float32) for one in inputs[:MOST_INPUTS]]
    kind = nncf.QuantizationPreset.MIXED
    try:
        # It draws bars of progress on standard output, where JSON of commands goes.
        with redirect_stdout(io.StringIO()):
            return nncf.quantize(model, nncf.Dataset(chosen), preset=kind, subset_size=len(chosen))
    except Exception as error:  # its errors have no common class of their own
        raise ModelError(f"the graph cannot be quantised ({str(error).splitlines()[0]})") from error


def _nncf() -> Any:
    """NNCF, without its reports of use: these ask for a package that is hidden from it while it is imported."""
    if sys.modules.get("nncf") is not None:
        return sys.modules["nncf"]
    reporter = sys.modules.get("openvino_telemetry")
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # None is how Python marks what cannot be imported
    try:
        nncf = runtime_package("nncf")
    finally:
        if reporter is None:
            del sys.modules["openvino_telemetry"]
        else:
            sys.modules["openvino_telemetry"] = reporter
    logging.getLogger("nncf").setLevel(logging.ERROR)
    return nncf
