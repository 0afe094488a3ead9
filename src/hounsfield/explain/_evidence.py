"""The sentence that stands under a map: what was measured of its worth for this very model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def evidence_sentence(card: Mapping[str, Any], name: str) -> str:
    """How far the map `name` ("grad-cam") may be believed, from the `explanations` of a model card.

    card: as `core.Model.card` gives it. A map that was never tested says so; further tests that it failed are named.
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
    return " ".join(part for part in (sentence, _of_tests(found.get("tests", ())), found["note"]) if part)


def _of_tests(tests: Sequence[Mapping[str, Any]]) -> str:
    if not tests:
        return ""
    failed = [test["name"] for test in tests if not test["passed"]]
    if not failed:
        return f"It passed all {len(tests)} tests of maps."
    return f"Of {len(tests)} tests of maps it failed {len(failed)}: {'; '.join(failed)}."
