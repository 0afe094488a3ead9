"""Layers that hand relevance back: forward as ever, backward by a rule.

What flows backward is c, relevance over activation, because then sums, means, maxima, concatenation, interpolation and
ReLU hand it on by their ordinary gradients, and a network needs no rewriting. A linear layer receives c for its outputs
z, so R_j = z_j c_j, and gives c for its inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn import grad as transposed

from hounsfield.explain.lrp.rules import by_sign

if TYPE_CHECKING:
    from hounsfield.explain.lrp.rules import Part, Rule, Term

_CONVOLUTIONS: dict[type[nn.Module], tuple[Any, Any]] = {
    nn.Conv1d: (functional.conv1d, transposed.conv1d_input),
    nn.Conv2d: (functional.conv2d, transposed.conv2d_input),
    nn.Conv3d: (functional.conv3d, transposed.conv3d_input),
}


class Operation:
    """A convolution or linear layer as a function of any inputs and weights, and its transpose."""

    def __init__(self, module: nn.Module) -> None:
        self.weight: torch.Tensor = module.weight  # type: ignore[assignment]  # a linear layer has one
        self.bias: torch.Tensor | None = module.bias  # type: ignore[assignment]  # or None
        self.is_linear = isinstance(module, nn.Linear)
        self._how: dict[str, Any] = {}
        if not self.is_linear:
            self._forward, self._backward = _CONVOLUTIONS[type(module)]
            self._how = {name: getattr(module, name) for name in ("stride", "padding", "dilation", "groups")}

    def apply(self, a: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """Outputs for inputs `a` with these weights."""
        if self.is_linear:
            return functional.linear(a, weight, bias)
        return self._forward(a, weight, bias, **self._how)  # type: ignore[no-any-return]  # one of torch's functions

    def transpose(self, like: torch.Tensor, weight: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        """What outputs `s` send back to inputs of the shape of `like`."""
        if self.is_linear:
            return s @ weight
        return self._backward(like.shape, weight, s, **self._how)  # type: ignore[no-any-return]  # as above


class MeanPooling:
    """A mean over neighbours as a layer with one weight, 1, so that rules share out among values of either sign.

    By its gradient alone, neighbours that nearly cancel would receive large relevance of both signs.
    """

    bias: torch.Tensor | None = None
    is_linear = False

    def __init__(self, module: nn.Module) -> None:
        self._pool = type(module).forward.__get__(module)
        self.weight = torch.ones(())

    def apply(self, a: torch.Tensor, weight: torch.Tensor, _bias: torch.Tensor | None) -> torch.Tensor:
        """Means of `a`, times the weight."""
        return self._pool(a) * weight  # type: ignore[no-any-return]  # a module's forward

    def transpose(self, like: torch.Tensor, weight: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        """What means `s` send back to inputs of the shape of `like`."""
        with torch.enable_grad():
            leaf = torch.zeros_like(like, requires_grad=True)
            (sent,) = torch.autograd.grad(self._pool(leaf), leaf, s)
        return sent * weight


def folded(operation: Operation, norm: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of a convolution or linear layer with the batch normalisation after it merged in."""
    scale, shift = scale_and_shift(norm)
    weight = operation.weight * scale.view(-1, *[1] * (operation.weight.ndim - 1))
    bias = shift if operation.bias is None else operation.bias * scale + shift
    return weight, bias


def scale_and_shift(norm: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """What a batch normalisation in evaluation mode multiplies each channel by, and what it adds."""
    scale = torch.rsqrt(norm.running_var + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = -norm.running_mean * scale
    return scale, shift if norm.bias is None else shift + norm.bias


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A layer as a rule sees it: what it computes, its weight and bias (batch normalisation merged), and its rule.

    with_bias: the bias keeps its share. is_first: it reads what enters the network.
    """

    operation: Operation | MeanPooling
    weight: torch.Tensor
    bias: torch.Tensor | None
    rule: Rule
    with_bias: bool
    is_first: bool


class RelevanceOfLayer(torch.autograd.Function):
    """A linear layer: gives `z`, which was computed already, and hands c back by its rule."""

    @staticmethod
    def forward(ctx: Any, a: torch.Tensor, z: torch.Tensor, layer: Layer) -> torch.Tensor:
        """The output of the layer for inputs `a`."""
        ctx.a, ctx.z, ctx.layer = a.detach(), z, layer
        # A copy: what follows may work in place, and the rule needs the value before it.
        return z.clone()

    @staticmethod
    def backward(ctx: Any, c: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """Give c of the inputs; of the first layer their relevance."""
        layer, a = ctx.layer, ctx.a
        relevance = ctx.z * c
        divisors = _Divisors(layer, a, ctx.z)
        total: torch.Tensor | None = None
        for term in layer.rule.terms(a, layer.weight):
            own = relevance
            if term.of != "all":
                own = relevance * ((ctx.z > 0) if term.of == "positive" else (ctx.z < 0))
                if not bool(own.any()):
                    continue
            s = own.mul(term.factor).div_(stabilised(divisors.of(term), layer.rule.epsilon))
            for part in term.parts:
                sent = layer.operation.transpose(a, part.weight, s)
                sent = sent if part.times is None else sent.mul_(part.times)
                total = sent if total is None else total.add_(sent)
        total = torch.zeros_like(a) if total is None else total
        if layer.is_first:
            return total if layer.rule.gives_relevance else total * a, None, None
        return total / stabilised(a, layer.rule.epsilon) if layer.rule.gives_relevance else total, None, None


class _Divisors:
    """What the shares of a layer's terms are divided by; the sum of all that speaks for an output, once."""

    def __init__(self, layer: Layer, a: torch.Tensor, z: torch.Tensor) -> None:
        self.layer, self.a = layer, a
        bias = layer.bias
        self.z = z
        if bias is not None and not layer.with_bias:
            self.z = z - (bias if bias.ndim == 0 else bias.view(-1, *[1] * (z.ndim - 2)))
        self._z_plus: torch.Tensor | None = None

    def of(self, term: Term) -> torch.Tensor:
        """The divisor of one term."""
        if term.divisor is None:
            return self._sum(term.parts, None)
        of_z, of_z_plus = term.divisor
        if of_z_plus == 0:
            return self.z if of_z == 1 else self.z * of_z
        if self._z_plus is None:
            weight, bias = self.layer.weight, self.layer.bias
            kept = bias.clamp(min=0) if bias is not None and self.layer.with_bias else None
            self._z_plus = self._sum(by_sign(self.a, weight.clamp(min=0), weight.clamp(max=0)), kept)
        if of_z == 0:
            return self._z_plus if of_z_plus == 1 else self._z_plus * of_z_plus
        return torch.add(self.z if of_z == 1 else self.z * of_z, self._z_plus, alpha=of_z_plus)

    def _sum(self, parts: tuple[Part, ...], bias: torch.Tensor | None) -> torch.Tensor:
        first, *others = parts
        total = self.layer.operation.apply(first.inputs, first.weight, bias)
        for part in others:
            total = total + self.layer.operation.apply(part.inputs, part.weight, None)
        return total


class RelevanceOfNorm(torch.autograd.Function):
    """A batch normalisation that no layer before it can take in, as after DenseNet's concatenations: R passes as it is.

    ReLU(g x + b) is g times a rectifier of x with its threshold at -b / g: the factor belongs to the next layer's
    weights, and an activation hands on what it receives. Source: Pahde 2022, arXiv 2211.17174, on canonising DenseNets.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, y: torch.Tensor, epsilon: float) -> torch.Tensor:
        """x: inputs. y: outputs, computed already."""
        ctx.ratio = y / stabilised(x.detach(), epsilon)
        return y.clone()

    @staticmethod
    def backward(ctx: Any, c: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """Give c of the inputs: the same relevance, over another activation."""
        return c * ctx.ratio, None, None


def stabilised(values: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Values moved away from zero by epsilon; zero itself counts as above, a zero with a minus as below."""
    return torch.copysign(values.new_tensor(epsilon), values).add_(values)
