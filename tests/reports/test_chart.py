"""Charts: every number at its place, in SVG and pixels alike, and nothing that a page may not hold."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from hounsfield.core import RESEARCH_USE, Curve, Trend
from hounsfield.core.code import VOLUME
from hounsfield.core.errors import UsageError
from hounsfield.reports import chart_file
from hounsfield.reports.chart import Stroke, dashes, lay_out
from hounsfield.reports.chart_drawing import chart_rgb, chart_svg


def trend_of(*curves, **more):
    values = {
        "name": "v",
        "title": "Volumes",
        "quantity": VOLUME,
        "unit": "ml",
        "rule": "r",
        "rule_version": "1.0.0",
    }
    return Trend(**{**values, "curves": curves, **more})


def texts(chart):
    return [
        element.text for element in ET.fromstring(chart_svg(chart)).iter() if element.tag.endswith("text")
    ]


def test_points_lie_where_their_numbers_say():
    """Even steps of days and values are even steps of the chart."""
    chart = lay_out(trend_of(Curve("a", ((0, 10), (100, 20), (200, 30)))))
    x, y = np.array([dot.at for dot in chart.dots]).T
    np.testing.assert_allclose(np.diff(x), np.diff(x)[0], atol=0.2)
    np.testing.assert_allclose(np.diff(y), np.diff(y)[0], atol=0.2)
    assert y[0] > y[-1]


def test_constant_doubling_is_a_straight_line():
    chart = lay_out(trend_of(Curve("a", ((0, 0.3), (100, 0.6), (200, 1.2))), logarithmic=True))
    _, y = np.array([dot.at for dot in chart.dots]).T
    np.testing.assert_allclose(np.diff(y), np.diff(y)[0], atol=0.2)


@pytest.mark.parametrize("values", [(1e-4, 3e3), (5, 5), (0.2, 0.21), (1, 10), (0, 0), (0, 1e-9)])
@pytest.mark.parametrize("logarithmic", [False, True])
def test_all_is_inside_whatever_the_numbers(values, logarithmic):
    if logarithmic and min(values) <= 0:
        return
    chart = lay_out(trend_of(Curve("a", tuple(enumerate(values))), logarithmic=logarithmic))
    places = np.array([dot.at for dot in chart.dots])
    assert (places > 0).all()
    assert (places < [chart.width_px, chart.height_px]).all()


def test_single_visit_is_drawn():
    chart = lay_out(trend_of(Curve("a", ((0, 3),))))
    assert len(chart.dots) == 1


def test_words_name_curves_days_marks_and_the_intended_use():
    curves = (Curve("Lesion 1", ((0, 3), (90, 4))), Curve("Limit", ((0, 5), (90, 5)), "limit"))
    found = texts(lay_out(trend_of(*curves, marks=((0, "baseline"), (90, "PD")))))
    assert {"Lesion 1", "Limit", "0", "90", "baseline", "PD", "Volumes, mL", RESEARCH_USE} <= set(found)


def test_words_of_close_visits_do_not_overlap():
    days = [0, 2, 4, 300]
    chart = lay_out(
        trend_of(Curve("a", tuple((day, 1) for day in days)), marks=tuple((d, "SD") for d in days))
    )
    assert texts(chart).count("SD") == 2


def test_text_from_outside_stays_text():
    chart = lay_out(trend_of(Curve("<script>alert(1)</script>", ((0, 1),))))
    drawn = chart_svg(chart)
    assert "<script" not in drawn
    assert "style=" not in drawn
    ET.fromstring(drawn)


def test_pixels_show_the_curves_in_their_colours():
    chart = lay_out(trend_of(Curve("a", ((0, 1), (10, 2))), Curve("b", ((0, 2), (10, 1)))))
    rgb = chart_rgb(chart)
    assert rgb.shape == (chart.height_px, chart.width_px, 3)
    for dot in chart.dots:
        x, y = (round(value) for value in dot.at)
        assert tuple(rgb[y, x].tolist()) == dot.colour
    np.testing.assert_array_equal(rgb, chart_rgb(chart))


def test_dashes_cover_their_share_of_a_line():
    stroke = Stroke(((0, 0), (260, 0)), (0, 0, 0), 3, "dashed")
    assert sum(b[0] - a[0] for a, b in dashes(stroke)) == pytest.approx(160, abs=1)
    solid = Stroke(((0, 0), (10, 0), (10, 10)), (0, 0, 0), 3)
    assert list(dashes(solid)) == [((0, 0), (10, 0)), ((10, 0), (10, 10))]


def test_other_endings_are_refused():
    with pytest.raises(UsageError, match=r"\.svg or \.png"):
        chart_file(trend_of(Curve("a", ((0, 1),))), ".pdf")
