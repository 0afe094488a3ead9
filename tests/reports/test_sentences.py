"""Each sentence stands on something in the reading, and what the reading does not hold is not said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.reports import example_readings as examples

from hounsfield.core import Finding, Reading
from hounsfield.core import code as codes
from hounsfield.core.finding import Urgency
from hounsfield.reports.draft import main_series
from hounsfield.reports.sentences import by_weight, impression, write_sentences


def sentences(make):
    reading, image, study = make()
    return reading, write_sentences(reading, image, main_series(reading, image, study))


def of_section(found, section):
    return [sentence.text for sentence in found if sentence.section == section]


@pytest.mark.parametrize("make", [examples.lungs, examples.tumour, examples.uptake])
def test_every_source_of_a_sentence_is_in_the_reading(make):
    reading, found = sentences(make)
    known = {"status:complete", *(f"region:{r.name}" for r in reading.regions)}
    known |= {f"finding:{f.name}" for f in reading.findings}
    known |= {f"measurement:{m.name}" for m in reading.all_measurements()}
    known |= {f"condition:{c.code}" for c in reading.conditions} | {f"input:{r.role}" for r in reading.inputs}
    assert found
    for sentence in found:
        assert sentence.sources
        assert set(sentence.sources) <= known
        assert sentence.text.endswith(".")


def test_numbers_of_the_lungs_by_hand():
    _, found = sentences(examples.lungs)
    assert of_section(found, "measurements") == [
        "Volume, Right lung: 2845 mL (± 31.2 mL, 95 % interval), by rule region-volume 1.0.0.",
        "Volume, Left lung: 2411 mL, by rule region-volume 1.0.0.",
        "Mean attenuation, Left lung: -861 HU, by rule mean-attenuation 1.0.0.",
    ]
    (technique,) = of_section(found, "technique")
    assert "24 slices of 40 x 32 pixels, 2 mm apart, axial, pixel 1 x 1 mm" in technique
    assert "tube voltage 120 kV" in technique
    assert "kernel B30f" in technique
    assert "contrast agent not stated" in technique


def test_classes_are_said_with_their_probability_and_absence_without_doubt():
    _, found = sentences(examples.tumour)
    assert of_section(found, "impression") == [
        "Meningioma, brain: present, probability 95.3 %.",
        "Absent: Glioma, brain.",
    ]


def test_findings_of_equal_words_are_counted():
    _, found = sentences(examples.uptake)
    assert of_section(found, "impression") == ["Focal tracer uptake: indeterminate (5 findings)."]


def test_most_urgent_comes_first():
    one = Finding("a", codes.LESION, "absent", "Not seen.")
    two = Finding("b", codes.LESION, "indeterminate", "Perhaps.", urgency=Urgency.U1)
    three = Finding("c", codes.LESION, "present", "Seen.", probability=0.7, calibrator="c")
    four = replace(three, name="d", probability=0.9)
    assert [finding.name for finding in by_weight([one, three, four, two])] == ["b", "d", "c", "a"]
    (first, *_) = impression(Reading.complete(findings=[one, two]))
    assert first.text == "Lesion: indeterminate; to be acted on within minutes (U1)."


def test_refused_reading_claims_nothing():
    reading, study = examples.refused()
    found = write_sentences(reading, None, main_series(reading, None, study))
    assert of_section(found, "impression") == ["No reading was made, for the reasons given below."]
    assert not of_section(found, "findings") + of_section(found, "measurements")
    assert "Add it and read again." in " ".join(of_section(found, "limitations"))


def test_partial_reading_says_so_and_measuring_is_no_finding():
    reading, _, _ = examples.lungs()
    texts = [s.text for s in impression(replace(reading, findings=()).as_partial())]
    assert texts[0].startswith("Right lung: volume 2845 mL.")
    assert "This application measures and states no finding." in texts
    assert texts[-1].startswith("The input was incomplete: this reading is partial")


def test_nothing_is_compared_or_recommended():
    for make in (examples.lungs, examples.tumour, examples.uptake):
        _, found = sentences(make)
        said = " ".join(sentence.text.lower() for sentence in found)
        assert not [word for word in ("recommend", "compared with", "prior", "unchanged") if word in said]
