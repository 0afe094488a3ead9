"""Bias: a fault put in is found, chance is not, small groups stay unsaid, and remedies are judged on other patients."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from tests.evaluation.audit.made_predictions import made_table

from hounsfield.cli.schemas import command_schema
from hounsfield.core.errors import UsageError
from hounsfield.evaluation import Columns, read_prediction_table
from hounsfield.evaluation.audit import audit_bias, audit_record, bias_sections
from hounsfield.evaluation.audit.bias import too_few
from hounsfield.evaluation.audit.group_figures import LabelCases, figures_by_group
from hounsfield.evaluation.audit.groups import ALL, groups_of
from hounsfield.evaluation.audit.remedies import try_remedies
from hounsfield.metrics import delong, holm


def _cases(table, threshold=0.5):
    patient = np.unique(table.patients, return_inverse=True)[1]
    return LabelCases(table.labels[0], table.truth[0], table.probability[0], patient, threshold)


def _of(figures, column, value):
    return next(one for one in figures if (one.group.column, one.group.value) == (column, value))


def test_rates_are_those_counted_by_hand():
    table = made_table(1)
    cases = _cases(table)
    own = _of(
        figures_by_group(cases, groups_of(table), rng=np.random.default_rng(0), n_resamples=20), "sex", "F"
    )
    women, men = table.groups["sex"] == "F", table.groups["sex"] == "M"
    truth, called = cases.truth, cases.probability >= 0.5
    missed = [(~called[part & truth]).mean() for part in (women, men)]
    assert own.figures["false_negative_rate"].value == pytest.approx(missed[0])
    assert own.differences["false_negative_rate"].interval.value == pytest.approx(missed[0] - missed[1])
    assert own.figures["false_positive_rate"].value == pytest.approx(called[women & ~truth].mean())
    assert own.figures["ppv"].value == pytest.approx(truth[women & called].mean())
    apart = truth[women].mean() - cases.probability[women].mean()
    assert own.figures["observed_minus_stated"].value == pytest.approx(apart)


def test_area_and_its_interval_are_delongs_where_each_case_is_a_patient():
    table = made_table(2, per_patient=1, n_patients=300)
    cases = _cases(table)
    figures = figures_by_group(cases, groups_of(table), rng=np.random.default_rng(0), n_resamples=20)
    expected = delong(cases.truth, cases.probability).interval()
    found = _of(figures, ALL, ALL).figures["auroc"]
    assert found.value == pytest.approx(expected.value)
    assert found.low == pytest.approx(expected.low, abs=5e-4)
    part = [table.groups["sex"] == sex for sex in "FM"]
    test = delong(cases.truth[part[0]], cases.probability[part[0]]).unpaired(
        delong(cases.truth[part[1]], cases.probability[part[1]])
    )
    assert _of(figures, "sex", "F").differences["auroc"].p == pytest.approx(test.p, abs=0.01)


def test_tests_hold_their_level_on_tables_without_bias():
    # 300 tables of 110 patients with two films each: groups near the smallest that are judged, alike within patients.
    n_tables, by_figure, any_found = 300, {}, 0
    for seed in range(n_tables):
        table = made_table(1000 + seed, n_patients=110)
        figures = figures_by_group(
            _cases(table), groups_of(table), rng=np.random.default_rng(0), n_resamples=2
        )
        tested = [one for one in figures if not one.group.is_mirror]
        own = [(name, apart.p) for one in tested for name, apart in one.differences.items()]
        for name, p in own:
            by_figure.setdefault(name, []).append(p < 0.05)
        any_found += bool((holm(np.array([p for _, p in own])) < 0.05).any())
    # 15 expected at most; 1 in 500 sets of 300 tables has more than 27.
    assert any_found <= 27
    for name, rejected in by_figure.items():
        assert len(rejected) > 150, name
        assert np.mean(rejected) < 0.075, (name, np.mean(rejected))


def test_women_who_are_called_too_rarely_are_found_and_named():
    audit = audit_bias(made_table(3, n_patients=600, undercalled=1.2), n_resamples=200)
    found = [one for one in audit.tests if one.is_found and one.name == "false_negative_rate"]
    assert found[0].figures.group.column == "sex"
    assert found[0].figures.group.value == "F"
    assert found[0].interval.low > 0.05
    sections = {one.key: one for one in bias_sections(audit)}
    assert sections["under-diagnosis"].verdict == "found"
    assert "nodule, sex F: false-negative rate differs by 0." in sections["under-diagnosis"].said[0]


def test_a_table_without_bias_is_clear_and_says_how_large_a_gap_could_hide():
    sections = bias_sections(audit_bias(made_table(4), n_resamples=200))
    assert [one.verdict for one in sections] == ["clear"] * 4
    assert "could still be as large as 0." in sections[1].said[0]


def test_a_threshold_per_group_closes_the_gap_on_patients_it_was_not_fitted_on():
    table = made_table(5, n_patients=1500, undercalled=1.2)
    audit = audit_bias(table, thresholds={"nodule": 0.5}, n_resamples=300)
    tried = {one.name: one for one in audit.remedies["nodule", "sex"]}
    assert set(tried) == {
        "as-it-is",
        "threshold-per-group",
        "calibration-per-group",
    }  # one label: no last layer
    assert tried["as-it-is"].outcomes["gap"].low > 0.1
    closed = tried["threshold-per-group"]
    assert abs(closed.outcomes["gap"].value) < 0.06
    assert closed.changes["gap"].high < -0.1
    assert closed.changes["false_positive_rate"].value > 0  # it costs false alarms
    assert tried["calibration-per-group"].changes["brier"].high < 0.002


def test_a_remedy_on_noise_gains_nothing():
    # Fitted on what it is judged on, a rule per group would seem to help here.
    rng = np.random.default_rng(6)
    table = made_table(6, n_patients=120, labels=("a", "b"))
    cases = _cases(table)
    cases = replace(cases, probability=rng.random(cases.truth.size))
    groups = [one for one in groups_of(table, crossed=False) if one.column == "sex"]
    logits = rng.normal(size=(cases.truth.size, 2))
    tried = try_remedies(cases, groups, ("F", "M"), logits, rng=rng, n_resamples=200)
    assert [one.name for one in tried][-1] == "reweighted"
    base = float(cases.truth.mean() * (1 - cases.truth.mean()))
    assert all(one.outcomes["brier"].value > base - 0.005 for one in tried[2:])


def test_groups_of_few_patients_are_named_and_nothing_else_is_said_of_them():
    table = made_table(7)
    sex = table.groups["sex"].copy()
    sex[:12] = "X"
    table = replace(table, groups={"sex": sex})
    audit = audit_bias(table, n_resamples=100)
    assert too_few(audit) == ["sex: X"]
    sections = bias_sections(audit)
    assert "not shown: sex: X" in " ".join(sections[0].said)
    hidden = [one for one in sections[0].record["labels"]["nodule"] if one["value"] == "X"]
    assert hidden == [{"column": "sex", "value": "X", "n": None, "withheld": "fewer than 20 patients"}]
    assert not any(
        "sex: X" in text for one in sections for table in one.tables for row in table.rows for text in row
    )


def test_two_values_are_one_test_and_pairs_of_columns_are_groups():
    table = made_table(8)
    audit = audit_bias(table, n_resamples=100)
    tested = {(one.figures.group.column, one.figures.group.value) for one in audit.tests}
    assert {value for column, value in tested if column == "sex"} == {"F"}
    assert {value for column, value in tested if column == "sex, view"} == {
        "F, AP",
        "F, PA",
        "M, AP",
        "M, PA",
    }
    assert not any(
        one.figures.group.is_crossed for one in audit_bias(table, crossed=False, n_resamples=100).tests
    )


def test_the_gap_moves_with_the_threshold():
    audit = audit_bias(made_table(9, n_patients=800, undercalled=1.5), n_resamples=200)
    effect = next(one for one in audit.effects if one.column == "sex")
    assert (effect.missed, effect.caught) == ("F", "M")
    gaps = [interval.value for _, interval in effect.gap.values()]
    assert max(gaps) > 2 * gaps[0] > 0  # where hardly any case is called, all are missed alike
    assert "<polyline" in effect.chart()


def test_the_record_fits_the_schema_and_the_seed_decides_it():
    table = made_table(10, labels=("a", "b"))
    record = audit_record(bias_sections(audit_bias(table, n_resamples=100)), title="t")
    jsonschema.Draft202012Validator(command_schema("audit")).validate(record)
    again = audit_record(bias_sections(audit_bias(table, n_resamples=100)), title="t")
    assert json.dumps(record) == json.dumps(again)


@pytest.mark.parametrize(
    ("change", "thresholds", "says"),
    [
        ({"groups": {}}, None, "no column of groups was named"),
        ({"groups": {"site": np.full(400, "A")}}, None, "column 'site' has 1 values"),
        ({}, {"mass": 0.5}, "a threshold for mass, but no such label: nodule"),
    ],
)
def test_what_cannot_be_audited_is_refused_and_told(change, thresholds, says):
    with pytest.raises(UsageError, match=says):
        audit_bias(replace(made_table(11), **change), thresholds=thresholds)


@pytest.mark.real_data
@pytest.mark.slow
def test_view_is_the_strong_effect_in_real_predictions(real_data):
    """README of chexnet_predictions: effusion AP 0.8391, PA 0.9074; cardiomegaly AP 0.8460, PA 0.9339."""
    table = read_prediction_table(
        Path(real_data) / "chexnet_predictions" / "predictions.csv.gz",
        None,
        Columns(probability_prefix="prob_", groups=("sex", "view")),
    )
    kept = [table.labels.index(name) for name in ("Effusion", "Cardiomegaly")]
    table = replace(
        table,
        labels=tuple(table.labels[k] for k in kept),
        truth=table.truth[kept],
        known=table.known[kept],
        probability=table.probability[kept],
    )
    audit = audit_bias(table, n_resamples=200)
    by_key = {one.key: one for one in audit.figures}
    for label, view, area in [
        ("Effusion", "AP", 0.8391),
        ("Effusion", "PA", 0.9074),
        ("Cardiomegaly", "AP", 0.8460),
        ("Cardiomegaly", "PA", 0.9339),
    ]:
        assert by_key[label, "view", view].figures["auroc"].value == pytest.approx(area, abs=5e-5)
    missed = [one for one in audit.tests if one.is_found and one.name == "false_negative_rate"]
    assert ("Effusion", "view", "AP") in {one.figures.key for one in missed}
