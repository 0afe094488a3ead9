"""How numbers, units, names and dates are written: by hand, one line each."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reports.example_readings import lungs, measurement

from hounsfield.core import Finding, Grid, Region
from hounsfield.core import code as codes
from hounsfield.reports import names


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (2845.31, "ml", "2845"),
        (12.34, "ml", "12.3"),
        (1.2345, "ml", "1.23"),
        (0.00123, "ml", "0.0012"),
        (0.0, "ml", "0.00"),
        (-861.5, "[hnsf'U]", "-862"),
        (-0.2, "[hnsf'U]", "-0.20"),
        (7.911, "g/ml{SUVbw}", "7.91"),
        (12.5, "%", "12.5"),
        (0.04, "%", "0.040"),
        (120.0, "{pixels}", "120"),
    ],
)
def test_number_has_the_decimals_that_its_unit_carries(value, unit, written):
    assert names.written_number(value, unit) == written


@given(st.floats(-1e6, 1e6), st.sampled_from(["ml", "%", "[hnsf'U]", "mm", "{pixels}"]))
def test_written_number_is_near_the_true_one_and_never_a_false_zero(value, unit):
    written = names.written_number(value, unit)
    assert float(written) == pytest.approx(value, abs=0.501, rel=0.05)
    if abs(value) > 1e-8:
        assert float(written) != 0
    assert not written.startswith("-") or float(written) < 0


@pytest.mark.parametrize(
    ("fraction", "written"),
    [(0.0, "0.0 %"), (0.0005, "< 0.1 %"), (0.125, "12.5 %"), (0.9999, "> 99.9 %"), (1.0, "100.0 %")],
)
def test_share_is_certain_only_where_it_is(fraction, written):
    assert names.percent(fraction) == written


@given(st.floats(0.0, 1.0))
def test_probability_is_never_0_or_100_percent(probability):
    assert names.written_probability(probability) not in {"0.0 %", "100.0 %"}


def test_value_with_unit_uncertainty_and_in_full():
    volume = measurement(value=12.34, uncertainty=0.5)
    assert names.written_value(volume) == "12.3 mL"
    assert names.written_uncertainty(volume) == "± 0.50 mL"
    assert names.written_uncertainty(measurement()) == "not known"
    assert names.full_value(volume) == "12.34 ml"
    suv = measurement("suv-max", 7.911, quantity=codes.SUV_BW, unit="g/ml{SUVbw}", derivation=codes.MAXIMUM)
    assert names.written_value(suv) == "7.91 g/mL"
    assert names.quantity_label(suv) == "SUVbw, maximum"


def test_derivation_that_is_in_the_name_is_not_said_twice():
    mean = measurement("mean", quantity=codes.MEAN_ATTENUATION, derivation=codes.MEAN)
    assert names.quantity_label(mean) == "Mean attenuation"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("Phantom^Given", "Phantom, Given"),
        ("Phantom^Given^second^dr^jr", "Phantom, Given second"),
        ("Phantom^Tarou=山田^太郎=やまだ^たろう", "Phantom, Tarou"),
        ("=山田^太郎", "山田, 太郎"),
        ("Family", "Family"),
        ("^^^", ""),
        (None, ""),
    ],
)
def test_person_name(stored, shown):
    assert names.person_name(stored) == shown


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("20260312", "2026-03-12"), ("2026", "2026"), ("2026.03.12", "2026.03.12"), ("", ""), (None, "")],
)
def test_date(stored, shown):
    assert names.written_date(stored) == shown


def test_tags_as_text():
    tags = {"KVP": 120.0, "ImageType": ("ORIGINAL", "PRIMARY"), "Empty": "", "None": None, "Text": " a "}
    assert [names.tag_text(tags, key) for key in (*tags, "Absent")] == [
        *("120", "ORIGINAL, PRIMARY", "", "", "a", "")
    ]


def test_regions_are_called_by_side_and_concept_or_by_name_where_two_are_alike():
    reading = lungs()[0]
    assert names.region_labels(["left-lung", "right-lung"], reading) == "Left lung and Right lung"
    grid = Grid((1, 2, 2))
    alike = [Region(name, codes.LESION, grid, np.ones(grid.shape, bool)) for name in ("lesion-1", "lesion-2")]
    assert [names.region_label(region, alike) for region in alike] == ["Lesion 1", "Lesion 2"]


def test_no_side_without_laterality():
    plain = Finding("nodule", codes.LESION, "present", "Seen.", site=codes.LUNG)
    assert names.finding_label(plain) == "Lesion, lung"
    assert names.finding_label(replace(plain, laterality=codes.LEFT)) == "Lesion, left lung"
    assert names.finding_label(replace(plain, site=None)) == "Lesion"


@pytest.mark.parametrize(
    ("name", "spoken"), [("left-lung", "Left lung"), ("mtv-2.5", "Mtv 2.5"), ("a_b", "A b"), ("", "")]
)
def test_kebab_names_as_words(name, spoken):
    assert names.spoken(name) == spoken


def test_capitals_of_abbreviations_stay_within_a_sentence():
    assert [names.lower_first(word) for word in ("Lung", "CT", "LAA-950")] == ["lung", "CT", "LAA-950"]


@given(st.text())
def test_nothing_printable_obeys_control_or_direction_marks(text):
    shown = names.printable(text)
    assert not re.search("[\x00-\x1f\u200e\u200f\u202a-\u202e\u2066-\u2069]", shown)
    assert names.printable(shown) == shown
