"""Drift of a window and of a stream: planted shifts are found, and the stated rate of false alarms is held."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from benchmarks.drift import SHIFTS, made_cases, real_rates, stream_rates, window_rates
from scipy.stats import binom
from tests.cli.test_command import hu

from hounsfield.cli.schemas import command_schema
from hounsfield.core.errors import UsageError
from hounsfield.evaluation.audit import (
    CaseLine,
    DriftOptions,
    LabelLine,
    append_record,
    split_windows,
    stream_section,
    watch_stream,
    watch_windows,
    window_section,
)


def two_windows(shift=None, n_patients=200):
    rng = np.random.default_rng(1)
    return made_cases(n_patients, rng), made_cases(n_patients, rng, name="b", shift=shift)


def alarms(monitors):
    return {(one.subject, one.name) for one in monitors if one.adjusted <= 0.05}


def test_every_column_is_a_monitor_and_nothing_is_found_without_a_change():
    monitors = watch_windows(*two_windows(), DriftOptions(thresholds={"nodule": 0.5}))
    assert [(one.subject, one.name) for one in monitors] == [
        ("input", "guard_distance"),
        ("input", "grey_mean"),
        ("input", "age_years"),
        ("gate", "rotated"),
        ("acquisition", "scanner"),
        ("acquisition", "view"),
        ("answer", "nodule"),
        ("answer", "nodule at 0.5"),
        ("calibration", "nodule: level"),
        ("calibration", "nodule: slope"),
        ("performance", "nodule"),
    ]
    assert not alarms(monitors)


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        ("input up by 0.5 SD", ("input", "guard_distance")),
        ("new scanner for 20 % of patients", ("acquisition", "scanner")),
        ("answers too high by 1.0 in the logit", ("answer", "nodule")),
    ],
)
def test_a_planted_shift_is_found_where_it_was_planted(shift, expected):
    monitors = watch_windows(*two_windows(SHIFTS[shift]))
    assert expected in alarms(monitors)


def test_patients_of_the_reference_do_not_count_in_the_window():
    cases = made_cases(40, np.random.default_rng(0))
    first = np.isin(np.arange(len(cases)), np.unique(cases.patients, return_index=True)[1])
    known = first & (np.arange(len(cases)) < len(cases) // 2)
    reference, window, n_left_out = split_windows(cases, known)
    assert not set(reference.patients) & set(window.patients)
    assert len(reference) + len(window) + n_left_out == len(cases)
    with pytest.raises(UsageError, match="Choose another date"):
        split_windows(cases, np.ones(len(cases), dtype=bool))


def test_what_too_few_patients_state_is_told_and_not_judged():
    reference, window = two_windows(n_patients=15)
    section = window_section(reference, window)
    assert section.verdict == "too few"
    assert all("20 are needed" in row[-1] for row in section.tables[0].rows)


def test_another_model_is_a_reason_to_look():
    reference, window = two_windows()
    window.models[:] = "n"
    section = window_section(reference, window)
    assert section.verdict == "look"
    assert "another model (n)" in section.said[0]


def test_a_level_that_cannot_be_reached_is_refused():
    with pytest.raises(UsageError, match=r"Give a level of 0\.001 or more"):
        watch_windows(*two_windows(), DriftOptions(level=0.0005))


def test_missing_labels_are_told_with_what_the_model_said_of_them():
    reference, window = two_windows()
    window.labels["nodule"][window.scores["nodule"] > 0.1] = np.nan
    said = " ".join(window_section(reference, window).said)
    assert "have no label yet; mean answer" in said
    window.labels["nodule"][:] = np.nan
    monitors = {(one.subject, one.name): one for one in watch_windows(reference, window)}
    assert "0 patients of the window state it" in monitors["performance", "nodule"].why_not


def test_equal_seeds_give_equal_records():
    first, second = (window_section(*two_windows()) for _ in range(2))
    assert json.dumps(first.record) == json.dumps(second.record)


def test_vectors_are_watched_and_large_windows_sampled_by_patient():
    reference, window = two_windows(n_patients=500)
    rng = np.random.default_rng(0)
    reference = replace(reference, vectors=rng.normal(size=(len(reference), 3)))
    window = replace(window, vectors=rng.normal([0.8, 0, 0], 1, (len(window), 3)))
    assert ("input", "features of the network") in alarms(watch_windows(reference, window))


def test_stream_raises_an_alarm_after_the_change_and_says_when():
    rng = np.random.default_rng(1)
    reference = made_cases(300, rng)
    stream = made_cases(400, rng, name="b", shift=SHIFTS["input up by 0.5 SD"])
    section = stream_section(reference, stream)
    assert section.verdict == "found"
    assert "input: guard_distance after" in section.said[0]
    found = {track.name: track.alarm for track in watch_stream(reference, stream)}
    assert found["guard_distance"] is not None
    assert found["age_years"] is None


def test_command_compares_with_a_date_and_with_another_record(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(2)
    path, other = tmp_path / "cases.jsonl", tmp_path / "before.jsonl"
    for number in range(120):
        late = number >= 60
        time = f"2026-{3 if late else 1:02d}-{1 + number % 28:02d}"
        lines = [
            CaseLine(
                f"c{number}", f"p{number}", time, scores={"nodule": float(rng.random() / (1 if late else 4))}
            ),
            LabelLine(f"c{number}", time, {"nodule": bool(rng.random() < 0.4)}),
        ]
        append_record(path, lines)
        if not late:
            append_record(other, lines)
    for how in (("--reference-until", "2026-02-01"), ("--reference", str(other))):
        words = ("audit", "drift", path, *how, "--out", tmp_path / "out", "--json")
        status, said, complaint = hu(monkeypatch, capsys, *words)
        assert status == 0, complaint
        found = json.loads(said)
        jsonschema.validate(found, command_schema("audit"))
        assert [one["verdict"] for one in found["sections"]] == ["found", "found"]
    assert "answer: nodule" in (tmp_path / "out" / "audit.html").read_text(encoding="utf-8")
    for how, message in (
        (("--reference-until", "May"), "is no day of the form"),
        ((), "say what the reference is"),
    ):
        status, _, complaint = hu(monkeypatch, capsys, "audit", "drift", path, *how)
        assert status == 2
        assert message in complaint


@pytest.mark.slow
def test_audits_of_unchanged_windows_keep_their_level():
    n_runs = 300
    n_alarms, _ = window_rates(n_runs, {}, n_permutations=499)
    assert n_alarms <= binom.interval(0.999, n_runs, 0.05)[1]


@pytest.mark.slow
def test_streams_without_a_change_keep_their_level_over_all_looks():
    n_runs = 200
    n_alarms, _ = stream_rates(n_runs, {}, n_patients=300)
    assert n_alarms <= binom.interval(0.999, n_runs, 0.05)[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shift", "least"),
    [("input up by 0.3 SD", 0.6), ("prevalence 10 % to 20 %", 0.9), ("new scanner for 5 % of patients", 0.8)],
)
def test_planted_shifts_are_found_in_most_audits(shift, least):
    assert window_rates(30, SHIFTS[shift])[0] >= least * 30


@pytest.mark.slow
@pytest.mark.real_data
def test_random_halves_of_real_patients_are_clear_and_changed_ones_are_not(real_data):
    rates = {row[0].split(":")[0]: float(row[1].split("%")[0]) for row in real_rates(real_data, 20)}
    assert rates["none"] <= 20
    assert rates["case mix"] >= 90
    assert rates["network D instead of A"] >= 50
