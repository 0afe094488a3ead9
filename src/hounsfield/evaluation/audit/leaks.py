"""What test data share with training data: patients, studies, files, pixels, near copies, reports, sites.

A leak makes a test too kind. Names and hashes are compared as they are; copies are looked for in the pictures
(near_duplicates.py), because published sets hold the same film under other names, sizes and formats.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.evaluation.audit.duplicate_texts import TextPair, duplicate_texts
from hounsfield.evaluation.audit.leak_items import IDENTITIES, LeakItem
from hounsfield.evaluation.audit.near_duplicates import SIDE, Pair, Threshold, Thumbnails, near_duplicates

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Shared:
    """What stands on both sides for one key of IDENTITIES.

    n_values: names on both sides. n_test, n_train: items with one of them. n_stated: test items that state any.
    pairs: (training item, test item), one for each test item concerned.
    """

    key: str
    n_values: int
    n_test: int
    n_train: int
    n_stated: int
    pairs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class LeakReport:
    """Everything found. pictures: near copies and likenesses, first a test item, second a training item.

    threshold: None if there were no pictures. sites: on both sides; sites_alone: of the test data alone. n_even:
    pictures that show nothing and were not compared.
    """

    n_train: int
    n_test: int
    shared: tuple[Shared, ...]
    pictures: tuple[Pair, ...]
    threshold: Threshold | None
    texts: tuple[TextPair, ...]
    sites: tuple[str, ...]
    sites_alone: tuple[str, ...]
    n_even: int = 0

    @property
    def leaked(self) -> frozenset[int]:
        """Test items that stand in the training data by name, hash or as a copy."""
        named = {test for one in self.shared for _, test in one.pairs}
        return frozenset(named | {pair.first for pair in self.pictures if pair.is_copy})

    @property
    def alike(self) -> frozenset[int]:
        """Test items that are only like a training item, in picture or text."""
        like = {pair.first for pair in self.pictures} | {pair.first for pair in self.texts}
        return frozenset(like) - self.leaked


def look_for_leaks(
    train: Sequence[LeakItem], test: Sequence[LeakItem], *, false_pairs: float = 0.5, seed: int = 0
) -> LeakReport:
    """Everything that the two sides share. false_pairs: pictures of different things that may be called like by chance.

    Raises UsageError if a side is empty or nothing can be compared: no name, picture or text on both sides.
    """
    if not train or not test:
        raise UsageError(
            f"there are {len(train)} training and {len(test)} test items; both are needed. Give two folders or tables."
        )
    shared = tuple(one for key in IDENTITIES if (one := _shared(key, train, test)) is not None)
    pictures, threshold, n_even = _pictures(train, test, false_pairs, seed)
    texts = duplicate_texts([one.text for one in test], [one.text for one in train])
    has_texts = any(one.text for one in train) and any(one.text for one in test)
    if not shared and threshold is None and not has_texts:
        raise UsageError(
            "the two sides state no name, picture or text that could be compared. Name the columns of a table with "
            "--patient-column, --file-column or --text-column."
        )
    sites = {one.site for one in train} - {""}, {one.site for one in test} - {""}
    return LeakReport(
        len(train), len(test), shared, pictures, threshold, tuple(texts),
        tuple(sorted(sites[0] & sites[1])), tuple(sorted(sites[1] - sites[0])), n_even,
    )  # fmt: skip


def _shared(key: str, train: Sequence[LeakItem], test: Sequence[LeakItem]) -> Shared | None:
    """None where one side states no such name."""
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for number, item in enumerate(train):
        holders[item.identities.get(key, "")].append(number)
    stated = [number for number, item in enumerate(test) if item.identities.get(key)]
    if not stated or set(holders) <= {""}:
        return None
    pairs = tuple(
        (holders[value][0], number) for number in stated if (value := test[number].identities[key]) in holders
    )
    values = {test[number].identities[key] for _, number in pairs}
    n_train = sum(len(holders[value]) for value in values)
    return Shared(key, len(values), len(pairs), n_train, len(stated), pairs)


def _pictures(
    train: Sequence[LeakItem], test: Sequence[LeakItem], false_pairs: float, seed: int
) -> tuple[tuple[Pair, ...], Threshold | None, int]:
    (from_train, there), (from_test, here) = (_thumbnails(items) for items in (train, test))
    if not len(here) or not len(there):
        return (), None, 0
    found, threshold = near_duplicates(here, there, false_pairs=false_pairs, seed=seed)
    named = tuple(replace(one, first=from_test[one.first], second=from_train[one.second]) for one in found)
    return named, threshold, int(here.even.sum() + there.even.sum())


def _thumbnails(items: Sequence[LeakItem]) -> tuple[list[int], Thumbnails]:
    chosen = [number for number, item in enumerate(items) if item.grey is not None]
    grey = np.array([items[number].grey for number in chosen], dtype=np.uint8).reshape(-1, SIDE, SIDE)
    return chosen, Thumbnails(grey, np.array([items[number].is_even for number in chosen], dtype=bool))
