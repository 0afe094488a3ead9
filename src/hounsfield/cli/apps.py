"""`hounsfield apps`: the applications and what they ask for."""

from __future__ import annotations

from typing import Annotated

import typer

from hounsfield.cli._terminal import print_json, print_tables, table

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def apps(as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False) -> None:
    """List the applications and what they ask for."""
    from hounsfield.core import applications

    if as_json:
        print_json(
            {
                "applications": [
                    {
                        "name": one.name,
                        "title": one.title,
                        "version": one.version,
                        "summary": one.summary,
                        "models": list(one.models),
                        "roles": [
                            {
                                "name": role.name,
                                "modalities": list(role.modalities),
                                "unit": role.unit,
                                "geometry": role.geometry,
                                "raster": role.raster,
                                "kind": role.kind,
                                "optional": role.optional,
                            }
                            for role in one.needs.roles
                        ],
                    }
                    for one in applications
                ]
            }
        )
        return
    rows = [
        [
            one.name,
            one.version,
            " or ".join(one.needs.main.modalities) + (", PNG, JPEG" if one.needs.main.raster else ""),
            one.needs.main.unit or "any",
            ", ".join(one.models) or "rules",
            one.summary,
        ]
        for one in applications
    ]
    print_tables(table("", ["application", "version", "takes", "unit", "by", "what it does"], rows))
