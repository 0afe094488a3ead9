"""The maps of a reading: those that the user asks for, else the two that did best in the tests that the card records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.core.code import GRAD_CAM, private_code
from hounsfield.core.errors import UsageError
from hounsfield.core.reading import ExplanationMap
from hounsfield.explain._evidence import evidence_sentence
from hounsfield.explain._registry import explanations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.core import Code, Grid

N_SHOWN = 2


def best_tested(card: Mapping[str, Any], names: Sequence[str] | None = None) -> list[str]:
    """Maps that the card has evidence for, best first: fewest tests failed, then most often on the truth.

    card: as `core.Model.card` gives it. names: only among these.
    """
    evidence: Mapping[str, Any] = card.get("explanations", {})
    known = [name for name in evidence if names is None or name in names]

    def place(name: str) -> tuple[int, float, str]:
        failed = sum(not test["passed"] for test in evidence[name].get("tests", ()))
        return failed, -float(evidence[name]["value"]), name

    return sorted(known, key=place)


def chosen_maps(card: Mapping[str, Any], asked: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of the maps to be made. asked: by name, or by the first word of a family ("lrp" is its best tested member).

    Without any asked for: the best tested two, none where none was tested. Raises UsageError for an unknown name.
    """
    if not asked:
        return tuple(best_tested(card)[:N_SHOWN])
    return tuple(dict.fromkeys(_one(card, name) for name in asked))


def check_maps(asked: Sequence[str]) -> None:
    """Raise UsageError for a name that no map has, before anything is read."""
    for name in asked:
        _one({}, name)


def _one(card: Mapping[str, Any], name: str) -> str:
    names = explanations.names()
    if name in names:
        return name
    family = [one for one in names if one.startswith(f"{name}-")]
    if not family:
        raise UsageError(f"there is no map named {name!r}; known are {', '.join(names)}")
    return (best_tested(card, family) or family)[0]


def method_code(name: str) -> Code:
    """The coded method of a map: that of PS3.16 for Grad-CAM, else a private one."""
    if name == "grad-cam":
        return GRAD_CAM
    return private_code(name.upper().replace("-", "_"), f"Map by {name}")


def reading_maps(
    model: Any,
    picture: NDArray[Any],
    class_index: int,
    *,
    finding: str,
    grid: Grid,
    asked: Sequence[str] = (),
) -> list[ExplanationMap]:
    """Maps of one class of a picture (y, x) for a reading, each with the sentence on its worth.

    model: an `inference.TorchModel`. finding: name of the finding that the class became. Raises UsageError for an unknown
    name, ModelError for a map that the network has not what it needs for.
    """
    card = model.card
    return [
        ExplanationMap(
            name=name,
            method=method_code(name),
            finding=finding,
            grid=grid,
            values=explanations.get(name)(model, picture, class_index)[None],
            evidence=evidence_sentence(card, name),
        )
        for name in chosen_maps(card, asked)
    ]
