"""Which rule serves which layer: the combinations that the literature settled on.

Source: Montavon 2019, LNCS 11700:193, section 10.3 (no rule is best for all layers); Kohlbrenner 2020, IJCNN (epsilon in
the linear layers, z+ or alpha-beta in the convolutions, flat in the first layer).
"""

from __future__ import annotations

from dataclasses import dataclass

from hounsfield.explain.lrp.rules import AlphaBeta, Box, Epsilon, Flat, Gamma, Rule, ZPlus


@dataclass(frozen=True, slots=True)
class Composite:
    """Rules of the first layer of the network, of all other convolutions, and of linear layers.

    with_bias: the biases (after merging batch normalisation) keep their share of the relevance. False hands it to the
    inputs, so that more is conserved; where inputs nearly cancel, that can make single values large.
    """

    first: Rule
    convolution: Rule
    linear: Rule
    with_bias: bool = True


COMPOSITES = {
    "epsilon": Composite(first=Epsilon(), convolution=Epsilon(), linear=Epsilon()),
    "epsilon-plus": Composite(first=ZPlus(), convolution=ZPlus(), linear=Epsilon()),
    "epsilon-plus-flat": Composite(first=Flat(), convolution=ZPlus(), linear=Epsilon()),
    "epsilon-alpha-2-beta-1": Composite(first=AlphaBeta(), convolution=AlphaBeta(), linear=Epsilon()),
    "epsilon-gamma-box": Composite(first=Box(), convolution=Gamma(), linear=Epsilon()),
}
