"""How one linear layer shares out the relevance of its outputs among its inputs.

Every rule is a sum of terms R_i = factor * sum_j (share of input i in d_j) / d_j * R_j, where the share is a sum of parts
"inputs times weights" of some choice of inputs and weights. Sources: Bach 2015, PLoS ONE 10:e0130140 (epsilon,
alpha-beta); Montavon 2017, Pattern Recognit 65:211 (z+, w squared, z-B); Montavon 2019, LNCS 11700:193 (gamma,
composites); Andeol 2021, arXiv 2106.04923 (gamma for inputs and outputs of either sign); Lapuschkin 2019, Nature
Communications 10:1096 (flat).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

STABILISER = 1e-6  # keeps a denominator from zero; absolute, as in the sources


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Inputs and weights of one share. times: by which what comes back through the weights is multiplied, None for 1.

    In rules for hidden layers that is where the part's inputs are those of the layer (a mask); in rules for the first
    layer it is the part's inputs themselves, so that relevance results and not relevance over input.
    """

    inputs: torch.Tensor
    weight: torch.Tensor
    times: torch.Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """Parts, and what their share is divided by, times factor. of: the outputs it serves, by the sign of what they gave.

    divisor: (u, v) for u z + v z+, z being the layer's output and z+ the sum of all that speaks for it, each computed
    once for all terms; None for the sum of the parts.
    """

    parts: tuple[Part, ...]
    divisor: tuple[float, float] | None = None
    factor: float = 1.0
    of: Literal["all", "positive", "negative"] = "all"


class Rule(Protocol):
    """A rule. gives_relevance: its terms give the relevance of the inputs, not the relevance over the inputs."""

    @property
    def gives_relevance(self) -> bool:
        """See above."""

    @property
    def epsilon(self) -> float:
        """What is added to a divisor, away from zero."""

    def terms(self, a: torch.Tensor, weight: torch.Tensor) -> Iterator[Term]:
        """The terms for inputs `a` (n, ...) and the layer's weight, batch normalisation included."""


@dataclass(frozen=True, slots=True)
class Epsilon:
    """Each input by its contribution, of either sign; the bias keeps its share. A larger epsilon absorbs more."""

    epsilon: float = STABILISER
    gives_relevance: bool = False

    def terms(self, a: torch.Tensor, weight: torch.Tensor) -> Iterator[Term]:
        """One term: the layer as it is."""
        yield Term((Part(a, weight),), divisor=(1.0, 0.0))


@dataclass(frozen=True, slots=True)
class Gamma:
    """Like epsilon, with contributions of the output's own sign `gamma` times stronger: less noise in lower layers."""

    gamma: float = 0.25
    epsilon: float = STABILISER
    gives_relevance: bool = False

    def terms(self, a: torch.Tensor, weight: torch.Tensor) -> Iterator[Term]:
        """One term for the outputs above zero, one for those below."""
        more, less = weight + self.gamma * weight.clamp(min=0), weight + self.gamma * weight.clamp(max=0)
        # z + gamma z+, and z + gamma (z - z+).
        yield Term(by_sign(a, more, less), divisor=(1.0, self.gamma), of="positive")
        yield Term(by_sign(a, less, more), divisor=(1.0 + self.gamma, -self.gamma), of="negative")


@dataclass(frozen=True, slots=True)
class AlphaBeta:
    """Contributions above zero and below zero shared out apart: alpha of the first less beta of the second.

    alpha - beta must be 1. An output that only one kind reached does not conserve what it receives.
    """

    alpha: float = 2.0
    beta: float = 1.0
    epsilon: float = STABILISER
    gives_relevance: bool = False

    def terms(self, a: torch.Tensor, weight: torch.Tensor) -> Iterator[Term]:
        """A term for what speaks for the output and, unless beta is 0, one for what speaks against it."""
        above, below = weight.clamp(min=0), weight.clamp(max=0)
        yield Term(by_sign(a, above, below), divisor=(0.0, 1.0), factor=self.alpha)
        if self.beta:
            yield Term(by_sign(a, below, above), divisor=(1.0, -1.0), factor=-self.beta)


@dataclass(frozen=True, slots=True)
class ZPlus:
    """Contributions above zero alone (alpha 1, beta 0): nothing speaks against, and nothing explodes."""

    epsilon: float = STABILISER
    gives_relevance: bool = False

    def terms(self, a: torch.Tensor, weight: torch.Tensor) -> Iterator[Term]:
        """One term."""
        yield Term(by_sign(a, weight.clamp(min=0), weight.clamp(max=0)), divisor=(0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Flat:
    """Every input of an output the same, whatever its value: for the first layer, where texture would mislead."""

    epsilon: float = STABILISER
    gives_relevance: bool = True

    def terms(self, a: torch.Tensor, weight: torch.Tensor) -> Iterator[Term]:
        """One term."""
        yield Term((Part(torch.ones_like(a), torch.ones_like(weight), torch.ones_like(a)),))


@dataclass(frozen=True, slots=True)
class WSquare:
    """Every input by its weight squared: for a first layer whose inputs may have any value."""

    epsilon: float = STABILISER
    gives_relevance: bool = True

    def terms(self, a: torch.Tensor, weight: torch.Tensor) -> Iterator[Term]:
        """One term."""
        yield Term((Part(torch.ones_like(a), weight.square(), torch.ones_like(a)),))


@dataclass(frozen=True, slots=True)
class Box:
    """z-B: for a first layer whose inputs lie between `low` and `high`; None for the picture's own extremes."""

    low: float | None = None
    high: float | None = None
    epsilon: float = STABILISER
    gives_relevance: bool = True

    def terms(self, a: torch.Tensor, weight: torch.Tensor) -> Iterator[Term]:
        """One term of three parts: x w - low w+ - high w-."""
        low = torch.full_like(a, float(a.min()) if self.low is None else self.low)
        high = torch.full_like(a, float(a.max()) if self.high is None else self.high)
        yield Term(
            (
                Part(a, weight, a),
                Part(low, -weight.clamp(min=0), low),
                Part(high, -weight.clamp(max=0), high),
            )
        )


def by_sign(a: torch.Tensor, with_above: torch.Tensor, with_below: torch.Tensor) -> tuple[Part, ...]:
    """Parts of the inputs above zero with one weight, and of those below zero, if there are any, with another."""
    if not bool(a.amin() < 0):
        return (Part(a, with_above),)
    above = a > 0
    return (
        Part(a.clamp(min=0), with_above, above.to(a.dtype)),
        Part(a.clamp(max=0), with_below, (~above).to(a.dtype)),
    )
