"""A course follows a lesion over readings, without dates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hounsfield.core import Condition, Course, Finding, Measurement, Reading, TimePoint
from hounsfield.core.code import LESION, VOLUME
from hounsfield.core.errors import RefusedInput


def reading_of(application="growth", **volumes_ml):
    findings = [
        Finding(
            f"lesion-{name}",
            LESION,
            "present",
            "It was measured.",
            tracking_identifier=name,
            measurements=(
                Measurement("volume", VOLUME, ml, "ml", rule="region-volume", rule_version="1.0.0"),
            ),
        )
        for name, ml in volumes_ml.items()
    ]
    return replace(Reading.complete(findings=findings), application=application)


def course_of(*points):
    return Course(tuple(TimePoint(day, reading) for day, reading in points))


def test_lesion_is_followed_where_it_was_measured():
    course = course_of((0, reading_of(a=1.0)), (90, reading_of(b=3.0)), (200, reading_of(a=2.0, b=4.0)))
    assert [(day, m.value) for day, m in course.followed("a", "volume")] == [(0, 1.0), (200, 2.0)]
    assert course.followed("a", "diameter") == ()
    assert course.lesions == ("a", "b")


@pytest.mark.parametrize("days", [(), (1, 2), (0, 0), (0, 90, 60)])
def test_days_begin_with_0_and_rise(days):
    with pytest.raises(RefusedInput, match="begin with 0 and rise"):
        course_of(*((day, reading_of(a=1.0)) for day in days))


def test_refused_reading_is_no_time_point():
    refused = Reading.refused(Condition("image-is-uniform", "refusal", "Nothing to read."))
    with pytest.raises(RefusedInput, match="day 90 was refused"):
        course_of((0, reading_of(a=1.0)), (90, refused))


def test_readings_of_two_applications_are_no_course():
    with pytest.raises(RefusedInput, match="growth and other"):
        course_of((0, reading_of(a=1.0)), (90, reading_of("other", a=1.0)))
