"""Several answers to one picture: from changed copies of it, from dropout, or from the members of an ensemble.

Nothing is drawn from the clock or a global generator: the same picture gets the same answers, alone or in a batch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from hounsfield.core.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from hounsfield.zoo import Answers

# Changes of a copy: mirrored left and right, turn in degrees, logarithm of the scale, shifts (right, down) as shares of
# the side. All lie within what training draws from unless a recipe narrows it (turns to 20 degrees, scale to
# exp(0.15), shifts to 0.08): a copy is a picture that the network has learned to answer alike.
COPIES: tuple[tuple[bool, float, float, float, float], ...] = (
    (False, 0.0, 0.0, 0.0, 0.0),
    (True, 0.0, 0.0, 0.0, 0.0),
    (False, 8.0, 0.0, 0.03, 0.0),
    (True, -8.0, 0.0, -0.03, 0.0),
    (False, -8.0, 0.08, 0.0, 0.03),
    (True, 8.0, -0.08, 0.0, -0.03),
    (False, 4.0, -0.08, -0.03, -0.03),
    (True, -4.0, 0.08, 0.03, 0.03),
)
_SEED = 20240229  # of the dropout masks; any number does, as long as it stays


def several_answers(network: nn.Module, inputs: torch.Tensor, settings: Answers) -> NDArray[np.float32]:
    """Logits (m, n, classes) of m answers to each of the pictures `inputs` (n, channels, size, size).

    The network is left in evaluation mode. Raises ModelError where it has no dropout or not as many members as the
    card says, or where more copies are asked for than are known.
    """
    ways: dict[str, Callable[..., torch.Tensor]] = {
        "copies": _of_copies,
        "dropout": _with_dropout,
        "members": _of_members,
    }
    with torch.inference_mode():
        logits = ways[settings.way](network, inputs, settings.number)
    array: NDArray[np.float32] = logits.float().cpu().numpy()
    return array


def _of_copies(network: nn.Module, inputs: torch.Tensor, number: int) -> torch.Tensor:
    if number > len(COPIES):
        raise ModelError(
            f"the card asks for {number} changed copies; {len(COPIES)} are known. Get the bundle again."
        )
    return torch.stack([network(changed(inputs, change))[0] for change in COPIES[:number]])


def changed(inputs: torch.Tensor, change: tuple[bool, float, float, float, float]) -> torch.Tensor:
    """A copy of pictures (n, channels, size, size), changed as a row of COPIES says; what comes in is their darkest grey."""
    mirrored, turn_deg, log_scale, right, down = change
    cosine, sine = (f(math.radians(turn_deg)) / math.exp(log_scale) for f in (math.cos, math.sin))
    side = -1.0 if mirrored else 1.0
    rows = [[side * cosine, -sine, -2 * side * right], [side * sine, cosine, -2 * down]]
    matrix = torch.tensor(rows, dtype=inputs.dtype, device=inputs.device).expand(len(inputs), 2, 3)
    grid = functional.affine_grid(matrix, list(inputs.shape), align_corners=False)
    darkest = inputs.amin(dim=(1, 2, 3), keepdim=True)
    return functional.grid_sample(inputs - darkest, grid, align_corners=False) + darkest


def _with_dropout(network: nn.Module, inputs: torch.Tensor, number: int) -> torch.Tensor:
    layers = [m for m in network.modules() if isinstance(m, nn.Dropout | nn.Dropout2d) and m.p > 0]
    if not layers:
        raise ModelError(
            "the card asks for answers by dropout, but the network has no dropout. Get the bundle again."
        )
    answers = []
    devices = [inputs.device] if inputs.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        for layer in layers:
            layer.train()
        try:
            for picture in inputs:
                # The same masks for every picture: an answer must not depend on what else is asked.
                torch.manual_seed(_SEED)
                answers.append(network(picture.expand(number, *picture.shape))[0])
        finally:
            network.eval()
    return torch.stack(answers, dim=1)


def _of_members(network: nn.Module, inputs: torch.Tensor, number: int) -> torch.Tensor:
    members: Any = getattr(network, "members", ())
    if len(members) != number:
        raise ModelError(
            f"the card asks for the answers of {number} members, and the network has {len(members)}. Get the bundle again."
        )
    return torch.stack([member(inputs)[0] for member in members])
