"""Every number stands in exactly one table, whatever regions it was measured on."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reports.example_readings import lungs, measurement, uptake

from hounsfield.core import Reading
from hounsfield.core import code as codes
from hounsfield.reports.measurement_tables import WHOLE, tabulate


def cells_of(tables):
    """The numbers as stored, of all tables."""
    matrices = [cell.full for matrix in tables.matrices for _, cells in matrix.rows for cell in cells]
    return matrices + [row.full for _, rows in tables.blocks for row in rows]


@cache
def regions():
    return uptake(9)[0].regions


def of(*measurements):
    """A reading with those measurements and the regions that they name."""
    return Reading.complete(measurements=measurements, regions=regions())


def test_regions_measured_alike_share_a_table():
    tables = tabulate(of(*(measurement(value=float(k), region=f"lesion-{k}") for k in (1, 2))))
    (matrix,) = tables.matrices
    assert [head.label for head in matrix.columns] == ["Lesion 1", "Lesion 2"]
    ((head, cells),) = matrix.rows
    assert (head.label, head.unit, head.rule) == ("Volume", "mL", "region-volume 1.0.0")
    assert [(cell.value, cell.full) for cell in cells] == [("1.00", "1.0 ml"), ("2.00", "2.0 ml")]
    assert matrix.remark == "Rules: region-volume 1.0.0. Uncertainty is not known where none is given."
    assert tables.blocks == ()


def test_many_regions_become_rows():
    (matrix,) = tabulate(
        of(*(measurement(value=float(k), region=f"lesion-{k}") for k in range(1, 10)))
    ).matrices
    assert (matrix.corner, len(matrix.columns), len(matrix.rows)) == ("Region", 1, 9)


def test_regions_measured_unlike_stand_in_blocks_of_their_own():
    reading, _, _ = lungs()
    tables = tabulate(reading)
    assert tables.matrices == ()
    assert [(where, [row.value for row in rows]) for where, rows in tables.blocks] == [
        ("Right lung", ["2845 mL"]),
        ("Left lung", ["2411 mL", "-861 HU"]),
    ]
    assert [row.uncertainty for _, rows in tables.blocks for row in rows] == [
        "± 31.2 mL",
        "not known",
        "not known",
    ]


def test_number_of_no_region_is_of_the_whole_image():
    ((where, _),) = tabulate(of(measurement())).blocks
    assert where == WHOLE


def test_note_that_all_share_stands_in_the_head_and_others_at_their_number():
    notes = ("peak; thin", "peak; thick")
    made = (measurement(value=1.0, region=f"lesion-{k + 1}", note=note) for k, note in enumerate(notes))
    (matrix,) = tabulate(of(*made)).matrices
    ((head, cells),) = matrix.rows
    assert head.note == "peak"
    assert [cell.note for cell in cells] == ["thin", "thick"]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["volume", "mean", "area"]),
            st.sampled_from([None, *(f"lesion-{k}" for k in range(1, 10))]),
            st.floats(0.0, 1e4),
        ),
        max_size=30,
        unique_by=lambda one: one[:2],
    )
)
def test_no_number_is_lost_or_shown_twice(chosen):
    kinds = {
        "volume": (codes.VOLUME, "ml"),
        "mean": (codes.MEAN_ATTENUATION, "[hnsf'U]"),
        "area": (codes.AREA, "mm2"),
    }
    made = [
        measurement(name, value, region, quantity=kinds[name][0], unit=kinds[name][1])
        for name, region, value in chosen
    ]
    found = cells_of(tabulate(of(*made)))
    assert sorted(found) == sorted(f"{m.value!r} {m.unit}" for m in made)


@pytest.mark.parametrize("n_regions", [2, 6, 7, 9])
def test_no_table_is_wider_than_a_page(n_regions):
    kinds = [(f"m{k}", codes.VOLUME) for k in range(8)]
    made = [
        measurement(name, 1.0, f"lesion-{r}", quantity=quantity)
        for r in range(1, n_regions + 1)
        for name, quantity in kinds
    ]
    assert all(len(matrix.columns) <= 6 for matrix in tabulate(of(*made)).matrices)
