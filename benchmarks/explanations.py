"""Which map may be believed: every test of every explanation, for the shipped model and for the network of chest films.

    python -m benchmarks.explanations mr [--data FOLDER] [--most N] [--maps NAME ...] [--update-card]
    python -m benchmarks.explanations films --bundle runs/chest_films_nih/chest-films-nih [--data FOLDER]

mr: slices of the test part of `brain-tumour-mr` against their outlines. films: films with a radiologist's box, which the
recipe `chest_films_nih.yaml` keeps from training, against their boxes. One slice takes a minute of processor time with
all maps, one film three; `--device cuda` is a hundred times faster. `--scores FILE` keeps the scores of each case and
reads those that are there, so that a run can be cut into parts (`--part 1/4`).
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._table import heading, table, with_data_option
from benchmarks.brain_tumour_mr import MAP_NOTES, cases_of_part
from hounsfield.evaluation.maps import CaseToJudge, JudgedMap, judge_case, redrawn_model, summarise
from hounsfield.explain import explanations
from hounsfield.inference import load_model
from hounsfield.metrics import Box, box_of_mask
from hounsfield.zoo import Bundle, MapEvidence, MapTest, find_bundle, open_bundle, write_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

SHIPPED = "brain-tumour-mr"
BOXED = {"Pneumonia": "pneumonia", "Infiltration": "infiltration"}  # labels of boxes.csv that the network has


def slices(bundle: Bundle, data: Path, most: int) -> list[CaseToJudge]:
    """Slices of the test part with their outlines, at most so many, evenly spaced."""
    dataset, cases = cases_of_part(bundle, data)
    chosen = np.unique(np.linspace(0, len(cases) - 1, min(most, len(cases))).astype(int))
    made = []
    for index in chosen:
        case, truth = cases[index], cases[index].mask()
        class_index = dataset.classes.index(case.label)
        made.append(
            CaseToJudge(case.name, case.group, case.picture(), class_index, truth, (box_of_mask(truth),))
        )
    return made


def films(bundle: Bundle, data: Path, most: int) -> list[CaseToJudge]:
    """Films with a box of a class that the network has, all boxes of one film and class together."""
    dataset, cases = cases_of_part(bundle, data)
    by_name = {case.name: case for case in cases}
    boxes: dict[tuple[str, str], list[Box]] = {}
    with (data / "nih_cxr" / "boxes.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            x, y, width, height = (float(row[key]) for key in ("x", "y", "w", "h"))
            key = row["file"] if row["file"].startswith("images/") else f"images/{row['file']}"
            if row["label"] in BOXED:
                boxes.setdefault((key, BOXED[row["label"]]), []).append(Box(y, x, y + height, x + width))
    made = []
    for (name, label), own in sorted(boxes.items())[:most]:
        case = by_name[name]
        picture = case.picture()
        shape_yx = (picture.shape[0], picture.shape[1])
        truth = np.any([box.mask(shape_yx) for box in own], axis=0)
        class_index = dataset.classes.index(label)
        made.append(CaseToJudge(f"{name} {label}", case.group, picture, class_index, truth, tuple(own)))
    return made


def scores_of(
    bundle: Bundle, cases: Sequence[CaseToJudge], names: Sequence[str], device: str, kept: Path | None
) -> dict[str, Any]:
    """Scores by the case's name; read from and written to `kept` as they come."""
    trained = load_model(bundle, device=device)
    models = (trained, redrawn_model(trained, 0.5), redrawn_model(trained, 1.0))
    found: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept and kept.is_file() else {}
    able = [name for name in names if hasattr(trained.network, explanations.get(name).needs or "forward")]
    for case in cases:
        own = found.get(case.name, {})
        missing = [name for name in able if name not in own]
        if not missing:
            continue
        found[case.name] = {**own, **judge_case(models, case, missing)}
        if kept:
            kept.write_text(json.dumps(found), encoding="utf-8")
    return {case.name: found[case.name] for case in cases}


def as_evidence(judged: Sequence[JudgedMap], before: MapEvidence | None, note: str) -> MapEvidence:
    """What a card holds of one map; its pointing game as it was measured through the public path, where it was."""
    pointing = next(one for one in judged if one.test.name == "pointing game")
    tests = tuple(
        MapTest(
            name=one.test.name,
            said=one.test.said,
            better=one.test.better,
            reference=round(one.reference, 4),
            passed=one.passed,
            n=one.n_cases,
            n_groups=one.n_groups,
            **rounded(one),
        )
        for one in judged
    )
    if before is not None:
        return before.model_copy(update={"tests": tests})
    return MapEvidence(
        n=pointing.n_cases,
        n_groups=pointing.n_groups,
        part="test",
        chance=round(pointing.reference, 4),
        note=note,
        tests=tests,
        **rounded(pointing),
    )


def rounded(one: JudgedMap) -> dict[str, float]:
    """Value and limits with four decimals."""
    figure = one.figure
    return {
        key: round(v, 4)
        for key, v in zip(("value", "low95", "high95"), (figure.value, figure.low, figure.high), strict=True)
    }


def update_card(bundle: Bundle, judged: Sequence[JudgedMap]) -> Bundle:
    """Write the tests into the card of the bundle."""
    evidence = dict(bundle.card.explanations)
    for name in dict.fromkeys(one.map_name for one in judged):
        own = [one for one in judged if one.map_name == name]
        evidence[name] = as_evidence(own, evidence.get(name), MAP_NOTES.get(name, ""))
    return write_bundle(
        bundle.folder,
        card=bundle.card.model_copy(update={"explanations": evidence}),
        weights=bundle.weights(),
        guard_arrays=bundle.guard_arrays() or None,
    )


def main() -> None:
    """Judge and print: map x test x result."""
    parser = with_data_option(argparse.ArgumentParser(description=__doc__))
    parser.add_argument("what", choices=("mr", "films"))
    parser.add_argument("--bundle", type=Path, help="bundle of the chest film network, for films")
    parser.add_argument("--most", type=int, default=1000, help="cases at most, evenly spaced (default: all)")
    parser.add_argument("--maps", nargs="+", default=explanations.names(), help="explanations (default: all)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--scores", type=Path, help="file that keeps the scores of each case")
    parser.add_argument("--part", default="1/1", help="judge one part of the cases, as 2/4 (default: all)")
    parser.add_argument("--update-card", action="store_true", help="write the tests into the bundle's card")
    options = parser.parse_args()
    bundle = open_bundle(options.bundle or find_bundle(SHIPPED))
    cases = (slices if options.what == "mr" else films)(bundle, options.data, options.most)
    number, parts = (int(word) for word in options.part.split("/"))
    cases = cases[number - 1 :: parts]
    scores = scores_of(bundle, cases, options.maps, options.device, options.scores)
    judged = summarise(scores, {case.name: case.group for case in cases})
    inputs = f"{len(cases)} pictures of {len({case.group for case in cases})} groups; bundle {bundle.name} {bundle.digest[:16]}"
    print(heading("Maps: which may be believed", inputs=inputs))
    print(
        table(
            ("map", "test", "value", "95 % interval", "held against", "passed"),
            [
                (
                    one.map_name,
                    one.test.name,
                    f"{one.figure.value:.3f}",
                    f"{one.figure.low:.3f} to {one.figure.high:.3f}",
                    f"{one.test.better} {one.reference:.3f}",
                    "yes" if one.passed else "no",
                )
                for one in judged
            ],
        )
    )
    if options.update_card:
        written = update_card(bundle, judged)
        print(f"\ncard of {written.name} written anew: digest {written.digest}")


if __name__ == "__main__":
    main()
