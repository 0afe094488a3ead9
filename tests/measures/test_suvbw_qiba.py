"""SUV from the header: the arithmetic, the reference time, and every refusal by its attribute."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, time

import pytest
from tests.measures.fixture_lines import fixture_lines

from hounsfield.core.errors import UnitError
from hounsfield.measures import PetHeader, measures, suv_factor, suv_refusal
from hounsfield.measures._pet_header import average_count_rate_time_s
from hounsfield.measures.suvbw_qiba import decayed_dose_bq

NINE = datetime(2024, 3, 11, 9, 0)  # noqa: DTZ001 - DICOM times state no zone
BASE = PetHeader(
    units="BQML",
    decay_correction="START",
    corrected_image=("NORM", "DTIM", "ATTN", "SCAT", "DECY"),
    series_datetime=NINE,
    earliest_acquisition_datetime=NINE,
    injection_datetime=NINE.replace(hour=8),
    half_life_s=6586.2,
    total_dose_bq=370e6,
    weight_kg=70.0,
    nuclide_code="C-111A1",
)
# What the fixtures call a refusal, and the attribute that our message names.
NAMED = {
    "uptake time": "uptake time",
    "scan reference time": "scan reference time",
    "CorrectedImage": "0028,0051",
    "RadionuclideTotalDose": "0018,1074",
    "PatientWeight": "0010,1030",
}


def moment(text):
    return datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 - DICOM times state no zone


@pytest.mark.parametrize("line", fixture_lines("B11a"), ids=lambda line: line["id"])
def test_suv_by_hand(line):
    given, expected = line["in"], line["out"]
    injected = NINE.timestamp() - given["uptake_s"]
    header = replace(
        BASE,
        weight_kg=given["weight_kg"],
        total_dose_bq=given["total_dose_bq"],
        decay_correction=given["decay_correction"],
        injection_datetime=datetime.fromtimestamp(injected),  # noqa: DTZ006
    )
    factor = suv_factor(header)
    assert factor.decayed_dose_bq == pytest.approx(expected["decayed_dose_bq"], rel=1e-4)
    assert given["bqml"] * factor.suvbw_per_unit == pytest.approx(expected["suvbw_g_per_ml"], rel=1e-4)


@pytest.mark.parametrize("line", fixture_lines("B11b"), ids=lambda line: line["id"])
def test_injection_time(line):
    given = line["in"]
    stated, alone = given["radiopharmaceutical_start_datetime"], given["radiopharmaceutical_start_time"]
    scan = moment(given["scan_datetime"])
    header = replace(
        BASE,
        series_datetime=scan,
        earliest_acquisition_datetime=scan,
        injection_datetime=moment(stated) if stated else None,
        injection_time=moment("20240101" + alone).time() if alone else None,
    )
    if "refuse" in line["out"]:
        with pytest.raises(UnitError, match=line["out"]["refuse"]):
            suv_factor(header)
        return
    factor = suv_factor(header)
    assert factor.uptake_s == pytest.approx(line["out"]["uptake_s"])
    codes = [condition.code for condition in factor.conditions]
    assert codes == ([] if stated else ["suv-injection-date-concluded"])


@pytest.mark.parametrize("line", fixture_lines("B11c"), ids=lambda line: line["id"])
def test_average_count_rate_time(line):
    expected = line["out"]["average_count_rate_time_s"]
    assert average_count_rate_time_s(**line["in"]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("line", fixture_lines("B11d"), ids=lambda line: line["id"])
def test_units_other_than_bqml(line):
    given, expected = line["in"], line["out"]
    header = replace(
        BASE,
        units=given["units"],
        suv_type=given.get("suv_type"),
        philips_suv_factor=given.get("suv_scale_factor_7053_1000"),
        philips_activity_factor=given.get("activity_scale_factor_7053_1009"),
    )
    if expected.get("refuse") or expected["suvbw"] is None:
        with pytest.raises(UnitError, match=r"\(0054,1006\) is LBMJANMA|\(7053,1000\) nor \(7053,1009\)"):
            suv_factor(header)
        return
    pixel = given["stored"] * given["slope"] + given["intercept"]
    assert pixel * suv_factor(header).suvbw_per_unit == pytest.approx(expected["suvbw"], rel=1e-4)


def changed(changes):
    """BASE with the changes of one line of B11i."""
    times = {"series_datetime", "earliest_acquisition_datetime", "injection_datetime", "ge_0009_100d"}
    names = {"ge_0009_100d": "ge_scan_datetime"}
    values = {names.get(key, key): moment(v) if key in times else v for key, v in changes.items()}
    if "corrected_image" in values:
        values["corrected_image"] = tuple(values["corrected_image"])
    return replace(BASE, **values)


@pytest.mark.parametrize("line", fixture_lines("B11i"), ids=lambda line: line["id"])
def test_whole_headers(line):
    header = changed(line["in"].get("changes_to_base", {}))
    expected = line["out"]
    if "refuse" in expected:
        with pytest.raises(UnitError, match=re.escape(NAMED[expected["refuse"]])):
            suv_factor(header)
        return
    factor = suv_factor(header)
    assert factor.reference_from == expected["reference_from"]
    assert factor.uptake_s == pytest.approx(expected["uptake_s"], abs=1e-3)
    assert factor.suvbw_per_unit == pytest.approx(expected["suvbw_per_bqml"], rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"units": None}, "suv-units", "(0054,1001) is absent"),
        ({"units": "PROPCNTS"}, "suv-units", "PROPCNTS"),
        ({"decay_correction": "NONE"}, "suv-decay-correction", "(0054,1102) is NONE"),
        ({"decay_correction": None}, "suv-decay-correction", "(0054,1102) is absent"),
        ({"weight_kg": None}, "suv-weight", "(0010,1030) is absent"),
        ({"weight_kg": 70000.0}, "suv-weight", "(0010,1030) is 70000 kg"),
        ({"weight_kg": float("nan")}, "suv-weight", "(0010,1030) is nan"),
        ({"total_dose_bq": None}, "suv-dose", "(0018,1074) is absent"),
        ({"total_dose_bq": 370.0}, "suv-dose", "probably MBq, which is not guessed"),
        ({"half_life_s": None}, "suv-half-life", "(0018,1075) is absent"),
        ({"half_life_s": 1221.8}, "suv-half-life", "says F-18, which has 6586.2 s"),
        ({"injection_datetime": None}, "suv-injection-time", "(0018,1072) is stated"),
        ({"earliest_acquisition_datetime": None}, "suv-reference-time", "scan reference time is unknown"),
        ({"corrected_image": ()}, "suv-not-corrected", "(0028,0051) states nothing"),
    ],
)
def test_refusal_names_the_attribute(changes, code, named):
    header = replace(BASE, **changes)
    refusal = suv_refusal(header)
    assert (refusal.code, refusal.severity) == (code, "warning")
    assert named in refusal.text
    with pytest.raises(UnitError, match=re.escape(named)):
        suv_factor(header)


@pytest.mark.parametrize("change", [1.0099, 0.9901])
def test_half_life_within_one_percent_is_accepted(change):
    assert suv_refusal(replace(BASE, half_life_s=6586.2 * change)) is None


@pytest.mark.parametrize("change", [1.0101, 0.9899])
def test_half_life_beyond_one_percent_is_refused(change):
    assert suv_refusal(replace(BASE, half_life_s=6586.2 * change)).code == "suv-half-life"


@pytest.mark.parametrize(
    ("dose_bq", "accepted"), [(1e6, True), (0.99e6, False), (1e10, True), (1.01e10, False)]
)
def test_limits_of_the_dose_are_inclusive(dose_bq, accepted):
    assert (suv_refusal(replace(BASE, total_dose_bq=dose_bq)) is None) is accepted


def test_either_spelling_of_decay_is_taken():
    assert suv_refusal(replace(BASE, corrected_image=("DECAY", "ATTN"))) is None


def test_dose_at_administration_needs_no_times():
    header = replace(BASE, decay_correction="ADMIN", injection_datetime=None, half_life_s=None)
    factor = suv_factor(header)
    assert (factor.uptake_s, factor.reference_from) == (None, "injection")
    assert factor.suvbw_per_unit == pytest.approx(70.0 * 1000 / 370e6)


def test_suv_of_the_file_needs_neither_dose_nor_weight():
    header = PetHeader(units="GML", corrected_image=("ATTN", "DECY"))
    assert suv_factor(header).suvbw_per_unit == 1.0


def test_intercept_and_unknown_nuclide_are_told():
    codes = [c.code for c in suv_factor(replace(BASE, rescale_intercept=-3.0, nuclide_code="X")).conditions]
    assert codes == ["suv-intercept", "suv-nuclide-unknown"]


def test_midnight_is_told():
    scan = datetime(2024, 3, 11, 0, 30)  # noqa: DTZ001
    header = replace(
        BASE,
        series_datetime=scan,
        earliest_acquisition_datetime=scan,
        injection_datetime=None,
        injection_time=time(23, 30),
    )
    (told,) = suv_factor(header).conditions
    assert "the day before the scan" in told.text


def test_mixed_time_zones_are_refused():
    with pytest.raises(UnitError, match="offset from UTC"):
        replace(BASE, injection_datetime=datetime(2024, 3, 11, 8, tzinfo=UTC))


def test_one_half_life_halves_the_dose():
    assert decayed_dose_bq(8.0, half_life_s=10.0, uptake_s=30.0) == pytest.approx(1.0)


def test_rule_is_registered_under_its_identifier():
    assert measures.get("suvbw-qiba").compute is suv_factor
