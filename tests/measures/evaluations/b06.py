"""Fixtures B6: Fleischner 2017 and the Brock model."""

from __future__ import annotations

from hounsfield.measures import BaselineNodule, IncidentalNodule, brock_2b, fleischner_2017


def evaluate_brock(given):
    named = {("age_years" if name == "age_y" else name): value for name, value in given.items()}
    outcome = brock_2b(BaselineNodule(**named))
    return {"logit": outcome.value("logit"), "probability": outcome.value("cohort-probability")}


EVALUATIONS = {
    "B6": (
        ("fleischner-2017",),
        lambda given: fleischner_2017(IncidentalNodule(**given)).category("follow-up"),
    ),
    "B6b": (("brock-2b",), evaluate_brock),
}
