"""The sanity test: a map must change when the network's weights are drawn anew, or it explains the picture alone.

Source: Adebayo 2018, NeurIPS: weights are drawn anew from the last layer down (cascading), and the map is compared with
that of the trained network by rank correlation and structural similarity.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from hounsfield.inference import TorchModel

_WINDOW_PX = 7
_C1, _C2 = 0.01**2, 0.03**2  # Wang 2004, IEEE Trans Image Process 13:600, for a range of 1


def redrawn(network: nn.Module, share: float, *, seed: int = 0) -> nn.Module:
    """A copy whose last layers have weights drawn anew. share: of all layers with weights, counted from the last.

    1.0 leaves nothing of what was learned but parameters that no layer owns. The same seed draws the same weights;
    torch's global generator is left as it was. Raises UsageError for a share outside 0 to 1.
    """
    import torch

    if not 0 <= share <= 1:
        raise UsageError(f"the share of layers drawn anew lies between 0 and 1, not {share}")
    other = copy.deepcopy(network)
    layers = [module for module in other.modules() if hasattr(module, "reset_parameters")]
    n_drawn = int(np.ceil(share * len(layers)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in layers[len(layers) - n_drawn :]:
            device = next(iter(layer.parameters()), torch.empty(0)).device
            # Drawn on the processor, so that a seed means the same wherever the network lies.
            layer.to("cpu").reset_parameters()  # type: ignore[operator]  # looked for above
            layer.to(device)
    return other.eval().requires_grad_(requires_grad=False)


def redrawn_model(model: TorchModel, share: float, *, seed: int = 0) -> TorchModel:
    """The model with a `redrawn` network; its card still tells of the trained one."""
    return type(model)(model.bundle, redrawn(model.network, share, seed=seed), model.device)


def rank_correlation(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Spearman's correlation of two maps (y, x), pixel by pixel, ties at their mean rank; 0 if one is even."""
    from scipy.stats import rankdata

    ranks = [rankdata(values.ravel()) for values in (first, second)]
    if any(np.ptp(own) == 0 for own in ranks):
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def structural_similarity(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Mean structural similarity of two maps (y, x) in [0, 1] over windows of 7 pixels. Source: Wang 2004."""
    from scipy.ndimage import uniform_filter

    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    mean_a, mean_b = uniform_filter(a, _WINDOW_PX), uniform_filter(b, _WINDOW_PX)
    variance_a = uniform_filter(a * a, _WINDOW_PX) - mean_a**2
    variance_b = uniform_filter(b * b, _WINDOW_PX) - mean_b**2
    covariance = uniform_filter(a * b, _WINDOW_PX) - mean_a * mean_b
    above = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    below = (mean_a**2 + mean_b**2 + _C1) * (variance_a + variance_b + _C2)
    return float((above / below).mean())
