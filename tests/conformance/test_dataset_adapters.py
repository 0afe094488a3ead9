"""What every registered dataset adapter must do, on a small set of the form that it reads."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from hounsfield.core.errors import HounsfieldError, MissingModel, UsageError
from hounsfield.datasets import Dataset, dataset_adapters, open_dataset

NAMES = dataset_adapters.names()
CLASSES = ("b", "a")
LABELS = ("a", "b", "b", "other", "a")
GROUPS = ("p1", "p1", "p2", "p3", "p4")


def csv_table(root):
    """Five pictures of 6 x 5 pixels, the fourth of a class that nobody asked for; the first has no outline."""
    (root / "images").mkdir(parents=True)
    with (root / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("image", "label", "group", "mask"))
        for index, (label, group) in enumerate(zip(LABELS, GROUPS, strict=True)):
            Image.fromarray(np.full((6, 5), 40 * index, dtype=np.uint8)).save(root / f"images/{index}.png")
            Image.fromarray(np.eye(6, 5, dtype=bool)).save(root / f"images/m{index}.png")
            mask = f"images/m{index}.png" if index else ""
            table.writerow((f"images/{index}.png", label, group, mask))
    return {"classes": CLASSES}


def csv_findings(root):
    """The same pictures with a column a finding; the fourth is left out by a value of its row."""
    csv_table(root)
    with (root / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("image", "group", "a", "b", "kept"))
        for index, (label, group) in enumerate(zip(LABELS, GROUPS, strict=True)):
            table.writerow(
                (f"images/{index}.png", group, int(label == "a"), int(label == "b"), int(label in CLASSES))
            )
    return {"classes": CLASSES, "where": {"kept": 1}}


# An adapter of another form adds the function that writes such a set; it returns the adapter's options.
WRITE = {"csv_table": csv_table, "csv_findings": csv_findings}


@pytest.fixture(params=NAMES)
def written(request, tmp_path):
    assert request.param in WRITE, f"add a function that writes a small set for {request.param}"
    root = tmp_path / "set"
    return request.param, root, WRITE[request.param](root)


def test_there_is_one():
    assert NAMES


def test_cases_classes_and_groups_are_those_of_the_set(written):
    name, root, options = written
    dataset = open_dataset(name, root, options)
    assert isinstance(dataset, Dataset)
    assert dataset.classes == CLASSES
    kept = [index for index, label in enumerate(LABELS) if label in CLASSES]
    assert [case.label for case in dataset.cases] == [LABELS[index] for index in kept]
    assert dataset.groups == tuple(GROUPS[index] for index in kept)
    assert dataset.truth.tolist() == [[name == LABELS[index] for name in CLASSES] for index in kept]
    assert dataset.n_left_out == 1
    assert len({case.name for case in dataset.cases}) == len(kept)


def test_pictures_and_outlines_lie_on_the_same_pixels(written):
    name, root, options = written
    cases = open_dataset(name, root, options).cases
    for case in cases:
        picture = case.picture()
        assert picture.dtype == np.float32
        assert picture.ndim == 2
        assert np.isfinite(picture).all()
        if case.mask_path is not None:
            assert case.mask().dtype == bool
            assert case.mask().shape == picture.shape
    with pytest.raises(UsageError, match="has no outline"):
        cases[0].mask()


def test_twice_gives_the_same_and_writes_nothing(written):
    name, root, options = written
    before = sorted(root.rglob("*"))
    assert open_dataset(name, root, options) == open_dataset(name, root, options)
    assert sorted(root.rglob("*")) == before


def test_absent_set_is_told_with_a_remedy(written, tmp_path):
    name, _, options = written
    with pytest.raises(MissingModel, match="get the data"):
        open_dataset(name, tmp_path / "nowhere", options)


def test_option_that_it_does_not_know_is_refused(written):
    name, root, options = written
    with pytest.raises(UsageError, match="does not take these options"):
        open_dataset(name, root, {**options, "shoe_size": 42})


def test_file_that_is_gone_is_named_before_training_begins(written):
    name, root, options = written
    open_dataset(name, root, options).cases[1].image_path.unlink()
    with pytest.raises(HounsfieldError, match=r"1\.png"):
        open_dataset(name, root, options)
