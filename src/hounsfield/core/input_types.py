"""The types that an input of a rule may have, how each is read from text and checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from numbers import Real
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from hounsfield.core.errors import RefusedInput, UsageError

if TYPE_CHECKING:
    from hounsfield.core.given import Given

Kind = Literal["number", "whole number", "yes or no", "text", "choice", "list", "record"]
_OF_TYPE: dict[Any, Kind] = {float: "number", int: "whole number", bool: "yes or no", str: "text"}
_TRUTH = {
    "true": True,
    "yes": True,
    "y": True,
    "1": True,
    "false": False,
    "no": False,
    "n": False,
    "0": False,
}
_NONE = {"", "none", "null"}


@dataclass(frozen=True, slots=True)
class InputType:
    """A type of input: its kind, its choices, the types of its items, the record it is.

    items: one type for a list of any length (`is_of_one_kind`), else one a place.
    """

    kind: Kind
    optional: bool = False
    choices: tuple[Any, ...] = ()
    items: tuple[InputType, ...] = ()
    is_of_one_kind: bool = False
    record: Any = None

    @classmethod
    def of_hint(cls, hint: Any, base: type, *, optional: bool = False) -> InputType:
        """From a type hint; records are subclasses of `base`. Raises TypeError for any other type."""
        origin, arguments = get_origin(hint), get_args(hint)
        if origin in {Union, UnionType}:
            others = [argument for argument in arguments if argument is not NoneType]
            if len(others) == 1:
                return cls.of_hint(others[0], base, optional=True)
        elif origin is Literal:
            return cls("choice", optional, choices=arguments)
        elif origin is tuple:
            endless = len(arguments) == 2 and arguments[1] is Ellipsis
            items = tuple(cls.of_hint(one, base) for one in (arguments[:1] if endless else arguments))
            return cls("list", optional, items=items, is_of_one_kind=endless)
        elif hint in _OF_TYPE:
            return cls(_OF_TYPE[hint], optional)
        elif isinstance(hint, type) and issubclass(hint, base):
            return cls("record", optional, record=hint)
        raise TypeError(f"an input cannot be of type {hint}")

    @property
    def text(self) -> str:
        """In words."""
        if self.kind == "choice":
            *others, last = map(str, self.choices)
            return f"{', '.join(others)} or {last}" if others else last
        if self.kind == "list":
            inner = ", ".join(item.text for item in self.items)
            return f"list of {inner}" if self.is_of_one_kind else f"[{inner}]"
        return self.kind

    def item(self, place: int) -> InputType:
        """The type of the item at `place` of a list."""
        return self.items[0 if self.is_of_one_kind else place]

    def read(self, value: Any, described: str) -> Any:
        """The value that a text or a JSON value stands for; others pass as they are. Raises UsageError."""
        if isinstance(value, str):
            return self._read_text(value.strip(), described)
        if self.kind == "list" and isinstance(value, list | tuple):
            self._check_length(value, described)
            return tuple(self.item(place).read(one, described) for place, one in enumerate(value))
        if self.kind == "record" and isinstance(value, dict):
            return self.record.from_mapping(value)
        return value

    def _read_text(self, text: str, described: str) -> Any:
        if self.optional and text.lower() in _NONE:
            return None
        if self.kind == "record" or (self.kind == "list" and text.startswith("[")):
            try:
                return self.read(json.loads(text), described)
            except json.JSONDecodeError as error:
                raise UsageError(f"{described} is {text!r}, which is no JSON: {error.msg}.") from error
        if self.kind == "list":
            return self.read([part for part in text.split(",") if part.strip()], described)
        if self.kind == "text":
            return text
        if self.kind == "choice":
            return next((choice for choice in self.choices if str(choice) == text), text)
        return self._read_plain(text, described)

    def _read_plain(self, text: str, described: str) -> float | bool:
        try:
            if self.kind == "yes or no":
                return _TRUTH[text.lower()]
            return int(text) if self.kind == "whole number" else float(text)
        except (KeyError, ValueError):
            asked = "neither yes nor no" if self.kind == "yes or no" else f"no {self.kind}"
            raise UsageError(f"{described} is {text!r}, which is {asked}.") from None

    def checked(self, value: Any, name: str, given: Given) -> Any:
        """`value` with lists as tuples. Raises UsageError for another kind, RefusedInput outside limits."""
        if value is None:
            if self.optional:
                return None
            raise RefusedInput(
                f"{name} is not stated: the rule needs {given.meaning} {given.unit_sign}".rstrip() + "."
            )
        if self.kind == "list":
            if not isinstance(value, list | tuple):
                raise UsageError(f"{name} ({given.meaning}) must be a {self.text}, not {value!r}.")
            self._check_length(value, name)
            return tuple(
                self.item(place).checked(one, f"{name}[{place}]", given) for place, one in enumerate(value)
            )
        if self.kind == "choice":
            if value not in self.choices or isinstance(value, bool) is not isinstance(self.choices[0], bool):
                raise RefusedInput(
                    f"{name} is {value!r}: {given.meaning} must be {self.text}. State one of these."
                )
            return value
        if not self._fits(value):
            raise UsageError(f"{name} ({given.meaning}) must be a {self.text}, not {value!r}.")
        if self.kind in {"number", "whole number"}:
            number = int(value) if self.kind == "whole number" else float(value)
            given.check(number, name)
            return number
        return value

    def _fits(self, value: Any) -> bool:
        if self.kind == "record":
            return isinstance(value, self.record)
        if self.kind == "text":
            return isinstance(value, str)
        if self.kind == "yes or no":
            return isinstance(value, bool)
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        return is_number and (self.kind == "number" or float(value).is_integer())

    def _check_length(self, value: list[Any] | tuple[Any, ...], described: str) -> None:
        if not self.is_of_one_kind and len(value) != len(self.items):
            raise UsageError(f"{described} has {len(value)} items, it takes {len(self.items)}: {self.text}.")
