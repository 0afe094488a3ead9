"""Intervals of a FROC curve: sensitivity at stated rates of false positives, by resampling patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._weighted import percentile_interval, resampled
from hounsfield.metrics.froc import SEVEN_RATES, Matched

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from hounsfield.metrics._bootstrap import Interval


def froc_sensitivity_intervals(
    matched: Matched,
    groups: Sequence[Any],
    *,
    rng: np.random.Generator,
    rates: tuple[float, ...] = SEVEN_RATES,
    n_resamples: int = 1000,
) -> list[Interval]:
    """Sensitivity at each rate of false positives per image, with its 95 % interval; all rates share each draw.

    groups: (n_images,), the patient of each image: images of one patient are drawn together. Raises RefusedInput for
    another number of groups. Source: Field and Welsh 2007, J R Stat Soc B 69:369.
    """
    if len(groups) != matched.n_images:
        raise RefusedInput(
            f"{len(groups)} groups for {matched.n_images} images; one for each image is needed."
        )
    ranked = matched.ranked()
    drawn = resampled(
        lambda weights: ranked.curve(weights).sensitivity_at(rates).tolist(),
        groups,
        rng=rng,
        n_resamples=n_resamples,
    )
    values = matched.curve().sensitivity_at(rates)
    return [percentile_interval(float(value), column) for value, column in zip(values, drawn.T, strict=True)]
