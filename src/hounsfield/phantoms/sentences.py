"""Synthetic reports (P-REP): lists of findings of the chest with English sentences that say just these, and no more.

Every sentence carries what it states of which finding: present, absent, uncertain, or only known from the past; the
side; the change since the last study. One sentence may deny two findings. The words are templates written for
tests; the conditions are those that labellers of chest reports use (CheXbert, Smit 2020), "no finding" aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.phantoms.dicom_attributes import LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

State = Literal["present", "absent", "uncertain", "history"]
Side = Literal["left", "right", "bilateral"]
Change = Literal["new", "larger", "smaller", "unchanged", "resolved"]
SIDES: tuple[Side, ...] = ("left", "right", "bilateral")


@dataclass(frozen=True, slots=True)
class ChestCondition:
    """What may be found. words: ways to name it, with "a" before what is counted. sides: those that it may be on.

    is_plural: of all its words. is_device: neither doubted nor does it grow or heal.
    """

    name: str
    words: tuple[str, ...]
    sides: tuple[Side, ...] = SIDES
    is_plural: bool = False
    is_device: bool = False


ONE_SIDE: tuple[Side, ...] = ("left", "right")
CONDITIONS = (
    ChestCondition("enlarged-cardiomediastinum", ("mediastinal widening",), ()),
    ChestCondition("cardiomegaly", ("cardiomegaly", "cardiac enlargement"), ()),
    ChestCondition("lung-opacity", ("airspace opacity", "pulmonary opacity")),
    ChestCondition("lung-lesion", ("a pulmonary nodule", "a lung mass"), ONE_SIDE),
    ChestCondition("oedema", ("pulmonary oedema", "interstitial oedema"), ()),
    ChestCondition("consolidation", ("consolidation",)),
    ChestCondition("pneumonia", ("pneumonia",)),
    ChestCondition("atelectasis", ("atelectasis", "volume loss")),
    ChestCondition("pneumothorax", ("a pneumothorax",), ONE_SIDE),
    ChestCondition("pleural-effusion", ("a pleural effusion", "pleural fluid")),
    ChestCondition("pleural-other", ("pleural thickening",)),
    ChestCondition("fracture", ("rib fractures",), is_plural=True),
    ChestCondition("support-devices", ("a chest tube",), ONE_SIDE, is_device=True),
)
BY_NAME = {condition.name: condition for condition in CONDITIONS}

# {the}: the name with its side; {The}: at the beginning; {a}: with its article; {is}, {has}: in its number; {other}: a
# second finding.
TEMPLATES: Mapping[tuple[State, Change | None], tuple[str, ...]] = {
    ("present", None): (
        "There {is} {a}.",
        "{The} {is} seen.",
        "Findings of {the}.",
        "{The}.",
    ),
    ("absent", None): (
        "No {the}.",
        "There is no {the}.",
        "No evidence of {the}.",
        "{The} {is} not seen.",
        "Negative for {the}.",
        "No sign of {the} is present.",
        "The study is without {the}.",
    ),
    ("uncertain", None): (
        "Possible {the}.",
        "{The} cannot be excluded.",
        "Findings may represent {the}.",
        "Suspected {the}.",
        "There is a question of {the}.",
    ),
    ("history", None): (
        "History of {the}.",
        "Status post treatment of {the}.",
        "{The} {is} known from the past.",
    ),
    ("present", "new"): ("New {the}.", "{The} {is} new since the prior study."),
    ("present", "larger"): ("{The} {has} increased since the prior study.", "Interval increase of {the}."),
    ("present", "smaller"): ("{The} {has} decreased since the prior study.", "Interval decrease of {the}."),
    ("present", "unchanged"): (
        "Unchanged {the}.",
        "{The} {is} stable compared with the prior study.",
        "No change of {the}.",
    ),
    ("absent", "resolved"): ("{The} {has} resolved.", "{The} of the prior study {is} no longer seen."),
}
# What can be said of a device.
DEVICE_STATES = (("present", None), ("absent", None), ("present", "new"), ("present", "unchanged"))
JOINT_DENIALS = (
    "No {the} or {other}.",
    "There is no {the} and no {other}.",
    "Neither {the} nor {other} is seen.",
)
# Words that say nothing of any condition.
FILLERS = (
    "Comparison is made with the prior study.",
    "The image quality is good.",
    "The patient is slightly rotated.",
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said of one condition, by its name in CONDITIONS. Raises UsageError for what no sentence can say."""

    condition: str
    state: State
    side: Side | None = None
    change: Change | None = None

    def __post_init__(self) -> None:
        if self.condition not in BY_NAME:
            raise UsageError(f"{self.condition!r} is no condition; choose one of {', '.join(BY_NAME)}")
        if (self.state, self.change) not in TEMPLATES:
            raise UsageError(f"no sentence says that {self.condition} is {self.state} and {self.change}")
        condition = BY_NAME[self.condition]
        if condition.is_device and (self.state, self.change) not in DEVICE_STATES:
            raise UsageError(f"no sentence says that {self.condition} is {self.state} and {self.change}")
        if self.side is not None and self.side not in condition.sides:
            sides = ", ".join(condition.sides) or "no side"
            raise UsageError(f"{self.condition} can be on {sides}, and {self.side} was stated")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words, and all that they state; no statement for words that say nothing of any condition."""

    text: str
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class SyntheticReport:
    """Sentences in their order. label: that nothing here is of a patient."""

    sentences: tuple[Sentence, ...]
    label: str = LABEL

    @property
    def text(self) -> str:
        """The sentences, one after the other."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The list of findings that the report says, in the order of its sentences."""
        return tuple(said for sentence in self.sentences for said in sentence.statements)

    @property
    def states(self) -> dict[str, State]:
        """The true label of each condition that is mentioned; the others are not."""
        return {said.condition: said.state for said in self.statements}


@dataclass(frozen=True, slots=True)
class ReportParameters:
    """What reports are made from. n_statements: fewest and most in one report. shares: of the four states, in the order
    of `State`. changed_share: of present findings that are compared with a prior study, and of absent ones that
    are said to have resolved. joint_share: of the chances to deny two findings at once that are taken.
    Raises UsageError outside the ranges checked here.
    """

    seed: int = 1
    n_reports: int = 100
    n_statements: tuple[int, int] = (2, 7)
    shares: tuple[float, float, float, float] = (0.35, 0.4, 0.15, 0.1)
    changed_share: float = 0.3
    joint_share: float = 0.5

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("n_reports", self.n_reports, 1, 1_000_000),
            ("n_statements", self.n_statements[0], 0, self.n_statements[1]),
            ("n_statements", self.n_statements[1], 0, len(CONDITIONS)),
            *(("shares", share, 0.0, 1.0) for share in self.shares),
            ("shares", sum(self.shares), 1.0 - 1e-9, 1.0 + 1e-9),
            ("changed_share", self.changed_share, 0.0, 1.0),
            ("joint_share", self.joint_share, 0.0, 1.0),
        )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(f"{name} is {value}, outside {low:g} to {high:g} that reports can show")


def make_reports(parameters: ReportParameters | None = None) -> tuple[SyntheticReport, ...]:
    """Make the reports; deterministic by seed, and the first are the same whatever their number."""
    chosen = parameters or ReportParameters()
    return tuple(_report(chosen, number) for number in range(chosen.n_reports))


def write_report(
    statements: Sequence[Statement], rng: np.random.Generator, *, joint_share: float = 0.0
) -> SyntheticReport:
    """A report that says these statements, each once and in this order; two denials in a row may share a sentence."""
    sentences: list[Sentence] = []
    left = list(statements)
    while left:
        said = left.pop(0)
        if left and _are_plain_denials(said, left[0]) and rng.random() < joint_share:
            sentences.append(_joint_denial(said, left.pop(0), rng))
        else:
            sentences.append(_sentence(said, rng))
    return SyntheticReport(tuple(sentences))


def _report(parameters: ReportParameters, number: int) -> SyntheticReport:
    rng = np.random.Generator(np.random.PCG64([parameters.seed, number]))
    n_statements = int(rng.integers(parameters.n_statements[0], parameters.n_statements[1] + 1))
    chosen = rng.permutation(len(CONDITIONS))[:n_statements]
    statements = [_statement(CONDITIONS[int(place)], parameters, rng) for place in chosen]
    report = write_report(statements, rng, joint_share=parameters.joint_share)
    sentences = list(report.sentences)
    filler = Sentence(FILLERS[int(rng.integers(len(FILLERS)))])
    sentences.insert(int(rng.integers(len(sentences) + 1)), filler)
    return SyntheticReport(tuple(sentences))


def _statement(
    condition: ChestCondition, parameters: ReportParameters, rng: np.random.Generator
) -> Statement:
    states: tuple[State, ...] = ("present", "absent", "uncertain", "history")
    sayable = [one for one in TEMPLATES if not condition.is_device or one in DEVICE_STATES]
    weights = np.array(
        [share if (s, None) in sayable else 0.0 for s, share in zip(states, parameters.shares, strict=True)]
    )
    if not weights.any():
        weights[1] = 1.0  # a device that can be neither doubted nor remembered is denied
    state = states[int(rng.choice(len(states), p=weights / weights.sum()))]
    changes = [change for one, change in sayable if one == state and change is not None]
    change = None
    if changes and rng.random() < parameters.changed_share:
        change = changes[int(rng.integers(len(changes)))]
    # What is not there is mostly denied on both sides, without a word on the side.
    names_side = bool(condition.sides) and (state != "absent" or change is not None)
    side = condition.sides[int(rng.integers(len(condition.sides)))] if names_side else None
    return Statement(condition.name, state, side, change)


def _are_plain_denials(one: Statement, other: Statement) -> bool:
    return all(
        said.state == "absent" and said.change is None and not BY_NAME[said.condition].is_plural
        for said in (one, other)
    )


def _sentence(said: Statement, rng: np.random.Generator) -> Sentence:
    templates = TEMPLATES[said.state, said.change]
    template = templates[int(rng.integers(len(templates)))]
    return Sentence(_filled(template, said, _named(said, rng)), (said,))


def _joint_denial(said: Statement, other: Statement, rng: np.random.Generator) -> Sentence:
    template = JOINT_DENIALS[int(rng.integers(len(JOINT_DENIALS)))]
    text = _filled(template, said, _named(said, rng), other=_named(other, rng))
    return Sentence(text, (said, other))


def _named(said: Statement, rng: np.random.Generator) -> str:
    """The condition in one of its words, with its side, and its article before both if it is counted."""
    words = BY_NAME[said.condition].words
    word = words[int(rng.integers(len(words)))]
    if said.side is None:
        return word
    return f"a {said.side} {word[2:]}" if word.startswith("a ") else f"{said.side} {word}"


def _bare(name: str) -> str:
    return name.removeprefix("a ")


def _filled(template: str, said: Statement, name: str, other: str = "") -> str:
    is_plural, bare = BY_NAME[said.condition].is_plural, _bare(name)
    return template.format(
        **{
            "a": name,
            "the": bare,
            "The": bare[0].upper() + bare[1:],
            "other": _bare(other),
            "is": "are" if is_plural else "is",
            "has": "have" if is_plural else "has",
        }
    )
