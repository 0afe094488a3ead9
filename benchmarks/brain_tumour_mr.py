"""The shipped brain tumour model through the public path, on the part that training never saw.

    python -m benchmarks.brain_tumour_mr [--data FOLDER] [--bundle FOLDER] [--update-card]

Every test slice is read by `hounsfield.read` as a PNG or JPEG without header. A refused slice counts as a
false refusal and is left out of the other figures, which are given with intervals clustered by group.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._table import heading, table, wilson_interval, with_data_option
from hounsfield.datasets import open_dataset, split_dataset
from hounsfield.metrics import auroc, cluster_bootstrap, dice, expected_calibration_error, points_at
from hounsfield.zoo import Bundle, MapEvidence, find_bundle, open_bundle, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hounsfield.core import Reading
    from hounsfield.datasets import Case, Dataset
    from hounsfield.metrics import Interval

NAME = "brain-tumour-mr"
FINDINGS = {"glioma": "glioma", "meningioma": "meningioma", "pituitary": "pituitary-tumour"}
MAP_NOTES = {
    "hires-cam": "It shows what the class was read from, which this network restricts to its own outline.",
    "grad-cam": "Do not rely on it: its averaging over the picture forgets where a feature counted.",
}


@dataclass(slots=True)
class Results:
    """One entry a slice that was read, in the order of the test part."""

    classes: tuple[str, ...]
    labels: list[int] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    probabilities: list[list[float]] = field(default_factory=list)
    dice: list[float] = field(default_factory=list)
    pointed: dict[str, list[float]] = field(default_factory=dict)
    chance: list[float] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def cases_of_part(bundle: Bundle, data: Path, part: Any = "test") -> tuple[Dataset, list[Case]]:
    """The data set of the card's recipe below `data`, and the cases of one part of its split.

    Fails if the split made here is not the one that the card states.
    """
    recipe = bundle.card.recipe
    root = data / Path(recipe["data"]["root"]).name
    dataset = open_dataset(recipe["data"]["adapter"], root, recipe["data"]["options"])
    split = split_dataset(dataset, **recipe["split"])
    if split.digest != bundle.card.split_digest:
        raise SystemExit(
            f"the split of {root.name} is {split.digest}, the card states {bundle.card.split_digest}"
        )
    return dataset, [dataset.cases[index] for index in split.indices(part)]


def read_files(files: Sequence[Path]) -> dict[str, Reading]:
    """The reading of each file by its name, all through one call of `hounsfield.read`."""
    import hounsfield

    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            shutil.copy(file, folder)
        readings = hounsfield.read(folder, applications=["brain_tumour_mr"])
    return {Path(reading.inputs[0].files[0]).name: reading for reading in readings}


def collect(cases: Sequence[Case], readings: dict[str, Reading], classes: tuple[str, ...]) -> Results:
    """What the readings say beside what the cases are."""
    results = Results(classes)
    for case in cases:
        reading = readings[case.image_path.name]
        if reading.status == "refused":
            results.refused.append(case.name)
            continue
        truth = case.mask()
        by_name = {finding.name: finding for finding in reading.findings}
        own = [by_name[FINDINGS[name]] for name in classes]
        results.labels.append(classes.index(case.label))
        results.groups.append(case.group)
        results.probabilities.append([float(finding.probability or 0.0) for finding in own])
        results.calls.append(own[results.labels[-1]].presence)
        outline = reading.regions[0].mask if reading.regions else None
        results.dice.append(dice(truth, outline[0] if outline is not None else np.zeros_like(truth)))
        for item in reading.maps:
            results.pointed.setdefault(item.name, []).append(points_at(item.values[0], truth))
        results.chance.append(float(truth.mean()))
    return results


def figures(results: Results, *, seed: int = 0) -> dict[str, Interval]:
    """Every figure with its interval, groups resampled."""
    labels = np.array(results.labels)
    probabilities = np.array(results.probabilities)
    right = probabilities.argmax(axis=1) == labels
    confidence = probabilities.max(axis=1)
    overlap = np.array(results.dice)
    pointed = {name: np.array(hits) for name, hits in results.pointed.items()}

    def class_auroc(index: int) -> Callable[[Any], float]:
        return lambda chosen: auroc(labels[chosen] == index, probabilities[chosen, index])

    def macro(chosen: Any) -> float:
        return float(np.mean([class_auroc(index)(chosen) for index in range(len(results.classes))]))

    statistics: dict[str, Callable[[Any], float]] = {
        "macro AUROC": macro,
        **{f"AUROC {name}": class_auroc(index) for index, name in enumerate(results.classes)},
        "accuracy": lambda chosen: float(right[chosen].mean()),
        "expected calibration error": lambda chosen: expected_calibration_error(
            right[chosen], confidence[chosen]
        ),
        "Dice, mean": lambda chosen: float(overlap[chosen].mean()),
        "Dice, median": lambda chosen: float(np.median(overlap[chosen])),
        **{
            f"Dice {name}": lambda chosen, index=index: (
                float(overlap[chosen][labels[chosen] == index].mean())
                if (labels[chosen] == index).any()
                else float("nan")
            )
            for index, name in enumerate(results.classes)
        },
        **{
            f"pointing game {name}": lambda chosen, hits=hits: float(hits[chosen].mean())
            for name, hits in pointed.items()
        },
    }
    rng = np.random.default_rng(seed)
    return {name: cluster_bootstrap(one, results.groups, rng=rng) for name, one in statistics.items()}


def update_card(bundle: Bundle, results: Results, found: dict[str, Interval]) -> Bundle:
    """Write what was measured of the maps into the bundle's card."""
    evidence = {
        name: MapEvidence(
            value=round(found[f"pointing game {name}"].value, 4),
            low95=round(found[f"pointing game {name}"].low, 4),
            high95=round(found[f"pointing game {name}"].high, 4),
            n=len(results.labels),
            n_groups=len(set(results.groups)),
            part="test",
            chance=round(float(np.mean(results.chance)), 4),
            note=MAP_NOTES.get(name, ""),
            # Tests that ask the network again are those of benchmarks.explanations: they stay.
            tests=bundle.card.explanations[name].tests if name in bundle.card.explanations else (),
        )
        for name in results.pointed
    }
    evidence = {**bundle.card.explanations, **evidence}
    return write_bundle(
        bundle.folder,
        card=bundle.card.model_copy(update={"explanations": evidence}),
        weights=bundle.weights(),
        guard_arrays=bundle.guard_arrays() or None,
    )


def main() -> None:
    """Read the test part and print the table."""
    parser = with_data_option(argparse.ArgumentParser(description=__doc__))
    parser.add_argument("--update-card", action="store_true", help="write the maps' figures into the card")
    options = parser.parse_args()
    bundle = open_bundle(find_bundle(NAME))
    dataset, cases = cases_of_part(bundle, options.data)
    results = collect(cases, read_files([case.image_path for case in cases]), dataset.classes)
    found = figures(results)
    groups = len({case.group for case in cases})
    inputs = f"{len(cases)} test slices in {groups} groups; bundle {bundle.name} {bundle.version} {bundle.digest[:16]}"
    print(heading("Brain tumour on MR, test part, through hounsfield.read", inputs=inputs))
    rows: list[Sequence[object]] = [
        (name, f"{one.value:.3f}", f"{one.low:.3f} to {one.high:.3f}") for name, one in found.items()
    ]
    low, high = wilson_interval(len(results.refused), len(cases))
    rows.append(
        ("refused, though right", f"{len(results.refused) / len(cases):.3f}", f"{low:.3f} to {high:.3f}")
    )
    for presence in ("present", "indeterminate", "absent"):
        share = results.calls.count(presence) / max(1, len(results.calls))
        rows.append((f"true class called {presence}", f"{share:.3f}", ""))
    rows.append(("pointing game by chance", f"{np.mean(results.chance):.3f}", ""))
    print(table(("figure", "value", "95 % interval"), rows))
    if options.update_card:
        written = update_card(bundle, results, found)
        print(f"\ncard of {written.name} written anew: digest {written.digest}")


if __name__ == "__main__":
    main()
