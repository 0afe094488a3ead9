"""An evaluation by label as a file for programs and one page for people, self-contained and printable."""

from __future__ import annotations

import json
from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import RESEARCH_USE
from hounsfield.evaluation.by_label import FEWEST_CASES, N_BINS
from hounsfield.evaluation.charts import roc_chart
from hounsfield.evaluation.label_charts import (
    decision_chart,
    forest_chart,
    precision_recall_chart,
    reliability_chart,
    thinned,
)
from hounsfield.metrics import roc_curve

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.evaluation.by_label import Comparison, LabelFigures, TableEvaluation
    from hounsfield.metrics import Interval

SCHEMA_VERSION = "1.0"
N_WORST, PICTURE_PX = 4, 220
_IMAGE_ENDINGS = ("", ".png", ".jpg", ".jpeg")


def table_record(evaluation: TableEvaluation, title: str) -> dict[str, Any]:
    """What evaluation.json holds: `labels.<name>.<figure>` has `value` and `ci95`."""
    table = evaluation.table
    return {
        "notice": RESEARCH_USE,
        "schema_version": SCHEMA_VERSION,
        "title": title,
        "n_cases": len(table.cases),
        "n_patients": evaluation.n_patients if table.has_patients else None,
        "methods": methods(evaluation),
        "left_out": list(table.left_out),
        "seed": evaluation.seed,
        "n_resamples": evaluation.n_resamples,
        "labels": {one.label: one.to_json() for one in evaluation.labels},
        "macro": {name: _record(interval) for name, interval in evaluation.macro.items()},
        "comparisons": [one.to_json() for one in evaluation.comparisons],
    }


def methods(evaluation: TableEvaluation) -> str:
    """The paragraph for a paper: which statistics, with their sources, in the terms of STARD-AI and TRIPOD+AI."""
    table = evaluation.table
    unit = (
        "patients" if table.has_patients else "cases (no patient was stated, so cases count as independent)"
    )
    locked = [one.label for one in evaluation.labels if one.threshold is not None]
    decisions = (
        f"Decision figures hold at thresholds that were locked on other data ({', '.join(locked)})."
        if locked
        else "No threshold was locked on other data, so no decision figure is a result: the table of thresholds only "
        "shows what each would give here."
    )
    said = [
        f"""The index test gave a probability for {len(table.labels)} labels on {len(table.cases)} cases of
        {evaluation.n_patients} {"patients" if table.has_patients else "cases"}. Discrimination is the area under the ROC
        curve (Hanley and McNeil 1982) and average precision; calibration is the Brier score, the expected error over ten
        bins of equal count, and intercept and slope of the logistic recalibration line (Cox 1958) with errors clustered
        by patient. 95 % intervals are percentiles of {evaluation.n_resamples} resamples of {unit} (Field and Welsh 2007;
        seed {evaluation.seed}); DeLong's interval (1988), which takes cases as independent, stands beside the areas, and
        likelihood ratios have that of Simel 1991.""",
        decisions,
        f"Figures from fewer than {FEWEST_CASES} positive or negative cases are not given.",
    ]
    if evaluation.comparisons:
        said.append(
            "Areas of models on the same cases were compared by the same resamples (normal approximation), all "
            f"{len(evaluation.comparisons)} tests together by Holm's method (1979); DeLong's p is unadjusted."
        )
    return " ".join(" ".join(said).split())


def write_table_evaluation(
    evaluation: TableEvaluation, folder: Path, *, title: str, images: Path | None = None
) -> Path:
    """Write `evaluation.json` and `evaluation.html` into `folder`; returns the page's path.

    images: folder of pictures named after the cases, for the worst cases.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(table_record(evaluation, title), indent=1, allow_nan=False) + "\n"
    (folder / "evaluation.json").write_text(text, encoding="utf-8")
    page = folder / "evaluation.html"
    page.write_text(_render(evaluation, title, images), encoding="utf-8")
    return page


def _render(evaluation: TableEvaluation, title: str, images: Path | None) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("hounsfield.evaluation", "templates"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("labels.html").render(
        title=title,
        notice=RESEARCH_USE,
        evaluation=evaluation,
        cell=cell,
        methods=methods(evaluation),
        panels=[
            _panel(evaluation, k, one, images) for k, one in enumerate(evaluation.labels) if not one.withheld
        ],
        compared=_compared(evaluation),
        withheld=[one for one in evaluation.labels if one.withheld],
    )


def _compared(evaluation: TableEvaluation) -> tuple[list[str], list[tuple[str, list[Comparison | None]]]]:
    """Names of the other models, and the comparison with each by label."""
    models = list(dict.fromkeys(one.model for one in evaluation.comparisons))
    found = {(one.label, one.model): one for one in evaluation.comparisons}
    labels = dict.fromkeys(one.label for one in evaluation.comparisons)
    return models, [(label, [found.get((label, model)) for model in models]) for label in labels]


def cell(interval: Interval | None, digits: int = 3) -> str:
    """`0.884 (0.873 to 0.894)`; a dash where there is no figure."""
    if interval is None or not np.isfinite(interval.value):
        return "\u2013"
    if not np.isfinite(interval.low):
        return f"{interval.value:.{digits}f} (no interval)"
    return f"{interval.value:.{digits}f} ({interval.low:.{digits}f} to {interval.high:.{digits}f})"


def _panel(evaluation: TableEvaluation, k: int, one: LabelFigures, images: Path | None) -> dict[str, Any]:
    """What the page shows of one label: charts, thresholds, groups, worst cases."""
    table = evaluation.table
    cases = np.flatnonzero(table.known[k])
    truth, probability = table.truth[k][cases], table.probability[k][cases]
    false_alarms, sensitivity, _ = roc_curve_quick(truth, probability)
    return {
        "one": one,
        "roc": roc_chart({f"AUROC {one.figures['auroc'].value:.3f}": (false_alarms, sensitivity)}),
        "precision_recall": precision_recall_chart(truth, probability),
        "reliability": reliability_chart(truth, probability, N_BINS),
        "decision": decision_chart(truth, probability),
        "forest": forest_chart(_forest_rows(one), f"AUROC of {one.label} by group") if one.by_group else "",
        "worst": _worst(table.cases[cases], truth, probability, images),
    }


def roc_curve_quick(truth: Any, probability: Any) -> list[Any]:
    """The ROC curve at as many points as can be seen."""
    rounded = probability
    if probability.size > 4000:
        # Every threshold of a large set is compared with every case by roc_curve; a few thousand show the same line.
        edges = np.quantile(probability, np.linspace(0, 1, 1500), method="higher")
        rounded = edges[np.searchsorted(edges, probability, side="right").clip(1, edges.size) - 1]
    return thinned(roc_curve(truth, rounded))


def _forest_rows(one: LabelFigures) -> list[tuple[str, str, Interval | None]]:
    rows: list[tuple[str, str, Interval | None]] = [
        ("all", f"{one.n_positive}/{one.n}", one.figures["auroc"])
    ]
    for column, values in one.by_group.items():
        rows += [
            (f"{column} {value}", f"{own.n_positive}/{own.n}", own.figures.get("auroc"))
            for value, own in values.items()
        ]
    return rows


def _worst(cases: Any, truth: Any, probability: Any, images: Path | None) -> list[dict[str, str]]:
    """Positives with the lowest probability, then negatives with the highest."""
    misses = np.flatnonzero(truth)[np.argsort(probability[truth], kind="stable")][:N_WORST]
    alarms = np.flatnonzero(~truth)[np.argsort(-probability[~truth], kind="stable")][:N_WORST]
    kinds = [*(("missed", i) for i in misses), *(("false alarm", i) for i in alarms)]
    return [
        {
            "case": str(cases[i]),
            "text": f"{kind}: {probability[i]:.3f}",
            "picture": _picture(images, str(cases[i])) if images is not None else "",
        }
        for kind, i in kinds
    ]


def _picture(folder: Path, case: str) -> str:
    """A small picture of the case as a data URI; "" where the folder holds none of that name."""
    from PIL import Image, UnidentifiedImageError

    if "/" in case or "\\" in case or case in {"", ".", ".."}:
        return ""  # a case is a name, not a path out of the folder
    path = next(
        (folder / (case + ending) for ending in _IMAGE_ENDINGS if (folder / (case + ending)).is_file()), None
    )
    if path is None:
        return ""
    try:
        with Image.open(path) as opened:
            opened.thumbnail((PICTURE_PX, PICTURE_PX))
            buffer = BytesIO()
            opened.convert("L").save(buffer, format="PNG", optimize=True)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return ""
    return "data:image/png;base64," + b64encode(buffer.getvalue()).decode()


def _record(interval: Interval) -> dict[str, Any]:
    return {
        "value": interval.value if np.isfinite(interval.value) else None,
        "ci95": [limit if np.isfinite(limit) else None for limit in (interval.low, interval.high)],
    }
