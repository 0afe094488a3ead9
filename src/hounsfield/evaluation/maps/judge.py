"""Every test of every map: one case at a time, then all cases with intervals, as the card holds them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import ModelError
from hounsfield.datasets import fit_picture
from hounsfield.evaluation.maps.covering import areas_of_curves, random_order
from hounsfield.evaluation.maps.randomisation import rank_correlation, structural_similarity
from hounsfield.explain import explanations
from hounsfield.metrics import (
    BOX_LEVELS,
    Box,
    boxes_of_map,
    cluster_bootstrap,
    iobb,
    iou,
    points_at,
    share_of_map_inside,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from numpy.typing import NDArray

    from hounsfield.inference import TorchModel
    from hounsfield.metrics import Interval

# IoBB from which a box counts as a hit (ChestX-ray8 states 0.1 to 0.9).
OVERLAPS = (0.1, 0.25, 0.5, 0.75, 0.9)
MOST_CORRELATED = 0.5  # of maps of a trained and of a redrawn network, where the map counts as changed
MOST_SIMILAR = 0.3

Better = Literal["above", "below"]


@dataclass(frozen=True, slots=True)
class MapTest:
    """A test of maps by name. better: on which side of its reference a figure must lie, with its whole interval.

    reference: a fixed number, or the name of the score beside it that says what chance or a redrawn network reaches.
    """

    name: str
    said: str
    better: Better
    reference: float | str


TESTS = (
    MapTest("pointing game", "highest point on the truth", "above", "area of the truth"),
    MapTest("share inside", "share of the map's sum on the truth", "above", "area of the truth"),
    *(
        MapTest(
            f"weak boxes, IoBB {limit:g}",
            f"the heaviest box of the map lies on the truth with at least {limit:g} of its own area",
            "above",
            f"weak boxes of a redrawn network, IoBB {limit:g}",
        )
        for limit in OVERLAPS
    ),
    MapTest(
        "weak boxes, IoU 0.1",
        "the heaviest box of the map and the truth share a tenth of both",
        "above",
        "weak boxes of a redrawn network, IoU 0.1",
    ),
    MapTest(
        "weights drawn anew, rank correlation",
        "with the map of the same network without what it learned",
        "below",
        MOST_CORRELATED,
    ),
    MapTest(
        "weights drawn anew, structural similarity",
        "with the map of the same network without what it learned",
        "below",
        MOST_SIMILAR,
    ),
    MapTest(
        "deletion",
        "area under the score as the map's highest pixels are blurred",
        "below",
        "deletion at random",
    ),
    MapTest(
        "insertion",
        "area under the score as the map's highest pixels are shown",
        "above",
        "insertion at random",
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class CaseToJudge:
    """One picture (y, x) with the truth of one class: mask (y, x), and boxes where the truth is boxes."""

    name: str
    group: str
    picture: NDArray[Any]
    class_index: int
    truth: NDArray[np.bool_]
    boxes: tuple[Box, ...]


# Scores of one case by map and then by name: those of TESTS and of their references, and others worth keeping.
MapScores = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class JudgedMap:
    """One test of one map: the figure, what it is held against, and whether its whole interval lies on the right side."""

    map_name: str
    test: MapTest
    figure: Interval
    reference: float
    passed: bool
    n_cases: int
    n_groups: int


def judge_case(
    models: tuple[TorchModel, TorchModel, TorchModel],
    case: CaseToJudge,
    names: Sequence[str],
    *,
    seed: int = 0,
) -> MapScores:
    """Every score of each map for one case.

    models: the trained one, one whose upper half of layers was drawn anew, and one with all weights drawn anew
    (`redrawn`). names: of explanations; one that the network does not support is left out.
    """
    trained, half, untrained = models
    inputs, prepared = trained.preprocess(case.picture)
    score = partial(_probability, trained, class_index=case.class_index)
    shape_yx = (int(inputs.shape[2]), int(inputs.shape[3]))
    chance = areas_of_curves(score, inputs, random_order(shape_yx, np.random.default_rng(seed)))
    scores: MapScores = {}
    for name in names:
        method = explanations.get(name)
        try:
            values, halved, drawn = (
                method(model, case.picture, case.class_index) for model in (trained, half, untrained)
            )
        except ModelError:
            continue  # the network has not what the method needs
        own = _localised(values, case, "weak boxes")
        own |= {
            name.replace("weak boxes", "weak boxes of a redrawn network"): value
            for name, value in _localised(drawn, case, "weak boxes").items()
            if name.startswith("weak")
        }
        own["area of the truth"] = float(case.truth.mean())
        own["weights drawn anew, rank correlation"] = rank_correlation(values, drawn)
        own["weights drawn anew, structural similarity"] = structural_similarity(values, drawn)
        own["upper half drawn anew, rank correlation"] = rank_correlation(values, halved)
        # The map on the network's square, where pixels are covered; what lies beside the picture comes last.
        order = fit_picture(values, size=prepared.pixels.shape[0], percentiles=(0.0, 100.0))
        areas = areas_of_curves(score, inputs, order)
        own |= {"deletion": areas.deletion, "insertion": areas.insertion}
        own |= {"deletion at random": chance.deletion, "insertion at random": chance.insertion}
        scores[name] = own
    return scores


def summarise(cases: Mapping[str, MapScores], groups: Mapping[str, str], *, seed: int = 0) -> list[JudgedMap]:
    """Each test of each map over all cases, with 95 % intervals by resampling groups; maps in the order of their names.

    cases: scores by the case's name; groups: patient or what stands for one, by the same name. A test whose reference
    is a score of the same cases passes when the interval of the paired difference lies on the right side of 0.
    """
    names = sorted({name for own in cases.values() for name in own})
    judged = []
    for name in names:
        rows = [(groups[case], own[name]) for case, own in cases.items() if name in own]
        of_groups = [group for group, _ in rows]
        for test in TESTS:
            values = np.array([own[test.name] for _, own in rows])
            beside = np.full(len(values), test.reference if isinstance(test.reference, float) else np.nan)
            if isinstance(test.reference, str):
                beside = np.array([own[test.reference] for _, own in rows])
            figure, apart = (
                cluster_bootstrap(partial(_mean, own), of_groups, rng=np.random.default_rng(seed))
                for own in (values, values - beside)
            )
            passed = apart.low > 0 if test.better == "above" else apart.high < 0
            counts = len(rows), len(set(of_groups))
            judged.append(JudgedMap(name, test, figure, float(beside.mean()), passed, *counts))
    return judged


def _mean(values: NDArray[np.float64], chosen: NDArray[np.intp]) -> float:
    return float(values[chosen].mean())


def _localised(values: NDArray[Any], case: CaseToJudge, prefix: str) -> dict[str, float]:
    """Where the map lies: pointing, share inside, and its boxes against the true ones.

    A hit is one of the heaviest box of either level, not of any box: a map of scattered pixels has hundreds of boxes, and
    some lie anywhere. How many of all boxes lie elsewhere is kept beside.
    """
    found = [boxes_of_map(values, level) for level in BOX_LEVELS]
    heaviest = [own[0] for own in found if own]
    best = [max(iobb(box, true) for true in case.boxes) for own in found for box in own]
    best_iobb = max((iobb(box, true) for box in heaviest for true in case.boxes), default=0.0)
    best_iou = max((iou(box, true) for box in heaviest for true in case.boxes), default=0.0)
    scores = {
        "pointing game": points_at(values, case.truth),
        "share inside": share_of_map_inside(values, case.truth),
        f"{prefix}, IoU 0.1": float(best_iou >= 0.1),
    }
    for limit in OVERLAPS:
        scores[f"{prefix}, IoBB {limit:g}"] = float(best_iobb >= limit)
        scores[f"{prefix}, false a picture at IoBB {limit:g}"] = float(sum(own < limit for own in best))
    return scores


def _probability(model: TorchModel, inputs: torch.Tensor, *, class_index: int) -> torch.Tensor:
    """Uncalibrated probability (n,) of the class: softmax where classes exclude each other, else sigmoid."""
    logits: torch.Tensor = model.network(inputs)[0].float()
    alone = model.bundle.card.outputs == "independent"
    return (logits.sigmoid() if alone else logits.softmax(dim=1))[:, class_index]
