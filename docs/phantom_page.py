"""The page of phantoms: what each takes, what its truth holds, and its picture; written by docs/generate.py."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from hounsfield.phantoms import phantom_kinds

DOCS = Path(__file__).resolve().parent
GENERATORS = (
    (
        "visits.make_visits",
        "P-SER",
        "Courses of patients: visits at irregular dates, a latent stage, laboratory values, some missing.",
    ),
    (
        "sites.make_sites",
        "P-SITE",
        "Pictures of any kind from several sites: prevalence, gain, kernel and label noise differ.",
    ),
    (
        "sentences.make_reports",
        "P-REP",
        "Lists of findings with English sentences: denials, hedges, comparisons, each with its label.",
    ),
)


def truth_of_picture(path: Path) -> list[str]:
    """What the truth of a kind holds, as docs/draw_pictures.py noted it in the picture of that kind."""
    if not path.is_file():
        return ["not drawn yet: run docs/draw_pictures.py"]
    with Image.open(path) as picture:
        return json.loads(picture.text["Truth"])


def phantom_part(card) -> str:
    """The part of the page of phantoms on one kind."""
    picture = f"pictures/phantoms/{card.name}.png"
    options = [f"`{name}`: {' or '.join(values)}" for name, values in card.options.items()]
    parts = [
        f"## {card.name}\n",
        card.summary + (f" In the list of methods: {card.also}." if card.also else "") + "\n",
        f"![Synthetic {card.name}: slices, and below them the true regions outlined](../{picture})\n",
        "| parameter | usual value |\n| --- | --- |",
        *(f"| `{name}` | `{json.dumps(value)}` |" for name, value in asdict(card.parameters()).items()),
        *(["", f"It also takes {'; '.join(options)}."] if options else []),
        f"\nTruth: {', '.join(f'`{key}`' for key in truth_of_picture(DOCS / picture))}.\n",
        f"Trouble: {', '.join(f'`{name}`' for name in sorted(card.troubles)) or 'none'}.\n",
        f"Sources: {'; '.join(card.sources)}.\n",
    ]
    return "\n".join(parts)


def page(generated: str) -> str:
    """docs/reference/phantoms.md: every registered phantom with its picture."""
    cards = [kind.card for kind in phantom_kinds]
    return "\n".join(
        [
            "# Phantoms\n",
            generated,
            "Synthetic studies with known truth: no person was scanned. `hounsfield phantom KIND --out FOLDER` writes one;",
            "`--set NAME=VALUE` gives a parameter. The folder holds `dicom/`, `truth.json` (grid, parameters, and the keys named",
            "below) and `truth/masks.npz`. Every object says that it is synthetic. Research use only, not a medical device.\n",
            "In each picture the lower row shows the upper one with true regions outlined: the three smallest and all others",
            "that are small.\n",
            "| kind | name in the list of methods | what it shows |",
            "| --- | --- | --- |",
            *(f"| [{card.name}](#{card.name}) | {card.also} | {card.summary} |" for card in cards),
            "\nThree more are not studies but functions that make what learning from them needs, in Python alone:\n",
            "| function | name in the list of methods | what it makes |",
            "| --- | --- | --- |",
            *(f"| `hounsfield.phantoms.{name}` | {also} | {what} |" for name, also, what in GENERATORS),
            "",
            *(phantom_part(card) for card in cards),
        ]
    )
