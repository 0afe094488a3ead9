"""Architectures: one file a network, found by its file name through `networks`.

Here: modules that map pictures to logits, with no trained weights. Not here: training (training),
running a bundle (inference). Read unet_classifier.py first; torch is imported only when a network is
asked for.
"""

from hounsfield.networks._registry import build_network, network, networks

__all__ = ["build_network", "network", "networks"]
