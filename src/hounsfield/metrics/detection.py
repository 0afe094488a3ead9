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
from hounsfield.metrics.froc import Matched

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
        drawn = resampled(
            lambda weights: [_mean(self.average_precision(weights))],
            groups,
            rng=rng,
            n_resamples=n_resamples,
        )
        return percentile_interval(self.mean, drawn[:, 0])


def match_boxes(
    found: Boxes, objects: Boxes, *, overlap: float, n_images: int, most_per_image: int = 100
) -> Matched:
    """Hits and false boxes of one label, by the rule of COCO; what it gives has a FROC curve too.

    overlap: smallest IoU of a hit, above 0 to 1. Labels are not looked at. Of the boxes of an image the
    `most_per_image` highest count. Raises RefusedInput without scores, for lengths that differ, or for an image outside
    0 to n_images - 1.
    """
    if found.score is None:
        raise RefusedInput("found boxes need scores.")
    if not 0.0 < overlap <= 1.0:
        raise RefusedInput(f"the overlap is {overlap:g}; above 0 and at most 1 is needed.")
    for boxes in (found, objects):
        _check(boxes, n_images)
    ignored = _ignored(objects)
    hit_score = np.full(objects.image.size, -np.inf)
    false: list[int] = []
    for image in np.unique(found.image):
        own = np.flatnonzero(found.image == image)
        own = own[np.argsort(-found.score[own], kind="stable")][:most_per_image]
        there = np.flatnonzero(objects.image == image)
        taken = _matched_in_image(found, objects, own, there, overlap)
        for box, hit in zip(own, taken, strict=True):
            if hit >= 0:
                hit_score[hit] = max(hit_score[hit], found.score[box])
            elif found.ignored is None or not found.ignored[box]:
                false.append(int(box))
    counted = np.isfinite(hit_score) & ~ignored
    wrong = np.array(false, dtype=np.intp)
    return Matched(
        hit_score[~ignored],
        objects.image[~ignored],
        found.score[wrong],
        found.image[wrong],
        int(found.image.size - counted.sum() - wrong.size),
        n_images,
    )


def detection_average_precision(
    matched: Matched, *, form: Form, image_weight: NDArray[Any] | None = None
) -> float:
    """Average precision of one label at one overlap; nan without objects.

    form: "area", the whole area under the lifted curve (VOC from 2010), or "101-points", its mean at recalls of 0 to 1
    in steps of 0.01 (COCO). image_weight: (n_images,), how often each image counts. Boxes of one score count together,
    so that the order of images decides nothing (the program of COCO takes them in their order).
    """
    weight = np.ones(matched.n_images) if image_weight is None else np.asarray(image_weight, dtype=np.float64)
    of_target, of_false = weight[matched.target_image], weight[matched.false_image]
    n_objects = float(of_target.sum())
    if not n_objects:
        return float("nan")
    score = np.concatenate([matched.hit_score, matched.false_score])
    order = np.argsort(-score, kind="stable")
    order = order[np.isfinite(score[order])]
    if not order.size:
        return 0.0
    ends = np.append(np.flatnonzero(np.diff(score[order])), order.size - 1)
    hits = np.cumsum(np.concatenate([of_target, np.zeros(of_false.size)])[order])[ends]
    alarms = np.cumsum(np.concatenate([np.zeros(of_target.size), of_false])[order])[ends]
    called = hits + alarms
    precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
    lifted = np.maximum.accumulate(precision[::-1])[::-1]
    recall = hits / n_objects
    if form == "area":
        return float(np.diff(recall, prepend=0.0) @ lifted)
    # Recall is a quotient of counts: 0.3 of them is not the 0.3 of the list, by the last digit.
    place = np.searchsorted(recall + 1e-12, np.linspace(0.0, 1.0, 101), side="left")
    return float(np.append(lifted, 0.0)[place].mean())


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
    matched = tuple(
        tuple(match_boxes(*part, overlap=overlap, n_images=n_images) for overlap in overlaps)
        for part in parts
    )
    return DetectionFigures(matched, labels, tuple(overlaps), form)


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


def _matched_in_image(
    found: Boxes, objects: Boxes, own: NDArray[np.intp], there: NDArray[np.intp], overlap: float
) -> list[int]:
    """For each found box of one image, by falling score, the number of the object that it takes, or -1."""
    if not there.size:
        return [-1] * own.size
    crowd = np.zeros(there.size, bool) if objects.crowd is None else objects.crowd[there]
    ignored = _ignored(objects)[there]
    shared = np.where(
        crowd,
        share_inside(found.corners[own], objects.corners[there]),
        box_iou(found.corners[own], objects.corners[there]),
    )
    free = np.ones(there.size, dtype=bool)
    taken = []
    for row in shared:
        # Objects that count come before those that are ignored, however large the overlap with these.
        counting = np.where(free & ~ignored, row, -1.0)
        beside = np.where((free | crowd) & ignored, row, -1.0)
        best = next(
            (int(kind.argmax()) for kind in (counting, beside) if kind.max() >= min(overlap, 1 - 1e-10)), -1
        )
        if best >= 0:
            free[best] = False
        taken.append(int(there[best]) if best >= 0 else -1)
    return taken


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
