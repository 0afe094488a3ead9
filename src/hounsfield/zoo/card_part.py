"""What all parts of a model card share: frozen, strict about names, finite numbers only; and a value with its interval."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(min_length=1)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class CardPart(BaseModel):
    """Frozen, strict about names, finite numbers only."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Estimate(CardPart):
    """A value with its 95 % interval."""

    value: float
    low95: float
    high95: float

    @model_validator(mode="after")
    def _interval_is_ordered(self) -> Self:
        if self.low95 > self.high95:
            raise ValueError(f"the interval {self.low95} to {self.high95} runs backwards")
        return self
