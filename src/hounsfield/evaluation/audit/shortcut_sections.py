"""An audit of shortcuts as sections of the page: the label around the anatomy, and the columns of the acquisition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.evaluation.audit.picture_properties import AROUND, SPOKEN_FAMILIES, WITHIN
from hounsfield.evaluation.audit.probes import FEWEST_GROUPS, N_FOLDS, N_RESAMPLES, RIDGE_SHARE
from hounsfield.evaluation.audit.section import AuditSection, AuditTable, Verdict
from hounsfield.evaluation.audit.shortcuts import (
    AROUND_TOGETHER,
    LEVEL,
    MARGIN,
    ColumnShortcut,
    JudgedProbe,
    ShortcutAudit,
)
from hounsfield.evaluation.document import cell
from hounsfield.evaluation.label_charts import forest_chart

if TYPE_CHECKING:
    from collections.abc import Sequence
_CLOSE = (
    "A model that is trained on these pictures can learn what is read off around the anatomy instead of the disease, and a "
    "test on the same pictures does not show it. Grey values and spectrum differ between scanners, and with disease: there a "
    "high figure is for a person to look at. Where pictures are cut so close that anatomy reaches rim and corners, these tell "
    "plane or position, which is a shortcut too unless disease itself reaches them."
)
_USABLE = (
    "A column is a usable shortcut where it can be read off the picture and the label can be told from it: a model then has "
    "both halves. That the model's features hold a column does not prove that its answer rests on it; judge the model within "
    "single values of that column."
)


def shortcut_sections(audit: ShortcutAudit) -> tuple[AuditSection, ...]:
    """One section on the label, and one on the columns where columns were named."""
    label = _label_section(audit)
    return (label, _column_section(audit)) if audit.columns else (label,)


def _label_section(audit: ShortcutAudit) -> AuditSection:
    name = audit.table.label_name
    found = sorted((one for one in _around(audit) if one.is_strong), key=lambda one: -one.probe.auroc.value)
    look = [one for one in audit.from_families if one.is_beyond_chance and one not in found]
    verdict: Verdict = "found" if found else "look" if look else "clear"
    said = (_label_answer(audit, found, look), _CLOSE, *_thinned(audit), _method(audit))
    chart = forest_chart(
        [(one.probe.source, "", one.probe.auroc) for one in audit.from_families],
        f"AUROC of {name}",
        middle=0.5,
    )
    caption = f"AUROC of {name!r} by what it was read off, with 95 % intervals; 0.5 is chance."
    record = _record(audit) | {"label_from": [one.to_json() for one in audit.from_families]}
    title = "Is the label written around the anatomy?"
    tables = (_label_table(audit, found),)
    return AuditSection("shortcut-label", title, verdict, said, tables, {caption: chart}, record)


def _around(audit: ShortcutAudit) -> list[JudgedProbe]:
    return [one for one in audit.from_families if one.probe.source in {*AROUND, AROUND_TOGETHER}]


def _label_answer(audit: ShortcutAudit, found: Sequence[JudgedProbe], look: Sequence[JudgedProbe]) -> str:
    name = audit.table.label_name
    if found:
        return f"{name!r} is read off {_source(found[0])} with an AUROC of {cell(found[0].probe.auroc)}."
    if look:
        best = max(look, key=lambda one: one.probe.auroc.value)
        is_within = best.probe.source in WITHIN
        why = (
            "which disease may change too" if is_within else f"beyond chance, though not {MARGIN:g} beyond it"
        )
        return f"{name!r} is read off {_source(best)} with an AUROC of {cell(best.probe.auroc)}: {why}."
    highest = max(one.probe.auroc.high for one in _around(audit))
    return f"{name!r} is not read off size, border, corners or text beyond chance; an AUROC up to {highest:.2f} could hide."


def _label_table(audit: ShortcutAudit, found: Sequence[JudgedProbe]) -> AuditTable:
    around = _around(audit)
    rows = tuple(
        (
            _source(one),
            "around the anatomy" if one in around else "may show disease",
            cell(one.probe.auroc),
            f"{one.probe.p:.2g}",
            f"{one.p_holm:.2g}",
        )
        for one in audit.from_families
    )
    marked = frozenset(at for at, one in enumerate(audit.from_families) if one in found)
    columns = ("read off", "kind", "AUROC (0.5 is chance)", "p", "adjusted")
    caption = f"{audit.table.label_name!r} read off simple properties of the picture; marked: a shortcut"
    return AuditTable(caption, columns, rows, marked)


def _column_section(audit: ShortcutAudit) -> AuditSection:
    usable = [one for one in audit.columns if one.is_usable]
    look = [one for one in audit.columns if one.deserves_a_look and one not in usable]
    judged = [one.column for one in audit.columns if one.is_judged]
    skipped = [one.column for one in audit.columns if not one.is_judged]
    verdict: Verdict = "found" if usable else "look" if look else "clear" if judged else "too few"
    name = audit.table.label_name
    if usable or look:
        said = [" ".join(_spoken(one, name) for one in (usable or look))]
    elif judged:
        said = [
            f"None of {', '.join(judged)} is both read off the picture and tied to {name!r} beyond chance."
        ]
    else:
        said = [
            f"No column has {FEWEST_GROUPS} groups in a value and outside of it, so nothing could be judged."
        ]
    if skipped and judged:
        said.append(f"Too few groups to judge {', '.join(skipped)}.")
    said.append(_USABLE)
    said.append(
        f"As in the section on the label. A column is read off all properties together{_and_model(audit)}; the label is told "
        "from the column alone, on held-out groups. Cramer's V (1946) is shown, not tested. Numbers of many values are cut "
        "into thirds."
    )
    record = _record(audit) | {"columns": [_column_record(one) for one in audit.columns]}
    title = "Could a model take the acquisition for the disease?"
    tables = (_column_table(audit, usable, look),)
    return AuditSection("shortcut-columns", title, verdict, tuple(said), tables, {}, record)


def _column_table(
    audit: ShortcutAudit, usable: Sequence[ColumnShortcut], look: Sequence[ColumnShortcut]
) -> AuditTable:
    rows = tuple(
        (
            one.column,
            _figure(one.read_off_picture),
            *((_figure(one.read_off_model),) if audit.has_model else ()),
            _figure(one.label_from_column),
            f"{one.cramers_v:.2f}",
            "usable shortcut" if one in usable else "look" if one in look else "",
        )
        for one in audit.columns
    )
    heads = (
        "column",
        "read off the picture",
        *(("read off the model",) if audit.has_model else ()),
        f"{audit.table.label_name!r} told from it",
        "V",
        "verdict",
    )
    marked = frozenset(at for at, one in enumerate(audit.columns) if one in usable)
    return AuditTable("AUROC, 95 % interval, adjusted p; marked: a usable shortcut", heads, rows, marked)


def _spoken(one: ColumnShortcut, label: str) -> str:
    reads = [each for each in (one.read_off_model, one.read_off_picture) if each is not None]
    best = max(reads, key=lambda each: (each.is_strong, each.probe.auroc.value))
    tied = one.label_from_column
    told = cell(tied.probe.auroc) if tied is not None else ""
    return (
        f"{one.column!r} is read off {best.probe.source} with an AUROC of {cell(best.probe.auroc)}, and {label!r} is told from it "
        f"with {told}."
    )


def _source(one: JudgedProbe) -> str:
    """What was read off, in words."""
    spoken = {**SPOKEN_FAMILIES, AROUND_TOGETHER: "size, border, corners and text together"}
    return spoken.get(one.probe.source, one.probe.source)


def _figure(one: JudgedProbe | None) -> str:
    return "\u2013" if one is None else f"{cell(one.probe.auroc)}, p {one.p_holm:.2g}"


def _and_model(audit: ShortcutAudit) -> str:
    return (
        ", and off the features of the model that its input guard judges, as is whether the picture holds burned-in text"
        if audit.has_model
        else ""
    )


def _thinned(audit: ShortcutAudit) -> Sequence[str]:
    if not audit.n_left_out:
        return ()
    return (f"{audit.n_left_out} pictures of groups drawn at random were left out, to bound the work.",)


def _method(audit: ShortcutAudit) -> str:
    return (
        f"{audit.n_pictures} pictures of {audit.n_groups} groups. Each family of properties was given to a linear probe: ridge "
        f"regression on the classes (weight {RIDGE_SHARE:g} a case, fixed beforehand), fitted on {N_FOLDS - 1} fifths of the "
        f"groups and judged on the rest, {N_FOLDS} times; several values are told one from the others, and their areas "
        f"averaged. Intervals are percentiles of {N_RESAMPLES} resamples of groups; p values are those of "
        f"{audit.n_permutations} permutations of whole groups (seed {audit.seed}), all adjusted together by Holm's method "
        f"(1979) at {LEVEL:g}. Found: beyond chance after adjustment, from what lies around the anatomy, with the lower limit "
        f"above {0.5 + MARGIN:g}. A value needs {FEWEST_GROUPS} groups in it and outside of it."
    )


def _record(audit: ShortcutAudit) -> dict[str, Any]:
    return {
        "label": audit.table.label_name,
        "n_pictures": audit.n_pictures,
        "n_groups": audit.n_groups,
        "n_permutations": audit.n_permutations,
        "margin": MARGIN,
        "seed": audit.seed,
    }


def _column_record(one: ColumnShortcut) -> dict[str, Any]:
    parts = {
        "read_off_picture": one.read_off_picture,
        "read_off_model": one.read_off_model,
        "label_from_column": one.label_from_column,
    }
    return {
        "column": one.column,
        **{name: None if part is None else part.to_json() for name, part in parts.items()},
        "cramers_v": one.cramers_v,
        "is_usable": one.is_usable,
        "deserves_a_look": one.deserves_a_look,
    }
