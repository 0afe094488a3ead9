"""`hounsfield explain`: the maps that say where a model looked, and what was measured of each for that model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hounsfield.cli._terminal import print_json, print_tables, table

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_RESEARCH_USE = "Research use only. Not a medical device."


@app.command()
def explain(
    model: Annotated[
        str | None, typer.Argument(help="Name of an installed model, for what was measured of its maps.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print maps and tests as JSON.")] = False,
) -> None:
    """List the maps, and for a model how far each may be believed; `hounsfield read --explain NAME` makes them."""
    from hounsfield.explain import best_tested, chosen_maps, explanations

    card = _card(model)
    tested = best_tested(card)
    names = [*tested, *(name for name in explanations.names() if name not in tested)]
    shown = chosen_maps(card)
    maps = [_record(card, name, is_shown=name in shown) for name in names]
    if as_json:
        print_json({"notice": _RESEARCH_USE, "model": model, "maps": maps})
        return
    if model is None:
        rows = [[name, _about(name)] for name in names]
        print_tables(table("", ["map", "how it is made"], rows))
        print(
            "What was measured of them: hounsfield explain MODEL. Maps of a picture: hounsfield read --explain NAME."
        )
    else:
        columns = ["map", "on the truth (95 % interval)", "by chance", "tests passed", "failed", "shown"]
        print_tables(table(f"Maps of {model}", columns, [_row(one) for one in maps]))
    print(_RESEARCH_USE)


def _card(model: str | None) -> Mapping[str, Any]:
    if model is None:
        return {}
    from hounsfield.zoo import find_bundle, open_bundle

    return open_bundle(find_bundle(model)).card.model_dump(mode="json")


def _record(card: Mapping[str, Any], name: str, *, is_shown: bool) -> dict[str, Any]:
    from hounsfield.explain import evidence_sentence

    found = card.get("explanations", {}).get(name)
    kept = ("name", "value", "low95", "high95", "reference", "better", "passed", "n")
    return {
        "name": name,
        "tested": found is not None,
        "shown": is_shown,
        "on_truth": found["value"] if found else None,
        **{key: found[key] if found else None for key in ("low95", "high95", "chance", "n")},
        "evidence": evidence_sentence(card, name),
        "tests": [{key: test[key] for key in kept} for test in found["tests"]] if found else [],
    }


def _row(one: Mapping[str, Any]) -> list[str]:
    if not one["tested"]:
        return [one["name"], "not measured", "", "", "", "yes" if one["shown"] else ""]
    failed = [test["name"] for test in one["tests"] if not test["passed"]]
    return [
        one["name"],
        f"{one['on_truth']:.2f} ({one['low95']:.2f} to {one['high95']:.2f}), n {one['n']}",
        f"{one['chance']:.3f}",
        f"{len(one['tests']) - len(failed)} of {len(one['tests'])}",
        "; ".join(failed) or "none",
        "yes" if one["shown"] else "",
    ]


def _about(name: str) -> str:
    """The first line of the file that makes the map; a member of a family of rules lies in a file of its own."""
    import sys
    from importlib import import_module

    from hounsfield.explain import explanations

    made = explanations.get(name).on_network
    module = sys.modules.get(made.__module__) or import_module(made.__module__)
    return (module.__doc__ or name).strip().splitlines()[0]
