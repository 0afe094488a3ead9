"""An audit of bias as sections of the page: figures, under-diagnosis, calibration, and what would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.evaluation.audit.bias import LEVEL, BiasAudit, TestedDifference, too_few
from hounsfield.evaluation.audit.group_figures import SPOKEN, interval_record
from hounsfield.evaluation.audit.groups import ALL, FEWEST_PATIENTS, Group
from hounsfield.evaluation.audit.remedies import N_FOLDS, NAMES, OUTCOMES
from hounsfield.evaluation.audit.section import AuditSection, AuditTable, Verdict
from hounsfield.evaluation.audit.threshold_effects import CALLED_SHARES
from hounsfield.evaluation.bands import AGE_NAMES
from hounsfield.evaluation.document import cell
from hounsfield.evaluation.label_charts import forest_chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.metrics import Interval

# What a page can show of an audit of many labels; the JSON holds all.
MOST_ROWS, MOST_FORESTS, MOST_CURVES = 20, 2, 2
_SECTIONS = {
    "performance-by-group": ("Does it do worse for some groups?", ("auroc", "false_positive_rate", "ppv")),
    "under-diagnosis": ("Is disease missed more often in some groups?", ("false_negative_rate",)),
    "calibration-by-group": (
        "Are probabilities too high or too low for some groups?",
        ("observed_minus_stated",),
    ),
}
_METHODS = {
    "under-diagnosis": "The false-negative rate by group is the under-diagnosis of Seyyed-Kalantari 2021 (Nat Med 27:2176).",
    "calibration-by-group": "Tested is calibration in the large: observed share minus mean probability. Slope (Cox 1958) and "
    "expected calibration error over ten bins are shown, not tested: the error of a small group is large by chance alone, as "
    "the column beside it says (Brocker and Smith 2007).",
}


def bias_sections(audit: BiasAudit) -> tuple[AuditSection, ...]:
    """Four sections; every figure is in the record of one of them."""
    return (
        _tested(audit, "performance-by-group"),
        _tested(audit, "under-diagnosis"),
        _tested(audit, "calibration-by-group"),
        _remedies(audit),
    )


def _tested(audit: BiasAudit, key: str) -> AuditSection:
    title, names = _SECTIONS[key]
    own = [one for one in audit.tests if one.name in names]
    found = [one for one in own if one.is_found]
    verdict: Verdict = "found" if found else "clear" if own else "too few"
    tables = [_differences(own)] if own else []
    charts = _forests(audit, own)
    if key == "under-diagnosis" and audit.effects:
        tables.append(_threshold_table(audit))
        charts |= _threshold_charts(audit, own)
    if key == "calibration-by-group" and audit.calibration:
        tables.append(_calibration_table(audit))
    said = (_answer(own, found), *_more(audit, found, key), _method(audit, key))
    return AuditSection(key, title, verdict, said, tuple(tables), charts, _record(audit, key, names))


def _answer(own: Sequence[TestedDifference], found: Sequence[TestedDifference]) -> str:
    if not own:
        return f"No group has the {FEWEST_PATIENTS} patients that a figure needs, so nothing could be judged."
    widest = max(abs(limit) for one in own[:1] for limit in (one.interval.low, one.interval.high))
    if not found:
        return (
            f"None of {len(own)} differences stands after adjustment for all tests. The surest ({_spoken(own[0])}) "
            f"could still be as large as {widest:.2f}."
        )
    return f"{len(found)} of {len(own)} differences stand after adjustment for all tests. The surest: {_spoken(found[0])}."


def _spoken(one: TestedDifference) -> str:
    group = one.figures.group
    return (
        f"{one.figures.label}, {group.spoken}: {SPOKEN[one.name]} differs by {cell(one.interval)} from that "
        f"of the others, p {one.p:.2g}, adjusted {one.p_holm:.2g}"
    )


def _more(audit: BiasAudit, found: Sequence[TestedDifference], key: str) -> list[str]:
    """What a reader must know before he concludes: confounding, groups left out, thresholds."""
    said = []
    if found:
        said.append(
            "A difference says for whom the predictions are worse, not why: groups differ in disease, age and acquisition "
            "too, and labels can be wronger in one group than in another."
        )
    if key != "calibration-by-group" and not all(audit.is_locked.values()):
        free = [name for name, locked in audit.is_locked.items() if not locked]
        which = ", ".join(free) if len(free) < len(audit.is_locked) else "any label"
        said.append(
            f"No threshold was stated for {which}: there as many cases are called positive as are positive, with "
            "one threshold for all groups. It was chosen on these data, so the rates themselves are no results; their "
            "differences between groups can be read."
        )
    slopes = [one.slope.value for one in audit.calibration if one.slope is not None]
    if key == "calibration-by-group" and slopes:
        said.append(
            f"Slopes of the calibration line in single groups lie between {min(slopes):.2f} and {max(slopes):.2f}; 1 is right, "
            "below 1 the model is too sure."
        )
    small = too_few(audit)
    if small and key == "performance-by-group":
        said.append(
            f"{len(small)} groups have fewer than {FEWEST_PATIENTS} patients and are not shown: {'; '.join(small)}."
        )
    return said


def _method(audit: BiasAudit, key: str) -> str:
    table = audit.table
    n_patients = len(set(table.patients.tolist()))
    unit = (
        "patients"
        if table.has_patients
        else "cases (no column names the patient, so intervals are too narrow)"
    )
    if key != "performance-by-group":
        return f"Groups, intervals, tests and adjustment are those of {_SECTIONS['performance-by-group'][0]!r} {_METHODS[key]}"
    return (
        f"{len(table.cases)} cases of {n_patients} {'patients' if table.has_patients else 'cases'}, {len(table.labels)} "
        f"labels, by {', '.join(table.groups)}"
        f"{' and pairs of them' if any(one.is_crossed for one in audit.groups) else ''}. Each group is compared with the "
        "cases of the column's other values. Intervals of rates are percentiles of "
        f"{audit.n_resamples} resamples of {unit} (Field and Welsh 2007; seed {audit.seed}); areas are compared by DeLong's "
        "placements summed over patients (Obuchowski 1997), rates by a score test with the variance summed over patients "
        f"(Rao and Scott 1992), or of one design effect for both parts where that is larger. All {len(audit.tests)} tests of the audit are adjusted together by Holm's method (1979) at "
        f"{LEVEL:g}. A figure needs {FEWEST_PATIENTS} patients behind its denominator, in the group and in the others."
    )


def _differences(own: Sequence[TestedDifference]) -> AuditTable:
    shown = own[:MOST_ROWS]
    rows = tuple(
        (
            one.figures.label,
            one.figures.group.spoken,
            f"{one.figures.n_positive} / {one.figures.n}",
            SPOKEN[one.name],
            cell(one.figures.figures[one.name]),
            cell(one.interval),
            f"{one.p:.2g}",
            f"{one.p_holm:.2g}",
        )
        for one in shown
    )
    caption = f"Differences, the surest {len(shown)} of {len(own)}; marked: stands after adjustment"
    columns = (
        "label",
        "group",
        "positive / n",
        "figure",
        "in the group",
        "minus the others",
        "p",
        "adjusted",
    )
    return AuditTable(caption, columns, rows, frozenset(at for at, one in enumerate(shown) if one.is_found))


def _forests(audit: BiasAudit, own: Sequence[TestedDifference]) -> dict[str, str]:
    """One forest for each of the labels and figures with the surest differences: every single group, and those
    of two columns that were found.
    """
    chosen = list(dict.fromkeys((one.figures.label, one.name) for one in own))[:MOST_FORESTS]
    by_key = {(one.figures.key, one.name): one for one in audit.tests}
    charts = {}
    for label, name in chosen:
        rows: list[tuple[str, str, Interval | None]] = []
        for one in audit.figures:
            is_shown = not one.group.is_crossed or (
                (test := by_key.get((one.key, name))) is not None and test.is_found
            )
            if one.label == label and is_shown:
                count = f"{one.n_positive}/{one.n}" if one.n is not None else ""
                rows.append((_named(one.group), count, one.figures.get(name)))
        title = f"{label}: {SPOKEN[name]} by group (positive/n), with 95 % intervals"
        charts[f"{title}."] = forest_chart(rows, title)
    return charts


def _named(group: Group) -> str:
    """`sex F`; the values alone where two columns make the group, or where they are bands of age."""
    alone = group.is_crossed or group.column == ALL or group.value in AGE_NAMES
    return group.value if alone else group.spoken


def _threshold_table(audit: BiasAudit) -> AuditTable:
    found = {
        (one.figures.label, one.figures.group.column)
        for one in audit.tests
        if one.is_found and one.name == "false_negative_rate"
    }
    effects = sorted(audit.effects, key=lambda one: (one.label, one.column) not in found)[:MOST_ROWS]
    rows = tuple(
        (
            one.label,
            f"{one.column}: {one.missed} minus {one.caught}",
            *(cell(one.gap[share][1], 2) for share in CALLED_SHARES),
        )
        for one in effects
    )
    marked = frozenset(at for at, one in enumerate(effects) if (one.label, one.column) in found)
    columns = ("label", "gap", *(f"{share:.0%} called" for share in CALLED_SHARES))
    caption = (
        "How the gap of the false-negative rate moves with the threshold, between the groups missed most and least at the "
        "threshold of the audit (so that the gap is a little too large near it)"
    )
    return AuditTable(caption, columns, rows, marked)


def _threshold_charts(audit: BiasAudit, own: Sequence[TestedDifference]) -> dict[str, str]:
    order = list(
        dict.fromkeys(
            (one.figures.label, one.figures.group.column) for one in own if not one.figures.group.is_crossed
        )
    )
    by_pair = {(one.label, one.column): one for one in audit.effects}
    chosen = [by_pair[pair] for pair in order if pair in by_pair][:MOST_CURVES]
    return {
        f"{one.label} by {one.column}: missed positives as the threshold falls.": one.chart()
        for one in chosen
    }


def _calibration_table(audit: BiasAudit) -> AuditTable:
    shown = sorted(audit.calibration, key=lambda one: one.error_if_perfect.high - one.error)[:MOST_ROWS]
    rows = tuple(
        (
            one.label,
            f"{one.column}: {one.value}",
            cell(one.slope, 2),
            f"{one.error:.3f}",
            cell(one.error_if_perfect),
        )
        for one in shown
    )
    columns = ("label", "group", "slope (1)", "calibration error", "by chance alone")
    return AuditTable(f"Slope and calibration error, {len(shown)} of {len(audit.calibration)}", columns, rows)


def _record(audit: BiasAudit, key: str, names: Sequence[str]) -> dict[str, Any]:
    adjusted = {(one.figures.key, one.name): one.p_holm for one in audit.tests}
    labels: dict[str, list[dict[str, Any]]] = {}
    for one in audit.figures:
        record = one.to_json()
        for part in ("figures", "differences"):
            if part in record:
                record[part] = {name: value for name, value in record[part].items() if name in names}
        for name, value in record.get("differences", {}).items():
            value["p_holm"] = adjusted.get((one.key, name))
        labels.setdefault(one.label, []).append(record)
    record = {
        "n_tests": len(audit.tests),
        "n_found": sum(one.is_found for one in audit.tests if one.name in names),
        "n_resamples": audit.n_resamples,
        "seed": audit.seed,
        "thresholds": {
            name: {"value": value, "is_locked": audit.is_locked[name]}
            for name, value in audit.thresholds.items()
        },
        "labels": labels,
    }
    if key == "under-diagnosis":
        record["threshold_effects"] = [one.to_json() for one in audit.effects]
    if key == "calibration-by-group":
        record["calibration"] = [
            {
                "label": one.label,
                "column": one.column,
                "value": one.value,
                "slope": interval_record(one.slope) if one.slope else None,
                "error": one.error,
                "error_if_perfect": interval_record(one.error_if_perfect),
            }
            for one in audit.calibration
        ]
    return record


def _remedies(audit: BiasAudit) -> AuditSection:
    key, title = "remedies", "What would another threshold, calibration or weighting change?"
    if not audit.remedies:
        said = (
            "No gap of a single column stands in the false-negative rate, so nothing was changed.",
            "Remedies are tried on gaps that stand after adjustment for all tests.",
        )
        return AuditSection(key, title, "clear", said, record={"remedies": []})
    method = (
        f"Every remedy is fitted on {N_FOLDS - 1} fifths of the patients and judged on the rest, {N_FOLDS} times over; "
        "changes are paired on the same resamples. Threshold per group: where the group misses as large a share as all do. "
        "Calibration per group: intercept and slope of each group's own. Re-weighted last layer: a logistic layer on the "
        "logits of all labels, with weights that make group and truth independent (Kamiran and Calders 2012, Knowl Inf "
        "Syst 33:1). The last two are cut where as many cases are called as before. Gap: false-negative rate of the group "
        "missed most minus that of the group missed least before anything changed; calibration gap: the difference of "
        "observed minus stated between the two. A network trained anew with such weights may do better or worse."
    )
    rows, best = [], []
    for (label, column), tried in audit.remedies.items():
        rows += [
            (f"{label}, {column}", NAMES[one.name], *(cell(one.outcomes[name]) for name in OUTCOMES))
            for one in tried
        ]
        closing = min(tried[1:], key=lambda one: abs(one.outcomes["gap"].value))
        best.append(
            f"{label} by {column}: {NAMES[closing.name]} takes the gap from {cell(tried[0].outcomes['gap'])} to "
            f"{cell(closing.outcomes['gap'])} and changes the false-positive rate of all by "
            f"{cell(closing.changes['false_positive_rate'])}"
        )
    columns = (
        "label, column",
        "remedy",
        "false-negative rate",
        "false-positive rate",
        "Brier",
        "gap",
        "calibration gap",
    )
    table = AuditTable("Outcomes on patients that nothing was fitted on", columns, tuple(rows))
    record = {
        "remedies": [
            {"label": label, "column": column, "tried": [one.to_json() for one in tried]}
            for (label, column), tried in audit.remedies.items()
        ]
    }
    return AuditSection(
        key, title, "look", (f"{best[0]}.", *(f"{one}." for one in best[1:]), method), (table,), {}, record
    )
