"""One pass of a network over prepared pictures: what training tunes on and what reading uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class NetworkOutputs:
    """Outputs for n pictures, float32.

    logits: (n, classes). mask: (n, size, size) foreground probability on the network's square, None for a
    network that outlines nothing. features: (n, f), what the input guard judges, always of the picture as it is.
    """

    logits: NDArray[np.float32]
    mask: NDArray[np.float32] | None
    features: NDArray[np.float32]


def network_outputs(network: Any, inputs: torch.Tensor, *, test_time_flips: bool = False) -> NetworkOutputs:
    """Run `network` on `inputs` (n, channels, size, size), on the device that they lie on.

    test_time_flips: also run the mirrored pictures (left and right) and average logits and masks. The
    network must be in evaluation mode, else the result would depend on the batch.
    """
    with torch.inference_mode():
        logits, mask = _run(network, inputs)
        if test_time_flips:
            mirrored_logits, mirrored_mask = _run(network, torch.flip(inputs, dims=(3,)))
            logits = (logits + mirrored_logits) / 2
            if mask is not None and mirrored_mask is not None:
                mask = (mask + torch.flip(mirrored_mask, dims=(3,))) / 2
        features = network.features(inputs)
    return NetworkOutputs(_numpy(logits), _numpy(mask[:, 0]) if mask is not None else None, _numpy(features))


def _run(network: Any, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Class logits, and foreground probability (n, 1, size, size) if the network outlines."""
    logits, mask_logits = network(inputs)
    return logits, None if mask_logits is None else torch.sigmoid(mask_logits.float())


def _numpy(tensor: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.float().cpu().numpy()
    return array
