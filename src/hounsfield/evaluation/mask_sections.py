"""An evaluation of outlines as a record for programs, and as the parts of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hounsfield.evaluation.case_pictures import LEGEND, outlined_slice
from hounsfield.evaluation.document import (
    Chart,
    Document,
    FigureTable,
    Picture,
    Section,
    cell,
    counted,
    head_record,
    write_document,
)
from hounsfield.evaluation.mask_charts import bland_altman_chart, strip_chart
from hounsfield.evaluation.overlaps import HD95_DEFINITION
from hounsfield.metrics import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.evaluation.by_structure import MaskEvaluation, StructureFigures
    from hounsfield.evaluation.overlaps import Overlap

    Volume = Callable[[str, str], "Volumes"]

# Picture (or None), truth and found, all (z, y, x), of one structure of one case, and the spacing of the axes.
Volumes: TypeAlias = "tuple[NDArray[Any] | None, NDArray[np.bool_], NDArray[np.bool_], tuple[float, ...]]"

N_WORST, MOST_PICTURES, MOST_STRUCTURES = 4, 32, 24
_ROOM = 0.35  # around the outlines, of their own size


def mask_record(evaluation: MaskEvaluation, title: str, left_out: Sequence[str]) -> dict[str, Any]:
    """What evaluation.json holds: `masks.structures.<name>.<figure>` has `value` and `ci95`."""
    return head_record(
        "masks",
        title,
        n_cases=evaluation.n_cases,
        n_patients=n_patients(evaluation),
        methods=" ".join(mask_methods(evaluation)),
        left_out=list(left_out),
        seed=evaluation.seed,
        n_resamples=evaluation.n_resamples,
        masks=evaluation.to_json(),
    )


def write_mask_evaluation(
    evaluation: MaskEvaluation,
    folder: Path,
    *,
    title: str,
    left_out: Sequence[str] = (),
    volume: Volume | None = None,
) -> Path:
    """Write `evaluation.json` and `evaluation.html` into `folder`; returns the page's path.

    volume: gives picture, truth and found of a structure of a case, for the worst cases.
    """
    macro = {name: cell(evaluation.macro[name]).partition(" (") for name in ("dice", "surface_dice")}
    unit = evaluation.scale.length
    facts = (
        (f"{evaluation.n_cases:,}", f"cases of {counted(n_patients(evaluation), 'patient')}"),
        (str(len(evaluation.structures)), "structure" + "s" * (len(evaluation.structures) != 1)),
        (macro["dice"][0], f"Dice, mean over structures; 95 % interval {macro['dice'][2].rstrip(')')}"),
        (
            macro["surface_dice"][0],
            f"surface Dice at {evaluation.scale.tolerance:g} {unit}; 95 % interval {macro['surface_dice'][2].rstrip(')')}",
        ),
    )
    document = Document(
        title=title,
        said="Evaluation of outlines against reference outlines. Every figure has a 95 % interval from resampling patients.",
        facts=facts,
        sections=mask_sections(evaluation, volume),
        methods=mask_methods(evaluation),
        remarks=tuple(f"{sentence}." for sentence in left_out),
    )
    return write_document(mask_record(evaluation, title, left_out), document, folder)


def n_patients(evaluation: MaskEvaluation) -> int:
    """Distinct patients with an outline."""
    return len({one.patient for one in evaluation.overlaps})


def mask_methods(evaluation: MaskEvaluation) -> tuple[str, ...]:
    """Paragraphs for a paper: figures with their definitions, and how empty outlines count."""
    scale = evaluation.scale
    said = f"""Outlines of {counted(len(evaluation.structures), "structure")} in {counted(evaluation.n_cases, "case")} were
        compared with the reference outline of each case (CLAIM 2024: metrics of segmentation; choice after Metrics
        Reloaded, Maier-Hein 2024, Nat Methods 21:195). Dice is twice the overlap over the sum of both sizes (Dice 1945);
        surface Dice (NSD) is the share of both borders within {scale.tolerance:g} {scale.length} of the other (Nikolov
        2021). {HD95_DEFINITION}. Size errors are found minus true, with limits of agreement at 1.96 standard deviations
        (Bland and Altman 1986). Lesions are connected parts of a mask (voxels touching by face, edge or corner); one
        counts as found where the other mask shares a voxel with it, and lesion-wise F1 pools all cases."""
    empty = f"""Overlap, distances and size errors are of cases whose reference holds the structure. Where nothing was found
        there, Dice and surface Dice are 0 and HD95 is infinite, which the median counts as the largest and the mean leaves
        out; cases whose reference lacks the structure are counted apart. 95 % intervals are percentiles of
        {evaluation.n_resamples:,} resamples of patients (Field and Welsh 2007; seed {evaluation.seed}); shares of counts
        have Wilson's interval (1927)."""
    return tuple(" ".join(text.split()) for text in (said, empty))


def mask_sections(evaluation: MaskEvaluation, volume: Volume | None = None) -> tuple[Section, ...]:
    """The summary over structures, then a part for each with its agreement and worst cases."""
    scale = evaluation.scale
    columns = (
        *("structure", "cases", "Dice", f"NSD at {scale.tolerance:g} {scale.length}"),
        *(f"HD95 median ({scale.length})", f"size error ({scale.amount})", "size error (%)", "lesion F1"),
    )
    rows = [
        (
            one.structure,
            f"{one.n_cases:,}",
            cell(one.figures["dice"]),
            cell(one.figures["surface_dice"]),
            cell(one.figures["hd95_median"], 2),
            cell(one.figures["size_error"], 2),
            cell(one.figures["size_error_percent"], 1),
            cell(one.figures["lesion_f1"]),
        )
        for one in evaluation.structures
    ]
    means = [cell(evaluation.macro[name]) for name in ("dice", "surface_dice")]
    table = FigureTable(
        "Agreement of outlines by structure, with 95 % intervals.",
        columns,
        tuple(rows),
        f"Size errors are found minus true, mean over cases. {HD95_DEFINITION}.",
        foot=(("mean", "", *means, "", "", "", ""),) if len(rows) > 1 else (),
    )
    dots = [(one.structure, _dice_of(evaluation, one.structure)) for one in evaluation.structures]
    chart = Chart(
        strip_chart(dots, "Dice of each case"),
        "Dice of each case whose reference holds the structure; bar: median.",
        is_wide=True,
    )
    shown = Section("Summary of outlines", tables=(table, _empties(evaluation)), charts=(chart,))
    pictures = _pictures(evaluation, volume) if volume is not None else {}
    return (shown, *(_panel(evaluation, one, pictures) for one in evaluation.structures))


def _dice_of(evaluation: MaskEvaluation, structure: str) -> NDArray[np.float64]:
    return np.array([one.dice for one in evaluation.overlaps if one.structure == structure and one.in_truth])


def _empties(evaluation: MaskEvaluation) -> FigureTable:
    rows = []
    for one in evaluation.structures:
        n_without = one.n_without + one.n_invented
        missed = wilson_interval(one.n_missed, one.n_cases) if one.n_cases else None
        invented = wilson_interval(one.n_invented, n_without) if n_without else None
        rows.append(
            (
                one.structure,
                f"{one.n_missed} of {one.n_cases}",
                cell(missed),
                f"{one.n_invented} of {n_without}",
                cell(invented),
            )
        )
    return FigureTable(
        "Empty outlines: structures that were missed whole, and structures found where the reference has none.",
        ("structure", "missed", "share (Wilson)", "invented", "share (Wilson)"),
        tuple(rows),
    )


def _panel(
    evaluation: MaskEvaluation, one: StructureFigures, pictures: Mapping[str, tuple[Picture, ...]]
) -> Section:
    rows = [row for row in evaluation.overlaps if row.structure == one.structure and row.in_truth]
    true, found = (
        np.array([getattr(row, name) for row in rows]) for name in ("truth_amount", "found_amount")
    )
    scale, figures = evaluation.scale, one.figures
    kind = "area" if len(scale.steps) == 2 else "volume"
    agreement = (
        ("Dice, mean", figures["dice"], 3),
        ("Dice, median", figures["dice_median"], 3),
        (f"surface Dice at {scale.tolerance:g} {scale.length}", figures["surface_dice"], 3),
        (f"HD95, median ({scale.length})", figures["hd95_median"], 2),
        (f"HD95, mean of the found ({scale.length})", figures["hd95_mean_of_found"], 2),
        (f"{kind}: bias ({scale.amount})", figures["size_error"], 2),
        (f"{kind}: lower limit of agreement ({scale.amount})", figures["size_error_low"], 2),
        (f"{kind}: upper limit of agreement ({scale.amount})", figures["size_error_high"], 2),
        (f"{kind}: mean error (%)", figures["size_error_percent"], 1),
        (f"{kind}: mean absolute error (%)", figures["size_error_percent_absolute"], 1),
        ("lesion-wise sensitivity", figures["lesion_sensitivity"], 3),
        ("lesion-wise PPV", figures["lesion_ppv"], 3),
        ("lesion-wise F1", figures["lesion_f1"], 3),
        ("false lesions a case", figures["false_lesions_per_case"], 2),
    )
    table = FigureTable(
        f"{one.structure}: all figures.",
        ("figure", "value (95 % interval)"),
        tuple((name, cell(interval, digits)) for name, interval, digits in agreement),
        n_text=2,
    )
    charts = []
    if len(rows) > 1:
        limits = [figures[name] for name in ("size_error_low", "size_error", "size_error_high")]
        titles = (f"mean of both ({scale.amount})", f"found \u2212 true ({scale.amount})")
        svg = bland_altman_chart((true + found) / 2, found - true, limits, titles=titles)
        charts.append(
            Chart(svg, f"Bland-Altman plot of the {kind}: bias and limits of agreement, intervals shaded.")
        )
    return Section(
        one.structure,
        tables=(table,),
        charts=tuple(charts),
        pictures=pictures.get(one.structure, ()),
        legend=f"Worst cases by Dice, at the slice with the most wrong pixels. {LEGEND}",
        lead=f"Dice {cell(figures['dice'])}; {counted(one.n_cases, 'case')} of {counted(one.n_patients, 'patient')}",
        is_folded=True,
    )


def _pictures(evaluation: MaskEvaluation, volume: Volume) -> dict[str, tuple[Picture, ...]]:
    """The worst cases of each structure, of so many that the page stays small."""
    structures = evaluation.structures[:MOST_STRUCTURES]
    each = max(1, min(N_WORST, MOST_PICTURES // len(structures)))
    wanted: dict[str, list[Overlap]] = {}
    for one in structures:
        rows = [row for row in evaluation.overlaps if row.structure == one.structure]
        for row in sorted(rows, key=lambda row: (row.dice, -max(row.truth_amount, row.found_amount)))[:each]:
            wanted.setdefault(row.case, []).append(row)
    made: dict[str, list[tuple[float, Picture]]] = {}
    for case, rows in wanted.items():
        for row in rows:
            source = worst_slice(*volume(case, row.structure))
            text = f"Dice {row.dice:.2f}; true {row.truth_amount:.3g}, found {row.found_amount:.3g} {evaluation.scale.amount}"
            made.setdefault(row.structure, []).append((row.dice, Picture(source, case, text)))
    return {
        name: tuple(picture for _, picture in sorted(own, key=lambda pair: pair[0]))
        for name, own in made.items()
    }


def worst_slice(
    picture: NDArray[Any] | None,
    truth: NDArray[np.bool_],
    found: NDArray[np.bool_],
    steps: tuple[float, ...],
) -> str:
    """The slice with the most wrong pixels, cut to the outlines with some room, as a data URI.

    All arrays (z, y, x); steps of (z, y, x) or of (y, x).
    """
    wrong = (truth ^ found).sum(axis=(1, 2))
    at = int(wrong.argmax()) if wrong.any() else int((truth | found).sum(axis=(1, 2)).argmax())
    either = truth[at] | found[at]
    window = []
    for axis in (0, 1):
        along = np.flatnonzero(either.any(axis=1 - axis))
        first, last = (int(along[0]), int(along[-1])) if along.size else (0, either.shape[axis] - 1)
        room = int(_ROOM * (last - first + 1)) + 6
        window.append(slice(max(0, first - room), min(either.shape[axis], last + 1 + room)))
    cut = (window[0], window[1])
    shown = picture[at][cut] if picture is not None else None
    return outlined_slice(shown, truth[at][cut], found[at][cut], (steps[-2], steps[-1]))
