"""Inputs of a rule from the measurements of a reading, by name and unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import RefusedInput, UnitError, UsageError
from hounsfield.core.exact import exact
from hounsfield.core.measurement import UNIT_SIGNS
from hounsfield.core.rule_input import input_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hounsfield.core import Measurement, RuleCard
    from hounsfield.core.rule_input import InputField

# Units of one dimension and how many of its smallest each holds.
SCALES = (
    {"mm": "1", "cm": "10", "m": "1000"},
    {"mm2": "1", "cm2": "100"},
    {"mm3": "1", "ml": "1000", "cm3": "1000", "l": "1000000"},
    {"mg": "1", "g": "1000", "kg": "1000000"},
)


def values_of_reading(
    card: RuleCard,
    measurements: Sequence[Measurement],
    stated: Mapping[str, Any],
    *,
    regions: Sequence[str] = (),
) -> dict[str, Any]:
    """`stated`, completed by the measurements whose name and unit fit an input of the rule.

    A measurement `volume` in ml fits the inputs `volume_ml` and `volume_mm3`. A stated value
    `@volume` or `@volume:left-lung` takes that measurement, of that region. regions: only these
    count, all if empty. Raises UsageError where several fit, or none of the name asked for.
    """
    known = [m for m in measurements if not regions or set(m.regions) & set(regions)]
    values: dict[str, Any] = {}
    for field in input_fields(card.inputs) if card.inputs else ():
        said = stated.get(field.name)
        if isinstance(said, str) and said.startswith("@"):
            name, _, region = said[1:].partition(":")
            found = [m for m in known if m.name == name and (not region or region in m.regions)]
            if not found:
                raise UsageError(f"the reading has no measurement {said[1:]!r}. It has: {_names(known)}.")
            values[field.name] = _only(found, field)
        elif field.name not in stated and field.type.kind in {"number", "whole number"}:
            stem = field.name.rpartition("_")[0]
            fitting = [
                m for m in known if m.name.replace("-", "_") in {field.name, stem} and _can_be(m, field)
            ]
            if fitting:
                values[field.name] = _only(fitting, field)
    return {**stated, **values}


def of_rule(
    card: RuleCard, measurements: Sequence[Measurement], *, regions: Sequence[str] = ()
) -> tuple[Measurement, ...]:
    """What the reading measured by this rule; raises RefusedInput where it did not."""
    found = tuple(
        m for m in measurements if m.rule == card.name and (not regions or set(m.regions) & set(regions))
    )
    if not found:
        of_regions = f" of {', '.join(regions)}" if regions else ""
        raise RefusedInput(
            f"the reading holds no figure{of_regions} by rule {card.name}. It has: {_names(measurements)}."
        )
    return found


def _only(found: Sequence[Measurement], field: InputField) -> float:
    if len({(m.value, m.unit) for m in found}) > 1:
        told = ", ".join(f"@{m.name}:{m.regions[0]}" if m.regions else f"@{m.name}" for m in found)
        raise UsageError(f"several measurements fit {field.description}: write {field.name}= one of {told}.")
    return _converted(found[0], field)


def _can_be(measured: Measurement, field: InputField) -> bool:
    unit = field.given.unit
    return measured.unit == unit or any({measured.unit, unit} <= set(scale) for scale in SCALES)


def _converted(measured: Measurement, field: InputField) -> float:
    unit = field.given.unit
    if measured.unit == unit:
        return measured.value
    for scale in SCALES:
        if measured.unit in scale and unit in scale:
            return float(exact(measured.value) * exact(scale[measured.unit]) / exact(scale[unit]))
    sign = UNIT_SIGNS[measured.unit]
    raise UnitError(
        f"measurement {measured.name!r} is in {sign or 'no unit'}, but {field.description} is asked for."
    )


def _names(measurements: Sequence[Measurement]) -> str:
    told = {f"{m.name}:{m.regions[0]}" if m.regions else m.name for m in measurements}
    return ", ".join(sorted(told)) or "none"
