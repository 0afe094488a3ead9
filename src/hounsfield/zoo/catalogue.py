"""The catalogue: public models that others publish, where each is, under which terms, and what is known of its worth.

The entries lie in `catalogue.toml`. Every fact has the address where it was read; what no publisher states is left out. A
SHA-256 stands there only where the publisher states it: of all others the first download is recorded.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo.card_part import CardPart, Digest, Text
from hounsfield.zoo.model_card import is_bundle_name

if TYPE_CHECKING:
    from collections.abc import Sequence

Address = Annotated[str, Field(pattern=r"^https://[^\s]+$")]
Area = Literal["abdomen", "body", "bone", "brain", "breast", "chest", "head-neck", "heart", "prostate"]
Modality = Literal["CT", "MR", "CR", "MG", "US"]
Task = Literal["segmentation", "classification", "detection", "risk", "landmarks", "features"]


class EntryLicence(CardPart):
    """The terms of the weights. gate: "accept" is asked before the download; "publisher": to be had by hand only, from its page (a form, a request, a drive).

    stated_at: where they were read.
    """

    name: Text
    gate: Literal["none", "accept", "publisher"] = "none"
    commercial_use: Literal["allowed", "forbidden", "not stated"]
    note: str = ""
    stated_at: Address

    @property
    def is_stated(self) -> bool:
        """Whether `name` is that of a licence; else it says that none was read, or where to read it."""
        return not self.name.lower().startswith(("not stated", "stated in"))


class Checksum(CardPart):
    """A digest that the publisher states and that is weaker than SHA-256: it tells damage, not forgery."""

    algorithm: Literal["sha1", "md5"]
    value: Annotated[str, Field(pattern=r"^[0-9a-f]{32}([0-9a-f]{8})?$")]
    stated_at: Address


class Entry(CardPart):
    """One model. format: as people call it. importer: name of the model format here that takes it, None where there is none.

    urls: the publisher's file and mirrors; none where only its page gives it. beside: files that belong into one folder with it. sha256_stated_at: where the
    publisher states the SHA-256. evidence: what was measured, by whom. sources: where the facts were read.
    """

    name: str
    title: Text
    area: tuple[Area, ...] = Field(min_length=1)
    modality: tuple[Modality, ...] = Field(min_length=1)
    task: Task
    format: Text
    importer: str | None = None
    urls: tuple[Address, ...] = ()
    beside: tuple[Address, ...] = ()
    size_bytes: int | None = Field(default=None, ge=1)
    sha256: Digest | None = None
    sha256_stated_at: Address | None = None
    checksum: Checksum | None = None
    licence: EntryLicence
    paper: Text
    evidence: Text
    note: str = ""
    sources: tuple[Address, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _facts_fit_together(self) -> Self:
        if not is_bundle_name(self.name):
            raise ValueError(f"{self.name!r} is no name of a model")
        if (self.sha256 is None) != (self.sha256_stated_at is None):
            raise ValueError("a SHA-256 stands with the address where its publisher states it, or not at all")
        if not self.urls and self.licence.gate != "publisher":
            raise ValueError("an entry that can be pulled has an address")
        return self

    @property
    def digests(self) -> dict[str, str]:
        """The digests that the publisher states, by algorithm."""
        stated = {"sha256": self.sha256} if self.sha256 else {}
        return stated | ({self.checksum.algorithm: self.checksum.value} if self.checksum else {})


class _Catalogue(CardPart):
    model: tuple[Entry, ...]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [entry.name for entry in self.model]
        if len(set(names)) != len(names):
            raise ValueError(f"a name stands twice: {min(n for n in names if names.count(n) > 1)}")
        return self


@cache
def catalogue() -> tuple[Entry, ...]:
    """All entries, by name. Raises ModelError naming what is wrong with the file."""
    content = files("hounsfield.zoo").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return read_catalogue(content)


def read_catalogue(content: str) -> tuple[Entry, ...]:
    """Entries from the text of a catalogue, by name. Raises ModelError naming the entry and the key."""
    try:
        found = _Catalogue.model_validate(tomllib.loads(content))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"the catalogue of models is not valid: {error}") from error
    return tuple(sorted(found.model, key=lambda entry: entry.name))


def find_entry(name: str) -> Entry:
    """The entry of that name. Raises UsageError with the nearest names."""
    from difflib import get_close_matches

    by_name = {entry.name: entry for entry in catalogue()}
    if name in by_name:
        return by_name[name]
    near = get_close_matches(name, by_name, n=3, cutoff=0.4)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    raise UsageError(
        f"the catalogue has no model named {name!r}.{hint} `hu models search WORDS` looks for one."
    )


def search_catalogue(
    words: Sequence[str] = (),
    *,
    area: str | None = None,
    modality: str | None = None,
    task: str | None = None,
    licence: str | None = None,
) -> tuple[Entry, ...]:
    """Entries that hold every word (in name, title, area, format, paper or note), of that area, modality, task and licence.

    licence: part of its name, in any case; or "commercial", for those whose terms allow commercial use.
    """
    return tuple(
        entry
        for entry in catalogue()
        if all(word.lower() in _text(entry) for word in words)
        and (area is None or area in entry.area)
        and (modality is None or modality.upper() in entry.modality)
        and (task is None or task == entry.task)
        and (licence is None or _fits(entry.licence, licence.lower()))
    )


def _fits(licence: EntryLicence, asked: str) -> bool:
    return licence.commercial_use == "allowed" if asked == "commercial" else asked in licence.name.lower()


def _text(entry: Entry) -> str:
    parts = (
        entry.name,
        entry.title,
        *entry.area,
        *entry.modality,
        entry.task,
        entry.format,
        entry.paper,
        entry.note,
    )
    return " ".join(parts).lower()
