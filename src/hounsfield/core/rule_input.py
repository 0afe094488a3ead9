"""Typed input of a clinical rule: every field says its unit, meaning and limits, and is checked once.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Volumes(RuleInput):
        edv_ml: Annotated[float, Given("ml", "end-diastolic volume", above=0)]
        sex: Annotated[Literal["M", "F"] | None, Given("", "sex, for the reference range")] = None

`Volumes(edv_ml=120)` checks the limits; `Volumes.from_mapping({"edv_ml": "120"})` reads text too, as
the command does. Field types: float, int, bool, str, Literal, RuleInput, tuples of these, `| None`.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Self, get_args, get_origin, get_type_hints

from hounsfield.core.errors import UsageError
from hounsfield.core.given import Given
from hounsfield.core.input_types import InputType

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class InputField:
    """One input of a rule: name, Given (unit, meaning, limits), type, and whether it has a default."""

    name: str
    given: Given
    type: InputType
    required: bool
    default: Any = None

    @property
    def description(self) -> str:
        """Name, meaning, unit or choices in one phrase, for messages."""
        sign = self.given.unit_sign
        kind = f"in {sign}" if sign else self.type.text
        return f"{self.name} ({self.given.meaning}, {kind})"

    def to_json(self) -> dict[str, Any]:
        """The form used by `hu measure --list --json`."""
        return {
            "name": self.name,
            "meaning": self.given.meaning,
            "unit": self.given.unit or None,
            "type": self.type.text,
            "limits": self.given.limits or None,
            "required": self.required,
            "fields": [field.to_json() for field in input_fields(self.type.record)]
            if self.type.record
            else None,
        }


class RuleInput:
    """Base of typed inputs: a frozen dataclass of annotated fields, checked on construction.

    Raises RefusedInput for a value outside its limits or choices, UsageError for one of another kind.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        """Check every field; then what the fields say together (`check`)."""
        for field in input_fields(type(self)):
            value = field.type.checked(getattr(self, field.name), field.name, field.given)
            object.__setattr__(self, field.name, value)
        self.check()

    def check(self) -> None:
        """Override: raise RefusedInput where fields contradict each other."""

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """From texts ("120"), JSON values, or both. Raises UsageError naming what is missing or unknown."""
        known = {field.name: field for field in input_fields(cls)}
        for name in mapping:
            if name not in known:
                near = get_close_matches(name, known, n=1, cutoff=0.5)
                hint = f" Did you mean {near[0]}?" if near else ""
                raise UsageError(f"there is no input {name!r}.{hint} Inputs: {', '.join(known)}.")
        missing = [field for field in known.values() if field.required and field.name not in mapping]
        if missing:
            told = "; ".join(field.description for field in missing)
            raise UsageError(f"missing: {told}. Give {' '.join(f'{field.name}=VALUE' for field in missing)}.")
        return cls(
            **{name: known[name].type.read(value, known[name].description) for name, value in mapping.items()}
        )

    def to_json(self) -> dict[str, Any]:
        """Names and values, tuples as lists."""
        return {field.name: _plain(getattr(self, field.name)) for field in input_fields(type(self))}


def _plain(value: Any) -> Any:
    if isinstance(value, RuleInput):
        return value.to_json()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def input_fields(record: type[RuleInput]) -> tuple[InputField, ...]:
    """The fields of a typed input in their order."""
    hashable: Any = record
    return _described(hashable)


@cache
def _described(record: Any) -> tuple[InputField, ...]:
    hints = get_type_hints(record, include_extras=True)
    described = []
    for field in fields(record):
        hint = hints[field.name]
        given = next((extra for extra in get_args(hint)[1:] if isinstance(extra, Given)), None)
        if get_origin(hint) is not Annotated or given is None:
            raise TypeError(
                f"{record.__name__}.{field.name} does not say its unit and meaning: annotate it with Given"
            )
        required = field.default is MISSING
        kind = InputType.of_hint(get_args(hint)[0], RuleInput)
        described.append(InputField(field.name, given, kind, required, None if required else field.default))
    return tuple(described)
