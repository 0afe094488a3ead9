"""What enhanced or synthetic pictures are worth: the figure of a task before and after, paired by patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._weighted import percentile_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from hounsfield.metrics._bootstrap import Interval


@dataclass(frozen=True, slots=True)
class TaskChange:
    """before, after: the figure on both kinds of pictures. change: after less before; both share each resample."""

    before: Interval
    after: Interval
    change: Interval
    n_cases: int
    n_groups: int


def task_change(
    figure: Callable[[NDArray[Any], NDArray[Any]], float],
    truth: NDArray[Any],
    outputs: tuple[NDArray[Any], NDArray[Any]],
    groups: Sequence[Any],
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
) -> TaskChange:
    """A task's figure on the original pictures and on those made from them, and the difference, with 95 % intervals.

    figure: of (truth, output), for example `auroc`, or for a figure of each case (Dice, error in mm) `lambda truth,
    output: output.mean()`. truth: (n, ...). outputs: before and after, (n, ...) each, of one reader or model on the
    same cases. groups: (n,) patients, resampled whole. An interval of the change that holds 0 shows no gain; it does
    not show that nothing was lost. Raises RefusedInput for lengths that differ. Source: Field and Welsh 2007, J R Stat
    Soc B 69:369.
    """
    before, after = (np.asarray(output) for output in outputs)
    true = np.asarray(truth)
    lengths = [len(true), len(before), len(after), len(groups)]
    if len(set(lengths)) > 1 or not lengths[0]:
        raise RefusedInput(
            f"truth, before, after and groups have {lengths} cases; all need the same, 1 or more."
        )
    names, inverse = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(inverse == index) for index in range(names.size)]
    drawn = np.empty((n_resamples, 2))
    for row in drawn:
        cases = np.concatenate([members[index] for index in rng.integers(0, names.size, names.size)])
        row[:] = figure(true[cases], before[cases]), figure(true[cases], after[cases])
    values = figure(true, before), figure(true, after)
    return TaskChange(
        percentile_interval(values[0], drawn[:, 0]),
        percentile_interval(values[1], drawn[:, 1]),
        percentile_interval(values[1] - values[0], drawn[:, 1] - drawn[:, 0]),
        lengths[0],
        int(names.size),
    )
