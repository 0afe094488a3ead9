"""Decimal arithmetic for clinical limits: binary fractions flip at 20 %, 1.8 or 0.5; these do not.

A rule compares `exact(a) >= exact(b)`, and rounds once, last, half up. Python's `round` is half to
even and works on the binary value, so it is not used for limits.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def exact(value: float | str | Decimal) -> Decimal:
    """The decimal number that `value` is written as: `exact(0.1)` is one tenth.

    A float becomes its shortest spelling, so a number typed, read from JSON or parsed from text is
    what its writer wrote. A computed float keeps all its digits.
    """
    return (
        value
        if isinstance(value, Decimal)
        else Decimal(value if isinstance(value, str) else repr(float(value)))
    )


def round_half_up(value: float | Decimal, digits: int = 0) -> Decimal:
    """`value` with `digits` decimals; a half goes away from zero: 29.5 to 30, -29.5 to -30."""
    return exact(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def band(value: float | Decimal, limits: Sequence[tuple[float, str]], *, below: str) -> str:
    """The name of the half-open band [limit, next limit) that holds `value`; `below` under the first.

    limits: (lower limit, name), rising; a value at a limit belongs to the band that begins there.
    """
    place = bisect_right([exact(limit) for limit, _ in limits], exact(value))
    return limits[place - 1][1] if place else below


def shown(value: float | Decimal, digits: int = 6) -> str:
    """`value` for a sentence, at most `digits` significant digits, without a needless tail."""
    text = f"{float(value):.{digits}g}"
    return text.removesuffix(".0")
