"""Fixtures B8: cardiothoracic ratio."""

from __future__ import annotations

from hounsfield.measures import HeartAndThoraxWidth, ctr

VIEWS = {"PA erect adult": "PA erect", "AP supine": "AP supine"}


def evaluate_ctr(given):
    outcome = ctr(HeartAndThoraxWidth(**{**given, "view": VIEWS[given["view"]]}))
    return {"ctr": outcome.value("ctr"), "state": outcome.category("ctr-state") or "not classified (view)"}


EVALUATIONS = {"B8": (("ctr",), evaluate_ctr)}
