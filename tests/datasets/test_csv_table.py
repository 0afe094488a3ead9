import csv

import numpy as np
import pytest
from PIL import Image

from hounsfield.core.errors import MissingModel, StudyError, UsageError
from hounsfield.datasets import open_dataset


def write_table(root, *, header=("file", "label", "group_id", "mask"), rows=4):
    (root / "images").mkdir()
    for index in range(rows):
        Image.fromarray(np.full((6, 5), 40 * index, dtype=np.uint8)).save(root / f"images/{index}.png")
    Image.fromarray(np.eye(6, 5, dtype=bool)).save(root / "images/mask.png")
    with (root / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(header)
        for index in range(rows):
            table.writerow([f"images/{index}.png", "ab-"[min(index, 2)], f"g{index}", "images/mask.png"])


OPTIONS = {"classes": ["b", "a"], "columns": {"image": "file", "group": "group_id"}}


def test_cases_classes_and_rows_left_out(tmp_path):
    write_table(tmp_path)
    dataset = open_dataset("csv-table", tmp_path, OPTIONS)
    assert dataset.classes == ("b", "a")
    assert dataset.labels.tolist() == [1, 0]
    assert dataset.groups == ("g0", "g1")
    assert dataset.n_left_out == 2
    assert dataset.cases[1].picture().tolist() == np.full((6, 5), 40.0).tolist()
    assert dataset.cases[0].mask().tolist() == np.eye(6, 5, dtype=bool).tolist()


def test_sixteen_bits_are_kept(tmp_path):
    write_table(tmp_path)
    Image.fromarray(np.full((6, 5), 3000, dtype=np.uint16)).save(tmp_path / "images/0.png")
    assert open_dataset("csv-table", tmp_path, OPTIONS).cases[0].picture().max() == 3000


def test_a_missing_column_is_named_with_the_nearest(tmp_path):
    write_table(tmp_path, header=("file", "label", "group", "mask"))
    with pytest.raises(StudyError, match=r"no column 'group_id' for the group.*Did you mean 'group'\?"):
        open_dataset("csv-table", tmp_path, OPTIONS)


def test_missing_table_and_missing_files_are_told(tmp_path):
    with pytest.raises(MissingModel, match=r"there is no table labels\.csv"):
        open_dataset("csv-table", tmp_path, OPTIONS)
    write_table(tmp_path)
    (tmp_path / "images/1.png").unlink()
    with pytest.raises(MissingModel, match=r"1 files named in the table are absent \(first: 1\.png\)"):
        open_dataset("csv-table", tmp_path, OPTIONS)


def test_a_damaged_picture_is_named(tmp_path):
    write_table(tmp_path)
    (tmp_path / "images/0.png").write_bytes(b"nothing")
    with pytest.raises(StudyError, match=r"0\.png cannot be read as a picture"):
        open_dataset("csv-table", tmp_path, OPTIONS).cases[0].picture()


def test_unknown_adapter_and_option_are_refused(tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'csv_table'"):
        open_dataset("csv-tabel", tmp_path, {})
    with pytest.raises(UsageError, match="does not take these options"):
        open_dataset("csv-table", tmp_path, {"klasses": []})
