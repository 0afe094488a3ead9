"""Typed input of rules: limits, choices, texts, and messages that name the input, its unit, the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pytest

from hounsfield.core import Category, Given, RuleInput
from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.core.rule_input import input_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion(RuleInput):
    area_mm2: Annotated[float, Given("mm2", "area", above=0)]
    name: Annotated[str, Given("", "name")] = "lesion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(RuleInput):
    height_m: Annotated[float, Given("m", "body height", at_least=0.3, at_most=2.5)]
    n_nodes: Annotated[int, Given("1", "number of nodes", at_least=0)] = 0
    sex: Annotated[Literal["M", "F"] | None, Given("", "sex")] = None
    is_gated: Annotated[bool | None, Given("", "triggered")] = None
    diameters_mm: Annotated[tuple[float, ...], Given("mm", "diameters", at_least=0)] = ()
    pair_mm: Annotated[tuple[float, float] | None, Given("mm", "two lengths", below=9)] = None
    lesions: Annotated[tuple[Lesion, ...], Given("", "lesions")] = ()
    grade: Annotated[Literal[1, 2, 3], Given("1", "grade")] = 1


@pytest.mark.parametrize("height_m", [0.3, 2.5, np.float32(1.5), 1])
def test_limits_are_inclusive_where_they_say_so(height_m):
    assert Example(height_m=height_m).height_m == float(height_m)


@pytest.mark.parametrize("height_m", [0.2999, 2.5001, float("nan"), float("inf"), 175])
def test_value_outside_its_limits_is_refused_with_unit_and_remedy(height_m):
    with pytest.raises(
        RefusedInput, match=r"height_m is .* m, but body height must be at least 0.3 and at most 2.5 m"
    ):
        Example(height_m=height_m)


def test_exclusive_limits():
    with pytest.raises(RefusedInput, match=r"area_mm2 is 0 mm², but area must be above 0 mm²"):
        Lesion(area_mm2=0)
    with pytest.raises(RefusedInput, match=r"pair_mm\[1\] is 9 mm"):
        Example(height_m=1, pair_mm=(1, 9))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"height_m": "1.7"}, "must be a number"),
        ({"height_m": True}, "must be a number"),
        ({"n_nodes": 1.5}, "must be a whole number"),
        ({"is_gated": 1}, "must be a yes or no"),
        ({"diameters_mm": 3.0}, "must be a list of number"),
        ({"pair_mm": (1.0,)}, "has 1 items, it takes 2"),
        ({"lesions": [{"area_mm2": 1}]}, "must be a record"),
    ],
)
def test_value_of_another_kind_is_a_mistake_of_use(more, message):
    with pytest.raises(UsageError, match=message):
        Example(**{"height_m": 1.7, **more})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"sex": "O"}, "must be M or F"),
        ({"grade": 4}, "must be 1, 2 or 3"),
        ({"grade": True}, "must be 1, 2 or 3"),
    ],
)
def test_choice_that_is_none_is_refused(more, message):
    with pytest.raises(RefusedInput, match=message):
        Example(height_m=1.7, **more)


def test_none_where_a_value_is_needed_is_refused():
    with pytest.raises(RefusedInput, match="height_m is not stated: the rule needs body height m"):
        Example(height_m=None)


def test_texts_are_read():
    texts = {
        "height_m": " 1.75 ",
        "n_nodes": "3",
        "sex": "F",
        "is_gated": "yes",
        "diameters_mm": "1, 2.5,3",
        "pair_mm": "[1, 2]",
        "lesions": '[{"area_mm2": 2}, {"area_mm2": "3", "name": "b"}]',
        "grade": "2",
    }
    expected = Example(
        height_m=1.75,
        n_nodes=3,
        sex="F",
        is_gated=True,
        diameters_mm=[1, 2.5, 3],
        pair_mm=[1, 2],
        lesions=[Lesion(area_mm2=2), Lesion(area_mm2=3, name="b")],
        grade=2,
    )
    assert Example.from_mapping(texts) == expected
    assert Example.from_mapping(expected.to_json()) == expected


@pytest.mark.parametrize("text", ["none", "null", ""])
def test_nothing_is_written_as_none(text):
    assert Example.from_mapping({"height_m": "1.7", "is_gated": text}).is_gated is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, r"missing: height_m \(body height, in m\)\. Give height_m=VALUE"),
        ({"heigth_m": "1.7"}, "there is no input 'heigth_m'. Did you mean height_m"),
        ({"height_m": "tall"}, r"height_m \(body height, in m\) is 'tall', which is no number"),
        ({"height_m": "1.7", "n_nodes": "2.5"}, "no whole number"),
        ({"height_m": "1.7", "is_gated": "maybe"}, "neither yes nor no"),
        ({"height_m": "1.7", "lesions": "[{"}, "no JSON"),
        ({"height_m": "1.7", "lesions": [{"area": 3}]}, "there is no input 'area'"),
    ],
)
def test_texts_that_cannot_be_read_are_named(values, message):
    with pytest.raises(UsageError, match=message):
        Example.from_mapping(values)


def test_fields_say_what_they_are():
    fields = {field.name: field.to_json() for field in input_fields(Example)}
    assert fields["height_m"]["limits"] == "at least 0.3 and at most 2.5 m"
    assert fields["height_m"]["required"]
    assert fields["sex"]["type"] == "M or F"
    assert fields["lesions"]["fields"] is None
    assert input_fields(Example)[6].type.items[0].record is Lesion


def test_field_without_unit_and_meaning_is_no_input():
    @dataclass(frozen=True)
    class Bare(RuleInput):
        height_m: float

    with pytest.raises(TypeError, match="annotate it with Given"):
        input_fields(Bare)


def test_unknown_unit_or_type_is_found_at_once():
    with pytest.raises(ValueError, match="not in UNIT_SIGNS"):
        Given("furlong", "distance")

    @dataclass(frozen=True)
    class Odd(RuleInput):
        when: Annotated[bytes, Given("", "time")]

    with pytest.raises(TypeError, match="cannot be of type"):
        input_fields(Odd)


CATEGORY = {
    "name": "grade",
    "value": "A",
    "meaning": "good",
    "rule": "r",
    "rule_version": "1",
    "evidence": "verified",
    "based_on": {"x": 1},
}


@pytest.mark.parametrize("change", [{"value": ""}, {"rule": ""}, {"evidence": "certain"}, {"based_on": {}}])
def test_category_cannot_be_made_without(change):
    assert Category(**CATEGORY).to_json()["value"] == "A"
    with pytest.raises(ValueError, match=r"category|evidence"):
        Category(**{**CATEGORY, **change})
