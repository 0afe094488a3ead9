"""The report as PDF on A4: the same content, its fonts embedded, equal bytes for equal readings."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from hounsfield.core import RESEARCH_USE
from hounsfield.reports.card import listed
from hounsfield.reports.content import DRAFT_NOTICE, REMEDY, SEVERITY_WORDS
from hounsfield.reports.names import printable
from hounsfield.reports.numbered_canvas import numbered_canvas
from hounsfield.reports.pdf_blocks import (
    BOLD,
    FONT,
    FOOT_MM,
    INNER_MM,
    SIDE_MM,
    TOP_MM,
    WIDTH_MM,
    escaped,
    markup,
    page_table,
    paragraph,
)
from hounsfield.reports.pdf_certainty import certainty_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hounsfield.reports.card import CardText, FigureRow
    from hounsfield.reports.content import Content, Fact
    from hounsfield.reports.measurement_tables import MatrixHead, MeasurementMatrix, MeasurementRow
    from hounsfield.results.documents import Picture

_PICTURE_HEIGHT_MM = 112.0  # two rows of pictures fit a page
_FRAME_PT = 6.0  # the frame of SimpleDocTemplate pads by this much inside its margins
MISSING_SIGNS = "Signs shown as empty boxes are not in the font of this document; report.html shows them."
# Of statuses and presences: as on the page.
_COLOURS = {
    "complete": "#1a6b3c",
    "absent": "#444b55",
    "partial": "#7a4b00",
    "indeterminate": "#7a4b00",
    "refused": "#9b1c1c",
    "present": "#9b1c1c",
}


def report_pdf(content: Content, pictures: Sequence[Picture], charts: Sequence[Picture] = ()) -> bytes:
    """`report.pdf`: A4, metadata without the patient, each page with the patient's block in its foot.

    charts: one for each of `content.trends`.
    """
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate

    _prepare_reportlab()
    target = BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=(WIDTH_MM * mm, 297.0 * mm),
        leftMargin=SIDE_MM * mm - _FRAME_PT,
        rightMargin=SIDE_MM * mm - _FRAME_PT,
        topMargin=TOP_MM * mm,
        bottomMargin=FOOT_MM * mm,
        title=printable(content.title),
        author="Hounsfield",
        subject=RESEARCH_USE,
        creator="Hounsfield",
        invariant=1,
        lang="en",
    )
    story = [*_head(content), *_result(content), *_course(content, charts), *_measurements(content)]
    story += [*_pictures(content, pictures), *_background(content)]
    foot = (printable(_identity(content)), f"{printable(content.title)}. {RESEARCH_USE} {DRAFT_NOTICE}")
    document.build(story, canvasmaker=numbered_canvas(foot, FONT))
    return target.getvalue()


@cache
def _prepare_reportlab() -> None:
    from reportlab import rl_config
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = files("hounsfield.reports").joinpath("fonts")
    for name, file in ((FONT, "DejaVuSans.ttf"), (BOLD, "DejaVuSans-Bold.ttf")):
        pdfmetrics.registerFont(TTFont(name, BytesIO(folder.joinpath(file).read_bytes())))
    rl_config.useA85 = 0  # text around the compressed pictures would cost a second and a quarter of the size
    pdfmetrics.registerFontFamily(FONT, normal=FONT, bold=BOLD, italic=FONT, boldItalic=BOLD)


def _identity(content: Content) -> str:
    return " · ".join(f"{fact.label} {fact.value}" for fact in content.patient[:3])


def _headed(heading: str, flowables: Iterable[Any], *, room_mm: float = 28.0) -> list[Any]:
    """A heading and what stands below it; on a new page where less than `room_mm` is left."""
    from reportlab.lib.units import mm
    from reportlab.platypus import CondPageBreak

    return [CondPageBreak(room_mm * mm), paragraph(heading, "heading"), *flowables]


def _badge(word: str, kind: str) -> str:
    return f'<font name="{BOLD}" color="{_COLOURS[kind]}">{escaped(word)}</font>'


def _head(content: Content) -> list[Any]:
    badge = _badge(content.status_word, content.status)
    title = markup(f'{escaped(content.title)} &nbsp; <font size="10">{badge}</font>', "title")
    notice = markup(f"<b>{escape(RESEARCH_USE)}</b> {escape(DRAFT_NOTICE)}", "quiet")
    facts = [*content.patient, *content.study]
    lacking = [paragraph(MISSING_SIGNS, "quiet")] if any(map(_has_missing_signs, facts)) else []
    return [title, notice, _facts(facts, 4), *lacking]


def _has_missing_signs(fact: Fact) -> bool:
    """Whether the document's font lacks a sign of the value: it then prints as an empty box."""
    from reportlab.pdfbase import pdfmetrics

    known = pdfmetrics.getFont(FONT).face.charToGlyph
    return any(ord(sign) not in known for sign in printable(fact.value) if not sign.isspace())


def _facts(facts: Sequence[Fact], n_columns: int) -> Any:
    """Labels over values in `n_columns` columns."""
    cells = [[paragraph(fact.label, "cell-quiet"), paragraph(fact.value, "cell")] for fact in facts]
    rows = [cells[start : start + n_columns] for start in range(0, len(cells), n_columns)]
    if rows:
        rows[-1] = rows[-1] + [[]] * (n_columns - len(rows[-1]))
    return page_table(rows, [1.0] * n_columns, head=False)


def _result(content: Content) -> list[Any]:
    if content.status == "refused":
        reasons = [
            c.text for severity, _, found in content.conditions if severity == "refusal" for c in found
        ]
        lines = [*(paragraph(reason, "large") for reason in reasons), paragraph(REMEDY, "quiet")]
        return [*_headed("No reading was made", lines), *_certainty(content)]
    story = _headed("Impression", [paragraph(line, "large") for line in content.section("impression")])
    return [*story, *_findings(content), *_certainty(content)]


def _certainty(content: Content) -> list[Any]:
    return _headed("How sure", [certainty_table(content.certainty)]) if content.certainty else []


def _findings(content: Content) -> list[Any]:
    if not content.findings:
        return []
    words, widths = ["Finding", "Presence", "What it rests on"], [3.2, 1.9, 7.9]
    if content.states_probability:
        words, widths = [*words[:2], "Probability", words[2]], [3.0, 1.9, 2.1, 6.0]
    rows: list[list[Any]] = [[paragraph(word, "cell-quiet") for word in words]]
    for row in content.findings:
        label = [paragraph(row.label, "cell-bold")]
        if row.regions:
            label.append(paragraph(f"region: {row.regions}", "cell-quiet"))
        cells = [label, markup(_badge(row.word, row.presence), "cell")]
        if content.states_probability:
            cells.append([paragraph(row.probability_text, "cell"), paragraph(row.calibrator, "cell-quiet")])
        rows.append([*cells, paragraph(row.reason, "cell")])
    return _headed("Findings", [page_table(rows, widths, head=True)])


def _measurements(content: Content) -> list[Any]:
    tables = content.measurements
    parts: list[Any] = []
    for matrix in tables.matrices:
        parts += [_matrix(matrix), paragraph(matrix.remark, "caption")]
    if tables.blocks:
        parts.append(_blocks(tables.blocks))
    return _headed("Measurements", parts) if parts else []


def _matrix(matrix: MeasurementMatrix) -> Any:
    rows = [
        [paragraph(matrix.corner, "cell-quiet"), *(_head_cell(head, right=True) for head in matrix.columns)]
    ]
    for head, cells in matrix.rows:
        numbers = [
            [
                paragraph(f"{cell.value} {cell.uncertainty}".rstrip(), "cell", right=True),
                *([paragraph(cell.note, "cell-quiet", right=True)] if cell.note else []),
            ]
            for cell in cells
        ]
        rows.append([_head_cell(head), *numbers])
    return page_table(rows, (2.8, *(1.2 for _ in matrix.columns)), head=True)


def _head_cell(head: MatrixHead, *, right: bool = False) -> list[Any]:
    label = f"{head.label}, {head.unit}" if head.unit else head.label
    return [
        paragraph(label, "cell-bold", right=right),
        *([paragraph(head.note, "cell-quiet", right=right)] if head.note else []),
    ]


def _blocks(blocks: Sequence[tuple[str, Sequence[MeasurementRow]]]) -> Any:
    words = ("Quantity", "Value", "Uncertainty (95 %)", "Rule")
    rows: list[list[Any]] = [
        [paragraph(word, "cell-quiet", right=k in {1, 2}) for k, word in enumerate(words)]
    ]
    extra: list[Any] = []
    for where, group in blocks:
        extra += [
            ("SPAN", (0, len(rows)), (-1, len(rows))),
            ("TOPPADDING", (0, len(rows)), (-1, len(rows)), 6),
        ]
        rows.append([paragraph(where, "cell-bold"), "", "", ""])
        for row in group:
            label = [paragraph(row.label, "cell")]
            if row.note:
                label.append(paragraph(row.note, "cell-quiet"))
            value = paragraph(row.value, "cell-bold", right=True)
            rows.append(
                [
                    label,
                    value,
                    paragraph(row.uncertainty, "cell", right=True),
                    paragraph(row.rule, "cell-quiet"),
                ]
            )
    return page_table(
        rows, (4.6, 3.0, 2.6, 3.4), head=True, extra=[*extra, ("LEFTPADDING", (3, 0), (3, -1), 8)]
    )


def _course(content: Content, charts: Sequence[Picture]) -> list[Any]:
    """The charts of the trends, two to a row, then their tables."""
    if not content.trends:
        return []
    parts: list[Any] = []
    cells = [_picture_cell(chart) for chart in charts]
    if cells:
        parts.append(
            page_table(
                [[*cells[k : k + 2], []][:2] for k in range(0, len(cells), 2)],
                [1.0, 1.0],
                head=False,
                ruled=False,
            )
        )
    for trend in content.trends:
        rows = [
            [
                paragraph(trend.title, "cell-bold"),
                *(paragraph(d, "cell-quiet", right=True) for d in (*trend.days, "Change")),
            ]
        ]
        for label, numbers, change in trend.rows:
            rows.append(
                [paragraph(label, "cell"), *(paragraph(n, "cell", right=True) for n in (*numbers, change))]
            )
        if trend.marks:
            rows.append(
                [paragraph(m, "cell", right=k > 0) for k, m in enumerate(("Response", *trend.marks, ""))]
            )
        parts += [
            page_table(rows, (3.0, *(1.0 for _ in trend.days), 1.0), head=True),
            paragraph(trend.remark, "caption"),
        ]
    return _headed("Over time", parts, room_mm=90.0)


def _pictures(content: Content, pictures: Sequence[Picture]) -> list[Any]:
    if not pictures:
        return []
    cells = [_picture_cell(picture) for picture in pictures]
    rows = [[*cells[k : k + 2], []][:2] for k in range(0, len(cells), 2)]
    table = page_table(rows, [1.0, 1.0], head=False, ruled=False)
    room_mm = 24.0 + max(_picture_size_mm(picture)[1] for picture in pictures[:2])
    remarks = [*([content.omission] if content.omission else []), *content.evidence]
    return _headed("Pictures", [table, *(paragraph(remark, "quiet") for remark in remarks)], room_mm=room_mm)


def _picture_size_mm(picture: Picture) -> tuple[float, float]:
    """Width and height: two to a row, for in thirds of a page letters and scale bars could not be read."""
    rows, columns = picture.rgb.shape[:2]
    width_mm = min(INNER_MM / 2 - 4.0, _PICTURE_HEIGHT_MM * columns / rows)
    return width_mm, width_mm * rows / columns


def _picture_cell(picture: Picture) -> list[Any]:
    from PIL import Image as Raster
    from reportlab.lib.units import mm
    from reportlab.platypus import Image as Flowable

    width_mm, height_mm = _picture_size_mm(picture)
    target = BytesIO()
    Raster.fromarray(picture.rgb).save(target, "PNG", compress_level=1)
    target.seek(0)
    return [
        Flowable(target, width=width_mm * mm, height=height_mm * mm, hAlign="LEFT"),
        paragraph(picture.title, "caption"),
    ]


def _background(content: Content) -> list[Any]:
    """Limitations, technique, model and provenance."""
    story: list[Any] = []
    limits = [
        markup(f"<b>{SEVERITY_WORDS[severity]}:</b> {escaped(c.text)}", "body")
        for severity, _, conditions in content.limitations
        for c in conditions
    ]
    if limits:
        story += _headed("Limitations", limits)
    if content.technique:
        story += _headed("Technique", [_facts(content.technique, 4)], room_mm=48.0)
    for card in content.cards:
        story += _card(card)
    n_inputs = sum(len(names) for _, names in content.instances)
    facts = [(fact.label, fact.value) for fact in content.provenance]
    if n_inputs:
        plural = "" if n_inputs == 1 else "s"
        facts.append(("Inputs", f"{n_inputs} instance{plural} or file{plural}, listed in reading.json"))
    if facts:
        story += _headed("Provenance", [_lines(facts)])
    return story


def _lines(pairs: Any) -> Any:
    """Label and value, one pair a line, small."""
    rows = [[paragraph(label, "cell-quiet"), paragraph(value, "cell-quiet")] for label, value in pairs]
    return page_table(rows, (1.6, 6.0), head=False)


def _card(card: CardText) -> list[Any]:
    pairs = [*card.facts]
    if card.not_for:
        pairs.insert(1, ("Not for", listed(card.not_for)))
    story = _headed(f"Model: {card.title}", [_lines(pairs)])
    for heading, figures in (("Figure", card.figures), ("Simpler methods on the same data", card.baselines)):
        if figures:
            story += [paragraph("", "caption"), _figures(heading, figures)]
    if card.thresholds:
        words = ("Locked threshold", "Present from", "Absent to", "Purpose and origin")
        rows = [[paragraph(text, "cell-quiet") for text in row] for row in (words, *card.thresholds)]
        story += [paragraph("", "caption"), page_table(rows, (2.0, 1.5, 1.5, 7.0), head=True)]
    return story


def _figures(heading: str, figures: Sequence[FigureRow]) -> Any:
    rows = [[paragraph(word, "cell-quiet") for word in (heading, "Value", "95 % interval", "Measured on")]]
    for row in figures:
        name = paragraph(row.name, "cell-part" if row.is_part else "cell-quiet")
        rows.append(
            [name, *(paragraph(text, "cell-quiet") for text in (row.value, row.interval, row.measured_on))]
        )
    return page_table(rows, (4.0, 1.5, 2.5, 4.0), head=True)
