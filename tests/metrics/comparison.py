"""What a comparison with an independent program is: a row, and the numbers that those programs gave."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PEERS = json.loads((Path(__file__).parent / "peer_numbers.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Row:
    """A figure, its independent reference, the largest difference found, and the one that is allowed."""

    figure: str
    reference: str
    difference: float
    allowed: float


def apart(ours, theirs) -> float:
    """The largest difference of two lists of numbers of one shape."""
    first, second = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    assert first.shape == second.shape
    return float(np.abs(first - second).max())
