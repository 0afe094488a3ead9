"""The section "How sure": the guard's verdict, what cannot be excluded, agreement, calibrator; as rows of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hounsfield.reports.card import CALIBRATORS
from hounsfield.reports.names import lower_first, percent, spoken

if TYPE_CHECKING:
    from hounsfield.core import Agreement, GuardVerdict, PossibleSet, Reading

WAYS = {
    "copies": "mirrored, turned, scaled and shifted copies of the picture",
    "dropout": "runs with parts of the network left out at random",
    "members": "networks that were fitted apart",
}
GUARD_BAR_END = 2.0  # the bar of the guard ends at this many times the limit


@dataclass(frozen=True, slots=True)
class CertaintyRow:
    """One question and its answer. bar: how far it is filled, 0 to 1, and mark: where a limit is drawn; or None."""

    question: str
    answer: str
    detail: str
    bar: float | None = None
    mark: float | None = None
    caption: str = ""


def certainty_rows(reading: Reading) -> tuple[CertaintyRow, ...]:
    """The rows of a reading; none where no model spoke."""
    certainty = reading.certainty
    if certainty is None:
        return ()
    models = reading.provenance.models if reading.provenance else ()
    card: Mapping[str, Any] = models[0].card if models else {}
    rows = [_guard(certainty.guard, card) if certainty.guard else _NO_GUARD]
    if reading.status == "refused":
        return tuple(rows)
    rows.append(_possible(certainty.possible, reading) if certainty.possible else _NO_SET)
    rows.append(_agreement(certainty.agreement, card) if certainty.agreement else _ONE_ANSWER)
    rows.append(_calibrator(certainty.calibrator, card) if certainty.calibrator else _NO_CALIBRATOR)
    return tuple(rows)


_KIND, _EXCLUDED = "Is the picture of the model's kind?", "What cannot be excluded?"
_AGREE, _RESTS = "Do several answers agree?", "What do the probabilities rest on?"
_NO_GUARD = CertaintyRow(_KIND, "Not checked", "The model's bundle holds no input guard.")
_NO_SET = CertaintyRow(
    _EXCLUDED, "Nothing is excluded at a stated rate", "The bundle holds no conformal limits."
)
_ONE_ANSWER = CertaintyRow(_AGREE, "Not asked", "The model gave one answer.")
_NO_CALIBRATOR = CertaintyRow(
    _RESTS, "There are none", "The bundle holds no calibrator, so that the model's outputs are scores."
)


def _guard(verdict: GuardVerdict, card: Mapping[str, Any]) -> CertaintyRow:
    far = f"distance {verdict.distance:.2f}, limit {verdict.limit:.2f}"
    guard = _part(card, "guard")
    wrongly = _part(guard, "false_refusal_rate")
    detail = "Distance from the pictures that the model learned from, which lie at about 1."
    if wrongly:
        detail += (
            f" Of right pictures {percent(float(wrongly['refused_fraction']))} are refused{_range(wrongly)}."
        )
    return CertaintyRow(
        _KIND,
        f"No: {far}" if verdict.is_foreign else f"Yes: {far}",
        detail,
        bar=min(verdict.distance / (GUARD_BAR_END * verdict.limit), 1.0),
        mark=1.0 / GUARD_BAR_END,
        caption="the line is the limit",
    )


def _possible(possible: PossibleSet, reading: Reading) -> CertaintyRow:
    labels = {finding.name: finding.concept.meaning for finding in reading.findings}
    named = ", ".join(
        labels[name] if place == 0 else lower_first(labels[name]) for place, name in enumerate(possible.names)
    )
    if not possible.names:
        named = "Every class is excluded: the picture is unlike all of them"
    elif len(possible.names) == len(reading.findings):
        named += " (nothing is excluded)"
    whom = "new patients of the same kind" if possible.holds_for == "patients" else "pictures like these"
    units = "groups that stand for patients" if possible.holds_for == "patients" else "pictures"
    detail = f"A set made to hold the true class for {_rounded(possible.coverage)} of {whom} (conformal, {possible.method}, fitted on {possible.n_fitted} {units})."
    if possible.measured is not None and possible.low95 is not None and possible.high95 is not None:
        detail += (
            f" Measured on data that fitted nothing: {percent(possible.measured)} "
            f"({percent(possible.low95)} to {percent(possible.high95)})."
        )
    return CertaintyRow(_EXCLUDED, named, detail)


def _agreement(agreement: Agreement, card: Mapping[str, Any]) -> CertaintyRow:
    answer = f"They disagree by {agreement.disagreeing_bits:.3f} bits"
    place = agreement.disagreeing_place
    if place is not None:
        answer += f", more than for {percent(place)} of {agreement.n_compared} compared cases"
    detail = f"{agreement.n_answers} {WAYS.get(agreement.way, agreement.way)}. Each left open {agreement.open_bits:.2f} bits"
    if agreement.open_place is not None:
        detail += f", more than for {percent(agreement.open_place)}"
    return CertaintyRow(
        _AGREE,
        answer,
        f"{detail}.{_worth(_part(card, 'agreement'))}",
        bar=place,
        caption="place among the compared cases" if place is not None else "",
    )


def _worth(measured: Mapping[str, Any]) -> str:
    """What leaving out the disagreeing ones was worth on the test part."""
    every, kept = _part(measured, "error_of_all"), _part(measured, "error_of_kept")
    if not every or not kept:
        return ""
    return (
        f" On the test part {percent(float(every['value']))} of the answers were wrong, and "
        f"{percent(float(kept['value']))}{_range(kept)} of the {_rounded(float(measured['kept']))} that disagreed least."
    )


def _calibrator(name: str, card: Mapping[str, Any]) -> CertaintyRow:
    stated = _part(card, "calibrator")
    before, after = _part(stated, "ece_before"), _part(stated, "ece_after")
    detail = ""
    if before and after:
        detail = (
            f"Calibration error on the test part {before['value']:.3f} before, {after['value']:.3f} after "
            f"({after['low95']:.3f} to {after['high95']:.3f})."
        )
    shares = _part(stated, "shares")
    if shares:
        named = ", ".join(f"{spoken(key).lower()} {percent(float(share))}" for key, share in shares.items())
        detail += f" Fitted where the classes had these shares: {named}; where they differ, so do the probabilities."
    return CertaintyRow(_RESTS, CALIBRATORS.get(name, f"Calibrator: {name}"), detail.strip())


def _part(card: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = card.get(name)
    return part if isinstance(part, Mapping) else {}


def _range(estimate: Mapping[str, Any]) -> str:
    if estimate.get("low95") is None or estimate.get("high95") is None:
        return ""
    return f" ({percent(float(estimate['low95']))} to {percent(float(estimate['high95']))})"


def _rounded(share: float) -> str:
    return f"{100 * share:.0f} %"
