"""Layer-wise relevance propagation: the score handed back, layer by layer, to what it came from.

Read propagate.py first (how a network is walked), then rules.py (how one layer shares out what it receives) and
composites.py (which rule serves which layer). Works on networks as they are, in two and three dimensions.
"""

from hounsfield.explain.lrp.composites import COMPOSITES, Composite
from hounsfield.explain.lrp.propagate import propagate
from hounsfield.explain.lrp.rules import AlphaBeta, Box, Epsilon, Flat, Gamma, Rule, WSquare, ZPlus

__all__ = [
    "COMPOSITES",
    "AlphaBeta",
    "Box",
    "Composite",
    "Epsilon",
    "Flat",
    "Gamma",
    "Rule",
    "WSquare",
    "ZPlus",
    "propagate",
]
