"""The part of a card that says how a picture becomes a network's input, and what its outputs are called.

`Preprocessing` is carried out by `inference.prepare`, `Scores` by `inference.scores_of`.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hounsfield.zoo.card_part import CardPart, Text

Interpolation = Literal[
    "pillow-bilinear",
    "pillow-bilinear-8-bit",
    "pillow-bicubic-8-bit",
    "pillow-nearest-8-bit",
    "scikit-image",
    "linear",
]


class Preprocessing(CardPart):
    """How a picture becomes the network's input (channels, size_px, size_px).

    normalisation: "percentile-zscore" clips at the two percentiles, sets the picture on a square with its aspect kept
    (`datasets.fit_picture`) and leaves mean 0 and standard deviation 1 to the network. "range" takes the picture as it is
    shown: black becomes the number `black`, white `white`; then, where they are given, less `mean` by `deviation`, one
    each a channel. fit: "pad" the longer side fills the square, the rest is black; "crop" the square around the centre;
    "stretch" both sides to the square; "resize-crop" the shorter side to `shorter_px`, then the square around the centre,
    whose corner is rounded to the nearest pixel (torchvision) or down (Hugging Face).
    channels: 3 repeats the grey picture. interpolation: of "range": Pillow's filters, which widen when they shrink, on
    numbers or on the 256 grey levels (rounded, as in torchvision and timm); "scikit-image" its `resize` with its blur
    before shrinking and zeros around the picture (TorchXRayVision); "linear" without any blur.
    """

    kind: Literal["picture"] = "picture"
    size_px: int = Field(ge=16, le=2048)
    normalisation: Literal["percentile-zscore", "range"] = "percentile-zscore"
    percentile_low: float = Field(default=1.0, ge=0.0, le=100.0)
    percentile_high: float = Field(default=99.5, ge=0.0, le=100.0)
    black: float = 0.0
    white: float = 1.0
    channels: Literal[1, 3] = 1
    mean: tuple[float, ...] = ()
    deviation: tuple[Annotated[float, Field(gt=0.0)], ...] = ()
    fit: Literal["pad", "crop", "stretch", "resize-crop"] = "pad"
    shorter_px: int | None = Field(default=None, ge=16, le=4096)
    corner: Literal["nearest", "down"] = "nearest"
    interpolation: Interpolation = "pillow-bilinear"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.percentile_low >= self.percentile_high:
            raise ValueError("percentile_low is not below percentile_high")
        if self.black == self.white:
            raise ValueError(f"black and white are both {self.black:g}")
        if len(self.mean) != len(self.deviation) or len(self.mean) not in {0, self.channels}:
            raise ValueError(
                f"mean and deviation have one number for each of the {self.channels} channels, or none"
            )
        if (self.fit == "resize-crop") != (self.shorter_px is not None):
            raise ValueError("shorter_px is given exactly with fit resize-crop")
        if self.shorter_px is not None and self.shorter_px < self.size_px:
            raise ValueError(f"shorter_px {self.shorter_px} is below size_px {self.size_px}")
        plain = (self.fit, self.interpolation) == ("pad", "pillow-bilinear")
        if self.normalisation == "percentile-zscore" and not (plain and self.channels == 1):
            raise ValueError("percentile-zscore has one channel, fit pad and interpolation pillow-bilinear")
        return self


class Scores(CardPart):
    """What the authors of a model show of its outputs, where nothing makes probabilities of them.

    way: "logits" as they are, "sigmoid", "softmax", "operating-point": the sigmoid p rescaled piece by piece so that the
    number in `operating_points` becomes 0.5 (TorchXRayVision, `op_norm`). name: how a reader is told of them.
    """

    way: Literal["logits", "sigmoid", "softmax", "operating-point"]
    name: Text
    operating_points: dict[str, Annotated[float, Field(gt=0.0, lt=1.0)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _points_belong_to_their_way(self) -> Self:
        if (self.way == "operating-point") != bool(self.operating_points):
            raise ValueError("operating_points are given exactly for the way operating-point")
        return self
