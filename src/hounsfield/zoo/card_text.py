"""The card as people read it: README and LICENSE of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core import RESEARCH_USE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hounsfield.zoo.card_part import Estimate
    from hounsfield.zoo.guard_card import Detection
    from hounsfield.zoo.model_card import Figure, MapEvidence, ModelCard


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low95:.3f} to {estimate.high95:.3f})"


def _figure_rows(figures: Iterable[Figure], method: str) -> list[str]:
    rows = []
    for figure in figures:
        cases = f"{figure.n} in {figure.n_groups} groups"
        rows.append(f"| {method} | {figure.name} | {_interval(figure)} | {figure.part} | {cases} |")
        rows += [
            f"| {method} | {figure.name}, {name} | {_interval(estimate)} | {figure.part} | |"
            for name, estimate in figure.by_class.items()
        ]
    return rows


def _guard_lines(card: ModelCard) -> list[str]:
    if card.guard is None:
        return ["None: the model does not notice when a picture is not of its kind."]
    rule = (
        f"Method {card.guard.method}; pictures at a distance above {card.guard.threshold:.4g} are refused "
        f"(quantile {card.guard.quantile:g} of {card.guard.fitted_on})."
    )
    lines = [
        rule,
        "",
        "| pictures | n | refused | 95 % interval |",
        "| --- | --- | --- | --- |",
    ]
    right = (card.guard.false_refusal_rate,) if card.guard.false_refusal_rate else ()
    lines += [_detection_row(item) for item in (*right, *card.guard.detection)]
    if card.guard.related:
        lines += [
            "",
            "Right pictures that were changed, and the same kind from elsewhere, which are no foreign set:",
            "",
            "| pictures | n | refused | 95 % interval |",
            "| --- | --- | --- | --- |",
            *(_detection_row(item) for item in card.guard.related),
        ]
    return lines


def _detection_row(item: Detection) -> str:
    return f"| {item.name} | {item.n} | {item.refused_fraction:.1%} | {item.low95:.1%} to {item.high95:.1%} |"


def _threshold_lines(card: ModelCard) -> list[str]:
    if not card.thresholds:
        return ["None: the outputs are scores and are never read as present or absent."]
    return [
        f"- {name}: present from {item.present_from:.3g}, absent up to {item.absent_to:.3g} (chosen on "
        f"{item.chosen_on}: {item.purpose})"
        for name, item in card.thresholds.items()
    ]


def _calibration_line(card: ModelCard) -> str:
    if card.calibrator is None:
        return "None: outputs are scores, not probabilities."
    verb = "fitted on" if card.calibrator.parameters else "chosen on"
    line = f"{card.calibrator.name}, {verb} {card.calibrator.fitted_on}."
    if card.calibrator.ece_before and card.calibrator.ece_after:
        before, after = _interval(card.calibrator.ece_before), _interval(card.calibrator.ece_after)
        line += f" Expected calibration error {before} before, {after} after."
    return f"{line} {card.calibrator.note}".rstrip()


def _sureness_lines(card: ModelCard) -> list[str]:
    return ["## Sureness", "", _conformal_line(card), "", _agreement_line(card), ""]


def _conformal_line(card: ModelCard) -> str:
    found = card.conformal
    if found is None:
        return "No sets: nothing is excluded at a stated rate."
    counted = sum(found.n_fitted.values())
    line = (
        f"Sets that hold the true class for {found.coverage:.0%} of {found.holds_for} ({found.method}), fitted on "
        f"{counted} {'groups' if found.holds_for == 'patients' else 'pictures'}: {found.fitted_on}."
    )
    if found.measured is not None:
        line += f" Coverage on the test part {_interval(found.measured)} over {found.n_groups} groups"
        line += f" (expected {found.band95[0]:.3f} to {found.band95[1]:.3f})." if found.band95 else "."
    if found.size is not None:
        line += f" Classes in a set {_interval(found.size)}."
    return f"{line} {found.note}".rstrip()


def _agreement_line(card: ModelCard) -> str:
    asked, found = card.inference.answers, card.agreement
    if asked is None:
        return "One answer is made to a picture."
    line = f"Several answers: {asked.number} by {asked.way}."
    if found is None:
        return line
    for name, estimate in found.tells_errors.items():
        line += f" AUROC of the {name} entropy for wrong answers on the test part {_interval(estimate)}."
    if found.error_of_all is not None and found.error_of_kept is not None:
        line += (
            f" Wrong answers {_interval(found.error_of_all)}, among the {found.kept:.0%} with the least "
            f"disagreement {_interval(found.error_of_kept)}."
        )
    return line


def _map_lines(card: ModelCard) -> list[str]:
    if not card.explanations:
        return ["None was tested: do not conclude anything from a map of this model."]
    return [
        f"- {name}: highest point on the truth in {_interval(item)} of {item.n} pictures ({item.part} part; by "
        f"chance {item.chance:.3f}).{_passed(item)} {item.note}".rstrip()
        for name, item in card.explanations.items()
    ]


def _audit_lines(card: ModelCard) -> list[str]:
    """Each audit with its day, its data and its answers; nothing where there was none."""
    if not card.audits:
        return []
    lines = ["## Audits", ""]
    for one in card.audits:
        lines.append(f"Audit of {one.kind}, {one.made_on}, on {one.data}:")
        lines.append("")
        lines += [f"- {note.question} **{note.verdict}**: {note.answer}" for note in one.notes]
        lines.append("")
    return lines


def _passed(item: MapEvidence) -> str:
    if not item.tests:
        return ""
    return f" Passed {sum(test.passed for test in item.tests)} of {len(item.tests)} tests of maps."


def _origin_lines(card: ModelCard) -> list[str]:
    """Where an imported model came from, and what its file did not say."""
    if card.origin is None:
        return []
    found = card.origin
    return [
        "## Origin",
        "",
        f"Imported from {found.source} ({found.format}, SHA-256 {found.source_sha256}).",
        *([f"Not stated there: {', '.join(found.unstated)}."] if found.unstated else []),
        *([f"Outputs left out: {', '.join(found.left_out)}."] if found.left_out else []),
        "",
    ]


def _data_lines(card: ModelCard) -> list[str]:
    lines = [
        f"- {item.name}: {item.n_cases} cases in {item.n_groups} groups; {item.source}. "
        f"Licence: {item.licence.rstrip('.')}. {item.citation}"
        for item in card.data
    ]
    return ["## Data", "", *(lines or ["Not stated."])]


def readme_text(card: ModelCard) -> str:
    """`docs/README.md`: the whole card in words, every figure with its interval."""
    lines = [
        f"# {card.title} ({card.name} {card.version})",
        "",
        f"**{RESEARCH_USE}**",
        "",
        f"**Intended use.** {card.intended_use}",
        "",
        "**Not for:**",
        "",
        *(f"- {item}" for item in card.not_for),
        "",
        f"**Evidence.** {card.evidence_level}",
        "",
        f"**Classes.** {', '.join(card.class_names)}. **Modality.** {card.modality}.",
        "",
        "## Figures",
        "",
        "| method | figure | value (95 % interval) | part | cases |",
        "| --- | --- | --- | --- | --- |",
        *_figure_rows(card.metrics, "this model"),
        *(row for baseline in card.baselines for row in _figure_rows(baseline.metrics, baseline.name)),
        "",
        "## Calibration and thresholds",
        "",
        _calibration_line(card),
        "",
        *_threshold_lines(card),
        "",
        *_sureness_lines(card),
        "## Input guard",
        "",
        *_guard_lines(card),
        "",
        "## Maps",
        "",
        *_map_lines(card),
        "",
        "## Known shortcuts and limits",
        "",
        *([f"- {item}" for item in card.known_shortcuts] or ["None was looked for."]),
        "",
        *_audit_lines(card),
        *_data_lines(card),
        "",
        *_origin_lines(card),
        f"Split {card.split_digest or 'not stated'}, seed {card.seed}, code version {card.code_version}.",
        "",
    ]
    return "\n".join(lines)


def licence_text(card: ModelCard) -> str:
    """`LICENSE`: the licence of the weights, and the attribution that their data ask for."""
    lines = [
        f"{card.title} ({card.name} {card.version})",
        f"Copyright: {card.authors}",
        f"Licence of the weights and configuration: {card.licence}",
        "",
        "The weights were learned from:",
        "",
        *([] if card.data else ["Not stated.", ""]),
    ]
    for item in card.data:
        lines += [
            f"{item.name} ({item.source})",
            f"  licence: {item.licence}",
            f"  cite: {item.citation}",
            "",
        ]
    return "\n".join([*lines, RESEARCH_USE, ""])
