"""Walking a network: each of its layers replaced, for one run, by one that hands relevance back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from hounsfield.core.errors import ModelError
from hounsfield.explain.lrp.layers import (
    Layer,
    MeanPooling,
    Operation,
    RelevanceOfLayer,
    RelevanceOfNorm,
    folded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hounsfield.explain.lrp.composites import Composite

_LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_MEANS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
# Two orders below the rules': a norm's input may be small, and the relevance of what is smaller still is lost.
NORM_STABILISER = 1e-8
# Piecewise linear through zero, or sums with fixed weights: their gradient hands relevance on as it should.
_BY_GRADIENT = (
    nn.ReLU,
    nn.LeakyReLU,
    nn.Identity,
    nn.Dropout,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.MaxPool3d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
    nn.AdaptiveMaxPool2d,
    nn.AdaptiveMaxPool3d,
    nn.Flatten,
    nn.Upsample,
)
_SOURCE = "relevance_source"  # on the output of a layer: what a batch normalisation after it is merged into


def propagate(
    network: nn.Module, inputs: torch.Tensor, class_index: int, composite: Composite
) -> torch.Tensor:
    """Relevance (1, channels, *spatial) of what enters the network's first layer, for inputs (1, channels, *spatial).

    Begins with the class's score, so that the sum is that score but for what biases, epsilon and one-sided rules take.
    What a network does in `forward` without a module is taken by its gradient: exact for sums, means, maxima,
    concatenation and interpolation. What stands before the first layer (standardising) counts as preparation. Raises
    ModelError for a network in training mode and for a module that no rule is known for (softmax, GELU).
    """
    _check(network)
    walk = _Walk(composite)
    with torch.enable_grad(), walk.in_place_of(network):
        score = network(inputs)[0][0, class_index]
    if walk.first_input is None:
        raise ModelError(
            f"the network {type(network).__name__} has no convolution and no linear layer to explain"
        )
    # A network whose last layer is linear receives c = 1 for its score: R = score * 1.
    (relevance,) = torch.autograd.grad(score, walk.first_input)
    return relevance.detach()


def _check(network: nn.Module) -> None:
    if network.training:
        raise ModelError("relevance needs the network in evaluation mode: call network.eval() first")
    known = (*_LAYERS, *_MEANS, *_NORMS, nn.LayerNorm, *_BY_GRADIENT)
    for name, module in network.named_modules():
        if not any(True for _ in module.children()) and not isinstance(module, known):
            raise ModelError(
                f"layer-wise relevance has no rule for {type(module).__name__} ({name}): choose another explanation"
            )
        if isinstance(module, _LAYERS) and getattr(module, "padding_mode", "zeros") != "zeros":
            raise ModelError(f"the convolution {name} pads with {module.padding_mode}; zeros alone are known")


class _Walk:
    """One run: what replaces each layer's forward, and the first layer's input."""

    def __init__(self, composite: Composite) -> None:
        self.composite = composite
        self.first_input: torch.Tensor | None = None
        self._entered: torch.Tensor | None = None

    @contextmanager
    def in_place_of(self, network: nn.Module) -> Iterator[None]:
        """While it holds, the layers of the network run as `self` says."""
        replaced = []
        try:
            for module in network.modules():
                forward = self._forward_of(module)
                if forward is not None:
                    module.forward = forward  # taken away again below
                    replaced.append(module)
            yield
        finally:
            for module in replaced:
                del module.forward

    def _forward_of(self, module: nn.Module) -> Callable[[torch.Tensor], torch.Tensor] | None:
        if isinstance(module, _LAYERS):
            operation = Operation(module)
            return lambda a: self._layer(operation, a)
        if isinstance(module, _MEANS):
            pooling = MeanPooling(module)
            return lambda a: self._pooling(pooling, a)
        if isinstance(module, _NORMS):
            plain = module.forward
            return lambda x: self._norm(module, plain, x)
        if isinstance(module, nn.LayerNorm):
            return lambda x: _layer_norm(module, x)
        return None

    def _layer(self, operation: Operation, a: torch.Tensor) -> torch.Tensor:
        a, is_first = self._entering(a)
        z = operation.apply(a.detach(), operation.weight, operation.bias)
        given = self._related(operation, a, z, (operation.weight, operation.bias, is_first))
        setattr(given, _SOURCE, (operation, a, z, is_first))
        return given

    def _pooling(self, pooling: MeanPooling, a: torch.Tensor) -> torch.Tensor:
        if self._entered is None:
            return pooling.apply(a, pooling.weight, None)  # before the first layer: preparation
        a, is_first = self._entering(a)
        z = pooling.apply(a.detach(), pooling.weight, None)
        return self._related(pooling, a, z, (pooling.weight, None, is_first))

    def _entering(self, a: torch.Tensor) -> tuple[torch.Tensor, bool]:
        """The input of a layer, and whether it is what enters the network."""
        if self._entered is None:
            self._entered = a
            self.first_input = a.detach().requires_grad_()
        is_first = a is self._entered
        return (self.first_input if is_first and self.first_input is not None else a), is_first

    def _norm(
        self, module: nn.Module, plain: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor
    ) -> torch.Tensor:
        source = getattr(x, _SOURCE, None)
        if source is None:
            with torch.no_grad():
                y = plain(x)
            return RelevanceOfNorm.apply(x, y, NORM_STABILISER)  # type: ignore[no-any-return]  # torch's
        operation, a, z, is_first = source
        with torch.no_grad():
            y = plain(z)
        return self._related(operation, a, y, (*folded(operation, module), is_first))

    def _related(
        self, operation: Operation | MeanPooling, a: torch.Tensor, z: torch.Tensor, how: tuple[Any, ...]
    ) -> torch.Tensor:
        weight, bias, is_first = how
        hidden = self.composite.linear if operation.is_linear else self.composite.convolution
        rule = self.composite.first if is_first else hidden
        layer = Layer(operation, weight, bias, rule, self.composite.with_bias, is_first)
        return RelevanceOfLayer.apply(a, z, layer)  # type: ignore[no-any-return]  # torch's


def _layer_norm(module: nn.LayerNorm, x: torch.Tensor) -> torch.Tensor:
    """The spread taken as a constant, which makes the layer linear. Source: Ali 2022, ICML, section 4."""
    axes = tuple(range(-len(module.normalized_shape), 0))
    centred = x - x.mean(dim=axes, keepdim=True)
    spread = torch.sqrt(x.var(dim=axes, unbiased=False, keepdim=True) + module.eps).detach()
    plain = functional.layer_norm(x, module.normalized_shape, None, None, module.eps)
    scaled = centred / spread
    y = scaled + (plain - scaled).detach()
    y = y if module.weight is None else y * module.weight
    return y if module.bias is None else y + module.bias
