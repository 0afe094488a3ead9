"""A model's card as tables of text: what the model is for, what it was made of, what it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hounsfield.reports.names import NOT_STATED, percent, spoken

if TYPE_CHECKING:
    from hounsfield.core import ModelReference


# How people call the metrics whose names are shortened on a card.
FIGURES = {
    "auroc": "AUROC",
    "ece": "Expected calibration error",
    "ece-uncalibrated": "Expected calibration error before calibration",
    "brier": "Brier score",
    "dice": "Dice",
}
# What a calibrator does, for people.
CALIBRATORS = {
    "identity": "The network's softmax as it is",
    "temperature": "The softmax after one temperature for all classes",
    "beta-one-vs-rest": "A beta calibration of each class against the rest",
    "isotonic-one-vs-rest": "An isotonic curve of each class against the rest",
    "sigmoid": "The network's sigmoid of each label as it is",
    "platt-per-label": "A slope and an offset fitted for each label",
    "beta-per-label": "A beta calibration fitted for each label",
    "isotonic-per-label": "An isotonic curve fitted for each label",
}


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of merit with its 95 % interval, and what it was measured on."""

    name: str
    value: str
    interval: str
    measured_on: str
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class CardText:
    """A model card for people; facts are (label, value)."""

    title: str
    facts: tuple[tuple[str, str], ...]
    not_for: tuple[str, ...]
    figures: tuple[FigureRow, ...]
    baselines: tuple[FigureRow, ...]
    thresholds: tuple[tuple[str, str, str, str], ...]


def write_card(model: ModelReference) -> CardText:
    """The card of `model` in words; what a card leaves out is called "not stated"."""
    card = model.card
    facts = [
        ("Intended use", _text(card.get("intended_use"))),
        ("Evidence level", _text(card.get("evidence_level"))),
        ("Task", _text(card.get("task"))),
        ("Made from", listed([_data(item) for item in _mappings(card.get("data"))]) or NOT_STATED),
        ("Licence", _text(card.get("licence"))),
        ("Calibrator", _calibrator(card.get("calibrator"))),
        ("Input guard", _guard(card.get("guard"))),
        ("Known shortcuts", listed(_texts(card.get("known_shortcuts"))) or "none stated"),
    ]
    return CardText(
        title=f"{_text(card.get('title')) if card.get('title') else model.name} ({model.name} {model.version})",
        facts=tuple(facts),
        not_for=_texts(card.get("not_for")),
        figures=tuple(row for figure in _mappings(card.get("metrics")) for row in _figure(figure)),
        baselines=tuple(
            row
            for baseline in _mappings(card.get("baselines"))
            for figure in _mappings(baseline.get("metrics"))
            for row in _figure(figure, prefix=f"{_text(baseline.get('name'))}: ")[:1]
        ),
        thresholds=_thresholds(card.get("thresholds")),
    )


def _figure(figure: Mapping[str, Any], *, prefix: str = "") -> list[FigureRow]:
    groups = f", {figure['n_groups']} groups" if figure.get("n_groups") else ""
    measured_on = f"{_text(figure.get('part'))}, n = {_text(figure.get('n'))}{groups}"
    name = _text(figure.get("name"))
    name = f"{prefix}{FIGURES.get(name, spoken(name))}"
    rows = [FigureRow(name, _number(figure.get("value")), _interval(figure), measured_on)]
    by_class = figure.get("by_class")
    if isinstance(by_class, Mapping):
        rows += [
            FigureRow(spoken(str(label)), _number(item.get("value")), _interval(item), "", is_part=True)
            for label, item in by_class.items()
            if isinstance(item, Mapping)
        ]
    return rows


def _interval(figure: Mapping[str, Any]) -> str:
    if figure.get("low95") is None or figure.get("high95") is None:
        return NOT_STATED
    return f"{_number(figure['low95'])} to {_number(figure['high95'])}"


def _thresholds(thresholds: object) -> tuple[tuple[str, str, str, str], ...]:
    if not isinstance(thresholds, Mapping):
        return ()
    return tuple(
        (
            spoken(str(name)),
            _number(item.get("present_from")),
            _number(item.get("absent_to")),
            _threshold_origin(item),
        )
        for name, item in thresholds.items()
        if isinstance(item, Mapping)
    )


def _threshold_origin(item: Mapping[str, Any]) -> str:
    chosen_on = f"chosen on {item['chosen_on']}" if item.get("chosen_on") else None
    return listed(_texts([item.get("purpose"), chosen_on]))


def listed(texts: Sequence[str]) -> str:
    """Several sentences or phrases as one line: "a; b; c", without a stop before the semicolons."""
    return "; ".join([*(text.rstrip(" .") for text in texts[:-1]), *texts[-1:]])


def _data(item: Mapping[str, Any]) -> str:
    counts = f"{_text(item.get('n_cases'))} cases of {_text(item.get('n_groups'))} groups"
    return f"{_text(item.get('name'))} ({counts}; licence {_text(item.get('licence'))})"


def _calibrator(calibrator: object) -> str:
    if not isinstance(calibrator, Mapping):
        return "none"
    verb = "fitted on" if calibrator.get("parameters") else "chosen on"
    text = f"{_text(calibrator.get('name'))}, {verb} {_text(calibrator.get('fitted_on'))}"
    after = calibrator.get("ece_after")
    if isinstance(after, Mapping):
        text += f"; expected calibration error {_number(after.get('value'))} ({_interval(after)})"
    return f"{text}. {calibrator['note']}" if calibrator.get("note") else text


def _guard(guard: object) -> str:
    if not isinstance(guard, Mapping):
        return "none"
    text = f"{_text(guard.get('method'))}; refuses above {_number(guard.get('threshold'))}"
    wrongly = guard.get("false_refusal_rate")
    if isinstance(wrongly, Mapping):
        text += f"; refuses {_share(wrongly)} of right pictures"
    sets = _mappings(guard.get("detection"))
    whole = [f"{_text(d.get('name'))} {_text(d.get('n'))}" for d in sets if d.get("refused_fraction") == 1.0]
    rest = [f"{_text(d.get('name'))} {_share(d)}" for d in sets if d.get("refused_fraction") != 1.0]
    if whole:
        text += f"; refused every foreign picture of these sets (name and number): {', '.join(whole)}"
    return f"{text}; refused of others: {', '.join(rest)}" if rest else text


def _share(detection: Mapping[str, Any]) -> str:
    """Refused share with its interval and count: "3.7 % (0.6 % to 7.8 %; n = 163)"."""
    share = percent(float(detection.get("refused_fraction", 0.0)))
    counted = f"n = {_text(detection.get('n'))}"
    if detection.get("low95") is None or detection.get("high95") is None:
        return f"{share} ({counted})"
    low, high = percent(float(detection["low95"])), percent(float(detection["high95"]))
    return f"{share} ({low} to {high}; {counted})"


def _mappings(value: object) -> list[Mapping[str, Any]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(item) for item in value if item) if isinstance(value, Sequence) else ()


def _text(value: object) -> str:
    return NOT_STATED if value is None or value == "" else str(value)


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else _text(value)
