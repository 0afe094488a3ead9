"""Classes from the shares of grey values of several views: a histogram of each, then two linear layers.

Source: Wu 2018, ICASSP, arXiv:1711.03674 (the histogram baseline of breast density), and its program
(nyukat/breast_density_classifier, `histogram_features_generator` and `BaselineHistogramModel`).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from hounsfield.core.errors import UsageError
from hounsfield.networks._registry import network


class GreyShares(nn.Module):
    """Share of pixels in each of `bins` equal steps from the darkest to the brightest of a view."""

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.bins = bins

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """Shares (n, views * bins, 1, 1) of views (n, views, h, w); an even view lies in the first step."""
        flat = views.double().flatten(2)
        low, high = flat.amin(dim=2, keepdim=True), flat.amax(dim=2, keepdim=True)
        places = ((flat - low) / (high - low).clamp_min(1e-12) * self.bins).long().clamp(0, self.bins - 1)
        counts = torch.zeros(*flat.shape[:2], self.bins, dtype=flat.dtype, device=flat.device)
        counts = counts.scatter_add(2, places, torch.ones_like(flat))
        return (counts / flat.shape[2]).flatten(1)[:, :, None, None].to(_numbers_of(views))


def _numbers_of(views: torch.Tensor) -> torch.dtype:
    """That of the views, 32 bits where they are stored in fewer or as whole numbers."""
    return views.dtype if views.dtype in {torch.float32, torch.float64} else torch.float32


@network("histogram-layers")
class HistogramLayers(nn.Module):
    """Classes of one or several views from their histograms alone.

    n_classes: outputs. in_channels: views. bins: of each histogram. width: of the hidden layer. Input (n, in_channels, h, w)
    of any size and grey scale, since each view's own range is divided; views of different sizes go through `shares` one by
    one, then through `logits_of`. `forward` gives class logits (n, n_classes) and None, since nothing is outlined;
    `features` gives (n, in_channels * bins); `cam_layer` is the hidden layer, which has no place in the picture.
    """

    gives_mask = False

    def __init__(self, n_classes: int, *, in_channels: int = 1, bins: int = 50, width: int = 100) -> None:
        super().__init__()
        if bins < 2:
            raise UsageError(f"a histogram has two bins or more, not {bins}")
        self.shares = GreyShares(bins)
        self.hidden = nn.Conv2d(in_channels * bins, width, 1)  # on one pixel: a linear layer
        self.classifier = nn.Linear(width, n_classes)

    @property
    def cam_layer(self) -> nn.Module:
        """The hidden layer: output (n, width, 1, 1)."""
        return self.hidden

    def logits_of(self, shares: torch.Tensor) -> torch.Tensor:
        """Class logits (n, n_classes) of shares (n, in_channels * bins, 1, 1)."""
        return self.classifier(functional.relu(self.hidden(shares)).flatten(1))  # type: ignore[no-any-return]  # nn.Module is untyped

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Class logits (n, n_classes) of views (n, in_channels, h, w), and None for the outline."""
        return self.logits_of(self.shares(x)), None

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """The histograms (n, in_channels * bins)."""
        return self.shares(x).flatten(1)  # type: ignore[no-any-return]  # nn.Module is untyped
