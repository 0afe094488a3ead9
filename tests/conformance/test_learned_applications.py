"""What every application that uses a model must show of its sureness, in the report, in JSON and in the SR.

The bundles are small and made here: whole ones, without calibrator, without guard, and with a guard that knows nothing.
"""

from __future__ import annotations

import json
from html import unescape

import highdicom as hd
import pydicom
import pytest
from tests.conformance.studies_by_needs import SURE_BUNDLES

from hounsfield.core import applications
from hounsfield.pipeline import run
from hounsfield.zoo import open_bundle, write_bundle

WITH_MODEL = [name for name in applications.names() if applications.get(name).models]
LEARNED = [name for name in WITH_MODEL if set(applications.get(name).models) <= set(SURE_BUNDLES)]
WITHOUT_CALIBRATOR = {"calibrated": False, "calibrator": None, "conformal": None, "agreement": None}
WITHOUT_GUARD = {"guarded": False}


@pytest.fixture(scope="module")
def results(synthetic, tmp_path_factory):
    """Reading, its record, its page and the numbers and codes of its SR, by application and kind of bundle."""
    kept = {}

    def read(name, kind="whole", **changes):
        if (name, kind) not in kept:
            root = tmp_path_factory.mktemp("sure")
            options, limit = changes.pop("options", {}), changes.pop("limit", None)
            for model in applications.get(name).models:
                SURE_BUNDLES[model](root / "models", **changes)
                if limit is not None:
                    move_limit(root / "models" / model, limit)
            asked = {
                "applications": [name],
                "model_folders": [root / "models"],
                "out": root / "out",
                **options,
            }
            (reading,) = run(synthetic.study_for(name), **asked).readings
            record = json.loads(next(root.rglob("reading.json")).read_text("utf-8"))
            page = unescape(next(root.rglob("report.html")).read_text("utf-8"))
            kept[name, kind] = reading, record, page, content_of(root)
        return kept[name, kind]

    return read


def move_limit(folder, limit):
    """Set the distance from which the guard of a bundle refuses."""
    bundle = open_bundle(folder)
    guard = bundle.card.guard.model_copy(update={"threshold": limit})
    card = bundle.card.model_copy(update={"guard": guard})
    write_bundle(folder, card=card, weights=bundle.weights(), guard_arrays=bundle.guard_arrays())


def content_of(root):
    """Of each NUM of the SR its value and the parameters of its algorithm, and each coded answer."""
    files = sorted(root.rglob("measurements.dcm"))
    if not files:
        return {}, {}
    content = hd.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(files[0])).content
    # What lies on a region stands in a group of that region.
    groups = [
        *content.get_image_measurement_groups(),
        *content.get_planar_roi_measurement_groups(),
        *content.get_volumetric_roi_measurement_groups(),
    ]
    numbers, codes = {}, {}
    for group in groups:
        for item in group.get_measurements():
            told = [c.TextValue for c in item[0].ContentSequence if "TextValue" in c]
            numbers.setdefault(item.name.value, []).append((float(item.value), " ".join(told)))
        for item in group.get_qualitative_evaluations():
            codes.setdefault(item.name.value, []).append(item.value.value)
    return numbers, codes


def test_application_whose_model_is_not_here_states_no_probability(synthetic):
    """Outlines and volumes need no calibrator; whoever states a probability adds its model to SURE_BUNDLES."""
    assert LEARNED
    for name in sorted(set(WITH_MODEL) - set(LEARNED)):
        _, reading, _ = synthetic.results(name)
        assert all(finding.probability is None for finding in reading.findings), name
        assert {finding.urgency.name for finding in reading.findings} <= {"U0"}, name


@pytest.mark.parametrize("name", LEARNED)
def test_probability_stands_beside_its_calibrator_everywhere(name, results):
    reading, record, page, (numbers, _) = results(name)
    stated = [finding for finding in reading.findings if finding.probability is not None]
    assert stated
    assert {finding.calibrator for finding in stated} == {"temperature"}
    for finding in record["findings"]:
        assert (finding["probability"] is None) == (finding["calibrator"] is None)
    assert page.count("calibrated: temperature") >= len(stated)
    told = sorted(value for value, _ in numbers["PROBABILITY"])
    assert told == pytest.approx(sorted(finding.probability for finding in stated), abs=1e-6)
    assert all("calibrator temperature" in parameters for _, parameters in numbers["PROBABILITY"])


@pytest.mark.parametrize("name", LEARNED)
def test_guard_uncertainty_and_set_are_shown_everywhere(name, results):
    reading, record, page, (numbers, codes) = results(name)
    certainty = reading.certainty
    assert certainty.guard.verdict == record["certainty"]["guard"]["verdict"] == "known"
    assert f"Yes: distance {certainty.guard.distance:.2f}, limit {certainty.guard.limit:.2f}" in page
    assert numbers["GUARD_DISTANCE"][0][0] == pytest.approx(certainty.guard.distance, rel=1e-6)
    assert codes["GUARD_VERDICT"] == ["KNOWN"]
    assert record["certainty"]["agreement"]["answers"] == certainty.agreement.n_answers == 4
    assert f"They disagree by {certainty.agreement.disagreeing_bits:.3f} bits" in page
    assert numbers["OPEN_ENTROPY"][0][0] == pytest.approx(certainty.agreement.open_bits, abs=1e-6)
    assert numbers["DISAGREEMENT"][0][0] == pytest.approx(certainty.agreement.disagreeing_bits, abs=1e-6)
    assert record["certainty"]["possible"]["findings"] == list(certainty.possible.names)
    assert len(codes.get("NOT_EXCLUDED", [])) == len(certainty.possible.names)
    assert "What cannot be excluded?" in page


@pytest.mark.parametrize("name", LEARNED)
def test_without_calibrator_there_is_no_probability_and_no_urgency(name, results):
    stated = {"options": {"prevalence": {"glioma": 0.2, "meningioma": 0.3, "pituitary-tumour": 0.5}}}
    reading, record, page, (numbers, _) = results(name, "uncalibrated", **WITHOUT_CALIBRATOR, **stated)
    assert reading.status in {"complete", "partial"}
    assert record["findings"]
    for finding in record["findings"]:
        assert finding["probability"] is None
        assert finding["at_prevalence"] is None
        assert finding["urgency"] == "U0"
        assert finding["presence"] == "indeterminate", "a score does not say present or absent"
    assert record["certainty"]["calibrator"] is None
    assert record["certainty"]["possible"] is None
    assert not {"PROBABILITY", "PROBABILITY_AT_PREVALENCE", "OPEN_ENTROPY"} & set(numbers)
    assert "The bundle holds no calibrator, so that the model's outputs are scores." in page
    assert "calibrated:" not in page


@pytest.mark.parametrize("name", LEARNED)
def test_without_guard_it_says_so_everywhere(name, results):
    reading, record, page, (numbers, codes) = results(name, "unguarded", **WITHOUT_GUARD)
    assert record["certainty"]["guard"] is None
    assert "guard-absent" in {condition.code for condition in reading.conditions}
    assert "Not checked" in page
    assert "GUARD_DISTANCE" not in numbers
    assert "GUARD_VERDICT" not in codes


@pytest.mark.parametrize("name", LEARNED)
def test_foreign_picture_gets_the_verdict_and_nothing_else(name, results):
    reading, record, page, (numbers, codes) = results(name, "foreign", limit=1e-6)
    assert reading.status == "refused"
    assert not record["findings"]
    assert record["certainty"]["guard"]["verdict"] == "foreign"
    assert record["certainty"]["calibrator"] is None
    assert "No: distance" in page
    assert "PROBABILITY" not in numbers
    assert codes.get("GUARD_VERDICT", ["FOREIGN"]) == ["FOREIGN"]


@pytest.mark.parametrize("name", LEARNED)
def test_corrected_probability_is_named_as_such_everywhere(name, results):
    whole, *_ = results(name)
    shares = {finding.name: 1 / len(whole.findings) for finding in whole.findings}
    reading, record, page, (numbers, _) = results(name, "prevalence", options={"prevalence": shares})
    said = [finding.at_prevalence for finding in reading.findings]
    assert said != pytest.approx([finding.probability for finding in reading.findings])
    assert [finding["at_prevalence"] for finding in record["findings"]] == pytest.approx(said)
    assert page.count("corrected for the stated prevalence") >= len(said)
    told = numbers["PROBABILITY_AT_PREVALENCE"]
    assert sorted(value for value, _ in told) == pytest.approx(sorted(said), abs=1e-6)
    assert all("calibrator temperature, corrected for the stated prevalence" in text for _, text in told)
    assert len(numbers["PROBABILITY"]) == len(said), "the calibrated ones stay"
