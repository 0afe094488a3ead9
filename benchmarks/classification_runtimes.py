"""Classification of pictures by each runtime, beside torch eager in 32 bits.

    python -m benchmarks.classification_runtimes [--data FOLDER] [--repeat N] [--threads N] [--skip-auroc]

DenseNet121 and ResNet50 (3 x 224 x 224, 14 classes, random weights), 1 and 16 pictures a batch. Every method runs in fresh
processes of its own, which take turns; a figure is the median over processes of the least time of one call, since other work
on the machine only ever adds; ratios are of processor time, with one thread unless told. int8 is calibrated on 32 made pictures, which is enough for speed.
Areas under the ROC curve are of the shipped brain-tumour-mr model on its test part, int8 calibrated on 100 pictures of its
training part. The command exits with 1 where a promise is broken. It needs pip install 'hounsfield[runtime]'.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks._processes import child_answer
from benchmarks._table import heading, table, with_data_option

NETWORKS = {
    "DenseNet121": ("densenet", {"n_classes": 14, "depth": 121, "in_channels": 3}),
    "ResNet50": ("resnet", {"n_classes": 14, "depth": 50, "in_channels": 3}),
}
EAGER = "torch eager fp32"
METHODS = (EAGER, "torch bf16", "onnxruntime fp32", "openvino fp32", "openvino bf16", "openvino int8")
BATCHES, SIDE_PX = (1, 16), 224
LEAST_S, FEWEST_CALLS = 3.0, 3
PROMISED, PROMISED_INT8, MOST_AUROC = 2.5, 4.5, 0.005
MODULE = "benchmarks.classification_runtimes"


def build(name: str) -> Any:
    from hounsfield.networks import build_network

    network, arguments = NETWORKS[name]
    return build_network(network, arguments, seed=0).eval()


def pictures(n: int, seed: int = 0) -> np.ndarray:
    """Made pictures with structure, each of its own."""
    from hounsfield.inference.runtimes import made_sample

    rng = np.random.default_rng(seed)
    base = made_sample((n, 3, SIDE_PX, SIDE_PX))
    return (base * rng.uniform(0.5, 2.0, (n, 1, 1, 1))).astype(np.float32)


def prepare(folder: Path, name: str) -> dict[str, Any]:
    """Write the graph in 32 bits and in int8, once for all that are measured."""
    import openvino

    from hounsfield.inference.runtimes import exported_onnx
    from hounsfield.inference.runtimes.int8 import quantised

    graph = exported_onnx(build(name), pictures(1))
    (folder / f"{name}.onnx").write_bytes(graph)
    inputs = pictures(32, seed=1)
    openvino.save_model(
        quantised(graph, [inputs[k : k + 1] for k in range(len(inputs))]),
        folder / f"{name}.xml",
        compress_to_fp16=False,
    )
    return {}


def runner(folder: Path, name: str, method: str) -> Any:
    """What is called with a batch: torch's own call for the yardstick, a predictor else."""
    import torch

    from hounsfield.inference.runtimes import OnnxRuntimePredictor, OpenVinoPredictor, TorchPredictor

    if method == EAGER:
        network = build(name)

        def eager(batch: np.ndarray) -> Any:
            with torch.inference_mode():
                return [network(torch.from_numpy(batch))[0].numpy()]

        return eager
    runtime, precision = method.split()
    n_threads = torch.get_num_threads()
    if runtime == "torch":
        return TorchPredictor(build(name), precision=precision)
    if runtime == "onnxruntime":
        return OnnxRuntimePredictor((folder / f"{name}.onnx").read_bytes(), n_threads=n_threads)
    if precision == "int8":
        import openvino

        return OpenVinoPredictor(
            openvino.Core().read_model(folder / f"{name}.xml"), precision=precision, n_threads=n_threads
        )
    return OpenVinoPredictor((folder / f"{name}.onnx").read_bytes(), precision=precision, n_threads=n_threads)


def measure(folder: Path, name: str, method: str) -> dict[str, Any]:
    """Least seconds of one call for each length of batch, by the clock and of the processor; logits of the first."""
    run = runner(folder, name, method)
    answer: dict[str, Any] = {}
    for n in BATCHES:
        batch = pictures(n)
        logits = run(batch)[0]
        walls, processors = [], []
        until = time.perf_counter() + LEAST_S
        while len(walls) < FEWEST_CALLS or time.perf_counter() < until:
            wall, processor = time.perf_counter(), time.process_time()
            run(batch)
            walls.append(time.perf_counter() - wall)
            processors.append(time.process_time() - processor)
        answer[str(n)] = [min(walls), min(processors), logits.astype(float).tolist()]
    return answer


def areas(data: Path) -> dict[str, float]:
    """Mean area under the ROC curve over the classes of the shipped model, by each way to run it."""
    from benchmarks.brain_tumour_mr import NAME, cases_of_part
    from hounsfield.inference import prepare as fit
    from hounsfield.inference.runtimes import (
        OnnxRuntimePredictor,
        OpenVinoPredictor,
        TorchPredictor,
        WholeAnswer,
        exported_onnx,
    )
    from hounsfield.inference.runtimes.int8 import quantised
    from hounsfield.inference.torch_model import load_model
    from hounsfield.zoo import find_bundle, open_bundle

    bundle = open_bundle(find_bundle(NAME))
    card = bundle.card
    tested = cases_of_part(bundle, data)[1]
    trained = cases_of_part(bundle, data, "train")[1]
    judged = [fit(case.picture(), card.picture).pixels[None, None] for case in tested]
    labels = np.array([card.class_names.index(case.label) for case in tested])
    chosen = [trained[k] for k in np.linspace(0, len(trained) - 1, 100).astype(int)]
    network = WholeAnswer(load_model(bundle).network).eval()
    graph = exported_onnx(network, judged[0])
    int8 = quantised(graph, [fit(case.picture(), card.picture).pixels[None, None] for case in chosen])
    ways = {
        "torch fp32": TorchPredictor(network),
        "onnxruntime fp32": OnnxRuntimePredictor(graph),
        "openvino fp32": OpenVinoPredictor(graph),
        "openvino bf16": OpenVinoPredictor(graph, precision="bf16"),
        "openvino int8": OpenVinoPredictor(int8, precision="int8"),
    }
    return {name: _mean_area(run, judged, labels) for name, run in ways.items()}


def _mean_area(run: Any, inputs: list[np.ndarray], labels: np.ndarray) -> float:
    from hounsfield.metrics import auroc

    logits = np.concatenate([run(one)[0] for one in inputs])
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    found = [auroc((labels == k).astype(int), shares[:, k]) for k in range(shares.shape[1])]
    return float(np.mean([getattr(one, "value", one) for one in found]))


def speeds(repeat: int) -> tuple[list[list[str]], list[str]]:
    """Rows of the table of speed, and the promises that were broken."""
    with tempfile.TemporaryDirectory() as scratch:
        runs: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for name in NETWORKS:
            child_answer(MODULE, "--child", scratch, name, "prepare")
        for _ in range(repeat):
            for name in NETWORKS:
                for method in METHODS:
                    answer = child_answer(MODULE, "--child", scratch, name, method)
                    runs.setdefault((name, method), []).append(answer)
    rows, broken = [], []
    for name in NETWORKS:
        for n in BATCHES:
            own, missed = _compared(name, str(n), runs)
            rows += own
            broken += missed
    return rows, broken


def _compared(
    name: str, n: str, runs: dict[tuple[str, str], list[dict[str, Any]]]
) -> tuple[list[list[str]], list[str]]:
    took = {m: [median(run[n][k] for run in runs[name, m]) for k in (0, 1)] for m in METHODS}
    expected = np.array(runs[name, EAGER][0][n][2])
    rows = []
    for method in METHODS:
        apart = np.abs(np.array(runs[name, method][0][n][2]) - expected).max() / max(expected.std(), 1e-9)
        wall, processor = (took[EAGER][k] / took[method][k] for k in (0, 1))
        seconds = [f"{1000 * value:.1f}" for value in took[method]]
        rows.append([name, n, method, *seconds, f"{processor:.1f}", f"{wall:.1f}", f"{apart:.1e}"])
    return rows, judged_speed(name, n, {m: took[EAGER][1] / took[m][1] for m in METHODS})


def judged_speed(name: str, n: str, ratios: dict[str, float]) -> list[str]:
    """Promises that are broken, one sentence each. ratios: of each method to torch eager."""
    best = max(value for method, value in ratios.items() if not method.endswith("int8"))
    int8 = max(value for method, value in ratios.items() if method.endswith("int8"))
    broken = []
    if best < PROMISED:
        broken.append(f"{name}, batch of {n}: {best:.2f} times torch's speed, {PROMISED} promised")
    if int8 < PROMISED_INT8:
        broken.append(f"{name}, batch of {n}, int8: {int8:.2f} times torch's speed, {PROMISED_INT8} promised")
    return broken


def main() -> None:
    """Print both tables, and leave with 1 where a promise is broken."""
    parser = with_data_option(
        argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    )
    parser.add_argument("--repeat", type=int, default=3, help="processes of each method (default 3)")
    parser.add_argument("--threads", type=int, default=1, help="of every method (default 1)")
    parser.add_argument("--skip-auroc", action="store_true", help="measure speed alone")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        folder, name, method = options.child
        job = prepare(Path(folder), name) if method == "prepare" else measure(Path(folder), name, method)
        print(json.dumps(job))
        return
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    rows, broken = speeds(options.repeat)
    inputs = f"3 x {SIDE_PX} x {SIDE_PX}, 14 classes, {options.threads} threads"
    print(heading("Classification by each runtime, beside torch eager", inputs=inputs))
    columns = (
        "network",
        "batch",
        "method",
        "wall ms",
        "cpu ms",
        "times less cpu",
        "by the clock",
        "apart, in deviations",
    )
    print(table(columns, rows))
    if not options.skip_auroc:
        broken += _report_areas(areas(options.data))
    print("\n".join(["", *broken]) if broken else "\nAll promises are kept.")
    sys.exit(1 if broken else 0)


def _report_areas(found: dict[str, float]) -> list[str]:
    first = found["torch fp32"]
    print("\nbrain-tumour-mr, test part, mean area under the ROC curve over three classes:\n")
    print(
        table(("run by", "area", "apart"), [[k, f"{v:.4f}", f"{v - first:+.4f}"] for k, v in found.items()])
    )
    return [
        f"area of {name} differs by {value - first:+.4f}, less than {MOST_AUROC} promised"
        for name, value in found.items()
        if abs(value - first) >= MOST_AUROC
    ]


if __name__ == "__main__":
    main()
