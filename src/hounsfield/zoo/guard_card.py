"""What a card says of its input guard: where it refuses, what it refused, and what other thresholds would do."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hounsfield.zoo.card_part import CardPart, Estimate, Fraction, Text


class Detection(CardPart):
    """How many pictures of one kind were refused; n_groups: patients or volumes behind them, where known."""

    name: Text
    n: int = Field(ge=1)
    n_groups: int | None = Field(default=None, ge=1)
    refused_fraction: Fraction
    low95: Fraction
    high95: Fraction


class GuardCurve(CardPart):
    """What other thresholds would do, (k,) in rising order: shares of right pictures refused, and of each foreign set.

    area: AUROC of the distance between right pictures and each foreign set. What another gate refuses counts as refused
    at every threshold.
    """

    thresholds: tuple[float, ...] = Field(min_length=2)
    false_refusals: tuple[Fraction, ...]
    detection: dict[str, tuple[Fraction, ...]]
    area: dict[str, Estimate]

    @model_validator(mode="after")
    def _shares_fit_thresholds(self) -> Self:
        n = len(self.thresholds)
        if list(self.thresholds) != sorted(self.thresholds):
            raise ValueError("the thresholds of the guard's curve must not fall")
        if any(len(shares) != n for shares in (self.false_refusals, *self.detection.values())):
            raise ValueError(f"the guard's curve needs a share for each of its {n} thresholds")
        if set(self.area) != set(self.detection):
            raise ValueError("the guard's curve needs an area for each of its sets")
        return self


class Guard(CardPart):
    """The input guard: a distance in feature space, and where it refuses.

    threshold: distances above it are refused; it is the `quantile` of the tuning part's distances.
    false_refusal_rate: share of right pictures refused on the test part. related: right pictures that were changed, and
    pictures of the same kind from elsewhere, which are no foreign set. arrays: file in the bundle.
    """

    method: Text
    threshold: float
    quantile: Fraction
    fitted_on: Text
    false_refusal_rate: Detection | None = None
    detection: tuple[Detection, ...] = ()
    related: tuple[Detection, ...] = ()
    curve: GuardCurve | None = None
    arrays: Text = "models/guard.safetensors"
