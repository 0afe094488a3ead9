from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import UsageError
from hounsfield.datasets import PARTS, split_by_group

SIZES = st.lists(st.integers(1, 15), min_size=8, max_size=40)


def cases(sizes_by_class):
    labels, groups = [], []
    for label, sizes in sizes_by_class.items():
        for index, size in enumerate(sizes):
            labels += [label] * size
            groups += [f"{label}{index:03d}"] * size
    return labels, groups


@given(st.fixed_dictionaries({"a": SIZES, "b": SIZES}), st.integers(0, 99), st.integers(1, 2))
def test_no_group_on_two_sides_and_no_tested_neighbour_trained_on(sizes, seed, stretches):
    labels, groups = cases(sizes)
    split = split_by_group(labels, groups, tune=0.15, test=0.2, stretches=stretches, seed=seed)
    parts = {group: {split.parts[i] for i, own in enumerate(groups) if own == group} for group in set(groups)}
    assert all(len(own) == 1 for own in parts.values())
    for label in sizes:
        assert {split.part_of_group[g] for g in split.part_of_group if g[0] == label} == set(PARTS)
    for first, second in pairwise(sorted(split.part_of_group)):
        neighbours = {split.part_of_group[first], split.part_of_group[second]}
        assert first[0] != second[0] or neighbours != {"train", "test"}


def test_fractions_come_out_about_right():
    labels, groups = cases({"a": [9] * 40, "b": [11] * 30})
    split = split_by_group(labels, groups, tune=0.15, test=0.2, stretches=2, seed=0)
    share = {part: count / len(labels) for part, count in Counter(split.parts).items()}
    assert share["test"] == pytest.approx(0.2, abs=0.03)
    assert share["tune"] == pytest.approx(0.15, abs=0.04)


def test_the_seed_decides_and_the_digest_tells():
    labels, groups = cases({"a": [5] * 20, "b": [5] * 20})
    one, same, other = (
        split_by_group(labels, groups, tune=0.15, test=0.2, stretches=1, seed=seed) for seed in (1, 1, 2)
    )
    assert one.digest == same.digest != other.digest


def test_the_order_of_cases_changes_nothing():
    labels, groups = cases({"a": [3] * 12, "b": [4] * 12})
    one = split_by_group(labels, groups, tune=0.2, test=0.2, stretches=1, seed=5)
    two = split_by_group(labels[::-1], groups[::-1], tune=0.2, test=0.2, stretches=1, seed=5)
    assert one.part_of_group == two.part_of_group


def test_too_few_groups_and_impossible_fractions_are_refused():
    labels, groups = cases({"a": [3] * 3})
    with pytest.raises(UsageError, match="class 'a' has 3 groups; a split with 1 stretches needs 4"):
        split_by_group(labels, groups, tune=0.2, test=0.2, stretches=1, seed=0)
    with pytest.raises(UsageError, match="leave nothing to train on"):
        split_by_group(labels, groups, tune=0.6, test=0.5, stretches=1, seed=0)
