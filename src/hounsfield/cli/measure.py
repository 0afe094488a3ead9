"""`hounsfield measure`: a clinical rule from numbers or a reading, and what it did with them."""

from __future__ import annotations

import json
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hounsfield.cli._measure_course import answer_course
from hounsfield.cli._terminal import print_json, print_tables, table
from hounsfield.core.errors import StudyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Measure, Measurement, Outcome, RuleCard, RuleInput

app = typer.Typer(add_completion=False, rich_markup_mode=None)

# Where rules are registered: module and name of the registry.
REGISTRIES = (("hounsfield.measures", "measures"), ("hounsfield.radiomics", "radiomic_rules"))


@app.command()
def measure(
    name: Annotated[str | None, typer.Argument(help="Rule, as --list names it.")] = None,
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE ...", help="Inputs; a list as 1,2,3, a record as JSON."),
    ] = None,
    reading: Annotated[
        Path | None,
        typer.Option("--from", help="Take inputs from this reading.json; KEY=@NAME[:REGION] picks."),
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option("--region", help="Only measurements of this region (may be repeated).")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the rule with the inputs filled in.")
    ] = False,
    course: Annotated[
        Path | None,
        typer.Option("--course", help="Every visit of a patient: a JSON list of visits, or a reading.json."),
    ] = None,
    chart: Annotated[
        Path | None, typer.Option("--chart", help="Draw the course into this file (.svg or .png).")
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the rules.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Compute a clinical rule from numbers, or from a reading, and explain it."""
    from hounsfield.core import RESEARCH_USE

    rules = all_rules()
    if list_all or name is None:
        _print_list(rules, as_json=as_json)
        return
    rule = _find(name, rules)
    if course is not None:
        if values or reading is not None or region:
            raise UsageError(
                "--course holds all inputs of every visit: leave out KEY=VALUE, --from and --region"
            )
        answer_course(rule, course, chart, as_json=as_json)
        return
    if chart is not None:
        raise UsageError("--chart draws a course over several visits: give --course too")
    stated = _pairs(values or [])
    if explain and not stated and reading is None and not as_json:
        _print_rule(rule)
        return
    inputs, outcome = _answer(rule, stated, reading, region or [])
    if as_json:
        filled = inputs.to_json() if inputs else {}
        record = {"rule": rule.card.to_json(), "inputs": filled, "outcome": outcome.to_json()}
        print_json({"notice": RESEARCH_USE, **record})
        return
    if explain:
        _print_rule(rule, inputs)
        for step in outcome.steps:
            print(f"  {step}")
        print()
    _print_outcome(rule.card, outcome)
    print(RESEARCH_USE)


def all_rules() -> dict[str, Measure]:
    """Every registered rule by its identifier, sorted."""
    found = [rule for module, name in REGISTRIES for rule in getattr(import_module(module), name)]
    return {rule.card.name: rule for rule in sorted(found, key=lambda rule: rule.card.name)}


def _find(name: str, rules: dict[str, Measure]) -> Measure:
    if name not in rules:
        near = get_close_matches(name, rules, n=3, cutoff=0.4) or [one for one in rules if name in one]
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UsageError(f"there is no rule {name!r}.{hint} `hu measure --list` names them all.")
    return rules[name]


def _pairs(values: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in values:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise UsageError(f"{text!r} is not KEY=VALUE, for instance edv_ml=120")
        if key in pairs:
            raise UsageError(f"{key} is given twice")
        pairs[key] = value
    return pairs


def _answer(
    rule: Measure, stated: dict[str, str], reading: Path | None, regions: Sequence[str]
) -> tuple[RuleInput | None, Outcome]:
    from hounsfield.core import Outcome
    from hounsfield.measures import of_rule, values_of_reading

    card = rule.card
    measurements = _measurements(reading) if reading else []
    if card.inputs is None:
        if reading is None:
            raise UsageError(
                f"rule {card.name} takes {card.takes}, not numbers: run the application that measures it, then "
                f"`hu measure {card.name} --from reading.json`."
            )
        found = of_rule(card, measurements, regions=regions)
        return None, Outcome(card.name, card.version, card.evidence, found)
    inputs = card.inputs.from_mapping(values_of_reading(card, measurements, stated, regions=regions))
    outcome: Outcome = rule.compute(inputs)
    if regions:
        outcome = replace(
            outcome, measurements=tuple(replace(m, regions=tuple(regions)) for m in outcome.measurements)
        )
    return inputs, outcome


def _measurements(path: Path) -> list[Measurement]:
    from hounsfield.core import Measurement

    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        parts: list[Any] = [record, *record["findings"]]
        return [Measurement.from_json(one) for part in parts for one in part["measurements"]]
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}. Give the reading.json of a result."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise StudyError(
            f"{path} is no reading.json of this program ({error}). Write the reading anew."
        ) from error


def _print_list(rules: dict[str, Measure], *, as_json: bool) -> None:
    if as_json:
        print_json({"rules": [rule.card.to_json() | {"summary": rule.summary} for rule in rules.values()]})
        return
    rows = [
        [rule.card.name, rule.card.version, rule.card.takes, rule.card.evidence, rule.summary]
        for rule in rules.values()
    ]
    print_tables(table("", ["rule", "version", "takes", "evidence", "what it gives"], rows))


def _print_rule(rule: Measure, inputs: RuleInput | None = None) -> None:
    from hounsfield.core.category import EVIDENCE_TEXTS
    from hounsfield.core.rule_input import input_fields

    card = rule.card
    print(f"{card.name} {card.version}: {rule.summary}")
    for title, text in (
        ("rule", card.formula),
        ("source", f"{card.source} ({EVIDENCE_TEXTS[card.evidence]})"),
        ("for", card.population),
        ("refuses", "; ".join(card.refuses)),
        ("uncertainty", card.uncertainty or "not known"),
    ):
        if text:
            print(f"  {title}: {text}")
    filled = inputs.to_json() if inputs else {}
    rows = [
        [
            field.name,
            _text(filled[field.name]) if inputs else ("required" if field.required else _text(field.default)),
            field.given.unit_sign or field.type.text,
            field.given.meaning,
        ]
        for field in (input_fields(card.inputs) if card.inputs else ())
    ]
    if rows:
        print_tables(
            table("", ["input", "value" if inputs else "default", "unit or choices", "meaning"], rows)
        )


def _text(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _print_outcome(card: RuleCard, outcome: Outcome) -> None:
    from hounsfield.core.category import EVIDENCE_TEXTS
    from hounsfield.core.exact import shown

    print(f"{card.name} {card.version}, {EVIDENCE_TEXTS[outcome.evidence]}. {card.source}.")
    numbers = [
        [
            m.name,
            shown(m.value),
            "" if m.uncertainty is None else f"+-{shown(m.uncertainty, 3)}",
            m.unit_sign,
            ", ".join(m.regions),
            m.note,
        ]
        for m in outcome.measurements
    ]
    if numbers:
        print_tables(table("", ["measurement", "value", "95 %", "unit", "regions", "note"], numbers))
    classes = [[c.name, c.value, c.meaning, c.evidence] for c in outcome.categories]
    if classes:
        print_tables(table("", ["class", "value", "meaning", "evidence"], classes))
    conditions = [[c.severity, c.code, c.text] for c in outcome.conditions]
    if conditions:
        print_tables(table("", ["severity", "condition", "text"], conditions))
