"""Detection by boxes: which boxes hit which objects, average precision, and its mean over labels and overlaps.

Matching is that of COCO: in each image the boxes are taken by falling score, and each takes the free object that it
overlaps most, if by the threshold at least. Objects marked `ignored` (irrelevant findings) and crowds take a box away
without counting it for or against. Average precision comes in two forms that are named where they are used: the area
under the whole curve (Pascal VOC from 2010) and the mean of 101 points (COCO). Both lift precision to the best that a
larger recall still has.
Sources: Everingham 2010, Int J Comput Vis 88:303 (VOC); Lin 2014, ECCV:740 (COCO).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._weighted import percentile_interval, resampled
from hounsfield.metrics.boxes import box_iou, box_sizes, share_inside
from hounsfield.metrics.froc import Matched, _by_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hounsfield.metrics._bootstrap import Interval

COCO_OVERLAPS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
Form = Literal["area", "101-points"]


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Boxes in images. image: (n,) number of the image, from 0. corners: (n, 2, axes), low then high; 2D or 3D.

    label: (n,) kind of object; all one kind if None. score: (n,), of found boxes. ignored: bool (n,); an object that
    counts neither way, or a found box that counts only if it hits. crowd: bool (n,), objects that stand for many: they
    may take several boxes, overlap is the share of the box within them, and they are ignored too.
    """

    image: NDArray[np.int64]
    corners: NDArray[np.float64]
    label: NDArray[np.int64] | None = None
    score: NDArray[np.float64] | None = None
    ignored: NDArray[np.bool_] | None = None
    crowd: NDArray[np.bool_] | None = None

    def ignoring_sizes(self, low: float, high: float) -> Boxes:
        """The same boxes, those of another area or volume than low to high (both included) ignored.

        For figures of one range of sizes: apply it to objects and to found boxes. The unit is that of the corners.
        """
        sizes = box_sizes(self.corners)
        outside = (sizes < low) | (sizes > high)
        return replace(self, ignored=outside if self.ignored is None else outside | self.ignored)


@dataclass(frozen=True, slots=True, eq=False)
class DetectionFigures:
    """Average precision of every label at every overlap; `mean_average_precision` makes it.

    matched: (labels, overlaps) hits and false boxes. labels, overlaps: what these axes are. form: that of the figures.
    """

    matched: tuple[tuple[Matched, ...], ...]
    labels: tuple[int, ...]
    overlaps: tuple[float, ...]
    form: Form

    def average_precision(self, image_weight: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """Average precision (labels, overlaps), nan for a label without objects; image_weight: (n_images,)."""
        table = [
            [detection_average_precision(one, form=self.form, image_weight=image_weight) for one in row]
            for row in self.matched
        ]
        return np.array(table, dtype=np.float64).reshape(len(self.labels), len(self.overlaps))

    @property
    def mean(self) -> float:
        """Mean average precision over the overlaps and the labels that have objects; nan if none has."""
        return _mean(self.average_precision())

    def interval(
        self, groups: Sequence[Any], *, rng: np.random.Generator, n_resamples: int = 1000
    ) -> Interval:
        """The mean with its 95 % interval by resampling patients. groups: (n_images,), the patient of each image.

        A label that a resample lacks is left out of the mean of that resample. Raises RefusedInput for another number
        of groups than of images.
        """
        n_images = self.matched[0][0].n_images if self.labels else 0
        if len(groups) != n_images:
            raise RefusedInput(f"{len(groups)} groups for {n_images} images; one for each image is needed.")
        ranked = [_Ranked.from_matched(one) for row in self.matched for one in row]

        def of_weights(weights: NDArray[np.float64]) -> list[float]:
            return [_mean(np.array([one.average_precision(self.form, weights) for one in ranked]))]

        drawn = resampled(of_weights, groups, rng=rng, n_resamples=n_resamples)
        return percentile_interval(self.mean, drawn[:, 0])


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """Boxes of one label by falling score, sorted once for many weights of images.

    image, is_hit: (n,). ends: index of the last box of each score. target_image: (n_targets,).
    """

    image: NDArray[np.int64]
    is_hit: NDArray[np.float64]
    ends: NDArray[np.intp]
    target_image: NDArray[np.int64]

    @classmethod
    def from_matched(cls, matched: Matched) -> _Ranked:
        score = np.concatenate([matched.hit_score, matched.false_score])
        order = np.argsort(-score, kind="stable")
        order = order[np.isfinite(score[order])]
        ends = np.append(np.flatnonzero(np.diff(score[order])), order.size - 1)
        image = np.concatenate([matched.target_image, matched.false_image])[order]
        is_hit = (order < matched.hit_score.size).astype(np.float64)
        return cls(image, is_hit, ends, matched.target_image)

    def average_precision(self, form: Form, weight: NDArray[np.float64]) -> float:
        n_objects = float(weight[self.target_image].sum())
        if not n_objects:
            return float("nan")
        if not self.image.size:
            return 0.0
        own = weight[self.image]
        hits, called = np.cumsum(own * self.is_hit)[self.ends], np.cumsum(own)[self.ends]
        precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
        lifted = np.maximum.accumulate(precision[::-1])[::-1]
        recall = hits / n_objects
        if form == "area":
            return float(np.diff(recall, prepend=0.0) @ lifted)
        # Recall is a quotient of counts: 0.3 of them is not the 0.3 of the list, by the last digit.
        place = np.searchsorted(recall + 1e-12, np.linspace(0.0, 1.0, 101), side="left")
        return float(np.append(lifted, 0.0)[place].mean())


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """One image: its found boxes by falling score, its objects, and their overlaps (boxes, objects)."""

    own: NDArray[np.intp]
    there: NDArray[np.intp]
    shared: NDArray[np.float64]
    ignored: NDArray[np.bool_]
    crowd: NDArray[np.bool_]

    def taken(self, overlap: float) -> NDArray[np.intp]:
        """For each found box the number of the object that it takes, or -1."""
        taken = np.full(self.own.size, -1)
        if not self.there.size:
            return taken
        # An overlap of 1 may miss it by rounding; COCO allows as much.
        least = min(overlap, 1 - 1e-10)
        free = np.ones(self.there.size, dtype=bool)
        for place in np.flatnonzero(self.shared.max(axis=1) >= least):
            row = np.where((self.shared[place] >= least) & (free | self.crowd), self.shared[place], -1.0)
            # Objects that count come before those that are ignored, however large the overlap with these.
            counting = np.where(self.ignored, -1.0, row)
            best = int((counting if counting.max() > 0 else row).argmax())
            if row[best] > 0:
                free[best] = False
                taken[place] = self.there[best]
        return taken


def match_boxes(
    found: Boxes, objects: Boxes, *, overlap: float, n_images: int, most_per_image: int = 100
) -> Matched:
    """Hits and false boxes of one label, by the rule of COCO; what it gives has a FROC curve too.

    overlap: smallest IoU of a hit, above 0 to 1. Labels are not looked at. Of the boxes of an image the
    `most_per_image` highest count. Raises RefusedInput without scores, for lengths that differ, or for an image outside
    0 to n_images - 1.
    """
    scenes = _scenes(found, objects, n_images, most_per_image)
    return _matched(scenes, found, objects, overlap, n_images)


def detection_average_precision(
    matched: Matched, *, form: Form, image_weight: NDArray[Any] | None = None
) -> float:
    """Average precision of one label at one overlap; nan without objects.

    form: "area", the whole area under the lifted curve (VOC from 2010), or "101-points", its mean at recalls of 0 to 1
    in steps of 0.01 (COCO). image_weight: (n_images,), how often each image counts. Boxes of one score count together,
    so that the order of images decides nothing (the program of COCO takes them in their order).
    """
    weight = np.ones(matched.n_images) if image_weight is None else np.asarray(image_weight, dtype=np.float64)
    return _Ranked.from_matched(matched).average_precision(form, weight)


def mean_average_precision(
    found: Boxes,
    objects: Boxes,
    *,
    n_images: int,
    overlaps: Sequence[float] = COCO_OVERLAPS,
    form: Form = "101-points",
) -> DetectionFigures:
    """Average precision of every label at every overlap; its `mean` is the mAP.

    COCO's figure is the default; VOC's area is overlaps=(0.5,) with form="area", by the same matching (VOC's own counts
    a box false whose best object is taken, though another were free). Labels are those of the objects and of the found
    boxes; a label without objects has no average precision and is left out of the mean. Errors as for `match_boxes`.
    """
    names = [
        np.zeros(boxes.image.size, np.int64) if boxes.label is None else boxes.label
        for boxes in (found, objects)
    ]
    labels = tuple(int(label) for label in np.unique(np.concatenate(names)))
    parts = [(_part(found, names[0] == label), _part(objects, names[1] == label)) for label in labels]
    matched = []
    for own_found, own_objects in parts:
        scenes = _scenes(own_found, own_objects, n_images, most_per_image=100)
        matched.append(
            tuple(_matched(scenes, own_found, own_objects, overlap, n_images) for overlap in overlaps)
        )
    return DetectionFigures(tuple(matched), labels, tuple(overlaps), form)


def _mean(table: NDArray[np.float64]) -> float:
    """Over all that is defined: a label is defined at every overlap or at none."""
    defined = table[np.isfinite(table)]
    return float(defined.mean()) if defined.size else float("nan")


def _part(boxes: Boxes, kept: NDArray[np.bool_]) -> Boxes:
    def of(values: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if values is None else values[kept]

    return Boxes(
        boxes.image[kept],
        boxes.corners[kept],
        of(boxes.label),
        of(boxes.score),
        of(boxes.ignored),
        of(boxes.crowd),
    )


def _scenes(found: Boxes, objects: Boxes, n_images: int, most_per_image: int) -> list[_Scene]:
    """Every image that has found boxes, with the overlaps, which do not hang on the threshold."""
    if found.score is None:
        raise RefusedInput("found boxes need scores.")
    for boxes in (found, objects):
        _check(boxes, n_images)
    ignored = _ignored(objects)
    crowd = np.zeros(objects.image.size, dtype=bool) if objects.crowd is None else objects.crowd
    there_by_image = _by_image(objects.image)
    nothing = np.zeros(0, dtype=np.intp)
    scenes = []
    for image, every in _by_image(found.image).items():
        own = every[np.argsort(-found.score[every], kind="stable")][:most_per_image]
        there = there_by_image.get(image, nothing)
        shared = box_iou(found.corners[own], objects.corners[there])
        if crowd[there].any():
            inside = share_inside(found.corners[own], objects.corners[there])
            shared = np.where(crowd[there], inside, shared)
        scenes.append(_Scene(own, there, shared, ignored[there], crowd[there]))
    return scenes


def _matched(scenes: list[_Scene], found: Boxes, objects: Boxes, overlap: float, n_images: int) -> Matched:
    if not 0.0 < overlap <= 1.0:
        raise RefusedInput(f"the overlap is {overlap:g}; above 0 and at most 1 is needed.")
    score = np.zeros(0) if found.score is None else found.score
    taken = np.full(found.image.size, -1)
    counts_if_false = np.zeros(found.image.size, dtype=bool)
    for scene in scenes:
        taken[scene.own] = scene.taken(overlap)
        counts_if_false[scene.own] = True
    if found.ignored is not None:
        counts_if_false &= ~found.ignored
    hit_score = np.full(objects.image.size, -np.inf)
    np.maximum.at(hit_score, taken[taken >= 0], score[taken >= 0])
    wrong = (taken < 0) & counts_if_false
    counted = ~_ignored(objects)
    hits = hit_score[counted]
    return Matched(
        hits,
        objects.image[counted],
        score[wrong],
        found.image[wrong],
        int(found.image.size - np.isfinite(hits).sum() - wrong.sum()),
        n_images,
    )


def _ignored(objects: Boxes) -> NDArray[np.bool_]:
    ignored = np.zeros(objects.image.size, dtype=bool) if objects.ignored is None else objects.ignored
    return ignored if objects.crowd is None else ignored | objects.crowd


def _check(boxes: Boxes, n_images: int) -> None:
    fields = (boxes.corners, boxes.label, boxes.score, boxes.ignored, boxes.crowd)
    parts = [part for part in fields if part is not None]
    if any(len(part) != boxes.image.size for part in parts):
        raise RefusedInput("images, corners, labels, scores and marks of boxes must be of one length.")
    if boxes.score is not None and not np.isfinite(boxes.score).all():
        raise RefusedInput("a score of a box is not a finite number.")
    if boxes.image.size and not 0 <= boxes.image.min() <= boxes.image.max() < n_images:
        raise RefusedInput(f"a box lies in an image outside 0 to {n_images - 1}.")
