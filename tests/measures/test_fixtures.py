"""Every fixture is put to its rule: numbers to four digits, classes exactly, refusals as RefusedInput."""

from __future__ import annotations

import pytest
from tests.measures.fixture_lines import agrees, all_lines, evaluations, fixture_lines, key_of, passes

from hounsfield.measures import measures
from hounsfield.radiomics import radiomic_rules

EVALUATED = evaluations()


@pytest.mark.parametrize(
    "line", [one for one in all_lines() if key_of(one) in EVALUATED], ids=lambda line: line["id"]
)
def test_fixture(line):
    _, evaluate = EVALUATED[key_of(line)]
    assert passes(line), f"the rule gives {evaluate(line['in'])}"


@pytest.mark.parametrize("key", EVALUATED)
def test_block_names_rules_that_exist(key):
    names = {rule.card.name for registry in (measures, radiomic_rules) for rule in registry}
    rules, _ = EVALUATED[key]
    assert rules
    assert fixture_lines(key)
    assert set(rules) <= names


def test_comparison_can_fail():
    assert agrees({"a": 1.00001, "b": "x"}, {"a": 1.0})
    assert not agrees({"a": 1.001}, {"a": 1.0})
    assert not agrees({"a": 1}, {"a": True})
    assert not agrees({"a": 0.0}, {"a": None})
    assert not agrees({}, {"a": 1.0})
    assert not agrees([1.0], [1.0, 2.0])
