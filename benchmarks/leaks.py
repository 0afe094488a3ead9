"""What an audit of leaks finds in sets whose faults are known, and how long the search among many pictures takes.

    python -m benchmarks.leaks [--data FOLDER] [--pictures 20000]

Known faults are those that the sets' own descriptions state (their READMEs): pairs that share a group in breast_us and
head_ct_haemorrhage, films of equal name in nih_cxr and nih_cxr_64, full-size originals of 20 pictures, patients on both
sides of the split of nih_cxr_64, reports of equal findings in iu_reports. The design was changed
after these sets had been looked at: they are no untouched judges.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._table import heading, table, with_data_option
from hounsfield.evaluation.audit import LeakColumns, LeakItem, look_for_leaks, read_items, read_split_table
from hounsfield.evaluation.audit.near_duplicates import (
    SIDE,
    Thumbnails,
    candidates,
    descriptors,
    near_duplicates,
)

if TYPE_CHECKING:
    from pathlib import Path

Pairs = set[tuple[int, int]]


def known_groups(folder: Path) -> tuple[Thumbnails, Pairs]:
    """Pictures of one set, and pairs that its table joins in a group."""
    rows = rows_of(folder / "labels.csv")
    items, _ = read_items(folder / "labels.csv", LeakColumns(file="file"))
    groups = [row["group_id"] for row in rows]
    pairs = {(i, j) for i in range(len(groups)) for j in range(i + 1, len(groups)) if groups[i] == groups[j]}
    return thumbnails_of(items), pairs


def within(folder: Path) -> tuple[Pairs, Pairs, Pairs]:
    """Of one set: known pairs, copies found, and pairs that are alike."""
    thumbnails, known = known_groups(folder)
    found, _ = near_duplicates(thumbnails)
    return (
        known,
        {(one.first, one.second) for one in found if one.is_copy},
        {(one.first, one.second) for one in found if not one.is_copy},
    )


def between(
    first: list[LeakItem], second: list[LeakItem], names: tuple[list[str], list[str]]
) -> tuple[Pairs, Pairs]:
    """Of two sets: pairs of equal name, and pairs found by their pixels alone."""
    known = {(i, j) for i, one in enumerate(names[0]) for j, other in enumerate(names[1]) if one == other}
    report = look_for_leaks(
        [replace(one, identities={}) for one in second], [replace(one, identities={}) for one in first]
    )
    return known, {(one.first, one.second) for one in report.pictures}


def originals(data: Path) -> tuple[Pairs, Pairs]:
    """Full-size originals against the sets that hold small copies of them."""
    folder = data / "originals_2d"
    rows = rows_of(folder / "labels.csv")
    first, _ = read_items(folder / "labels.csv", LeakColumns(file="file"))
    second, names = [], []
    for name in sorted({row["set"] for row in rows}):
        items, _ = read_items(data / name / "labels.csv", LeakColumns(file="file"))
        second += items
        names += [f"{name}/{item.where}" for item in items]
    return between(first, second, ([f"{row['set']}/{row['set_file']}" for row in rows], names))


def two_nih_sets(data: Path) -> tuple[Pairs, Pairs]:
    """Films of 64 pixels against films of 384; their names tell which are the same."""
    first, _ = read_items(data / "nih_cxr" / "labels.csv", LeakColumns(file="file"))
    second, _ = read_items(data / "nih_cxr_64" / "images.npz")
    names = tuple(
        [row["source_file"] for row in rows_of(data / one / "labels.csv")]
        for one in ("nih_cxr", "nih_cxr_64")
    )
    return between(first, second, (names[0], names[1]))


def split_patients(data: Path) -> set[str]:
    """Patients of nih_cxr_64 in more than one part of its source's split, by comparing the parts two and two."""
    found = set()
    for train, test in (("train", "valid"), ("train", "test"), ("valid", "test")):
        columns = LeakColumns("source_split", "patient_id", train=(train,), test=(test,))
        learned, judged, _ = read_split_table(data / "nih_cxr_64" / "labels.csv", columns)
        (shared,) = (one for one in look_for_leaks(learned, judged).shared if one.key == "patient")
        found |= {judged[number].identities["patient"] for _, number in shared.pairs}
    return found


def equal_reports(data: Path) -> tuple[Pairs, Pairs]:
    """Reports of the first half against the second: pairs that share a group of findings, and the reports found."""
    groups = [row["group_id"] for row in rows_of(data / "iu_reports" / "labels.csv")]
    items, _ = read_items(data / "iu_reports" / "reports.csv", LeakColumns(text="findings"))
    half = len(items) // 2
    report = look_for_leaks(items[half:], items[:half])
    known = {(i, 0) for i in range(half) if groups[i] in set(groups[half:])}
    return known, {(one.first, 0) for one in report.texts if one.is_equal}


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a table by column."""
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def thumbnails_of(items: list[LeakItem]) -> Thumbnails:
    """The thumbnails that items hold."""
    grey = np.array([item.grey for item in items], dtype=np.uint8)
    return Thumbnails(grey, np.array([item.is_even for item in items]))


def search_seconds(n: int) -> tuple[float, float]:
    """Seconds to describe n made thumbnails and to find the likest 12 of each among the others."""
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (n, SIDE, SIDE), dtype=np.uint8)
    began = time.perf_counter()
    described = descriptors(Thumbnails(grey, np.zeros(n, dtype=bool)))
    middle = time.perf_counter()
    n_rows = sum(1 for _ in candidates(described, described))
    if n_rows != n:
        raise SystemExit(f"{n_rows} rows of {n} were searched")
    return middle - began, time.perf_counter() - middle


def main() -> None:
    """Print both tables."""
    parser = with_data_option(argparse.ArgumentParser(description=__doc__))
    parser.add_argument(
        "--pictures", type=int, default=20_000, help="thumbnails of the search (default 20000)"
    )
    options = parser.parse_args()
    data = options.data
    print(heading("Leaks", inputs="sets whose descriptions name their faults"))
    rows: list[tuple[object, ...]] = []
    for name in ("breast_us", "head_ct_haemorrhage"):
        known, copies, alike = within(data / name)
        told = copies | alike
        rows.append(
            (
                f"{name}: pairs of a group",
                len(known),
                len(known & told),
                len(copies - known),
                len(alike - known),
            )
        )
    for name, (known, found) in (
        ("originals_2d against the six sets", originals(data)),
        ("nih_cxr against nih_cxr_64: films", two_nih_sets(data)),
        ("iu_reports, halves: equal findings", equal_reports(data)),
    ):
        rows.append((name, len(known), len(known & found), len(found - known), ""))
    rows.append(("nih_cxr_64: patients in several parts", 28, len(split_patients(data)), 0, ""))
    print(table(("set", "known", "found of these", "others called copies", "others called alike"), rows))
    described_s, searched_s = search_seconds(options.pictures)
    print(
        f"\n{options.pictures} thumbnails: described in {described_s:.1f} s, likest 12 of each found in {searched_s:.1f} s"
    )


if __name__ == "__main__":
    main()
