"""Studies of one patient as visits: never of two, in the order of days, each with its most alike series."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from hounsfield.core import Grid, Needs, Reading, Role, Series, Study
from hounsfield.core.application import Application
from hounsfield.pipeline.visits import by_patient, over_visits, select_visits

GRID = Grid((20, 8, 8), np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [2.0, 0, 0, 0], [0, 0, 0, 1]]))


def application(*, with_regions=False, visits=2):
    roles = [Role("scan", modalities=("CT", "MR"))]
    if with_regions:
        roles.append(Role("lesions", geometry="any", kind="regions"))
    return Application("growth", "Growth", "1.0.0", Needs(tuple(roles), visits), lambda _: Reading.complete())


def image(key, modality="CT", **tags):
    return Series(key, "image", modality, key, unit="HU", grid=GRID, tags=MappingProxyType(tags))


def study(key, date, *series, patient="P1", **tags):
    stated = {"PatientID": patient, "StudyDate": date, **tags}
    return Study(key, series or (image(f"{key}.1"),), key, MappingProxyType(stated))


def codes(selection):
    return [condition.code for condition in selection.refusals]


def test_patients_are_told_apart_by_id_and_issuer():
    studies = [
        study("a", "20240101"),
        study("b", "20240201", patient="P2"),
        study("c", "20240301"),
        study("d", "20240301", IssuerOfPatientID="elsewhere"),
        study("e", "20240401", patient=""),
        study("f", "20240501", patient=""),
    ]
    assert [[one.key for one in group] for group in by_patient(studies)] == [
        ["a", "c"],
        ["b"],
        ["d"],
        ["e"],
        ["f"],
    ]


def test_visits_are_ordered_by_day_and_the_last_one_is_last():
    studies = [study("late", "20240401"), study("first", "20240101"), study("mid", "20240131")]
    (row,) = select_visits(studies, application()).matches
    assert [(visit.study.key, visit.day) for visit in row] == [("first", 0), ("mid", 30), ("late", 91)]


def test_one_study_is_not_meant_and_says_what_is_missing():
    selection = select_visits([study("a", "20240101")], application())
    assert selection.matches == ()
    assert selection.refused_on is None
    (verdict,) = selection.verdicts
    assert [reason.code for reason in verdict.reasons] == ["visits-missing"]
    assert not verdict.was_meant


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        (("20240101", ""), "visit-undated"),
        (("20240101", "x"), "visit-undated"),
        (("20240101",) * 2, "visits-on-one-day"),
    ],
)
def test_days_that_are_not_known_are_refused(dates, code):
    studies = [study(f"s{n}", date) for n, date in enumerate(dates)]
    selection = select_visits(studies, application())
    assert codes(selection) == [code]
    assert selection.refused_on is not None


def test_contradicting_persons_are_refused_and_unstated_ones_are_not():
    one, other = study("a", "20240101", PatientSex="F"), study("b", "20240201", PatientSex="M")
    assert codes(select_visits([one, other], application())) == ["patient-contradicted"]
    unstated = replace(other, tags=MappingProxyType({**other.tags, "PatientSex": ""}))
    assert codes(select_visits([one, unstated], application())) == []


def test_series_most_like_the_last_one_is_compared():
    before = study(
        "a", "20240101", image("a.1", SeriesDescription="lung"), image("a.2", SeriesDescription="soft")
    )
    now = study("b", "20240201", image("b.1", SeriesDescription="soft"))
    (row,) = select_visits([before, now], application()).matches
    assert row[0].match["scan"].key == "a.2"


def test_modalities_are_never_compared_with_each_other():
    studies = [study("a", "20240101"), study("b", "20240201", image("b.1", "MR"))]
    assert codes(select_visits(studies, application())) == ["visits-of-other-modality"]
    studies.append(study("c", "20240301", image("c.1", "MR"), image("c.2", "CT")))
    rows = select_visits(studies, application()).matches
    assert [[visit.match["scan"].key for visit in row] for row in rows] == [["a.1", "c.2"], ["b.1", "c.1"]]


def test_visit_without_needed_regions_is_left_out_and_told():
    def outlined(key, date):
        scan = image(f"{key}.1")
        tags = MappingProxyType({"referenced_series": (scan.key,)})
        return study(key, date, scan, Series(f"{key}.2", "regions", "SEG", grid=GRID, tags=tags))

    studies = [outlined("a", "20240101"), study("b", "20240201"), outlined("c", "20240301")]
    selection = select_visits(studies, application(with_regions=True))
    assert [visit.study.key for visit in selection.matches[0]] == ["a", "c"]
    assert [condition.code for condition in selection.conditions] == ["visit-left-out"]
    alone = select_visits(studies[:2], application(with_regions=True))
    assert (alone.matches, alone.refused_on) == ((), None)


def test_series_of_other_kinds_are_not_meant():
    studies = [
        study(key, date, image(f"{key}.1", "PT")) for key, date in (("a", "20240101"), ("b", "20240201"))
    ]
    selection = select_visits(studies, application())
    assert {reason.code for v in selection.verdicts for reason in v.reasons} == {"modality-not-taken"}
    assert selection.refused_on is None


def test_applications_over_visits_are_known_by_name():
    assert over_visits(["lung_ct", "lesion_growth"]) == ("lesion_growth",)
