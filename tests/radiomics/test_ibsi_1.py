"""The rule ibsi-1: features of typed values, its parameters, its refusals; its codes are those of DICOM."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.sr._concepts_dict import concepts

from hounsfield.core.errors import RefusedInput, UnitError, UsageError
from hounsfield.radiomics import FirstOrderInputs, ibsi_1, radiomic_rules
from hounsfield.radiomics.ibsi_1 import HISTOGRAM_CODES

VALUES = (-500.0, -100.0, -50.0, 0.0, 24.0, 25.0, 40.0, 400.0)


def test_features_by_hand():
    found = ibsi_1(FirstOrderInputs(values=(1, 1, 1, 1, 2, 2, 3, 6), unit="1", bins="number", n_bins=6))
    assert len(found.measurements) == 41
    assert found.value("intensity-mean") == 2.125
    assert found.value("intensity-energy") == 57.0
    # With six bins over 1 to 6 the levels are 1, 1, 1, 1, 2, 2, 3 and 6.
    assert found.value("histogram-entropy") == 1.75
    assert found.value("histogram-mode") == 1
    assert found.conditions == ()


def test_range_comes_before_the_bins_and_every_parameter_is_told():
    stated = {"unit": "HU", "bins": "size", "bin_width": 25, "lowest": -500, "highest": 399}
    found = ibsi_1(FirstOrderInputs(values=VALUES, **stated))
    assert found.value("intensity-maximum") == 40.0
    assert found.value("histogram-minimum") == 1
    assert found.value("histogram-maximum") == (40 + 500) // 25 + 1
    note = "unit HU, range -500 to 399, outliers kept, bins of 25"
    assert all(number.note.startswith(note) for number in found.measurements)
    units = {number.name: number.unit for number in found.measurements}
    assert units["intensity-mean"] == "[hnsf'U]"
    assert units["intensity-variance"] == "[hnsf'U]2"
    assert units["intensity-skewness"] == "1"


def test_bins_from_the_minimum_do_not_compare():
    found = ibsi_1(FirstOrderInputs(values=VALUES, unit="HU", bins="size", bin_width=25))
    assert [condition.code for condition in found.conditions] == ["bins-not-comparable"]


def test_outliers_are_left_out_when_asked():
    values = (*np.linspace(0, 10, 99), 1000.0)
    stated = {"values": values, "unit": "HU", "bins": "number", "n_bins": 8}
    assert ibsi_1(FirstOrderInputs(**stated)).value("intensity-maximum") == 1000.0
    kept = ibsi_1(FirstOrderInputs(**stated, leave_outliers_out=True))
    assert kept.value("intensity-maximum") == 10.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_bins": None}, "bins of a fixed number need n_bins"),
        ({"bin_width": 25.0}, "nothing of the other kind"),
        ({"bins": "size"}, "bins of a fixed size need bin_width"),
        ({"n_bins": 1}, "must be at least 2"),
    ],
)
def test_parameters_that_contradict_are_refused(changes, words):
    stated = {"values": VALUES, "unit": "HU", "bins": "number", "n_bins": 8, **changes}
    with pytest.raises(RefusedInput, match=words):
        FirstOrderInputs(**stated)


def test_fixed_size_in_arbitrary_units_is_refused():
    with pytest.raises(UnitError, match="Use a fixed bin number"):
        FirstOrderInputs(values=VALUES, unit="1", bins="size", bin_width=25)


def test_region_that_is_constant_or_left_empty_is_refused():
    with pytest.raises(RefusedInput, match="the region is constant"):
        ibsi_1(FirstOrderInputs(values=(3, 3, 3), unit="1", bins="number", n_bins=8))
    with pytest.raises(RefusedInput, match="no value of 8 lies in the range"):
        ibsi_1(FirstOrderInputs(values=VALUES, unit="HU", bins="number", n_bins=8, lowest=1000))


def test_rule_is_found_by_its_name_and_reads_texts():
    rule = radiomic_rules.get("ibsi-1")
    assert radiomic_rules.names() == ["ibsi_1"]
    found = rule.evaluate({"values": "1,2,3,4", "unit": "1", "bins": "number", "n_bins": "4"})
    assert found.value("histogram-uniformity") == 0.25
    with pytest.raises(UsageError, match="missing: values"):
        rule.evaluate({})
    assert all((rule.card.formula, rule.card.population, rule.card.refuses, rule.card.source))


def test_codes_stand_in_the_dictionary_of_dicom():
    known = {code: meaning for entries in concepts["IBSI"].values() for code, (meaning, _) in entries.items()}
    assert len(set(HISTOGRAM_CODES.values())) == 23
    for name, code in HISTOGRAM_CODES.items():
        assert known[code].startswith("Intensity Histogram")
        # A word of the feature stands in the meaning: 10th for percentile_10, Gray Level for levels.
        word = {"percentile_10": "10th", "percentile_90": "90th", "excess_kurtosis": "Kurtosis"}.get(
            name, name.split("_")[0].capitalize()
        )
        assert word in known[code], (name, known[code])
