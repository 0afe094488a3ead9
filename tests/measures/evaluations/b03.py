"""Fixtures B3: RECIST 1.1 and iRECIST."""

from __future__ import annotations

from hounsfield.measures import AfterUnconfirmedProgression, RecistAssessment, irecist_2017, recist_1_1

EVALUATIONS = {
    "B3a": (
        ("recist-1.1",),
        lambda given: recist_1_1(RecistAssessment(**given)).category("target-response"),
    ),
    "B3b": (
        ("recist-1.1",),
        lambda given: recist_1_1(RecistAssessment(**given)).category("overall-response"),
    ),
    "B3c": (
        ("irecist-2017",),
        lambda given: irecist_2017(AfterUnconfirmedProgression(**given)).category("irecist"),
    ),
}
