"""What an audit says of leaks between training and test data."""

from __future__ import annotations

import base64
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from hounsfield.evaluation.audit.leak_items import IDENTITIES, LeakItem
from hounsfield.evaluation.audit.near_duplicates import SIDE, Pair
from hounsfield.evaluation.audit.section import AuditSection, AuditTable, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from hounsfield.evaluation.audit.leaks import LeakReport

_MOST_ROWS, _MOST_SHOWN, _A_ROW = 200, 12, 3


def leak_section(
    report: LeakReport, train: Sequence[LeakItem], test: Sequence[LeakItem], *, told: Sequence[str] = ()
) -> AuditSection:
    """The section of a report on these items. told: what was left out, in sentences."""
    leaked, alike = len(report.leaked), len(report.alike)
    only_seen_sites = bool(report.sites) and not report.sites_alone
    verdict: Verdict = "found" if leaked else "look" if alike or only_seen_sites else "clear"
    said = [_answer(report, leaked, alike)]
    if report.sites or report.sites_alone:
        said.append(_about_sites(report))
    if report.n_even:
        said.append(f"{report.n_even} pictures show nothing and were not compared.")
    said += [f"{one}." for one in told]
    said.append(_method(report))
    tables = [table for table in (_names(report), _pairs(report, train, test)) if table.rows]
    shown = {}
    for title, pairs in (
        ("Copies: test on the left, training on the right", [p for p in report.pictures if p.is_copy]),
        ("Alike, to be looked at", [p for p in report.pictures if not p.is_copy]),
    ):
        if pairs:
            shown[title] = _sheet(pairs[:_MOST_SHOWN], train, test)
    return AuditSection(
        "leaks", "Does the test data stand in the training data?", verdict, tuple(said), tuple(tables), shown,
        _record(report, train, test),
    )  # fmt: skip


def _answer(report: LeakReport, leaked: int, alike: int) -> str:
    share = f"{leaked} of {report.n_test} test items ({leaked / report.n_test:.1%})"
    also = f" {alike} more are like a training item and should be looked at." if alike else ""
    if leaked:
        return f"{share} stand in the training data too, by name, by hash or as a copy: leave them out of the test.{also}"
    if alike:
        return f"No test item stands in the training data by name, hash or as a copy.{also}"
    return (
        "No test item was found in the training data by what could be compared; the table says what that was."
    )


def _about_sites(report: LeakReport) -> str:
    if report.sites_alone:
        return (
            f"{len(report.sites)} sites are on both sides, {len(report.sites_alone)} in the test data alone; only those "
            "speak for other hospitals."
        )
    return (
        f"All {len(report.sites)} sites of the test data are in the training data: this test says nothing about other "
        "hospitals."
    )


def _method(report: LeakReport) -> str:
    said = "Names and SHA-256 of files and of decoded pixels are compared as they are."
    if report.threshold is not None:
        one = report.threshold
        said += (
            f" Copies are sought among {one.n_compared} pairs of like pictures, mirrored ones too, and shown by the "
            f"correlation of their fine structure after alignment. In these data {one.n_apart} pairs of different but like "
            f"pictures have a median of {one.median:.2f}; from {one.correlation:.2f} on pairs are told as alike, of which "
            f"{2 * one.false_pairs:g} is expected by chance in this audit, and from {one.copy:.2f} on as copies, with a "
            "hundredth of that."
        )
    return said


def _names(report: LeakReport) -> AuditTable:
    rows = [
        (
            IDENTITIES[one.key], str(one.n_stated), str(one.n_values), str(one.n_test), str(one.n_train)
        )
        for one in report.shared
    ]  # fmt: skip
    if report.threshold is not None:
        for name, is_copy in (("copy of a picture", True), ("picture that is alike", False)):
            pairs = [pair for pair in report.pictures if pair.is_copy == is_copy]
            n_train = len({pair.second for pair in pairs})
            n_test = len({pair.first for pair in pairs})
            rows.append((name, str(report.n_test), str(len(pairs)), str(n_test), str(n_train)))
    if report.texts:
        n_train = len({pair.second for pair in report.texts})
        rows.append(
            (
                "report of like text",
                str(report.n_test),
                str(len(report.texts)),
                str(len(report.texts)),
                str(n_train),
            )
        )
    marked = frozenset(number for number, row in enumerate(rows) if row[2] != "0")
    columns = (
        "what is shared",
        "test items with it",
        "shared",
        "test items concerned",
        "training items concerned",
    )
    return AuditTable("What both sides share", columns, tuple(rows), marked)


def _pairs(report: LeakReport, train: Sequence[LeakItem], test: Sequence[LeakItem]) -> AuditTable:
    rows = [
        (
            "copy" if pair.is_copy else "alike",
            test[pair.first].where,
            train[pair.second].where,
            f"{pair.correlation:.3f}" + (", mirrored" if pair.mirrored else ""),
        )
        for pair in report.pictures
    ]
    rows += [
        (
            "equal text" if pair.is_equal else "like text",
            test[pair.first].where,
            train[pair.second].where,
            f"{pair.shared:.0%} shared",
        )
        for pair in report.texts
    ]
    caption = "Pairs" if len(rows) <= _MOST_ROWS else f"The first {_MOST_ROWS} of {len(rows)} pairs"
    return AuditTable(caption, ("kind", "test", "training", "likeness"), tuple(rows[:_MOST_ROWS]))


def _record(report: LeakReport, train: Sequence[LeakItem], test: Sequence[LeakItem]) -> dict[str, Any]:
    """No names of patients: numbers of shared names, and the places of pictures and reports."""
    threshold = report.threshold
    return {
        "n_train": report.n_train,
        "n_test": report.n_test,
        "n_leaked": len(report.leaked),
        "n_alike": len(report.alike),
        "leaked": [test[number].where for number in sorted(report.leaked)],
        "shared": [
            {
                "what": one.key,
                "n_stated": one.n_stated,
                "n_values": one.n_values,
                "n_test": one.n_test,
                "n_train": one.n_train,
            }
            for one in report.shared
        ],
        "pictures": [
            {
                "test": test[pair.first].where,
                "train": train[pair.second].where,
                "correlation": round(pair.correlation, 4),
                "hash_bits_apart": pair.n_bits,
                "mirrored": pair.mirrored,
                "copy": pair.is_copy,
            }
            for pair in report.pictures
        ],
        "threshold": None
        if threshold is None
        else {
            "correlation": round(threshold.correlation, 4),
            "correlation_of_copies": round(threshold.copy, 4),
            "n_compared": threshold.n_compared,
            "n_apart": threshold.n_apart,
            "false_pairs": 2 * threshold.false_pairs,
        },
        "texts": [
            {
                "test": test[pair.first].where,
                "train": train[pair.second].where,
                "shared_fraction": round(pair.shared, 4),
                "equal": pair.is_equal,
            }
            for pair in report.texts
        ],
        "sites": {"n_on_both_sides": len(report.sites), "n_in_test_alone": len(report.sites_alone)},
        "n_even": report.n_even,
    }


def _sheet(pairs: Sequence[Pair], train: Sequence[LeakItem], test: Sequence[LeakItem]) -> str:
    """Pairs of thumbnails as one SVG; the pictures lie in it as PNG."""
    width, height, parts = 2 * SIDE + 16, SIDE + 34, []
    for number, pair in enumerate(pairs):
        x, y = (number % _A_ROW) * width, (number // _A_ROW) * height
        for offset, item in ((0, test[pair.first]), (SIDE + 2, train[pair.second])):
            if item.grey is not None:
                parts.append(
                    f'<image x="{x + offset}" y="{y}" width="{SIDE}" height="{SIDE}" href="{_png(item.grey)}"/>'
                )
        said = f"{pair.correlation:.3f}" + (" mirrored" if pair.mirrored else "")
        names = f"{_short(test[pair.first].where)} / {_short(train[pair.second].where)}"
        for line, words in ((12, names), (25, said)):
            parts.append(
                f'<text x="{x}" y="{y + SIDE + line}" font-size="10" font-family="sans-serif" fill="#222">{escape(words)}</text>'
            )
    rows = -(-len(pairs) // _A_ROW)
    # One width for any number of pairs, so that the letters are of one size.
    size = f"0 0 {width * _A_ROW - 14} {height * rows}"
    return f'<svg viewBox="{size}" role="img" aria-label="pairs of pictures">{"".join(parts)}</svg>'


def _short(where: str) -> str:
    name = where.rsplit("/", 1)[-1]
    return name if len(name) <= 19 else f"{name[:8]}...{name[-8:]}"


def _png(grey: np.ndarray[Any, Any]) -> str:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(grey).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
