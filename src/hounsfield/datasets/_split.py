"""Split by group, with a buffer: no neighbour of a tested group is ever trained on.

Groups are often only inferred, so that a patient may straddle two groups that follow each other. Each
class's groups are put in order and cut into stretches. In each stretch a run of neighbouring groups is
tested, the groups on both sides of it go to tuning, and the rest is trained on. A straddling patient can
thus be in tuning and test (where only thresholds and temperature are fitted), never in training and test.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

import numpy as np

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.datasets._dataset import Dataset

Part = Literal["train", "tune", "test"]
PARTS: tuple[Part, ...] = ("train", "tune", "test")


@dataclass(frozen=True, slots=True)
class Split:
    """The part of each case, in the order of the cases, and of each group."""

    parts: tuple[Part, ...]
    part_of_group: dict[str, Part]

    def indices(self, part: Part) -> list[int]:
        """Positions of the cases of one part."""
        return [index for index, own in enumerate(self.parts) if own == part]

    @property
    def digest(self) -> str:
        """SHA-256 over groups and parts: equal digests mean the same split."""
        lines = "\n".join(f"{group}\t{part}" for group, part in sorted(self.part_of_group.items()))
        return sha256(lines.encode()).hexdigest()


def split_dataset(dataset: Dataset, *, tune: float, test: float, stretches: int, seed: int) -> Split:
    """The split of a data set; groups with a case that is held out are all tested, the others are dealt.

    Fractions are those of the groups that are dealt. Raises UsageError if a class has too few groups.
    """
    held = {case.group for case in dataset.cases if case.held_out}
    dealt = [case for case in dataset.cases if case.group not in held]
    split = split_by_group(
        [case.label for case in dealt],
        [case.group for case in dealt],
        tune=tune,
        test=test,
        stretches=stretches,
        seed=seed,
    )
    part_of_group: dict[str, Part] = {**split.part_of_group, **dict.fromkeys(sorted(held), "test")}
    return Split(tuple(part_of_group[group] for group in dataset.groups), part_of_group)


def split_by_group(
    labels: Sequence[str], groups: Sequence[str], *, tune: float, test: float, stretches: int, seed: int
) -> Split:
    """Parts of about the fractions `tune` and `test`, in each class, whole groups only.

    labels, groups: of each case; groups in the order of their names follow each other. stretches: how many
    runs of tested groups each class has. Raises UsageError if a class has too few groups.
    """
    if not (0 < tune < 1 and 0 < test < 1 and tune + test < 1):
        raise UsageError(f"fractions tune={tune} and test={test} leave nothing to train on")
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for label, group in zip(labels, groups, strict=True):
        counts[group][label] += 1
    by_class: defaultdict[str, list[str]] = defaultdict(list)
    for group in sorted(counts):
        # A group of two classes belongs to the one it holds more of, ties by name.
        by_class[min(counts[group], key=lambda label: (-counts[group][label], label))].append(group)
    rng = np.random.default_rng(seed)
    parts: dict[str, Part] = {}
    for label in sorted(by_class):
        names = by_class[label]
        if len(names) < 4 * stretches:
            raise UsageError(
                f"class {label!r} has {len(names)} groups; a split with {stretches} stretches needs "
                f"{4 * stretches}. Lower `stretches` in the recipe, or give more groups."
            )
        for stretch in np.array_split(np.array(names), stretches):
            own = [str(name) for name in stretch]
            sizes = [sum(counts[name].values()) for name in own]
            parts.update(zip(own, _split_stretch(sizes, tune, test, rng), strict=True))
    return Split(tuple(parts[group] for group in groups), parts)


def _split_stretch(sizes: list[int], tune: float, test: float, rng: np.random.Generator) -> list[Part]:
    """Parts of neighbouring groups of these sizes: train, tune, test, tune, train."""
    n_groups, total = len(sizes), sum(sizes)
    n_test = min(max(1, round(test * n_groups)), n_groups - 3)
    start = int(rng.integers(1, n_groups - n_test))
    parts: list[Part] = ["train"] * n_groups
    parts[start : start + n_test] = ["test"] * n_test
    parts[start - 1] = parts[start + n_test] = "tune"
    left, right = start - 2, start + n_test + 1
    tuned = sizes[start - 1] + sizes[start + n_test]
    while parts.count("train") > 1:
        index = (
            left if (start - left <= right - start - n_test + 1 and left >= 0) or right >= n_groups else right
        )
        if tuned + sizes[index] / 2 > tune * total:
            break
        parts[index] = "tune"
        tuned += sizes[index]
        left, right = (left - 1, right) if index == left else (left, right + 1)
    return parts
