"""The page of metrics: every figure lies within its limit of its reference, and the page says what was found."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import pytest

from hounsfield import metrics

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def program():
    pytest.importorskip("sklearn")
    return runpy.run_path(str(ROOT / "docs" / "metric_references.py"))


def outside(program, judged):
    return {one.row.figure: one.largest for one in judged if not program["within"](one)}


def test_every_figure_lies_within_its_limit_of_the_reference(program):
    judged = program["rows"](None)
    assert len(judged) > 40
    assert not outside(program, judged)


def test_a_difference_above_the_limit_is_seen(program):
    row = program["Row"]
    judged = [
        program["judge"](row("one", "", "", 1e-6, lambda _data: [(1.0, 1.0), (1.0, 1.00001)]), None),
        program["judge"](row("undefined", "", "", 1e-6, lambda _data: [(float("nan"), 1.0)]), None),
        program["judge"](row("nothing", "", "", 1e-6, lambda _data: []), None),
        program["judge"](row("both undefined", "", "", 1e-6, lambda _data: [(float("nan"),) * 2]), None),
    ]
    assert set(outside(program, judged)) == {"one", "undefined", "nothing"}
    assert "| one |  |  | 2 | 1e-05 | 1e-06 |" in program["page"](judged)


def test_limits_are_no_looser_than_a_publication_needs(program):
    loose = [row for row in program["ROWS"] if row.at_most > 1e-6]
    assert all(any(sign.isdigit() for sign in row.source + row.reference) for row in loose)
    assert len({row.figure for row in program["ROWS"]}) == len(program["ROWS"])


# Judged by simulation or by hand in tests/metrics, or no figure.
BESIDES = {
    *("metric", "metrics", "placements", "resampled", "sort_score", "why_withheld", "reader_study", "wafroc"),
    *(
        "calibration_error_if_perfect",
        "cpm_interval",
        "limits_of_repeated_agreement",
        "precision_recall_curve",
    ),
    *("auroc_cases", "auroc_comparison_cases", "reader_study_power"),
    *("box_iou", "mask_iou", "box_sizes", "boxes_of_masks", "match_boxes", "share_inside"),
    *("box_centre_distance_mm", "centre_distance_mm", "pointing_distance_mm", "pointing_game"),
    *("free_response_interval", "froc_sensitivity_intervals", "match_by_overlap"),
    *("compare_label_maps", "mahalanobis_distance", "volume_error", "voxel_distances"),
    *("report_words", "entity_overlap", "exact_overlap", "partial_overlap", "rouge_intervals"),
    *("auroc_test", "mean_test", "category_test", "category_ranks", "distribution_test", "vector_test"),
    *("number_ranks", "betting_log10", "calibration_places", "calibration_tests", "observed_to_expected"),
    *("box_of_mask", "boxes_of_map", "iobb", "iou", "points_at", "share_of_map_inside"),
    *("frechet_infinity", "ssim_map", "task_change", "survival_brier_intervals", "survival_calibration"),
}


def test_every_figure_has_a_row(program):
    text = (ROOT / "docs" / "metric_references.py").read_text(encoding="utf-8")
    compared = set(re.findall(r"\bown\.(\w+)", text))
    for name in ("independent_references", "reference_tables", "outline_rows", "test_surface_area"):
        tree = ast.parse((ROOT / "tests" / "metrics" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "hounsfield.metrics":
                compared |= {alias.name for alias in node.names}
    functions = {name for name in metrics.__all__ if name[0].islower()}
    assert not functions - compared - BESIDES
    assert not BESIDES & compared


@pytest.mark.slow
@pytest.mark.real_data
def test_page_is_what_the_rows_say_today(program, real_data):
    judged = program["rows"](real_data)
    assert not outside(program, judged)
    told = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    found = program["page"](judged, program["others"](real_data))
    assert without_rounding(told) == without_rounding(found), (
        "write it anew: .venv/bin/python docs/metric_references.py"
    )


def without_rounding(page):
    """The page but for how far below its limit a difference lies: that is rounding, and each processor's own."""
    return re.sub(r"below 1e-\d+ \| (1e-\d+)", r"below | \1", page)
