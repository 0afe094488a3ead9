"""What must not exist cannot be constructed: numbers without unit, probabilities without calibrator."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hounsfield.core import Code, Condition, Finding, Grid, Image, Measurement, Reading, Region, Role
from hounsfield.core.application import Needs
from hounsfield.core.code import LUNG, VOLUME
from hounsfield.core.errors import GeometryError, UsageError
from hounsfield.core.progress import Silent, step
from hounsfield.core.region import bounding_box_index
from hounsfield.core.uid import derive_uid

GRID = Grid((2, 3, 4))


def test_measurement_needs_a_known_unit_a_rule_and_a_finite_value():
    with pytest.raises(ValueError, match="UNIT_SIGNS"):
        Measurement("volume", VOLUME, 1.0, "litres", "region-volume", "1")
    with pytest.raises(ValueError, match="no rule"):
        Measurement("volume", VOLUME, 1.0, "ml", "", "1")
    with pytest.raises(ValueError, match="state a Condition"):
        Measurement("volume", VOLUME, float("nan"), "ml", "region-volume", "1")


def test_probability_needs_its_calibrator_and_lies_between_0_and_1():
    with pytest.raises(ValueError, match="calibrator"):
        Finding("lung", LUNG, "present", "Seen.", probability=0.4)
    with pytest.raises(ValueError, match="outside"):
        Finding("lung", LUNG, "present", "Seen.", probability=1.2, calibrator="temperature")
    with pytest.raises(ValueError, match="no reason"):
        Finding("lung", LUNG, "present", " ")


def test_refused_reading_states_a_refusal_and_holds_no_result():
    with pytest.raises(ValueError, match="states no refusal"):
        Reading("refused", conditions=(Condition("a-note", "note", "Only a note."),))
    refusal = Condition("too-bad", "refusal", "Cannot be read.")
    with pytest.raises(ValueError, match="nothing is computed"):
        Reading("refused", findings=(Finding("lung", LUNG, "present", "Seen."),), conditions=(refusal,))
    assert Reading.refused(refusal).status == "refused"


def test_reading_refuses_measurements_of_unknown_regions_and_twins():
    lost = Measurement("volume", VOLUME, 1.0, "ml", "region-volume", "1", regions=("nowhere",))
    with pytest.raises(ValueError, match="unknown regions"):
        Reading.complete(measurements=[lost])
    region = Region("lung", LUNG, GRID, np.zeros(GRID.shape, dtype=bool))
    with pytest.raises(ValueError, match="share a name"):
        Reading.complete(regions=[region, region])


def test_reading_is_json_without_nan():
    region = Region("lung", LUNG, GRID, np.ones(GRID.shape, dtype=bool))
    volume = Measurement("volume", VOLUME, 1.5, "ml", "region-volume", "1", regions=("lung",))
    reading = Reading.complete(measurements=[volume], regions=[region])
    record = json.loads(json.dumps(reading.to_json(), allow_nan=False))
    assert record["status"] == "complete"
    assert record["measurements"][0]["value"] == 1.5
    assert record["regions"][0]["box_index_zyx"] == [[0, 0, 0], [1, 2, 3]]
    assert "Research use only" in record["notice"]


def test_region_mask_must_lie_on_its_grid():
    with pytest.raises(GeometryError, match="its grid"):
        Region("lung", LUNG, GRID, np.zeros((2, 3, 5), dtype=bool))
    with pytest.raises(ValueError, match="booleans"):
        Region("lung", LUNG, GRID, np.zeros(GRID.shape, dtype=np.uint8))
    assert bounding_box_index(np.zeros((2, 2), dtype=bool)) is None


def test_image_must_lie_on_its_grid():
    with pytest.raises(GeometryError, match="does not lie"):
        Image(np.zeros((2, 3, 5)), GRID, "1")
    colour = Image(np.zeros((2, 3, 4, 3), dtype=np.uint8), GRID, "1")
    assert colour.is_colour
    assert not Image(np.zeros(GRID.shape), GRID, "1").is_colour


def test_codes_conditions_and_needs_are_checked():
    with pytest.raises(ValueError, match="longer than DICOM"):
        Code("1", "A-SCHEME-THAT-IS-TOO-LONG", "meaning")
    with pytest.raises(ValueError, match="kebab"):
        Condition("Not Kebab", "note", "text")
    with pytest.raises(ValueError, match="severity"):
        Condition("a-code", "fatal", "text")
    with pytest.raises(UsageError, match="required image"):
        Needs((Role("a", optional=True),))


def test_uids_are_stable_and_depend_on_every_part():
    assert derive_uid("a", "b") == derive_uid("a", "b")
    assert derive_uid("ab", "c") != derive_uid("a", "bc")
    uid = derive_uid("reading")
    assert uid.startswith("2.25.")
    assert len(uid) <= 44


def test_progress_that_asks_to_stop_is_obeyed():
    from hounsfield.core.errors import Cancelled

    class Stopping(Silent):
        def should_stop(self) -> bool:
            return True

    step(Silent(), "reading", 0.5)
    with pytest.raises(Cancelled, match="'reading'"):
        step(Stopping(), "reading", 0.5)
