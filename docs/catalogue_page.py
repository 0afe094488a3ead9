"""The page of the catalogue: every public model that `hu models pull` knows, by area, with its terms and its evidence."""

from __future__ import annotations

from collections import defaultdict

from hounsfield.zoo.catalogue import Entry, catalogue

INTRODUCTION = """\
Public models that others publish, with the facts that were read about each and where. None was judged here: the evidence
is what their authors say, and where no figure was read, that is said. A SHA-256 stands here only where the publisher states
one; of all others `hu models pull` asks, records what came first, and takes nothing else later. Figures of several models are
not to be compared: they were measured on different data.

`hu models search WORDS` looks through this page in the terminal; how a model is got: [Get a model](../how-to/get-a-model.md).
Research use only. Not a medical device.
"""


def page(generated: str) -> str:
    """docs/reference/catalogue.md; `generated` is the comment that says so."""
    by_area: dict[str, list[Entry]] = defaultdict(list)
    for entry in catalogue():
        by_area[entry.area[0]].append(entry)
    parts = ["# Catalogue of public models\n", generated, INTRODUCTION, f"{len(catalogue())} models.\n"]
    for area, entries in sorted(by_area.items()):
        parts.append(f"## {area.capitalize()}\n")
        parts += [_told(entry) for entry in entries]
    return "\n".join(parts)


def _told(entry: Entry) -> str:
    licence = entry.licence
    gates = {
        "none": "",
        "accept": " The terms are asked before it is fetched.",
        "publisher": " Only its page gives it.",
    }
    commercial = (
        "" if licence.commercial_use == "not stated" else f" Commercial use {licence.commercial_use}."
    )
    stated = (
        f"SHA-256 `{entry.sha256}`, stated [there]({entry.sha256_stated_at})."
        if entry.sha256
        else "No SHA-256 is stated."
    )
    if entry.checksum:
        stated += f" {entry.checksum.algorithm.upper()} `{entry.checksum.value}`, stated [there]({entry.checksum.stated_at})."
    sources = ", ".join(f"[{number}]({source})" for number, source in enumerate(entry.sources, 1))
    note = f"\n- **Note**: {entry.note}" if entry.note else ""
    return f"""\
### {entry.name}

{entry.title}. {entry.task.capitalize()}; {", ".join(entry.modality)}; {", ".join(entry.area)}.

- **Licence**: {licence.name.rstrip(".")}. {licence.note}{commercial}{gates[licence.gate]} Read [there]({licence.stated_at}).
- **Evidence**: {entry.evidence}
- **Cite**: {entry.paper}
- **File**: {entry.format}; {f"format `{entry.importer}` imports it" if entry.importer else "no format here imports it yet"}. {stated}{note}
- **Read at**: {sources}
"""
