"""The part of a card for models that read several views of one examination together, as a mammogram's four."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hounsfield.zoo.card_part import CardPart


class View(CardPart):
    """One view: side of the patient, and View Position (0018,5101)."""

    side: Literal["L", "R"]
    position: Literal["CC", "MLO", "ML", "LM", "AP", "PA", "LL", "RL"]

    @property
    def name(self) -> str:
        """As readers call it: "L-CC"."""
        return f"{self.side}-{self.position}"


class ViewsPreprocessing(CardPart):
    """How views become the network's input: one view a channel, in this order, each as it is shown.

    The network itself takes what it needs of each (`networks` "histogram-layers": shares of grey values).
    """

    kind: Literal["views"] = "views"
    views: tuple[View, ...] = Field(min_length=1, max_length=16)

    @model_validator(mode="after")
    def _views_differ(self) -> Self:
        names = [view.name for view in self.views]
        if len(set(names)) != len(names):
            raise ValueError(f"a view is named twice: {', '.join(names)}")
        return self
