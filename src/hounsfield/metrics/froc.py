"""Free-response curves: sensitivity per target against false positives per image, and their mean at seven rates.

Two steps: `match_centres` says which candidates hit which targets, by a rule; `FrocCurve` counts. The rule of
LUNA16 is one of distance; other rules (overlap of boxes) can give the same `Matched`.
Sources: Bunch 1978, J Appl Photogr Eng 4:166; Setio 2017, Med Image Anal 42:1 (LUNA16).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._weighted import percentile_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.metrics._bootstrap import Interval

# False positives per image at which LUNA16 reads the curve.
SEVEN_RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Points in images. image: (n,) number of the image, from 0. position_mm: (n, 3). radius_mm: (n,), of targets.

    score: (n,), of candidates. What does not apply is left empty.
    """

    image: NDArray[np.int64]
    position_mm: NDArray[np.float64]
    radius_mm: NDArray[np.float64] | None = None
    score: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Candidates told apart. hit_score: (n_targets,), the best of each target, -inf where none hit it.

    target_image: (n_targets,). false_score, false_image: (m,), candidates that hit nothing. n_ignored: further hits
    on a target, and candidates on irrelevant findings. n_images: of all, those without marks too.
    """

    hit_score: NDArray[np.float64]
    target_image: NDArray[np.int64]
    false_score: NDArray[np.float64]
    false_image: NDArray[np.int64]
    n_ignored: int
    n_images: int

    def curve(self, image_weight: NDArray[Any] | None = None) -> FrocCurve:
        """The curve; image_weight: (n_images,), how often each image counts (of a resample)."""
        return self.ranked().curve(np.ones(self.n_images) if image_weight is None else image_weight)

    def ranked(self) -> RankedMarks:
        """The marks in falling order of their scores, for curves of many resamples."""
        found = np.isfinite(self.hit_score)
        hits, falls = (np.sort(-one) for one in (self.hit_score[found], self.false_score))
        threshold = np.unique(np.concatenate([hits, falls]))
        return RankedMarks(
            -threshold,
            self.target_image,
            self.target_image[found][np.argsort(-self.hit_score[found], kind="stable")],
            self.false_image[np.argsort(-self.false_score, kind="stable")],
            np.searchsorted(hits, threshold, side="right"),
            np.searchsorted(falls, threshold, side="right"),
        )


@dataclass(frozen=True, slots=True, eq=False)
class RankedMarks:
    """Marks sorted once. threshold: (k,) distinct scores, falling. target_image: of all targets.

    hit_image, false_image: images of hit targets and of false marks, the highest score first. n_hits, n_false: (k,),
    how many of each score at least the threshold.
    """

    threshold: NDArray[np.float64]
    target_image: NDArray[np.int64]
    hit_image: NDArray[np.int64]
    false_image: NDArray[np.int64]
    n_hits: NDArray[np.intp]
    n_false: NDArray[np.intp]

    def curve(self, image_weight: NDArray[Any]) -> FrocCurve:
        """The curve of images of these weights (n_images,); sensitivities are nan without a target."""
        weight = np.asarray(image_weight, dtype=np.float64)
        hits, falls = (
            np.append(0.0, np.cumsum(weight.take(images))).take(n)
            for images, n in ((self.hit_image, self.n_hits), (self.false_image, self.n_false))
        )
        n_targets = float(weight.take(self.target_image).sum())
        sensitivity = hits / n_targets if n_targets else np.full(hits.size, np.nan)
        return FrocCurve(self.threshold, sensitivity, falls / float(weight.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class FrocCurve:
    """threshold: (k,) distinct scores, falling. sensitivity, false_per_image: of all candidates at least as high."""

    threshold: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    false_per_image: NDArray[np.float64]

    def sensitivity_at(self, rates: tuple[float, ...] = SEVEN_RATES) -> NDArray[np.float64]:
        """Sensitivity at false positives per image, by lines between thresholds from (0, 0), flat behind the last."""
        behind = np.searchsorted(self.false_per_image, rates, side="right")
        # Two points around each rate are all that a line needs; the curve itself may have a million.
        around = np.unique(np.clip([behind - 1, behind], 0, max(self.threshold.size - 1, 0)))
        kept = around[: self.threshold.size]
        x, y = (np.append(0.0, part[kept]) for part in (self.false_per_image, self.sensitivity))
        return np.asarray(np.interp(rates, x, y))

    @property
    def cpm(self) -> float:
        """Competition performance metric: mean sensitivity at the seven rates."""
        return float(self.sensitivity_at().mean())


def match_centres(
    candidates: Marks,
    targets: Marks,
    *,
    n_images: int,
    irrelevant: Marks | None = None,
) -> Matched:
    """By the rule of LUNA16: a candidate hits a target whose centre lies no further than the target's radius.

    The best hit on a target counts and further ones are ignored; of several targets the nearest is hit. Candidates that
    hit none, but lie within the radius of an irrelevant finding, are ignored too. Raises RefusedInput for numbers
    that are not finite, or images outside 0 to n_images - 1.
    """
    for marks in (candidates, targets, irrelevant):
        if marks is not None:
            _check(marks, n_images)
    if candidates.score is None or targets.radius_mm is None:
        raise RefusedInput("candidates need scores and targets need radii.")
    hit_score = np.full(targets.image.size, -np.inf)
    hit = _nearest_within(candidates, targets)
    np.maximum.at(hit_score, hit[hit >= 0], candidates.score[hit >= 0])
    is_false = hit < 0
    if irrelevant is not None:
        is_false &= _nearest_within(candidates, irrelevant) < 0
    n_counted = int(is_false.sum() + np.isfinite(hit_score).sum())
    return Matched(
        hit_score,
        targets.image,
        candidates.score[is_false],
        candidates.image[is_false],
        candidates.image.size - n_counted,
        n_images,
    )


def cpm_interval(
    matched: Matched, *, rng: np.random.Generator, n_resamples: int = 1000, level: float = 0.95
) -> Interval:
    """CPM with its interval by resampling images, as LUNA16 does."""
    n = matched.n_images
    drawn = (np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(n_resamples))
    ranked = matched.ranked()
    resamples = np.array([ranked.curve(weight).cpm for weight in drawn])
    return percentile_interval(matched.curve().cpm, resamples, level=level)


def _check(marks: Marks, n_images: int) -> None:
    parts = [marks.position_mm, *(part for part in (marks.radius_mm, marks.score) if part is not None)]
    if not all(np.isfinite(part).all() for part in parts):
        raise RefusedInput("a position, radius or score is not a finite number.")
    if any(len(part) != marks.image.size for part in parts) or marks.position_mm.shape[1:] != (3,):
        raise RefusedInput("images, positions (n, 3), radii and scores of marks must be of one length.")
    if marks.image.size and not 0 <= marks.image.min() <= marks.image.max() < n_images:
        raise RefusedInput(f"a mark lies in an image outside 0 to {n_images - 1}.")


def _nearest_within(candidates: Marks, targets: Marks) -> NDArray[np.int64]:
    """Number of the nearest target within whose radius each candidate lies, -1 if there is none."""
    radius_mm = targets.radius_mm if targets.radius_mm is not None else np.zeros(targets.image.size)
    found = np.full(candidates.image.size, -1, dtype=np.int64)
    own_targets = _by_image(targets.image)
    for image, own in _by_image(candidates.image).items():
        there = own_targets.get(image)
        if there is None:
            continue
        apart = candidates.position_mm[own][:, None] - targets.position_mm[there][None]
        distance_mm = np.sqrt((apart**2).sum(axis=2))
        distance_mm[distance_mm > radius_mm[there]] = np.inf
        nearest = distance_mm.argmin(axis=1)
        within = np.isfinite(distance_mm[np.arange(own.size), nearest])
        found[own[within]] = there[nearest[within]]
    return found


def _by_image(image: NDArray[np.int64]) -> dict[int, NDArray[np.intp]]:
    order = np.argsort(image, kind="stable")
    numbers, starts = np.unique(image[order], return_index=True)
    return dict(zip(numbers.tolist(), np.split(order, starts[1:]), strict=True)) if image.size else {}
