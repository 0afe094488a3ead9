"""Several readers, several cases: does one modality (or reading with help) serve readers better than another?

The figures of merit of I modalities by J readers are compared by an analysis of variance whose errors are
corrected for the correlation that reading the same cases brings.
Sources: Obuchowski and Rockette 1995, Communications in Statistics 24:285; Hillis 2007, Stat Med 26:596 (degrees
of freedom).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics.auroc import auroc
from hounsfield.metrics.delong import placements

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ModalityTest:
    """Whether modalities differ. statistic: F (chi square over its degrees for fixed readers). df2: inf there."""

    statistic: float
    df1: int
    df2: float
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class ReaderStudy:
    """Figures of merit (I modalities, J readers) and the pooled (co)variances of their errors.

    var: of one figure. cov1: same reader, two modalities; cov2: same modality, two readers; cov3: neither same.
    """

    merit: NDArray[np.float64]
    var: float
    cov1: float
    cov2: float
    cov3: float

    @property
    def n_modalities(self) -> int:
        """Modalities, at least 2."""
        return int(self.merit.shape[0])

    @property
    def n_readers(self) -> int:
        """Readers, at least 2."""
        return int(self.merit.shape[1])

    @property
    def modality_means(self) -> NDArray[np.float64]:
        """Average over readers, (I,)."""
        return np.asarray(self.merit.mean(axis=1))

    @property
    def ms_modality(self) -> float:
        """Mean square of the modalities."""
        means = self.modality_means
        return float(self.n_readers * ((means - means.mean()) ** 2).sum() / (self.n_modalities - 1))

    @property
    def ms_interaction(self) -> float:
        """Mean square of modality by reader."""
        rest = (
            self.merit - self.merit.mean(axis=1, keepdims=True) - self.merit.mean(axis=0) + self.merit.mean()
        )
        return float((rest**2).sum() / ((self.n_modalities - 1) * (self.n_readers - 1)))

    @property
    def _shared(self) -> float:
        # Below zero the correction would make the test too easy (Hillis 2007).
        return max(self.cov2 - self.cov3, 0.0)

    @property
    def _error(self) -> float:
        return self.ms_interaction + self.n_readers * self._shared

    def random_readers(self) -> ModalityTest:
        """The test that holds for other readers and other cases."""
        free = (self.n_modalities - 1) * (self.n_readers - 1)
        df2 = self._error**2 / (self.ms_interaction**2 / free) if self.ms_interaction else math.inf
        return _f_test(
            self.ms_modality / self._error if self._error else math.nan, self.n_modalities - 1, df2
        )

    def fixed_readers(self) -> ModalityTest:
        """The test that holds for these readers and other cases."""
        from scipy.stats import chi2

        df = self.n_modalities - 1
        statistic = self.ms_modality / self._fixed_error
        return ModalityTest(statistic, df, math.inf, float(chi2.sf(df * statistic, df)))

    @property
    def _fixed_error(self) -> float:
        return self.var - self.cov1 + (self.n_readers - 1) * self._shared

    def fixed_cases(self) -> ModalityTest:
        """The test that holds for other readers and these cases."""
        df1 = self.n_modalities - 1
        return _f_test(self.ms_modality / self.ms_interaction, df1, df1 * (self.n_readers - 1))

    def difference(self, first: int = 0, second: int = 1, *, level: float = 0.95) -> Interval:
        """Mean of the first modality minus that of the second, for other readers and cases."""
        value = float(self.modality_means[first] - self.modality_means[second])
        return _interval(value, 2.0 / self.n_readers * self._error, self.random_readers().df2, level)

    def difference_of_these_readers(
        self, first: int = 0, second: int = 1, *, level: float = 0.95
    ) -> Interval:
        """The same for these readers and other cases."""
        value = float(self.modality_means[first] - self.modality_means[second])
        return _interval(value, 2.0 / self.n_readers * self._fixed_error, math.inf, level)


def reader_study(merit: NDArray[Any], covariance: NDArray[Any]) -> ReaderStudy:
    """Pool a covariance (I, J, I, J) of the errors of merit (I, J). Raises RefusedInput below 2 by 2."""
    figures, errors = np.asarray(merit, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if figures.ndim != 2 or min(figures.shape) < 2 or errors.shape != figures.shape * 2:
        raise RefusedInput(
            "a reader study needs at least two modalities and two readers, and their covariance."
        )
    n_modalities, n_readers = figures.shape
    i, j, k, m = np.ix_(range(n_modalities), range(n_readers), range(n_modalities), range(n_readers))
    kinds = {
        "var": (i == k) & (j == m),
        "cov1": (i != k) & (j == m),
        "cov2": (i == k) & (j != m),
        "cov3": (i != k) & (j != m),
    }
    return ReaderStudy(figures, **{name: float(errors[kind].mean()) for name, kind in kinds.items()})


def delong_study(truth: NDArray[Any], ratings: NDArray[Any]) -> ReaderStudy:
    """Areas under ROC curves with DeLong's covariances; every reader read every case in every modality.

    truth: bool (n,). ratings: (I, J, n), higher means more likely diseased.
    """
    rated = np.asarray(ratings, dtype=np.float64)
    if rated.ndim != 3 or not np.isfinite(rated).all():
        raise RefusedInput("ratings (modalities, readers, cases) must all be numbers; see jackknife_study.")
    of_positives, of_negatives = placements(truth, rated.reshape(-1, rated.shape[-1]))
    covariance = np.cov(of_positives) / of_positives.shape[1] + np.cov(of_negatives) / of_negatives.shape[1]
    return reader_study(
        of_positives.mean(axis=1).reshape(rated.shape[:2]), covariance.reshape(rated.shape[:2] * 2)
    )


def jackknife_study(
    truth: NDArray[Any],
    ratings: NDArray[Any],
    merit: Callable[[NDArray[Any], NDArray[Any]], float] = auroc,
) -> ReaderStudy:
    """Any figure of merit of (truth, ratings of one reader), with covariances by leaving out one case at a time.

    ratings: (I, J, n), nan where a reader did not read a case in a modality. Cells that share no case (cases nested in
    readers or in modalities) are independent; cells that share some but not all are refused. The jackknife runs
    over all cases of the study, as in MRMCaov.
    """
    positive, rated = np.asarray(truth), np.asarray(ratings, dtype=np.float64)
    read = np.isfinite(rated).reshape(-1, rated.shape[-1])
    cells = rated.reshape(read.shape)
    figures = np.array([merit(positive[own], cell[own]) for own, cell in zip(read, cells, strict=True)])
    without = [_left_out(positive[own], cell[own], merit) for own, cell in zip(read, cells, strict=True)]
    covariance = np.zeros((len(cells), len(cells)))
    for a, b in np.ndindex(covariance.shape):
        if (read[a] == read[b]).all():
            apart = (without[a] - without[a].mean()) @ (without[b] - without[b].mean())
            covariance[a, b] = (positive.shape[0] - 1) / positive.shape[0] * apart
        elif (read[a] & read[b]).any():
            raise RefusedInput("two readings share some cases but not all: this design is not taken.")
    return reader_study(figures.reshape(rated.shape[:2]), covariance.reshape(rated.shape[:2] * 2))


def _left_out(
    truth: NDArray[Any], rated: NDArray[np.float64], merit: Callable[[NDArray[Any], NDArray[Any]], float]
) -> NDArray[np.float64]:
    kept = ~np.eye(truth.shape[0], dtype=bool)
    return np.array([merit(truth[own], rated[own]) for own in kept])


def _f_test(statistic: float, df1: int, df2: float) -> ModalityTest:
    from scipy.stats import chi2, f

    p = chi2.sf(df1 * statistic, df1) if math.isinf(df2) else f.sf(statistic, df1, df2)
    return ModalityTest(statistic, df1, df2, float(p))


def _interval(value: float, variance: float, df: float, level: float) -> Interval:
    from scipy.stats import norm, t

    quantile = float((norm if math.isinf(df) else t(df)).ppf(0.5 + level / 2))
    half = quantile * math.sqrt(max(variance, 0.0))
    return Interval(value, value - half, value + half)
