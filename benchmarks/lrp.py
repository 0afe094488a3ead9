"""What a relevance map of a DenseNet-121 costs beside one forward and one backward pass.

    python -m benchmarks.lrp [--size 384] [--repeats 5]

The passes are those of a gradient with respect to the picture, the cheapest explanation there is; weights need no
gradient in either. Runs alternate, so that a busy machine slows all of them; the median of each is printed.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks._table import heading, table
from hounsfield.explain import explanations
from hounsfield.explain.lrp import COMPOSITES
from hounsfield.networks import build_network

if TYPE_CHECKING:
    from collections.abc import Callable

AT_MOST = 3.0  # times the passes, for every composite


def measure(size_px: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of each run, by what was run; "passes" is forward and backward."""
    network = build_network("densenet", {"n_classes": 14}, seed=0).eval().requires_grad_(requires_grad=False)
    film = torch.rand(1, 1, size_px, size_px, generator=torch.Generator().manual_seed(0))
    gradient = explanations.get("saliency").on_network
    runs: dict[str, Callable[[], object]] = {"passes": lambda: gradient(network, film, 0)}
    for name in COMPOSITES:
        method = explanations.get(f"lrp-{name}").on_network
        runs[f"lrp-{name}"] = lambda method=method: method(network, film, 0)  # type: ignore[misc]  # bound now
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if repeat:  # the first round warms up
                taken[name].append(time.perf_counter() - began)
    return taken


def main() -> None:
    """Print the table; exit with 1 if a composite takes more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=384, help="side of the film in pixels (default: 384)")
    parser.add_argument("--repeats", type=int, default=5, help="timed rounds (default: 5)")
    options = parser.parse_args()
    taken = measure(options.size, options.repeats)
    inputs = f"one film of {options.size} x {options.size} pixels, {torch.get_num_threads()} threads"
    print(heading("Relevance of a DenseNet-121 film", inputs=inputs))
    passes = float(np.median(taken["passes"]))
    times = {name: float(np.median(own)) / passes for name, own in taken.items()}
    rows = [(name, f"{times[name] * passes:.2f} s", f"{times[name]:.2f}") for name in taken]
    print(table(("run", "median", "times the passes"), rows))
    worst = max(times, key=lambda name: times[name])
    if times[worst] > AT_MOST:
        raise SystemExit(f"{worst} takes {times[worst]:.2f} times the passes; {AT_MOST:g} are allowed")


if __name__ == "__main__":
    main()
