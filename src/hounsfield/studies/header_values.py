"""Values of a DICOM header as plain Python: absent, empty and unreadable are all None, never a default."""

from __future__ import annotations

import logging
import math
import re
import struct
import warnings
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, TypeVar

from pydicom.datadict import keyword_dict
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence

from hounsfield.studies.tag_scanner import ScannedHeader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Header = Dataset | ScannedHeader

Value = TypeVar("Value")
# What pydicom raises for a value in damaged bytes; an unknown VR is a RuntimeError.
_UNREADABLE = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    struct.error,
)


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom's remarks on values against the standard from the caller: what matters becomes a Condition.

    Its log is closed too, because its messages quote the values of any attribute, the patient's name included.
    """
    log = logging.getLogger("pydicom")
    was_closed, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = was_closed


def stated(ds: Header, keyword: str) -> Any:
    """The value of `keyword`; None if it is absent, empty, or cannot be understood."""
    # Most of what is asked of an item is absent, and `get` takes ten times as long to find that.
    if isinstance(ds, Dataset) and keyword_dict.get(keyword) not in ds.keys():  # noqa: SIM118 `in ds` is as slow
        return None
    try:
        value = ds.get(keyword)
    except _UNREADABLE:
        return None
    if value is None or (hasattr(value, "__len__") and len(value) == 0):
        return None
    return value


def _converted(ds: Header, keyword: str, convert: Callable[[Any], Value]) -> Value:
    if isinstance(ds, ScannedHeader):
        return ds.converted(keyword, convert)
    return convert(stated(ds, keyword))


def text(ds: Header, keyword: str) -> str:
    """The value as text without padding; the first of several; "" if unstated."""
    return _converted(ds, keyword, _as_text)


def _as_text(value: Any) -> str:
    if isinstance(value, MultiValue | tuple):
        value = value[0] if len(value) else ""
    return "" if value is None else str(value).strip(" \0\t\r\n")


def texts(ds: Header, keyword: str) -> tuple[str, ...]:
    """All values as text."""
    return _converted(ds, keyword, _as_texts)


def _as_texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    parts = value if isinstance(value, MultiValue | list | tuple) else (value,)
    return tuple(str(part).strip(" \0") for part in parts)


def numbers(ds: Header, keyword: str) -> tuple[float, ...] | None:
    """All values as finite numbers; None if unstated or if one is no number."""
    return _converted(ds, keyword, _as_numbers)


def _as_numbers(value: Any) -> tuple[float, ...] | None:
    if value is None:
        return None
    parts = value if isinstance(value, MultiValue | list | tuple) else (value,)
    try:
        found = tuple(float(part) for part in parts)
    except (ValueError, TypeError):
        return None
    return found if found and all(math.isfinite(number) for number in found) else None


def number(ds: Header, keyword: str) -> float | None:
    """The first value as a number."""
    return _converted(ds, keyword, _as_number)


def _as_number(value: Any) -> float | None:
    found = _as_numbers(value)
    return found[0] if found else None


def integer(ds: Header, keyword: str) -> int | None:
    """The first value as a whole number."""
    return _converted(ds, keyword, _as_integer)


def _as_integer(value: Any) -> int | None:
    found = _as_number(value)
    return int(found) if found is not None else None


def vector(ds: Header, keyword: str, n_numbers: int) -> tuple[float, ...] | None:
    """The values if there are exactly `n_numbers` of them."""
    found = numbers(ds, keyword)
    return found if found is not None and len(found) == n_numbers else None


def items(ds: Header, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence; none if it is absent."""
    value = stated(ds, keyword)
    return tuple(value) if isinstance(value, DicomSequence) else ()


def private_number(ds: Header, tag: int) -> float | None:
    """The first value of a private attribute, if it is a number as it stands."""
    try:
        element = ds.get(tag)
        value = getattr(element, "value", element)
    except _UNREADABLE:
        return None
    first = value[0] if isinstance(value, MultiValue | list | tuple) and value else value
    return float(first) if isinstance(first, int | float) else None


def first_item(ds: Header, keyword: str) -> Dataset | None:
    """The first item of a sequence."""
    found = items(ds, keyword)
    return found[0] if found else None


_DATE = re.compile(r"^(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})")
_TIME = re.compile(r"^(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?")


def clock_time(value: str) -> time | None:
    """A DICOM time (TM), also HH, HHMM and the old HH:MM:SS; None if it is none."""
    match = _TIME.match(value.strip())
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups(default="0")
    try:
        return time(int(hours), int(minutes), min(int(seconds), 59), int(fraction.ljust(6, "0")))
    except ValueError:
        return None


def moment(date_text: str, time_text: str) -> datetime | None:
    """Date (DA) and time (TM) as one moment; None unless both are there.

    DICOM states local times without zone; all are put in one zone, so that they can be subtracted.
    """
    match, clock = _DATE.match(date_text.strip()), clock_time(time_text)
    if match is None or clock is None:
        return None
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
    return datetime.combine(day, clock, tzinfo=UTC)


def date_time(value: str) -> datetime | None:
    """A DICOM date-time (DT); an offset from UTC is left out, as local times have none."""
    digits = re.split(r"[+\-]", value.strip())[0]
    return moment(digits[:8], digits[8:]) if len(digits) >= 10 else None


def plain(value: Any) -> Any:
    """A header value as str, float, int or tuple of these, for `Series.tags`; None for what is neither."""
    if value is None or isinstance(value, DicomSequence | bytes):
        return None
    if isinstance(value, MultiValue | list | tuple):
        parts = tuple(plain(part) for part in value)
        return parts or None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) or type(value).__name__ == "DSdecimal":
        return float(value)
    return str(value).strip(" \0") or None
