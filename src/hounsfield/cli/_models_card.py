"""A model's card in the terminal."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from hounsfield.cli._models_list import signature_text
from hounsfield.cli._terminal import print_tables, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hounsfield.zoo import Bundle, Estimate, Figure
    from hounsfield.zoo.installed import InstalledModel

WIDTH, INDENT = 100, " " * 14


def print_card(model: InstalledModel, bundle: Bundle) -> None:
    """Everything that someone who is about to use the model should read, in the order of need."""
    from hounsfield.core import RESEARCH_USE

    card = bundle.card
    print(f"{card.title} ({card.name} {card.version})")
    print(RESEARCH_USE)
    print()
    _say("Task", f"{card.task}; {card.modality}; answers: {', '.join(card.class_names)}")
    _say("For", card.intended_use)
    for said in card.not_for:
        _say("Not for", said)
    _say("Evidence", card.evidence_level)
    _say("Licence", card.licence)
    _say("By", card.authors)
    for source in card.data:
        _say("Data", f"{source.name}: {source.n_cases} cases of {source.n_groups} patients or groups")
    if card.origin is not None:
        unstated = ", ".join(card.origin.unstated) or "nothing"
        _say(
            "Imported",
            f"from {card.origin.source} ({card.origin.format}); not stated or measured: {unstated}",
        )
    print()
    _print_figures(card.metrics, ((one.name, one.metrics) for one in card.baselines))
    _print_sureness(bundle)
    for shortcut in card.known_shortcuts:
        _say("Known limits", shortcut)
    for audit in card.audits:
        for note in audit.notes:
            _say(
                "Audit",
                f"{audit.kind}, {audit.made_on}: {note.question} {note.verdict.upper()}: {note.answer}",
            )
    print()
    _say("Signature", signature_text(model))
    _say("Digest", bundle.digest)
    _say("Folder", f"{model.folder} ({model.n_bytes / 1e6:.1f} MB)")


def _print_figures(figures: tuple[Figure, ...], others: Iterable[tuple[str, tuple[Figure, ...]]]) -> None:
    if not figures:
        print("No figure was measured: nothing is known of how well it answers.\n")
        return
    rows = [
        [name, figure.name, _interval(figure), figure.part, f"{figure.n} in {figure.n_groups}"]
        for name, some in (("this model", figures), *others)
        for figure in some
    ]
    columns = ["method", "figure", "value (95 % interval)", "part", "cases in groups"]
    print_tables(table("", columns, rows))


def _print_sureness(bundle: Bundle) -> None:
    card = bundle.card
    if card.calibrator is None:
        _say("Calibrated", "no: its outputs are scores, not probabilities")
    else:
        after = (
            f", calibration error {_interval(card.calibrator.ece_after)}" if card.calibrator.ece_after else ""
        )
        _say("Calibrated", f"{card.calibrator.name}, by {card.calibrator.fitted_on}{after}")
    for name, limit in card.thresholds.items():
        _say(
            "Threshold",
            f"{name}: present from {limit.present_from:.3g}, absent up to {limit.absent_to:.3g}",
        )
    found = card.conformal
    if found is None:
        _say("Sets", "none: nothing is excluded at a stated rate")
    else:
        measured = f", measured {_interval(found.measured)}" if found.measured else ""
        _say("Sets", f"hold the true class for {found.coverage:.0%} of {found.holds_for}{measured}")
    guard = card.guard
    if guard is None:
        _say("Guard", "none: the model does not notice a picture of another kind")
        return
    right = guard.false_refusal_rate
    refused = f"; refuses {right.refused_fraction:.1%} of right pictures" if right else ""
    _say("Guard", f"{guard.method}, fitted on {guard.fitted_on}{refused}")
    for item in guard.detection:
        _say(
            "",
            f"{item.name}: refuses {item.refused_fraction:.1%} ({item.low95:.1%} to {item.high95:.1%}) of {item.n}",
        )


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low95:.3f} to {estimate.high95:.3f})"


def _say(word: str, text: str) -> None:
    print(fill(text, WIDTH, initial_indent=f"{word:<14}", subsequent_indent=INDENT, break_on_hyphens=False))
