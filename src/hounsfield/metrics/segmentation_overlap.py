"""What the four counts of two masks say: the measures of Taha and Hanbury 2015 that need no distances.

Source of all formulas here, unless another is named: Taha and Hanbury 2015, BMC Med Imaging 15:29, which also says when
to use which. Their other three measures need places: voxel_distances.py; distances between outlines: surface.py.

Empty masks. The policy of all segmentation metrics of this package: what is undefined is nan and counted apart by
whoever averages, never 1 and never left out in silence; where one mask of two is empty, a figure takes its worst value.
For the counts it comes out of the formulas, with 0/0 = nan:

    measure                                       both empty    truth empty    prediction empty
    dice, jaccard, f_beta, volume_similarity      nan           0              0
    sensitivity, false_negative_rate              nan           nan            0, 1
    precision                                     nan           0              nan
    specificity, false_positive_rate              1, 0          defined        1, 0
    auc                                           nan           nan            0.5
    kappa, adjusted_rand                          nan           0              0
    mutual_information_nats                       0             0              0
    probabilistic_distance                        nan           inf            inf
    intraclass_correlation                        nan           0 or below     0 or below
    rand, variation_of_information_nats,
    global_consistency_error                      as for any other masks

Rand, adjusted Rand, mutual information, kappa, specificity and whatever else knows true negatives change with the
size of the picture around the masks; the others do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class OverlapCounts:
    """Voxels in both masks, in the prediction alone, in the truth alone, and in neither.

    Every figure is a ratio (unit 1) unless its name says nats; what empty masks give stands in the module's text.
    """

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    def __post_init__(self) -> None:
        if min(self.true_positive, self.false_positive, self.false_negative, self.true_negative) < 0:
            raise RefusedInput(f"{self} holds a negative count; counts of voxels are 0 or more.")

    @property
    def n(self) -> int:
        """All voxels."""
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    @property
    def n_truth(self) -> int:
        """Voxels of the truth."""
        return self.true_positive + self.false_negative

    @property
    def n_prediction(self) -> int:
        """Voxels of the prediction."""
        return self.true_positive + self.false_positive

    @property
    def n_differing(self) -> int:
        """Voxels in one mask alone."""
        return self.false_positive + self.false_negative

    @property
    def dice(self) -> float:
        """2 TP / (2 TP + FP + FN)."""
        return _share(2 * self.true_positive, self.n_truth + self.n_prediction)

    @property
    def jaccard(self) -> float:
        """TP / (TP + FP + FN), intersection over union; dice / (2 - dice)."""
        return _share(self.true_positive, self.true_positive + self.n_differing)

    @property
    def sensitivity(self) -> float:
        """True positive rate: TP / (TP + FN)."""
        return _share(self.true_positive, self.n_truth)

    @property
    def specificity(self) -> float:
        """True negative rate: TN / (TN + FP)."""
        return _share(self.true_negative, self.n - self.n_truth)

    @property
    def false_positive_rate(self) -> float:
        """Fallout: FP / (FP + TN)."""
        return _share(self.false_positive, self.n - self.n_truth)

    @property
    def false_negative_rate(self) -> float:
        """FN / (FN + TP)."""
        return _share(self.false_negative, self.n_truth)

    @property
    def precision(self) -> float:
        """Positive predictive value: TP / (TP + FP)."""
        return _share(self.true_positive, self.n_prediction)

    def f_beta(self, beta: float = 1.0) -> float:
        """(beta^2 + 1) PPV TPR / (beta^2 PPV + TPR), as counts; beta above 1 weighs what was missed. F1 is Dice.

        Raises RefusedInput unless beta is above 0.
        """
        if not beta > 0.0:
            raise RefusedInput(f"beta is {beta:g}; above 0 is needed.")
        hit = (1.0 + beta**2) * self.true_positive
        return _share(hit, hit + beta**2 * self.false_negative + self.false_positive)

    @property
    def global_consistency_error(self) -> float:
        """The smaller of both ways' mean refinement errors, by the paper's formula in counts; 0 is best.

        It counts a voxel of one mask alone as wholly wrong. Martin 2001 (ICCV 2:416), whom it cites, takes such a
        voxel's background in the other mask as its region there, which gives smaller numbers.
        """
        ways = (
            (self.false_negative, self.true_positive, self.false_positive, self.true_negative),
            (self.false_positive, self.true_positive, self.false_negative, self.true_negative),
        )
        errors = [_refinement_error(a, b) + _refinement_error(c, d) for a, b, c, d in ways]
        return _share(min(errors), self.n)

    @property
    def volume_similarity(self) -> float:
        """1 - |FN - FP| / (2 TP + FP + FN): sizes alone, wherever the masks lie."""
        return 1.0 - _share(abs(self.false_negative - self.false_positive), self.n_truth + self.n_prediction)

    @property
    def rand(self) -> float:
        """Share of pairs of voxels that both masks put together, or both put apart (Rand 1971); needs two voxels."""
        together, prediction_alone, truth_alone, apart = self._pairs()
        return _share(together + apart, together + prediction_alone + truth_alone + apart)

    @property
    def adjusted_rand(self) -> float:
        """2 (a d - b c) / (c^2 + b^2 + 2 a d + (a + d)(b + c)) of the pairs: Rand beyond chance (Hubert 1985)."""
        a, b, c, d = self._pairs()
        return _share(2 * (a * d - b * c), c**2 + b**2 + 2 * a * d + (a + d) * (b + c))

    @property
    def mutual_information_nats(self) -> float:
        """H(truth) + H(prediction) - H(both), entropies with the natural logarithm; divide by ln 2 for bits."""
        # Rounding must not make it negative.
        return max(0.0, sum(self._entropies_nats()) - self._joint_entropy_nats()) if self.n else math.nan

    @property
    def variation_of_information_nats(self) -> float:
        """H(truth) + H(prediction) - 2 MI, with the natural logarithm; 0 is best (Meila 2003)."""
        if not self.n:
            return math.nan
        return max(0.0, 2 * self._joint_entropy_nats() - sum(self._entropies_nats()))

    @property
    def intraclass_correlation(self) -> float:
        """(MSb - MSw) / (MSb + MSw) of the two masks as raters of every voxel (Shrout 1979, case 1); needs two voxels."""
        if self.n < 2:
            return math.nan
        mean = (self.n_truth + self.n_prediction) / (2 * self.n)
        squares = (
            self.true_positive * (1.0 - mean) ** 2
            + self.n_differing * (0.5 - mean) ** 2
            + self.true_negative * mean**2
        )
        between, within = 2.0 * squares / (self.n - 1), self.n_differing / (2 * self.n)
        return _share(between - within, between + within)

    @property
    def probabilistic_distance(self) -> float:
        """(FP + FN) / (2 TP): what differs over twice what is shared; 0 is best, without upper limit (Gerig 2001)."""
        if self.true_positive:
            return self.n_differing / (2 * self.true_positive)
        return math.inf if self.n_differing else math.nan

    @property
    def kappa(self) -> float:
        """Agreement beyond chance (Cohen 1960, Educ Psychol Meas 20:37)."""
        by_chance = (self.n - self.n_truth) * (self.n - self.n_prediction) + self.n_truth * self.n_prediction
        agreed = (self.true_positive + self.true_negative) * self.n
        return _share(agreed - by_chance, self.n**2 - by_chance)

    @property
    def auc(self) -> float:
        """Area under the curve of one point: 1 - (false positive rate + false negative rate) / 2."""
        return 1.0 - (self.false_positive_rate + self.false_negative_rate) / 2

    def _pairs(self) -> tuple[int, int, int, int]:
        """Pairs of voxels: together in both, in the prediction alone, in the truth alone, in neither."""
        cells = (self.true_positive, self.false_positive, self.false_negative, self.true_negative)
        together = sum(_n_pairs(cell) for cell in cells)
        in_truth = _n_pairs(self.n_truth) + _n_pairs(self.n - self.n_truth)
        in_prediction = _n_pairs(self.n_prediction) + _n_pairs(self.n - self.n_prediction)
        apart = _n_pairs(self.n) - in_truth - in_prediction + together
        return together, in_prediction - together, in_truth - together, apart

    def _entropies_nats(self) -> tuple[float, float]:
        sizes = self.n_truth, self.n_prediction
        return _entropy_nats((sizes[0], self.n - sizes[0])), _entropy_nats((sizes[1], self.n - sizes[1]))

    def _joint_entropy_nats(self) -> float:
        return _entropy_nats(
            (self.true_positive, self.false_positive, self.false_negative, self.true_negative)
        )


def count_overlap(truth: NDArray[Any], prediction: NDArray[Any]) -> OverlapCounts:
    """The four counts of two bool masks of one shape; raises RefusedInput if the shapes differ."""
    first, second = np.asarray(truth, dtype=np.bool_), np.asarray(prediction, dtype=np.bool_)
    if first.shape != second.shape:
        raise RefusedInput(
            f"the masks have shapes {first.shape} and {second.shape}; they must lie on one grid."
        )
    n_first, n_second, shared = (int(np.count_nonzero(mask)) for mask in (first, second, first & second))
    return OverlapCounts(
        true_positive=shared,
        false_positive=n_second - shared,
        false_negative=n_first - shared,
        true_negative=first.size - n_first - n_second + shared,
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _n_pairs(n: int) -> int:
    return n * (n - 1) // 2


def _refinement_error(alone: int, shared: int) -> float:
    """Of a region of alone + shared voxels: nothing, if it is empty."""
    return alone * (alone + 2 * shared) / (alone + shared) if alone else 0.0


def _entropy_nats(counts: tuple[int, ...]) -> float:
    n = sum(counts)
    return -sum(count / n * math.log(count / n) for count in counts if count)
