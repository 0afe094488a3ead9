"""The sentence that stands under a map: what was measured of its worth for this very model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def evidence_sentence(card: Mapping[str, Any], name: str) -> str:
    """How far the map `name` ("grad-cam") may be believed, from the `explanations` of a model card.

    card: as `core.Model.card` gives it. A map that was never tested says so.
    """
    found = card.get("explanations", {}).get(name)
    if not found:
        return (
            "Whether this map points at what matters was not measured for this model: "
            "do not conclude anything from it."
        )
    sentence = (
        f"The highest point of this map lay on the true outline in {found['value']:.0%} (95 % interval "
        f"{found['low95']:.0%} to {found['high95']:.0%}) of {found['n']} slices of the {found['part']} part; "
        f"a point chosen by chance does so in {found['chance']:.0%}."
    )
    return f"{sentence} {found['note']}".rstrip()
