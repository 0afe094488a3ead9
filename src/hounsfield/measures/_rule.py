"""The registry of clinical rules, and the decorator that puts a rule into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hounsfield.core import Registry
from hounsfield.core.rule import Measure, RuleCard

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Measure", "RuleCard", "measure", "measures"]

Rule = TypeVar("Rule", bound="Callable[..., Any]")

measures: Registry[Measure] = Registry("measure", "hounsfield.measures")


def measure(card: RuleCard) -> Callable[[Rule], Rule]:
    """Register the decorated function as the rule of `card`."""

    def register(compute: Rule) -> Rule:
        measures.add(card.name, Measure(card, compute))
        return compute

    return register
