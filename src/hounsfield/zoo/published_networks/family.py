"""What every family of published networks says: our network's name and arguments, and a table of names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Plan:
    """network, arguments: of ours (n_classes among them). names: the publisher's name of each of our weights; several
    are joined along the first axis (queries, keys and values).
    """

    network: str
    arguments: Mapping[str, Any]
    names: Mapping[str, tuple[str, ...]]


def numbers_in(weights: Mapping[str, NDArray[Any]], pattern: str) -> list[int]:
    """The numbers that stand for `#` in keys that begin as `pattern` does, in order, each once."""
    found = re.compile(re.escape(pattern).replace(r"\#", r"(\d+)"))
    return sorted({int(match.group(1)) for key in weights if (match := found.match(key))})


def norm(ours: str, theirs: str) -> dict[str, tuple[str, ...]]:
    """Names of a batch normalisation."""
    parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    return {f"{ours}.{part}": (f"{theirs}.{part}",) for part in parts}


def linear(ours: str, *theirs: str) -> dict[str, tuple[str, ...]]:
    """Names of weight and bias of one layer, or of several that are one here."""
    return {f"{ours}.{part}": tuple(f"{name}.{part}" for name in theirs) for part in ("weight", "bias")}
