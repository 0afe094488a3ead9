"""Every figure agrees with what independent programs and published tables give for the same input."""

from __future__ import annotations

import pytest
from tests.metrics.independent_references import FROM_TABLES, MADE, rows_by_kind


@pytest.mark.parametrize("kind", MADE)
def test_figures_agree_with_independent_programs(kind):
    found = [row for make in MADE[kind] for row in make()]
    assert found
    assert not [row for row in found if not row.difference <= row.allowed]


@pytest.mark.real_data
@pytest.mark.parametrize("kind", FROM_TABLES)
def test_figures_agree_with_the_reference_tables(kind, real_data):
    found = [row for make in FROM_TABLES[kind] for row in make(real_data / "statistics_references")]
    assert found
    assert not [row for row in found if not row.difference <= row.allowed]


def test_rows_can_be_made_without_the_reference_tables():
    references = {row.reference for rows in rows_by_kind().values() for row in rows}
    assert references >= {
        "pycocotools 2.0.11",
        "sacrebleu 2.6.0",
        "scikit-image 0.26",
        "surface-distance 0.1",
    }
