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

    logits: (n, classes). mask: (n, size, size) foreground probability on the network's square.
    features: (n, f), what the input guard judges, always of the picture as it is.
    """

    logits: NDArray[np.float32]
    mask: NDArray[np.float32]
    features: NDArray[np.float32]


def network_outputs(network: Any, inputs: torch.Tensor, *, test_time_flips: bool = False) -> NetworkOutputs:
    """Run `network` on `inputs` (n, 1, size, size), on the device that they lie on.

    test_time_flips: also run the mirrored pictures (left and right) and average logits and masks. The
    network must be in evaluation mode, else the result would depend on the batch.
    """
    with torch.inference_mode():
        logits, mask_logits = network(inputs)
        mask = torch.sigmoid(mask_logits.float())
        if test_time_flips:
            mirrored_logits, mirrored_mask = network(torch.flip(inputs, dims=(3,)))
            logits = (logits + mirrored_logits) / 2
            mask = (mask + torch.flip(torch.sigmoid(mirrored_mask.float()), dims=(3,))) / 2
        features = network.features(inputs)
    return NetworkOutputs(_numpy(logits), _numpy(mask[:, 0]), _numpy(features))


def _numpy(tensor: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.float().cpu().numpy()
    return array
