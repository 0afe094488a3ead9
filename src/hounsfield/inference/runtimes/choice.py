"""Which runtime runs a network here: the fastest of those that give its numbers, found by trying them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from hounsfield.core.errors import HounsfieldError, ModelError, UsageError
from hounsfield.inference.runtimes.equivalence import TOLERANCES, Likeness, Tolerance, likeness
from hounsfield.inference.runtimes.onnx_graph import exported_onnx
from hounsfield.inference.runtimes.onnxruntime_predictor import OnnxRuntimePredictor
from hounsfield.inference.runtimes.openvino_predictor import OpenVinoPredictor
from hounsfield.inference.runtimes.predictor import PRECISIONS, RUNTIMES, Predictor, label, runtime_package
from hounsfield.inference.runtimes.torch_predictor import TorchPredictor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Makers = Sequence[tuple[str, Callable[[], Predictor]]]

TRIAL_S = 1.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One candidate. seconds: of one call on the sample, the least of a second's calls; None where it was not timed.

    difference: from torch in fp32; None where it did not run. reason: why it was not taken, empty for what might be.
    """

    name: str
    seconds: float | None = None
    difference: Likeness | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """As provenance holds it; times are left out, since they differ from run to run."""
        return {
            "name": self.name,
            "difference": self.difference.to_json() if self.difference is not None else None,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The predictor that was taken, what was tried, and the tolerances by which it was judged."""

    predictor: Predictor
    trials: tuple[Trial, ...]
    tolerances: Mapping[str, Tolerance]

    @property
    def name(self) -> str:
        """The predictor taken, as `openvino bf16`."""
        return label(self.predictor)

    def to_json(self) -> dict[str, Any]:
        """As provenance holds it: what runs, how far from torch in fp32, by which tolerance, beside what."""
        own = next((trial.difference for trial in self.trials if trial.name == self.name), None)
        tolerance = self.tolerances.get(self.predictor.precision)
        return {
            "name": self.name,
            "difference": own.to_json() if own is not None else None,
            "tolerance": tolerance.to_json() if tolerance is not None else None,
            "trials": [trial.to_json() for trial in self.trials],
        }


def choose_predictor(
    network: torch.nn.Module,
    sample: NDArray[np.float32],
    *,
    runtime: str = "auto",
    precisions: Sequence[str] = PRECISIONS,
    device: str = "cpu",
    tolerances: Mapping[str, Tolerance] = TOLERANCES,
) -> Choice:
    """The fastest way to run `network` on batches like `sample` that gives what torch gives in 32 bits.

    network: in evaluation mode. sample: float32 (n, channels, *spatial), a batch as it will be asked for. runtime: "auto"
    tries all that are installed; a name of RUNTIMES tries that one. Every candidate answers the sample and a second batch
    with its mirror image; who keeps to the tolerance of his precision is timed for a second, so that bfloat16 is taken
    where it pays and not where a processor says that it has it. Raises UsageError for an unknown name, MissingModel for a
    runtime that was asked for and is not installed, ModelError for one that does not give the network's numbers.
    """
    _check(runtime, precisions)
    batches = _batches(sample)
    reference = TorchPredictor(network, device=device)
    expected = [reference(batch) for batch in batches]
    predictors: dict[str, Predictor] = {}
    trials = []
    for name, make in _candidates(network, sample, runtime, precisions, device):
        trial, predictor = _tried(name, make, batches, expected, tolerances)
        trials.append(trial)
        if predictor is not None:
            predictors[trial.name] = predictor
    timed = sorted((trial.seconds, trial.name) for trial in trials if trial.seconds is not None)
    if timed:
        return Choice(predictors[timed[0][1]], tuple(trials), tolerances)
    if runtime == "auto":
        return Choice(reference, tuple(trials), tolerances)
    raise ModelError(
        f"{runtime} cannot run this network: {'; '.join(f'{t.name}: {t.reason}' for t in trials)}. Use torch."
    )


def _check(runtime: str, precisions: Sequence[str]) -> None:
    if runtime not in {"auto", *RUNTIMES}:
        raise UsageError(f"a runtime is auto, {', '.join(RUNTIMES)}; not {runtime!r}")
    if not precisions or not set(precisions) <= set(PRECISIONS):
        raise UsageError(f"precisions are {', '.join(PRECISIONS)}; not {precisions!r}")
    if runtime not in {"auto", "torch"}:
        runtime_package(runtime)
        runtime_package("onnx")


def _batches(sample: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The sample, and a batch one longer: a graph with a fixed length of batch must not pass."""
    values = np.ascontiguousarray(sample, dtype=np.float32)
    return [values, np.concatenate([values, values[:1, ..., ::-1]])]


def _candidates(
    network: torch.nn.Module,
    sample: NDArray[np.float32],
    runtime: str,
    precisions: Sequence[str],
    device: str,
) -> Iterator[tuple[str, Callable[[], Predictor]]]:
    n_threads = torch.get_num_threads()
    graph: list[bytes] = []

    def onnx() -> bytes:
        if not graph:
            graph.append(exported_onnx(network.cpu(), sample))
            network.to(device)
        return graph[0]

    wanted = RUNTIMES if runtime == "auto" else (runtime,)
    if "torch" in wanted:
        for precision in precisions:
            yield f"torch {precision}", partial(TorchPredictor, network, precision=precision, device=device)
    if "onnxruntime" in wanted and "fp32" in precisions:
        yield "onnxruntime fp32", lambda: OnnxRuntimePredictor(onnx(), device=device, n_threads=n_threads)
    if "openvino" in wanted and device == "cpu":
        for precision in precisions:
            yield f"openvino {precision}", partial(_openvino, onnx, precision, n_threads)


def _openvino(graph: Callable[[], bytes], precision: str, n_threads: int) -> Predictor:
    return OpenVinoPredictor(graph(), precision=precision, n_threads=n_threads)


def _tried(
    name: str,
    make: Callable[[], Predictor],
    batches: list[NDArray[np.float32]],
    expected: list[tuple[NDArray[np.float32], ...]],
    tolerances: Mapping[str, Tolerance],
) -> tuple[Trial, Predictor | None]:
    """Run one candidate on all batches, compare, and time it if it may be taken."""
    try:
        predictor = make()
        found = [predictor(batch) for batch in batches]
    except HounsfieldError as error:
        return Trial(name, reason=str(error)), None
    each = [likeness(a, b) for a, b in zip(found, expected, strict=True)]
    worst = Likeness(
        max(one.typical for one in each),
        max(one.largest for one in each),
        min(one.agreement for one in each),
    )
    limit = tolerances[predictor.precision]
    if not worst.within(limit):
        return Trial(name, None, worst, f"differs from torch: {worst} where {limit} is allowed"), None
    return Trial(label(predictor), _seconds(predictor, batches[0]), worst), predictor


def _seconds(predictor: Predictor, batch: NDArray[np.float32]) -> float:
    """Least time of one call within a second; the least, since other work on the machine only ever adds."""
    best, until = float("inf"), time.perf_counter() + TRIAL_S
    while time.perf_counter() < until or best == float("inf"):
        started = time.perf_counter()
        predictor(batch)
        best = min(best, time.perf_counter() - started)
    return best
