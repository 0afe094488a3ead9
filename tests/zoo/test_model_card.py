"""The card: impossible statements cannot be made."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tests.tiny_bundle import tiny_card

from hounsfield.zoo import AuditNote, AuditSummary, Calibrator, Estimate, Figure, Preprocessing, Threshold
from hounsfield.zoo.card_text import readme_text


def threshold(present_from=0.7, absent_to=0.1):
    return Threshold(present_from=present_from, absent_to=absent_to, chosen_on="tune", purpose="tests")


CALIBRATOR = Calibrator(name="temperature", parameters={"temperature": 1.5}, fitted_on="tune")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Brain_Tumour"}, "name"),
        ({"name": "../up"}, "name"),
        ({"version": "one"}, "version"),
        ({"split_digest": "abc"}, "split_digest"),
        ({"not_for": []}, "not_for"),
        ({"thresholds": {"glioma": threshold()}}, "names no calibrator"),
        ({"thresholds": {"lymphoma": threshold()}, "calibrator": CALIBRATOR}, "has not: lymphoma"),
        ({"seed": None}, "seed"),
        ({"card_version": "2.0"}, "card_version"),
    ],
)
def test_impossible_cards_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        tiny_card(**changes)


def test_two_classes_of_one_name_are_refused():
    classes = [*tiny_card().classes, tiny_card().classes[0]]
    with pytest.raises(ValidationError, match="two classes share a name"):
        tiny_card(classes=classes)


def test_thresholds_in_the_wrong_order_are_refused():
    with pytest.raises(ValidationError, match=r"absent_to 0\.7 is not below present_from 0\.7"):
        threshold(0.7, 0.7)


def test_interval_that_runs_backwards_is_refused():
    with pytest.raises(ValidationError, match="runs backwards"):
        Estimate(value=0.5, low95=0.6, high95=0.4)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_figures_are_finite(value):
    with pytest.raises(ValidationError, match="finite"):
        Estimate(value=value, low95=0.1, high95=0.2)


def test_percentiles_in_the_wrong_order_are_refused():
    with pytest.raises(ValidationError, match="percentile_low is not below"):
        Preprocessing(size_px=64, percentile_low=99, percentile_high=1)


def test_figure_is_taken_from_data_never_trained_on():
    seen = Figure(name="auroc", value=1.0, low95=1.0, high95=1.0, n=9, n_groups=3, part="train")
    kept = Figure(name="auroc", value=0.9, low95=0.8, high95=0.95, n=9, n_groups=3, part="test")
    card = tiny_card(metrics=[seen, kept])
    assert card.figure("auroc") == kept
    assert tiny_card(metrics=[seen]).figure("auroc") is None


def test_card_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        tiny_card().version = "9.9.9"


def test_audits_stand_in_the_readme_with_their_day_and_none_is_invented():
    note = AuditNote(question="Is it worse for women?", verdict="found", answer="It misses more of them.")
    audit = AuditSummary(kind="bias", made_on="2026-01-02", data="made tables", notes=(note,))
    text = readme_text(tiny_card(audits=(audit,)))
    assert "Audit of bias, 2026-01-02, on made tables:" in text
    assert "- Is it worse for women? **found**: It misses more of them." in text
    assert "## Audits" not in readme_text(tiny_card())


@pytest.mark.parametrize("changes", [{"made_on": "yesterday"}, {"notes": ()}])
def test_an_audit_needs_its_day_and_an_answer(changes):
    note = AuditNote(question="q", verdict="clear", answer="a")
    with pytest.raises(ValidationError):
        AuditSummary.model_validate(
            {"kind": "bias", "made_on": "2026-01-02", "data": "d", "notes": (note,), **changes}
        )
