"""Calibrator and thresholds of the shipped brain tumour model, decided anew on the tuning part, and judged.

    HOUNSFIELD_DATA=/folder/of/data python -m benchmarks.brain_tumour_calibration

Writes the bundle: weights and guard stay, calibrator, thresholds and figures are made again by the rule of the
training path (`hounsfield.calibration.choose_calibrator`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks._table import heading, table
from hounsfield.training import load_recipe, recalibrate
from hounsfield.zoo import find_bundle, open_bundle

RECIPE = Path(__file__).parents[1] / "recipes" / "brain_tumour_mr.yaml"


def main() -> None:
    """Recalibrate and print what was decided and what it reached."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    bundle, choice, evaluation = recalibrate(load_recipe(RECIPE), open_bundle(find_bundle("brain-tumour-mr")))
    inputs = f"{evaluation.n_cases} test slices in {evaluation.n_groups} groups; now {bundle.digest[:16]}"
    print(heading("Calibration of brain-tumour-mr", inputs=inputs))
    print(f"{choice.name} {choice.parameters or ''}: {choice.reason}\n")
    rows = []
    for name in ("ece-uncalibrated", "ece", "brier", "auroc", "accuracy"):
        interval = evaluation.figures[name].overall
        if interval is not None:
            rows.append((name, f"{interval.value:.3f}", f"{interval.low:.3f} to {interval.high:.3f}"))
    perfect = evaluation.calibration["error_if_perfect"]
    low, high = perfect["ci95"]
    rows.append(
        (
            "ece of a perfect model by chance",
            f"{perfect['value']:.3f}",
            f"{low:.3f} to {high:.3f}",
        )
    )
    print(table(("figure on the test part", "value", "95 % interval"), rows))


if __name__ == "__main__":
    main()
