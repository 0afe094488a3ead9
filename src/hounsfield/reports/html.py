"""Pages from templates: self-contained, no script, every text escaped.

DICOM text comes from anywhere, so the page forbids by its own policy whatever an unescaped string could do:
nothing is loaded, no script runs, and only the one style sheet with the stated digest applies.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from hounsfield.core import RESEARCH_USE
from hounsfield.reports.canvas import png_bytes
from hounsfield.reports.content import DRAFT_NOTICE, REMEDY
from hounsfield.reports.names import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jinja2 import Environment

    from hounsfield.reports.content import Content
    from hounsfield.results.documents import Picture


@dataclass(frozen=True, slots=True)
class _EmbeddedPicture:
    title: str
    width: int
    height: int
    base64: str


def report_html(content: Content, pictures: Sequence[Picture], charts: Sequence[str] = ()) -> bytes:
    """`report.html` as UTF-8. charts: SVG elements of our own making, one for each of `content.trends`."""
    from markupsafe import Markup

    embedded = [
        _EmbeddedPicture(p.title, p.rgb.shape[1], p.rgb.shape[0], base64.b64encode(png_bytes(p.rgb)).decode())
        for p in pictures
    ]
    return render(
        "page.html.j2",
        content=content,
        pictures=embedded,
        charts=[Markup(chart) for chart in charts],  # noqa: S704  # texts in it are escaped where it is made
        draft_notice=DRAFT_NOTICE,
        remedy=REMEDY,
    )


def render(template: str, **values: Any) -> bytes:
    """One of this package's templates with the shared sheet around it, as UTF-8."""
    return b"".join(render_in_parts(template, **values))


def render_in_parts(template: str, **values: Any) -> Iterator[bytes]:
    """As `render`, part by part: what is iterated over may be longer than memory."""
    from markupsafe import Markup

    style = "\n" + files("hounsfield.reports").joinpath("style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    parts = (
        _templates()
        .get_template(template)
        .generate(
            style=Markup(style),  # noqa: S704  # our own file, not input
            style_digest=f"sha256-{digest}",
            research_use=RESEARCH_USE,
            **values,
        )
    )
    for part in parts:
        yield part.encode("utf-8")


def _printable(value: Any) -> Any:
    """What stands in a page: text without control marks; our own style sheet is no plain `str`."""
    return printable(value) if type(value) is str else value


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("hounsfield.reports", ""),
        autoescape=True,
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
