"""Probabilities for a stated prevalence: Bayes by hand, named as what they are, and refused where nothing supports them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from tests.tiny_bundle import head_slice, write_tiny_bundle

from hounsfield.core import Certainty, Finding, Reading
from hounsfield.core.code import GLIOMA, MENINGIOMA
from hounsfield.core.errors import UsageError
from hounsfield.pipeline import run
from hounsfield.pipeline.prevalence import at_stated_prevalence
from hounsfield.zoo import Calibrator, InferenceSettings

SHARES = {"glioma": 0.5, "meningioma": 0.25, "pituitary": 0.25}
STATED = {"glioma": 0.1, "meningioma": 0.6, "pituitary-tumour": 0.3}


def reading_of(calibrator, probabilities, shares):
    findings = [
        Finding(name, concept, "indeterminate", "Because.", probability=p, calibrator=calibrator)
        for (name, p), concept in zip(probabilities.items(), (GLIOMA, MENINGIOMA), strict=True)
    ]
    return Reading.complete(findings=findings).with_certainty(Certainty(calibrator=calibrator, shares=shares))


def test_classes_that_exclude_each_other_by_hand():
    """0.8 and 0.2 fitted at halves, used at 1 to 4: odds 4 become 4 * (0.2 / 0.8) = 1."""
    reading = reading_of("identity", {"a": 0.8, "b": 0.2}, {"a": 0.5, "b": 0.5})
    corrected = at_stated_prevalence(reading, {"a": 0.2, "b": 0.8})
    assert [f.at_prevalence for f in corrected.findings] == pytest.approx([0.5, 0.5])
    assert [f.prevalence for f in corrected.findings] == [0.2, 0.8]
    assert [f.probability for f in corrected.findings] == [0.8, 0.2], "the calibrated one stays"
    assert corrected.conditions[-1].code == "prevalence-stated"


def test_finding_that_stands_alone_by_hand():
    """Odds 1 fitted at odds 1/9, used at odds 1: nine times the odds."""
    reading = reading_of("platt-per-label", {"a": 0.5, "b": 0.2}, {"a": 0.1, "b": 0.3})
    corrected = at_stated_prevalence(reading, {"a": 0.5})
    assert corrected.findings[0].at_prevalence == pytest.approx(0.9)
    assert corrected.findings[1].at_prevalence is None


@pytest.mark.parametrize(
    ("calibrator", "shares", "stated", "reason"),
    [
        ("identity", {}, {"a": 0.2, "b": 0.8}, "card does not say how frequent a, b was"),
        ("identity", {"a": 0.5, "b": 0.5}, {"a": 0.2}, "state the prevalence of b too"),
        ("identity", {"a": 0.5, "b": 0.5}, {"a": 0.2, "b": 0.3}, "sum to 0.5 instead of 1"),
        ("platt-per-label", {"b": 0.5}, {"a": 0.2}, "card does not say how frequent a was"),
    ],
)
def test_what_cannot_be_corrected_is_refused_with_its_reason(calibrator, shares, stated, reason):
    reading = at_stated_prevalence(reading_of(calibrator, {"a": 0.8, "b": 0.2}, shares), stated)
    assert all(finding.at_prevalence is None for finding in reading.findings)
    assert reading.conditions[-1].code == "prevalence-not-used"
    assert reason in reading.conditions[-1].text


def test_reading_without_these_findings_stays_as_it_is():
    reading = reading_of("identity", {"a": 0.8, "b": 0.2}, {"a": 0.5, "b": 0.5})
    assert at_stated_prevalence(reading, {"other": 0.2}) is reading


@pytest.mark.parametrize("share", [0.0, 1.0, 20.0, float("nan")])
def test_share_outside_is_refused_before_anything_is_read(tmp_path, share):
    with pytest.raises(UsageError, match=r"between 0 and 1, such as 0\.2 for 20 %"):
        run(tmp_path, prevalence={"glioma": share})


def test_corrected_probability_stands_without_calibrated_one_nowhere():
    with pytest.raises(ValueError, match="corrects a probability that it does not state"):
        Finding("a", GLIOMA, "present", "Because.", at_prevalence=0.5, prevalence=0.1)
    with pytest.raises(ValueError, match="without its prevalence, or reversed"):
        Finding("a", GLIOMA, "present", "Because.", probability=0.5, calibrator="c", at_prevalence=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("prevalence")
    calibrator = Calibrator(
        name="temperature", parameters={"temperature": 2.0}, fitted_on="nothing", shares=SHARES
    )
    write_tiny_bundle(
        root / "models",
        calibrated=True,
        calibrator=calibrator,
        inference=InferenceSettings(mask_threshold=0.01),
    )
    (root / "study").mkdir()
    Image.fromarray(np.clip(head_slice(), 0, 255).astype(np.uint8)).save(root / "study" / "slice.png")
    return root


def read(folder, **options):
    asked = {"applications": ["brain_tumour_mr"], "model_folders": [folder / "models"], **options}
    return run(folder / "study", **asked).readings[0]


def test_reading_report_and_json_show_it_with_its_calibrator(folder, tmp_path):
    plain, corrected = read(folder), read(folder, prevalence=STATED, out=tmp_path)
    before = np.array([finding.probability for finding in corrected.findings])
    weighed = before * np.array(list(STATED.values())) / np.array(list(SHARES.values()))
    said = [finding.at_prevalence for finding in corrected.findings]
    assert said == pytest.approx(weighed / weighed.sum())
    assert plain.uid != corrected.uid, "another prevalence, another reading"
    assert [f.presence for f in plain.findings] == [f.presence for f in corrected.findings]
    record = json.loads(next(tmp_path.rglob("reading.json")).read_text())
    assert [f["at_prevalence"] for f in record["findings"]] == pytest.approx(said)
    page = next(tmp_path.rglob("report.html")).read_text(encoding="utf-8")
    assert "calibrated: temperature; corrected for the stated prevalence 60" in page
