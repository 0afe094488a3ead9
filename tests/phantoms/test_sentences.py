"""Reports say their findings, no more and no less, in words that a reader finds again."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hounsfield.core.errors import UsageError
from hounsfield.phantoms.sentences import (
    BY_NAME,
    CONDITIONS,
    SIDES,
    TEMPLATES,
    ReportParameters,
    Statement,
    make_reports,
    write_report,
)

DENIAL = re.compile(r"\b(no|not|without|neither|nor|negative|resolved)\b", re.IGNORECASE)
# Words of denial in sentences that deny nothing.
NO_DENIAL = re.compile(r"No change of|cannot be excluded")
DOUBT = re.compile(r"\b(possible|cannot be excluded|may represent|suspected|question of)\b", re.IGNORECASE)
PAST = re.compile(r"\b(history|status post|known from the past)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def reports():
    return make_reports(ReportParameters(seed=5, n_reports=600))


@pytest.fixture(scope="module")
def sentences(reports):
    return [sentence for report in reports for sentence in report.sentences]


def mentioned(text):
    """Conditions that have a word in the text."""
    bare = {c.name: [word.removeprefix("a ") for word in c.words] for c in CONDITIONS}
    return {name for name, words in bare.items() if any(word in text.lower() for word in words)}


def test_equal_seeds_give_equal_reports_and_more_leave_the_first_as_they_are(reports):
    assert make_reports(ReportParameters(seed=5, n_reports=30)) == reports[:30]
    assert make_reports(ReportParameters(seed=6, n_reports=30)) != reports[:30]


def test_sentences_name_their_conditions_and_no_other(sentences):
    for sentence in sentences:
        assert mentioned(sentence.text) == {said.condition for said in sentence.statements}


def test_denied_findings_are_labelled_absent_and_only_these(sentences):
    for sentence in sentences:
        is_denied = DENIAL.search(NO_DENIAL.sub("", sentence.text)) or "no longer" in sentence.text
        states = {said.state for said in sentence.statements}
        assert bool(is_denied) == (states == {"absent"})


def test_hedged_and_past_findings_have_labels_of_their_own(sentences):
    for sentence in sentences:
        states = {said.state for said in sentence.statements}
        assert bool(DOUBT.search(sentence.text)) == (states == {"uncertain"})
        assert bool(PAST.search(sentence.text)) == (states == {"history"})


def test_words_of_the_side_stand_with_its_finding(sentences):
    for sentence in sentences:
        sides = {side for side in SIDES if side in sentence.text.lower().split()}
        assert sides == {said.side for said in sentence.statements if said.side is not None}


def test_comparison_phrases_stand_with_their_change(sentences):
    words = {
        "new": r"\bnew\b",
        "larger": r"increase",
        "smaller": r"decrease",
        "unchanged": r"unchanged|stable|no change",
        "resolved": r"resolved|no longer",
    }
    for change, pattern in words.items():
        said = {
            bool(re.search(pattern, s.text, re.IGNORECASE))
            for s in sentences
            for one in s.statements
            if one.change == change
        }
        assert said == {True}
        others = [s.text for s in sentences if all(one.change != change for one in s.statements)]
        assert not [text for text in others if re.search(pattern, text, re.IGNORECASE)]


def test_two_denials_in_one_sentence_are_two_labels(sentences):
    joint = [sentence for sentence in sentences if len(sentence.statements) == 2]
    assert len(joint) > 50
    for sentence in joint:
        assert [said.state for said in sentence.statements] == ["absent", "absent"]
    apart = make_reports(ReportParameters(seed=5, n_reports=50, joint_share=0.0))
    assert max(len(s.statements) for report in apart for s in report.sentences) == 1


def test_every_kind_of_statement_and_every_condition_occurs(reports):
    statements = [said for report in reports for said in report.statements]
    assert {(said.state, said.change) for said in statements} == set(TEMPLATES)
    assert {said.condition for said in statements} == set(BY_NAME)


def test_states_have_the_asked_shares(reports):
    states = [s.state for r in reports for s in r.statements if not BY_NAME[s.condition].is_device]
    for state, share in zip(
        ("present", "absent", "uncertain", "history"), (0.35, 0.4, 0.15, 0.1), strict=True
    ):
        error = np.sqrt(share * (1 - share) / len(states))
        assert abs(states.count(state) / len(states) - share) < 4 * error


def test_each_condition_is_mentioned_once_and_filler_states_nothing(reports):
    for report in reports:
        names = [said.condition for said in report.statements]
        assert len(names) == len(set(names)) == len(report.states)
        assert sum(not sentence.statements for sentence in report.sentences) == 1


def test_given_statements_come_back_in_their_order():
    given = (
        Statement("pleural-effusion", "present", "left", "larger"),
        Statement("pneumothorax", "absent"),
        Statement("lung-lesion", "absent"),
        Statement("oedema", "uncertain"),
    )
    report = write_report(given, np.random.default_rng(1), joint_share=1.0)
    assert report.statements == given
    assert len(report.sentences) == 3
    assert report.states["pneumothorax"] == "absent"


def test_articles_and_numbers_of_words():
    def texts(*said):
        rng = np.random.default_rng(2)
        return {write_report([Statement(*said)], rng).text for _ in range(200)}

    assert "There is a left pneumothorax." in texts("pneumothorax", "present", "left")
    assert "There are rib fractures." in texts("fracture", "present")
    assert "Rib fractures are not seen." in texts("fracture", "absent")
    assert "There is consolidation." in texts("consolidation", "present")


def test_reports_say_that_they_are_synthetic(reports):
    assert "Synthetic" in reports[0].label
    assert "Research use only" in reports[0].label


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (("gallstones", "present"), "is no condition; choose one of"),
        (
            ("pneumonia", "uncertain", None, "larger"),
            "no sentence says that pneumonia is uncertain and larger",
        ),
        (("cardiomegaly", "present", "left"), "cardiomegaly can be on no side, and left was stated"),
        (("pneumothorax", "present", "bilateral"), "on left, right, and bilateral was stated"),
        (("support-devices", "uncertain"), "no sentence says that support-devices is uncertain"),
    ],
)
def test_what_no_sentence_can_say_is_refused(said, message):
    with pytest.raises(UsageError, match=message):
        Statement(*said)


@pytest.mark.parametrize("wrong", [{"n_statements": (3, 99)}, {"shares": (0.5, 0.2, 0.2, 0.2)}])
def test_parameters_outside_their_range_are_refused(wrong):
    with pytest.raises(UsageError, match=rf"{next(iter(wrong))} is .* outside"):
        ReportParameters(**wrong)
