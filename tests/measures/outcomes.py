"""What a rule that takes numbers gave, in the few words that its tests ask for."""

from __future__ import annotations

import pytest


def values(outcome):
    """Name to value of the numbers of an outcome."""
    return {number.name: number.value for number in outcome.measurements}


def category(outcome):
    """The word of the one class of an outcome; None where none is given."""
    assert len(outcome.categories) < 2, [one.name for one in outcome.categories]
    return outcome.categories[0].value if outcome.categories else None


def codes(outcome):
    """Codes of the conditions of an outcome."""
    return [condition.code for condition in outcome.conditions]


def about(number):
    """As close as the reference asks for: 1e-4, near zero 1e-6."""
    return pytest.approx(number, rel=1e-4, abs=1e-6)


def by_id(line):
    """The identifier of a line of the reference, as the name of its test."""
    return line["id"]
