"""Every figure agrees with what independent programs and published tables give for the same input."""

from __future__ import annotations

import pytest
from tests.metrics.independent_references import detection_rows, feature_rows, picture_rows, rows, text_rows
from tests.metrics.reference_tables import free_response_rows, lung_rows, survival_rows


@pytest.mark.parametrize("made", [detection_rows, text_rows, picture_rows, feature_rows])
def test_figures_agree_with_independent_programs(made):
    found = made()
    assert found
    assert not [row for row in found if not row.difference <= row.allowed]


@pytest.mark.real_data
@pytest.mark.parametrize("made", [free_response_rows, lung_rows, survival_rows])
def test_figures_agree_with_the_reference_tables(made, real_data):
    found = made(real_data / "statistics_references")
    assert found
    assert not [row for row in found if not row.difference <= row.allowed]


def test_rows_can_be_made_without_the_reference_tables():
    assert {row.reference for row in rows()} >= {"pycocotools 2.0.11", "sacrebleu 2.6.0", "scikit-image 0.26"}
