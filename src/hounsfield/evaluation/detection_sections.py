"""An evaluation of detections as a record for programs, and as the parts of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.evaluation.charts import COLOURS
from hounsfield.evaluation.detection import BAND_RATES
from hounsfield.evaluation.document import (
    Chart,
    Document,
    FigureTable,
    Section,
    cell,
    counted,
    head_record,
    write_document,
)
from hounsfield.metrics import SEVEN_RATES

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.evaluation.detection import DetectionEvaluation

N_WORST = 10
_WIDTH, _HEIGHT, _LEFT, _TOP = 560, 270, 46, 14
_NAMES = {0.125: "1/8", 0.25: "1/4", 0.5: "1/2"}
_NO_LIST = (
    "No list of scans was given, so scans without any candidate and lesion are unknown and false positives a scan come out "
    "too high. List all scans with --series."
)


def detection_record(evaluation: DetectionEvaluation, title: str) -> dict[str, Any]:
    """What evaluation.json holds: `detection.cpm` and `detection.sensitivity_at` have `value` and `ci95`."""
    return head_record(
        "detection",
        title,
        n_cases=evaluation.detections.matched.n_images,
        n_patients=evaluation.n_patients if evaluation.has_patients else None,
        methods=" ".join(detection_methods(evaluation)),
        left_out=list(evaluation.detections.left_out),
        seed=evaluation.seed,
        n_resamples=evaluation.n_resamples,
        detection=evaluation.to_json(),
    )


def write_detection_evaluation(evaluation: DetectionEvaluation, folder: Path, *, title: str) -> Path:
    """Write `evaluation.json` and `evaluation.html` into `folder`; returns the page's path."""
    matched = evaluation.detections.matched
    cpm, found = (cell(interval).partition(" (") for interval in (evaluation.cpm, evaluation.found))
    document = Document(
        title=title,
        said="Evaluation of detections against known lesions. Every figure has a 95 % interval from resampling "
        f"{'patients' if evaluation.has_patients else 'scans'}.",
        facts=(
            (f"{matched.n_images:,}", "scans"),
            (f"{matched.hit_score.size:,}", "lesions"),
            (
                cpm[0],
                f"CPM, mean sensitivity at seven rates of false positives; 95 % interval {cpm[2].rstrip(')')}",
            ),
            (found[0], f"of lesions hit by any candidate; 95 % interval {found[2].rstrip(')')}"),
        ),
        sections=(_summary(evaluation), _worst(evaluation)),
        methods=detection_methods(evaluation),
        warnings=() if evaluation.detections.has_list else (_NO_LIST,),
        remarks=tuple(f"{sentence}." for sentence in evaluation.detections.left_out),
    )
    return write_document(detection_record(evaluation, title), document, folder)


def detection_methods(evaluation: DetectionEvaluation) -> tuple[str, ...]:
    """The paragraph for a paper."""
    matched, detections = evaluation.detections.matched, evaluation.detections
    unit = (
        "patients"
        if evaluation.has_patients
        else "scans (no patient was stated, so scans count as independent)"
    )
    said = f"""The index test gave {counted(detections.candidates.image.size, "candidate")} with scores on
        {counted(matched.n_images, "scan")}; the reference standard is {counted(matched.hit_score.size, "lesion")} with
        centre and diameter (CLAIM 2024). A candidate hits a lesion whose centre lies no further than the lesion's radius
        (rule of LUNA16, Setio 2017): the best hit counts and further ones are ignored, as are candidates on irrelevant
        findings ({counted(matched.n_ignored, "candidate")} ignored in all). Sensitivity per lesion is read from the
        free-response curve (Bunch 1978) at 1/8 to 8 false positives a scan, by lines between thresholds; their mean is the
        competition performance metric (CPM). 95 % intervals and the curve's band are percentiles of
        {evaluation.n_resamples:,} resamples of {unit} (seed {evaluation.seed}); the band holds at each rate, not for the
        whole curve at once."""
    return (" ".join(said.split()),)


def _summary(evaluation: DetectionEvaluation) -> Section:
    rows = [
        (_NAMES.get(rate, f"{rate:g}"), cell(interval), _score(evaluation.threshold[rate]))
        for rate, interval in evaluation.sensitivity.items()
    ]
    foot = (
        ("mean of the seven (CPM)", cell(evaluation.cpm), ""),
        ("any number", cell(evaluation.found), "any"),
    )
    table = FigureTable(
        "Sensitivity per lesion at false positives a scan, with 95 % intervals.",
        ("false positives a scan", "sensitivity", "score from"),
        tuple(rows),
        "A score read from this table is chosen on the test data. Choose it on other data before it is used.",
        foot=foot,
    )
    chart = Chart(
        froc_chart(evaluation), "Free-response curve with its 95 % band; dots: the seven rates.", is_wide=True
    )
    return Section("Summary", tables=(table,), charts=(chart,))


def _score(threshold: float | None) -> str:
    return f"{threshold:.4g}" if threshold is not None else "\u2013"


def froc_chart(evaluation: DetectionEvaluation) -> str:
    """Sensitivity against false positives a scan, on a scale of doublings."""
    low, high = np.log2(BAND_RATES[0]), np.log2(BAND_RATES[-1])

    def x(rate: float) -> float:
        return round(_LEFT + _WIDTH * float((np.log2(rate) - low) / (high - low)), 1)

    def y(value: float) -> float:
        return round(_TOP + _HEIGHT * (1 - value), 1)

    bottom, right = _TOP + _HEIGHT, _LEFT + _WIDTH
    parts = []
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        parts.append(f'<path class="grid" d="M{_LEFT} {y(tick)}H{right}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(tick) + 4}" text-anchor="end">{tick:g}</text>')
    for rate in SEVEN_RATES:
        parts.append(f'<path class="grid" d="M{x(rate)} {_TOP}V{bottom}"/>')
        parts.append(
            f'<text x="{x(rate)}" y="{bottom + 15}" text-anchor="middle">{_NAMES.get(rate, f"{rate:g}")}</text>'
        )
    band = [
        (rate, one) for rate, one in zip(BAND_RATES, evaluation.band, strict=True) if np.isfinite(one.low)
    ]
    upper = [f"{x(rate)},{y(one.high)}" for rate, one in band]
    lower = [f"{x(rate)},{y(one.low)}" for rate, one in reversed(band)]
    parts.append(f'<polygon class="band" points="{" ".join(upper + lower)}"/>')
    line = " ".join(
        f"{x(rate)},{y(one.value)}" for rate, one in zip(BAND_RATES, evaluation.band, strict=True)
    )
    parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[0]}" stroke-width="2"/>')
    parts += [
        f'<circle cx="{x(rate)}" cy="{y(one.value)}" r="3.6" fill="{COLOURS[0]}"/>'
        for rate, one in evaluation.sensitivity.items()
    ]
    parts.append(
        f'<text x="{_LEFT + _WIDTH / 2}" y="{bottom + 34}" text-anchor="middle">false positives a scan</text>'
    )
    middle = _TOP + _HEIGHT / 2
    parts.append(
        f'<text transform="translate(12 {middle}) rotate(-90)" text-anchor="middle">sensitivity</text>'
    )
    size = f"0 0 {right + 14} {bottom + 42}"
    return f'<svg viewBox="{size}" role="img" aria-label="Free-response curve">{"".join(parts)}</svg>'


def _worst(evaluation: DetectionEvaluation) -> Section:
    """Lesions that no candidate hit, largest first, and the false candidates of the highest score."""
    detections, matched = evaluation.detections, evaluation.detections.matched
    lesions, radius_mm = detections.lesions, detections.lesions.radius_mm
    missed = np.flatnonzero(np.isneginf(matched.hit_score))
    if radius_mm is not None:
        missed = missed[np.argsort(-radius_mm[missed], kind="stable")]
    rows = [
        (
            detections.scans[lesions.image[k]],
            _place(lesions.position_mm[k]),
            f"{2 * radius_mm[k]:.1f}" if radius_mm is not None else "",
        )
        for k in missed[:N_WORST]
    ]
    tables = [
        FigureTable(
            f"Lesions that no candidate hit: {len(rows)} largest of {missed.size}.",
            ("scan", "x, y, z (mm)", "diameter (mm)"),
            tuple(rows),
            n_text=2,
        )
    ]
    alarms = [_alarm(evaluation, k) for k in np.argsort(-matched.false_score, kind="stable")[:N_WORST]]
    tables.append(
        FigureTable(
            f"False candidates of the highest score: {len(alarms)} of {matched.false_score.size:,}.",
            ("scan", "x, y, z (mm)", "score"),
            tuple(alarms),
            n_text=2,
        )
    )
    return Section("Worst cases", tables=tuple(tables))


def _alarm(evaluation: DetectionEvaluation, k: int) -> tuple[str, ...]:
    """Scan, place and score of a false candidate; the place is that of the candidate of its score in its scan."""
    candidates, matched = evaluation.detections.candidates, evaluation.detections.matched
    image, score = matched.false_image[k], matched.false_score[k]
    at = np.flatnonzero((candidates.image == image) & (candidates.score == score))[0]
    return evaluation.detections.scans[image], _place(candidates.position_mm[at]), f"{score:.6g}"


def _place(position_mm: Any) -> str:
    return ", ".join(f"{part:.1f}" for part in position_mm).replace("-", "\u2212")
