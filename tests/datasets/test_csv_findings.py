"""Pictures with several findings or none: rows kept and left out, strata, and groups that are always tested."""

import csv

import numpy as np
import pytest
from PIL import Image

from hounsfield.core.errors import StudyError, UsageError
from hounsfield.datasets import open_dataset, split_dataset

COLUMNS = {"image": "file", "group": "patient"}


def write_findings(root, rows):
    """rows: (patient, edema, mass, boxed, kept)."""
    root.mkdir(exist_ok=True)
    with (root / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "patient", "edema", "mass", "boxed", "kept"))
        for index, row in enumerate(rows):
            Image.fromarray(np.full((6, 5), index, dtype=np.uint8)).save(root / f"{index}.png")
            table.writerow((f"{index}.png", *row))


def read(root, **options):
    return open_dataset("csv-findings", root, {"classes": ["mass", "edema"], "columns": COLUMNS, **options})


def test_findings_stand_alone(tmp_path):
    write_findings(tmp_path, [("a", 1, 1, 0, 1), ("b", 0, 0, 0, 1), ("c", 1, 0, 0, 1), ("d", 1, 1, 0, 0)])
    dataset = read(tmp_path, where={"kept": "1"})
    assert not dataset.exclusive
    assert dataset.n_left_out == 1
    assert dataset.truth.tolist() == [[True, True], [False, False], [False, True]]
    with pytest.raises(UsageError, match="several findings or none"):
        _ = dataset.labels


def test_a_case_is_dealt_by_its_rarest_finding(tmp_path):
    write_findings(tmp_path, [("a", 1, 1, 0, 1), ("b", 0, 0, 0, 1), ("c", 1, 0, 0, 1)])
    assert [case.label for case in read(tmp_path).cases] == ["mass", "none", "edema"]


def test_what_is_neither_0_nor_1_is_named_with_its_line(tmp_path):
    write_findings(tmp_path, [("a", 1, 0, 0, 1), ("b", -1, 0, 0, 1)])
    with pytest.raises(StudyError, match=r"labels\.csv line 3 says '-1' for edema"):
        read(tmp_path)


def test_column_of_a_finding_that_is_absent_is_named(tmp_path):
    write_findings(tmp_path, [("a", 1, 0, 0, 1)])
    with pytest.raises(StudyError, match=r"no column 'oedema'.*Did you mean 'edema'"):
        open_dataset("csv-findings", tmp_path, {"classes": ["oedema"], "columns": COLUMNS})


def test_groups_that_are_held_out_are_tested_whole(tmp_path):
    rows = [(f"p{n:02d}", n % 2, 0, int(n in {3, 8}), 1) for n in range(20) for _ in range(2)]
    rows[7] = ("p03", 1, 0, 0, 1)  # the same patient's other film has no box
    write_findings(tmp_path, rows)
    dataset = read(tmp_path, held_out={"boxed": "1"})
    split = split_dataset(dataset, tune=0.2, test=0.2, stretches=1, seed=0)
    assert {split.part_of_group["p03"], split.part_of_group["p08"]} == {"test"}
    assert {split.parts[6], split.parts[7]} == {"test"}
    assert len(split.parts) == 40
    assert {"train", "tune", "test"} == set(split.parts)
