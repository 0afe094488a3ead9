"""The page of figures and their references says what the comparisons give."""

from __future__ import annotations

import runpy

import pytest
from tests.docs.pages import ROOT

WRITER = runpy.run_path(str(ROOT / "docs" / "metric_page.py"))


@pytest.mark.real_data
@pytest.mark.slow
def test_the_page_of_metrics_is_up_to_date(real_data):
    written = WRITER["PAGE"].read_text(encoding="utf-8")
    assert written == WRITER["metric_page"](real_data), "write it anew: python docs/metric_page.py"


@pytest.mark.parametrize(
    ("difference", "shown"),
    [(0.0, "below 1e-10"), (3e-16, "below 1e-10"), (2e-7, "below 1e-6"), (0.3, "3.0e-01")],
)
def test_differences_are_shown_by_the_step_they_stay_below(difference, shown):
    assert WRITER["below"](difference) == shown
