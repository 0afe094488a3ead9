"""From a reading to its documents: the one door of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.reports.chart import lay_out
from hounsfield.reports.chart_drawing import chart_picture, chart_svg
from hounsfield.reports.content import write_content
from hounsfield.reports.html import report_html
from hounsfield.reports.pdf import report_pdf
from hounsfield.reports.pictures import PictureSet, draw_pictures
from hounsfield.results.documents import Documents

if TYPE_CHECKING:
    from hounsfield.core import Image, Reading, Series, Study


def draft(reading: Reading, image: Image | None, *, study: Study) -> Documents:
    """The page, the PDF and the pictures of `reading`.

    image: that of the application's main role, None where none could be built. study: gives the
    patient's block and the headers. Equal readings give equal bytes; only the page names the time taken.
    """
    series = main_series(reading, image, study)
    drawn = draw_pictures(reading, image, series) if image is not None else PictureSet()
    content = write_content(reading, image, study=study, series=series, omission=drawn.omission)
    charts = [lay_out(trend) for trend in reading.trends]
    drawn_charts = tuple(
        chart_picture(trend, chart) for trend, chart in zip(reading.trends, charts, strict=True)
    )
    return Documents(
        html=report_html(content, drawn.pictures, [chart_svg(chart) for chart in charts]),
        pdf=report_pdf(content, drawn.pictures, drawn_charts),
        pictures=(*drawn.pictures, *drawn_charts),
    )


def main_series(reading: Reading, image: Image | None, study: Study) -> Series | None:
    """The series of the application's main role: the reading's first input, else the one with the image's frames.

    None where neither tells; then nothing is said of the technique.
    """
    if reading.inputs:
        return next((s for s in study.series if s.key == reading.inputs[0].series), None)
    if image is None or not image.source:
        return None
    return next((s for s in study.series if s.source == image.source), None)
