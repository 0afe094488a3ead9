"""Figures of one reader who marks and rates places in cases: localisation, false marks, AFROC, JAFROC, inferred ROC.

Marks are matched before: each lesion has the rating of its mark or none, and what hit no lesion is a false mark. The
AFROC's area on normal cases alone is the figure of JAFROC; with the false marks of diseased cases too it is that of
JAFROC-1, which has more power but mixes what a reader does in two kinds of cases. The weighted area, in which each case
and not each lesion counts once, is `wafroc`.
Sources: Chakraborty and Winter 1990, Radiology 174:873 (AFROC); Chakraborty and Berbaum 2004, Med Phys 31:2313
(JAFROC); Chakraborty 2006, Acad Radiol 13:1187 (JAFROC-1); Bunch 1978, J Appl Photogr Eng 4:166 (highest rating).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval, cluster_bootstrap
from hounsfield.metrics.auroc import auroc
from hounsfield.metrics.wafroc import wafroc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class FreeResponse:
    """What one reader marked in n_cases cases, numbered from 0; a case with a lesion is diseased.

    lesion_rating: (n_lesions,), -inf for a lesion without a mark. lesion_case: (n_lesions,). false_rating, false_case:
    (m,), marks beside lesions. Raises RefusedInput for lengths that differ, a rating that is not a number, a false mark
    without a rating, or a case outside 0 to n_cases - 1. Every figure is nan where it has no case to rest on.
    """

    lesion_rating: NDArray[np.float64]
    lesion_case: NDArray[np.int64]
    false_rating: NDArray[np.float64]
    false_case: NDArray[np.int64]
    n_cases: int

    def __post_init__(self) -> None:
        if self.lesion_rating.size != self.lesion_case.size or self.false_rating.size != self.false_case.size:
            raise RefusedInput("every lesion and every false mark needs one rating and one case.")
        if np.isnan(self.lesion_rating).any() or not np.isfinite(self.false_rating).all():
            raise RefusedInput(
                "a rating is not a number; only a lesion without a mark may have one of minus infinity."
            )
        cases = np.concatenate([self.lesion_case, self.false_case])
        if cases.size and not 0 <= cases.min() <= cases.max() < self.n_cases:
            raise RefusedInput(f"a mark lies in a case outside 0 to {self.n_cases - 1}.")

    @property
    def is_diseased(self) -> NDArray[np.bool_]:
        """Which cases (n_cases,) have a lesion."""
        return np.bincount(self.lesion_case, minlength=self.n_cases) > 0

    @property
    def lesion_localisation_fraction(self) -> float:
        """Share of the lesions that were marked, at any rating."""
        return self.lesion_localisation_fraction_at(-np.inf)

    def lesion_localisation_fraction_at(self, rating: float) -> float:
        """Share of the lesions whose mark is rated so or higher; unmarked lesions never count."""
        marked = np.isfinite(self.lesion_rating) & (self.lesion_rating >= rating)
        return float(marked.mean()) if marked.size else float("nan")

    @property
    def false_marks_per_case(self) -> float:
        """False marks for each case, normal and diseased."""
        return self.false_rating.size / self.n_cases if self.n_cases else float("nan")

    @property
    def highest_false(self) -> NDArray[np.float64]:
        """The highest rating of a false mark in each case (n_cases,), -inf without one."""
        highest = np.full(self.n_cases, -np.inf)
        np.maximum.at(highest, self.false_case, self.false_rating)
        return highest

    @property
    def highest(self) -> NDArray[np.float64]:
        """The highest rating of any mark in each case (n_cases,), -inf without one: the rating of the case."""
        highest = self.highest_false
        np.maximum.at(highest, self.lesion_case, self.lesion_rating)
        return highest

    @property
    def inferred_roc(self) -> float:
        """Area under the ROC curve of cases by their highest rating; a right call for a wrong place counts."""
        return float(auroc(self.is_diseased, _ranks(self.highest)))

    @property
    def jafroc(self) -> float:
        """Chance that a lesion is rated above all marks of a normal case, ties half, each lesion counting once."""
        return _above(self.lesion_rating, self.highest_false[~self.is_diseased])

    @property
    def jafroc_1(self) -> float:
        """As `jafroc`, with the false marks of diseased cases counting too."""
        return _above(self.lesion_rating, self.highest_false)

    @property
    def wafroc(self) -> float:
        """As `jafroc`, with each diseased case counting once and its lesions alike."""
        return wafroc(self.lesion_rating, self.lesion_case, self.highest_false[~self.is_diseased])

    def afroc_curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Share of normal cases marked, share of lesions marked, and the rating, from (0, 0) at infinity.

        The last point is joined to (1, 1) by a line, under which the area is `jafroc`.
        """
        normal = self.highest_false[~self.is_diseased]
        ratings = np.unique(np.concatenate([self.lesion_rating, normal]))[::-1]
        ratings = np.concatenate([[np.inf], ratings[np.isfinite(ratings)]])
        alarms = (normal[None] >= ratings[:, None]).sum(axis=1) / max(normal.size, 1)
        hits = (self.lesion_rating[None] >= ratings[:, None]).sum(axis=1) / max(self.lesion_rating.size, 1)
        return alarms, hits, ratings

    def of_cases(self, cases: NDArray[Any]) -> FreeResponse:
        """The same reader on these cases (k,), in this order; one that stands twice counts twice."""
        lesions = [np.flatnonzero(self.lesion_case == case) for case in cases]
        marks = [np.flatnonzero(self.false_case == case) for case in cases]
        return FreeResponse(
            *_renumbered(self.lesion_rating, lesions), *_renumbered(self.false_rating, marks), len(cases)
        )


def free_response_interval(
    study: FreeResponse,
    figure: Callable[[FreeResponse], float],
    groups: Sequence[Any],
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
) -> Interval:
    """A figure of one reader with its 95 % interval by resampling patients.

    figure: of a FreeResponse, for example `lambda study: study.jafroc`. groups: (n_cases,), the patient of each case.
    Raises RefusedInput for another number of groups.
    """
    if len(groups) != study.n_cases:
        raise RefusedInput(f"{len(groups)} groups for {study.n_cases} cases; one for each case is needed.")
    return cluster_bootstrap(
        lambda cases: figure(study.of_cases(cases)), groups, rng=rng, n_resamples=n_resamples
    )


def _above(rated: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    truth = np.concatenate([np.ones(rated.size, bool), np.zeros(others.size, bool)])
    return float(auroc(truth, _ranks(np.concatenate([rated, others]))))


def _ranks(ratings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks of ratings: the area asks for no more, and minus infinity has a rank like any other."""
    return np.unique(ratings, return_inverse=True)[1].reshape(ratings.shape).astype(np.float64)


def _renumbered(
    ratings: NDArray[np.float64], places: list[NDArray[np.intp]]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    case = np.repeat(np.arange(len(places)), [place.size for place in places])
    chosen = np.concatenate(places) if places else np.zeros(0, np.intp)
    return ratings[chosen], case.astype(np.int64)
