"""Write the reference pages that follow from the code: commands, applications, conditions, rules.

    .venv/bin/python docs/generate.py

The tests compare the pages with what this would write, so that they cannot grow old.
"""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "hounsfield"
REFERENCE = ROOT / "docs" / "reference"
GENERATED = "<!-- Written by docs/generate.py: change the code, then run that. -->\n"
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SEVERITIES = ("note", "warning", "refusal")


def help_of(*words: str) -> str:
    """What `hounsfield WORDS --help` prints on a terminal of 100 columns without colours."""
    plain = {
        **os.environ,
        "COLUMNS": "100",
        "TERMINAL_WIDTH": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "LANG": "C.UTF-8",
    }
    command = [sys.executable, "-m", "hounsfield", *words, "--help"]
    said = subprocess.run(  # noqa: S603 (our own command)
        command, check=True, env=plain, capture_output=True, text=True, encoding="utf-8"
    ).stdout
    said = said.replace("python -m hounsfield", "hounsfield").replace("__main__.py", "hounsfield")
    return "\n".join(line.rstrip() for line in said.strip("\n").splitlines())


def commands(*group: str) -> list[str]:
    """Names of the commands (of a group of commands, where one is named), in the order of `--help`."""
    listed = help_of(*group).partition("Commands")[2]
    return re.findall(r"^  ([a-z][a-z-]*)\s{2,}\S", listed, flags=re.MULTILINE)


def command_page() -> str:
    """docs/reference/command.md: the help of every command."""
    parts = [
        "# The command\n",
        GENERATED,
        "`hounsfield` and `hu` are the same command. Every command takes `--help`; those with `--json` print one JSON",
        "document on standard output and everything else on standard error.\n",
        f"```text\n{help_of()}\n```\n",
    ]
    for name in commands():
        parts.append(f"## {name}\n\n```text\n{help_of(name)}\n```\n")
        parts += [f"### {name} {own}\n\n```text\n{help_of(name, own)}\n```\n" for own in commands(name)]
    parts.append("What the exit status means: [exit codes](exit-codes.md).\n")
    return "\n".join(parts)


def role_row(role) -> str:
    """One line of the table of what an application asks for."""
    asked = [
        ("pixels in " + role.unit) if role.unit else "",
        {"volume": "a volume in millimetres", "slice": "exactly one slice", "any": ""}[role.geometry],
        f"slices at most {role.spacing_mm:g} mm apart" if role.spacing_mm else "",
        f"at least {role.min_slices} slices" if role.min_slices > 1 else "",
        "PNG and JPEG may be tried" if role.raster else "",
        "SEG, RTSTRUCT or mask files" if role.kind == "regions" else "",
    ]
    modalities = ", ".join(role.modalities) or "any"
    return f"| `{role.name}` | {modalities} | {'; '.join(filter(None, asked))} | {'no' if role.optional else 'yes'} |"


def applications_page() -> str:
    """docs/reference/applications.md: what every registered application asks for and says of itself."""
    from hounsfield.core import applications

    parts = [
        "# Applications\n",
        GENERATED,
        "Which of them takes which series of a study, and why: `hu inspect PATH`.\n",
    ]
    for item in applications:
        story = re.sub(r"\n[ \t]+", "\n", (sys.modules[item.run.__module__].__doc__ or "").strip())
        parts += [
            f"## {item.name}\n",
            f"{item.title}, version {item.version}. "
            + (
                f"Learned model: {', '.join(f'`{m}`' for m in item.models)}.\n"
                if item.models
                else "By rules.\n"
            ),
            f"{story}\n",
            *(
                [f"Reads at least {item.needs.visits} studies of one patient together.\n"]
                if item.needs.visits > 1
                else []
            ),
            "| role | modality | asks for | required |\n| --- | --- | --- | --- |",
            "\n".join(role_row(role) for role in item.needs.roles) + "\n",
        ]
    return "\n".join(parts)


def sentence(node: ast.expr) -> str:
    """The text of a condition as far as the source states it; `...` stands for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(sentence(part) if isinstance(part, ast.Constant) else "..." for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return sentence(node.left) + sentence(node.right)
    return "..."


def assigned(tree: ast.Module, item: ast.expr) -> ast.expr:
    """What a name in an argument was last given before that line; any other argument as it is."""
    if not isinstance(item, ast.Name):
        return item
    given = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and node.lineno < item.lineno
        and any(isinstance(target, ast.Name) and target.id == item.id for target in node.targets)
    ]
    return max(given, key=lambda node: node.lineno).value if given else item


def relayed(tree: ast.Module) -> tuple[dict[str, str], set[str]]:
    """Functions that make a condition of a code given to them -> its severity; all such severities."""
    makers: dict[str, str] = {}
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            arguments = call.args[:2]
            if (
                getattr(call.func, "id", "") == "Condition"
                and len(arguments) == 2
                and isinstance(arguments[0], ast.Name)
                and isinstance(arguments[1], ast.Constant)
            ):
                makers[function.name] = str(arguments[1].value)
    return makers, set(makers.values())


def pairs(tree: ast.Module) -> Iterator[tuple[str, str, ast.expr]]:
    """Code, severity and text where a code goes to such a function, or is returned with its text."""
    makers, severities = relayed(tree)
    for node in ast.walk(tree):
        parts, severity = [], ""
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and len(severities) == 1:
            parts, severity = node.elts, min(severities)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in makers:
            parts, severity = node.args[:2], makers[getattr(node.func, "id", "")]
        is_code = (
            len(parts) == 2
            and isinstance(parts[0], ast.Constant)
            and CODE.fullmatch(str(parts[0].value)) is not None
        )
        # A pair without a hyphen or a sentence is something else: a presence and its reason, a name and a value.
        is_pair = "-" in str(getattr(parts[0], "value", "")) if parts else False
        if is_code and (
            isinstance(node, ast.Call) or (is_pair and " " in sentence(assigned(tree, parts[1])))
        ):
            yield str(parts[0].value), severity, parts[1]


def conditions() -> dict[str, tuple[set[str], str, set[str]]]:
    """Code -> severities, longest text and packages, from every place that states a code.

    That is a call with a code and a severity, whatever its name, a call of a function that adds the
    severity, and a code that is returned beside its text to such a function.
    """
    found: dict[str, tuple[set[str], str, set[str]]] = defaultdict(lambda: (set(), "...", set()))
    for path in sorted(SRC.rglob("*.py")):
        tree, package = ast.parse(path.read_text("utf-8")), path.relative_to(SRC).parts[0]
        stated = [*direct(tree), *((code, severity, [text]) for code, severity, text in pairs(tree))]
        for code, severity, texts in stated:
            severities, text, packages = found[code]
            severities.add(severity)
            packages.add(package)
            longest = max([text, *(sentence(assigned(tree, item)) for item in texts)], key=len)
            found[code] = (severities, longest, packages)
    return dict(found)


def direct(tree: ast.Module) -> Iterator[tuple[str, str, list[ast.expr]]]:
    """Code, severity and texts of every call that states both."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        words = [
            item.value for item in arguments if isinstance(item, ast.Constant) and isinstance(item.value, str)
        ]
        named = getattr(call.func, "id", getattr(call.func, "attr", ""))
        severity = next((word for word in words if word in SEVERITIES), None)
        codes = [word for word in words if CODE.fullmatch(word) and word not in SEVERITIES]
        if codes and (severity is not None or named == "Condition"):
            texts = [i for i in arguments if not isinstance(i, ast.Constant) or " " in str(i.value)]
            yield codes[0], severity or "as found", texts


def conditions_page() -> str:
    """docs/reference/conditions.md: every code that the source states."""
    rows = [
        f"| `{code}` | {', '.join(sorted(severities))} | {text.replace('|', '/')} | {', '.join(sorted(packages))} |"
        for code, (severities, text, packages) in sorted(conditions().items())
    ]
    return "\n".join(
        [
            "# Conditions\n",
            GENERATED,
            "Every departure from the plain case is a condition with one of these codes. A `note` is told, a `warning` says",
            "how the result may suffer, a `refusal` says why nothing was computed and what would help. The codes are stable:",
            "programs may rely on them. `...` stands for what is filled in.\n",
            "| code | severity | what it says | stated by |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def json_output_page() -> str:
    """docs/reference/json-output.md: the schema of what each command prints with --json."""
    from hounsfield.cli.schemas import command_schema

    parts = [
        "# What `--json` prints\n",
        GENERATED,
        "One JSON document on standard output; progress and messages go to standard error. The schemas are of draft 2020-12.",
        "`hu read` prints readings as in [reading.json](reading-json.md), whose schema ships as",
        "`hounsfield/results/reading.schema.json`; those of the other commands:\n",
    ]
    for name in commands():
        helps = [help_of(name), *(help_of(name, own) for own in commands(name))]
        if name != "read" and any("--json" in text for text in helps):
            parts += [f"## {name}\n", f"```json\n{json.dumps(command_schema(name), indent=1)}\n```\n"]
    return "\n".join(parts)


# Blocks of fixtures that are tested elsewhere, and why.
WAITING = {
    "B13d": "published features of the digital phantom, which is data (`tests/radiomics/test_published_values.py`); "
    "those of its surface mesh come with the mesh",
}


def rules_page() -> str:
    """docs/reference/rules.md: every clinical rule, the fixtures it was put to, and the result."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from tests.measures.fixture_lines import all_lines, evaluations, key_of, passes

    from hounsfield.cli.measure import all_rules

    evaluated, lines, results = evaluations(), defaultdict(list), {}
    for line in all_lines():
        key = key_of(line)
        lines[key].append(line["id"])
        if key in evaluated:
            results[line["id"]] = passes(line)
    blocks_of = defaultdict(list)
    for key, (names, _) in evaluated.items():
        for name in names:
            blocks_of[name].append(key)
    rows = []
    for name, rule in all_rules().items():
        card, blocks = rule.card, blocks_of[name]
        ids = [one for key in blocks for one in lines[key]]
        failed = [one for one in ids if not results[one]]
        result = f"{len(ids) - len(failed)} of {len(ids)}" + (
            f" ({', '.join(failed)} fail)" if failed else ""
        )
        told = ", ".join(f"{key} ({len(lines[key])})" for key in blocks)
        cells = (f"`{name}`", card.version, card.evidence, told or "none", result if ids else "", card.source)
        rows.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    waiting = sorted(
        (key for key in lines if key not in evaluated), key=lambda key: (int(re.sub(r"\D", "", key)), key)
    )
    return "\n".join(
        [
            "# Clinical rules\n",
            GENERATED,
            "Every rule with the fixtures that it is put to: inputs and answers worked out by hand from the published",
            "formulas, at, just below and just above the limits (`tests/measures/fixtures/`). They test arithmetic and the",
            "side of every limit; they cannot prove that a limit is the guideline's. For that see the evidence: `verified`",
            "(read in the primary source), `secondary` (a guideline summary or two independent implementations),",
            "`unverified` (general knowledge of the named source). What is unverified says so in every output.\n",
            "`hu measure NAME --explain` prints a rule with its inputs; research use only, not a medical device.\n",
            f"{sum(results.values())} of {len(results)} fixtures pass.\n",
            "| rule | version | evidence | fixtures | pass | source |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            *(
                f"\n{key} is not put to a rule here: {WAITING.get(key, 'no evaluation reads it yet')}."
                for key in waiting
            ),
            "",
        ]
    )


GUARD_COMMANDS = """\
The figures of `brain-tumour-mr` come from these commands, with `HOUNSFIELD_DATA` naming the folder of real images:

| command | what it measures | processor time, one core |
| --- | --- | --- |
| `python -m benchmarks.brain_tumour_mr --update-card` | the test part through `hounsfield.read`: classes, outlines, maps | 1.4 min |
| `python -m benchmarks.brain_tumour_baseline --update-card` | the simpler methods on the same split | 1.2 min |
| `python -m benchmarks.brain_tumour_calibration` | calibrator and thresholds, decided anew on the tuning part | 0.8 min |
| `python -m benchmarks.guard --most 200 --update-card` | pictures refused, right and foreign, and the guard's operating curve | 4 min |

Its calibrator was chosen anew after a temperature fitted on 15 tuning groups had made the error on the test part
larger; the rule looks at the tuning part alone, but it was written with that knowledge, so the error stated after
calibration is not that of an untouched test. Every set of pictures beside every model, and what other limits of the guard
would do: [trust](trust.md).
"""


def models_page() -> str:
    """docs/reference/models.md: the card of every model that ships."""
    from hounsfield.zoo import installed_bundles, open_bundle, shipped_models
    from hounsfield.zoo.card_text import readme_text

    cards = [readme_text(open_bundle(folder).card) for folder in installed_bundles(shipped_models()).values()]
    return "\n".join(
        [
            "# Models that ship\n",
            GENERATED,
            GUARD_COMMANDS,
            *(re.sub(r"(?m)^#", "##", card) for card in cards),
        ]
    )


def phantoms_page() -> str:
    """docs/reference/phantoms.md: every registered phantom with its picture (phantom_page.py)."""
    return runpy.run_path(str(ROOT / "docs" / "phantom_page.py"))["page"](GENERATED)


def explanations_page() -> str:
    """docs/reference/explanations.md: every explanation, and the tests of each model's maps (map_page.py)."""
    return runpy.run_path(str(ROOT / "docs" / "map_page.py"))["page"](GENERATED)


def trust_page() -> str:
    """docs/reference/trust.md: guards, calibration and promises, from cards and kept figures (trust_page.py)."""
    return runpy.run_path(str(ROOT / "docs" / "trust_page.py"))["page"](GENERATED)


def guard_curves() -> str:
    """docs/pictures/guard-curves.svg, which the page of trust shows."""
    return runpy.run_path(str(ROOT / "docs" / "trust_page.py"))["picture"]()


def catalogue_page() -> str:
    """docs/reference/catalogue.md: every public model that can be pulled (catalogue_page.py)."""
    return runpy.run_path(str(ROOT / "docs" / "catalogue_page.py"))["page"](GENERATED)


PAGES = {
    "trust.md": trust_page,
    "../pictures/guard-curves.svg": guard_curves,
    "catalogue.md": catalogue_page,
    "explanations.md": explanations_page,
    "phantoms.md": phantoms_page,
    "command.md": command_page,
    "applications.md": applications_page,
    "conditions.md": conditions_page,
    "models.md": models_page,
    "json-output.md": json_output_page,
    "rules.md": rules_page,
}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
