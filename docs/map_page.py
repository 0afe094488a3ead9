"""The page of explanations: every method by name, and what each shipped model's card says of its maps."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hounsfield.zoo import MapTest, ModelCard

HOW = """\
`hounsfield.explain.explanations.get(NAME)` takes a model, a picture and the number of a class, and gives the map; its
`on_network` takes a network and an input, picture or volume. A map is to be believed for one model only as far as its tests
for that model go:

| test | what is measured | passed when the whole 95 % interval lies |
| --- | --- | --- |
"""
WHERE = (
    "pointing game",
    "share inside",
    "weak boxes, IoBB 0.1",
    "weak boxes, IoBB 0.5",
    "weak boxes, IoU 0.1",
)
WHY = (
    "weights drawn anew, rank correlation",
    "weights drawn anew, structural similarity",
    "deletion",
    "insertion",
)


def methods() -> list[str]:
    """A row for each explanation: its name, and the first sentence of its file."""
    from hounsfield.explain import explanations

    rows = ["| name | what it shows |", "| --- | --- |"]
    for one in explanations:
        said = (
            ast.get_docstring(
                ast.parse(Path(sys.modules[one.on_network.__module__].__file__ or "").read_text("utf-8"))
            )
            or ""
        )
        title = re.split(r"\.\s", " ".join(said.split()), maxsplit=1)[0].rstrip(".")
        rows.append(f"| `{one.name}` | {title} |")
    return rows


def cell(test: MapTest | None) -> str:
    """A figure with its interval, what it is held against, and whether it passed."""
    if test is None:
        return ""
    mark = "passed" if test.passed else "**failed**"
    return f"{test.value:.2f} ({test.low95:.2f} to {test.high95:.2f}), {test.better} {test.reference:.2f}: {mark}"


def tables(card: ModelCard) -> list[str]:
    """Maps in rows, tests in columns: where the map lies, then whether it follows the network."""
    judged = {
        name: {test.name: test for test in item.tests}
        for name, item in card.explanations.items()
        if item.tests
    }
    if not judged:
        return ["No map of this model was tested.\n"]
    any_test = next(iter(next(iter(judged.values())).values()))
    parts = [f"{any_test.n} pictures of {any_test.n_groups} groups of the test part.\n"]
    for names in (WHERE, WHY):
        parts += [f"| map | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
        parts += [
            f"| `{name}` | {' | '.join(cell(tests.get(own)) for own in names)} |"
            for name, tests in sorted(judged.items())
        ]
        parts.append("")
    return parts


def page(generated: str) -> str:
    """docs/reference/explanations.md."""
    from hounsfield.evaluation.maps import TESTS
    from hounsfield.zoo import installed_bundles, open_bundle, shipped_models

    held = [
        f"| {test.name} | {test.said} | {test.better} "
        + (f"{test.reference:g}" if isinstance(test.reference, float) else f"that of: {test.reference}")
        + " |"
        for test in TESTS
    ]
    parts = ["# Explanations\n", generated, "\n".join(methods()) + "\n", HOW + "\n".join(held) + "\n"]
    parts.append(
        "A figure held against another of the same pictures is compared with it picture by picture, and intervals are "
        "of resampled\npatients. Weak boxes are made from the map alone; the heaviest is counted. `python -m "
        "benchmarks.explanations` measures all this.\n"
    )
    for folder in installed_bundles(shipped_models()).values():
        card = open_bundle(folder).card
        parts += [f"## {card.title} ({card.name} {card.version})\n", *tables(card)]
    return "\n".join(parts).rstrip() + "\n"
