"""Names: the field's words, units in the names of numbers, no drawers for odds and ends."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from tests.house.source import ROOT, modules, parameters, tracked_files

if TYPE_CHECKING:
    from collections.abc import Iterator

FORBIDDEN_FILES = {"utils", "util", "utilities", "helpers", "helper", "common", "manager", "misc", "tools"}

# Words that name a quantity with a unit.
QUANTITIES = {
    *(
        "spacing",
        "thickness",
        "radius",
        "diameter",
        "distance",
        "duration",
        "delay",
        "angle",
        "dose",
        "weight",
    ),
    *("height", "volume", "time", "timeout", "size", "length", "depth", "area", "margin", "gap", "tolerance"),
    *("age", "interval", "position", "origin", "activity"),
}
UNITS = {
    *("mm", "mm2", "mm3", "cm", "cm3", "m", "um", "ml", "l", "kg", "g", "s", "ms", "us", "min", "h", "days"),
    *(
        "years",
        "months",
        "cm2",
        "deg",
        "rad",
        "hu",
        "suv",
        "bq",
        "mbq",
        "kbq",
        "gy",
        "mgy",
        "kev",
        "kv",
        "mas",
        "hz",
        "bytes",
        "mb",
    ),
    *(
        "index",
        "px",
        "voxels",
        "pixels",
        "fraction",
        "percent",
        "epochs",
        "steps",
        "points",
        "zyx",
        "yx",
        "xyz",
    ),
}
# Names that hold a quantity's word but no quantity: what they are instead.
NOT_A_QUANTITY = {
    "batch_size": "a count of pictures",
    "weight_decay": "a factor of the optimiser",
    "size": "side of a square picture, in pixels by the docstring",
    "height": "rows of a picture",
    "gap": "first and last index of the slices left out",
    "philips_activity_factor": "a factor: Bq/ml per count",
    "depth": "levels of nesting of archives and sequences",
    "tolerance": "in the unit of the numbers that are compared",
    "guard_distance": "a Mahalanobis distance: no unit",
    "distance": "of a guard: a Mahalanobis distance, no unit",
    "own_weight": "a weight of statistics: no unit",
}


def numbers() -> Iterator[tuple[str, str]]:
    """Where, and the name, of every parameter and field annotated as a number or several."""
    for module in modules():
        for dotted, function in module.functions():
            for parameter in parameters(function):
                if parameter.annotation is not None and is_number(ast.unparse(parameter.annotation)):
                    yield f"{module.name}:{parameter.lineno} {dotted}", parameter.arg
        for dotted, node in module.classes():
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and is_number(ast.unparse(field.annotation)):
                    yield f"{module.name}:{field.lineno} {dotted}", ast.unparse(field.target)


def is_number(annotation: str) -> bool:
    """Whether an annotation is made of float and int alone: `float | None`, `tuple[float, ...]`."""
    words = set(re.findall(r"[A-Za-z_]+", annotation))
    return bool(words & {"float", "int"}) and words <= {"float", "int", "None", "tuple", "list", "Sequence"}


def lacks_unit(name: str) -> bool:
    """Whether a number's name speaks of a quantity and not of its unit."""
    words = name.lower().split("_")
    if name in NOT_A_QUANTITY or words[0] == "n":
        return False
    return bool(set(words) & QUANTITIES) and not set(words) & UNITS


def test_numbers_name_their_unit():
    found = [f"{where}: {name}" for where, name in numbers() if lacks_unit(name)]
    assert not found, found


def test_the_check_sees_something():
    assert len(list(numbers())) > 20


@pytest.mark.parametrize("name", ["spacing", "slice_thickness", "timeout", "dose"])
def test_bare_quantities_are_seen(name):
    assert lacks_unit(name)


@pytest.mark.parametrize(
    "name", ["spacing_mm", "dose_mbq", "n_volumes", "batch_size", "threshold", "spacing_zyx_mm"]
)
def test_named_units_and_counts_pass(name):
    assert not lacks_unit(name)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("float | None", True),
        ("tuple[float, float]", True),
        ("str", False),
        ("dict[str, float]", False),
        ("None", False),
    ],
)
def test_annotations_of_numbers(annotation, expected):
    assert is_number(annotation) is expected


def test_no_file_is_a_drawer_for_odds_and_ends():
    found = [
        path.relative_to(ROOT).as_posix()
        for path in tracked_files()
        if FORBIDDEN_FILES & {part.lower() for part in path.relative_to(ROOT).with_suffix("").parts}
    ]
    assert not found, found


def test_exceptions_give_a_reason():
    assert all(len(reason) > 8 for reason in NOT_A_QUANTITY.values())
