"""The page of an evaluation: a summary first, then parts with tables, charts and pictures, then the methods.

What a form of evaluation shows is put together from the pieces here; how a page looks is in templates/evaluation.html
alone. The page stands by itself (no file or address from outside) and prints.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import RESEARCH_USE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hounsfield.metrics import Interval

SCHEMA_VERSION = "1.1"
DASH = "\u2013"


@dataclass(frozen=True, slots=True)
class FigureTable:
    """A table of cells as text; the first `n_text` columns are words, the others numbers.

    A cell like `0.884 (0.873 to 0.894)` shows its interval below. A row that is shorter than the columns ends in a
    sentence that fills the rest. foot: rows that stay below when a reader sorts the others.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    n_text: int = 1
    foot: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """An SVG with its caption; wide ones stand alone in their line."""

    svg: str
    caption: str
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A case to look at: data URI ("" where there is none), the case's name, and what is to be seen."""

    source: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Slider:
    """Decisions at every threshold of one label, to be moved through by hand.

    points: (threshold, true positives, false positives), rising. n_positive, n_negative: of all cases.
    """

    points: tuple[tuple[float, int, int], ...]
    n_positive: int
    n_negative: int

    def to_json(self) -> str:
        """What the page's script reads."""
        return json.dumps({"points": self.points, "positive": self.n_positive, "negative": self.n_negative})


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page. lead: its figure in a line, shown beside the title. is_folded: opened by a click or print."""

    title: str
    said: tuple[str, ...] = ()
    tables: tuple[FigureTable, ...] = ()
    charts: tuple[Chart, ...] = ()
    pictures: tuple[Picture, ...] = ()
    legend: str = ""
    slider: Slider | None = None
    lead: str = ""
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A whole page. facts: (number, meaning) shown large. warnings: what a reader must know before any figure.

    remarks: what was left out and the like. methods: the paragraphs for a paper.
    """

    title: str
    said: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    methods: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=())


def write_document(record: Mapping[str, Any], document: Document, folder: Path) -> Path:
    """Write `evaluation.json` (the record) and `evaluation.html` into `folder`; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    (folder / "evaluation.json").write_text(text, encoding="utf-8")
    page = folder / "evaluation.html"
    page.write_text(render(document), encoding="utf-8")
    return page


def render(document: Document) -> str:
    """The page as HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("hounsfield.evaluation", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("evaluation.html").render(page=document, notice=RESEARCH_USE)


def head_record(form: str, title: str, **others: Any) -> dict[str, Any]:
    """The beginning of every evaluation.json: notice, version, form and title, then `others`."""
    return {"notice": RESEARCH_USE, "schema_version": SCHEMA_VERSION, "form": form, "title": title, **others}


def figure_record(interval: Interval) -> dict[str, Any]:
    """`value`, `ci95` and `n_undefined`; null where undefined."""
    numbers = [interval.value, interval.low, interval.high]
    value, low, high = (float(number) if np.isfinite(number) else None for number in numbers)
    return {"value": value, "ci95": [low, high], "n_undefined": interval.n_undefined}


def cell(interval: Interval | None, digits: int = 3) -> str:
    """`0.884 (0.873 to 0.894)`; a dash where there is no figure."""
    if interval is None or np.isnan(interval.value):
        return DASH
    if np.isnan(interval.low):
        return f"{_number(interval.value, digits)} (no interval)"
    low, high = _number(interval.low, digits), _number(interval.high, digits)
    return f"{_number(interval.value, digits)} ({low} to {high})"


def _number(value: float, digits: int) -> str:
    """A number for people: a true minus sign, no minus before zero, a dash for none, and the sign of what has no end."""
    if np.isnan(value):
        return DASH
    if np.isinf(value):
        return "\u221e" if value > 0 else "\u2212\u221e"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        return text.lstrip("-")
    return text.replace("-", "\u2212")


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 case`, `2 cases`, with thousands apart: `16,081 films`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
