"""What a reading may tell of its own sureness, and what not."""

from __future__ import annotations

import jsonschema
import pytest

from hounsfield.core import Agreement, Certainty, Condition, Finding, GuardVerdict, PossibleSet, Reading
from hounsfield.core.code import GLIOMA
from hounsfield.results import schema

REFUSAL = Condition("too-far", "refusal", "Not of this kind.")
GUARD = GuardVerdict(1.2, 1.45)
WHOLE = Certainty(
    GUARD,
    Agreement("copies", 8, 0.4, 0.02, 0.8, 0.5, 120),
    PossibleSet(("glioma",), 0.9, "lac", 15, "patients", 0.95, 0.9, 1.0),
    "identity",
)


def seen(name="glioma"):
    return Finding(name, GLIOMA, "indeterminate", "Seen.")


def record(certainty, **parts):
    reading = Reading.complete(findings=[seen()], **parts).with_certainty(certainty).to_json()
    reading["application"] = "test"
    return reading


@pytest.mark.parametrize("certainty", [None, Certainty(), Certainty(guard=GUARD), WHOLE])
def test_every_certainty_fits_the_published_schema(certainty):
    jsonschema.validate(record(certainty), schema())


def test_a_document_of_an_older_version_without_certainty_still_fits_the_schema():
    old = record(None)
    del old["certainty"]
    jsonschema.validate(old, schema())


def test_a_picture_at_the_limit_is_known_and_one_beyond_it_foreign():
    assert [GuardVerdict(d, 1.45).verdict for d in (1.2, 1.45, 1.46)] == ["known", "known", "foreign"]


def test_refused_reading_states_the_guard_and_nothing_that_is_a_result():
    reading = Reading.refused(REFUSAL, certainty=WHOLE.of_guard_alone())
    assert reading.certainty == Certainty(guard=GUARD)
    with pytest.raises(ValueError, match="guard's verdict"):
        Reading.refused(REFUSAL, certainty=WHOLE)


def test_set_must_name_findings_of_the_reading():
    with pytest.raises(ValueError, match="unknown findings"):
        Reading.complete(findings=[seen("other")]).with_certainty(WHOLE)
    renamed = WHOLE.renamed({"glioma": "other"})
    assert Reading.complete(findings=[seen("other")]).with_certainty(renamed).certainty.possible.names == (
        "other",
    )


def test_renaming_a_certainty_without_set_changes_nothing():
    assert Certainty(guard=GUARD).renamed({}) == Certainty(guard=GUARD)
