"""Labelled pictures to learn from: what a data set is, adapters that read one, fair splits.

Here: `Dataset` and its cases, one file an adapter (read csv_table.py first), the split by group, and
how a slice becomes a network's input. Not here: studies of patients (studies), training (training).
"""

from hounsfield.datasets._dataset import Case, Dataset
from hounsfield.datasets._picture import fit_picture, restore_map
from hounsfield.datasets._registry import dataset_adapter, dataset_adapters, open_dataset
from hounsfield.datasets._split import PARTS, Split, split_by_group, split_dataset

__all__ = [
    "PARTS",
    "Case",
    "Dataset",
    "Split",
    "dataset_adapter",
    "dataset_adapters",
    "fit_picture",
    "open_dataset",
    "restore_map",
    "split_by_group",
    "split_dataset",
]
