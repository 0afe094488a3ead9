"""A model of others becomes a bundle of ours: which format it is, is told by its content; what it does not say stays unsaid.

Read `ImportRequest` and `import_model` first; each format is a file in `formats/` that registers a class by `@model_format`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

from hounsfield.core.code import PRIVATE_SCHEME
from hounsfield.core.errors import ModelError, UsageError
from hounsfield.core.registry import Registry
from hounsfield.zoo.model_card import ClassCode, ModelCard, is_bundle_name
from hounsfield.zoo.volume_card import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hounsfield.zoo.bundle import Bundle

# What a file of weights seldom says, and what stands in the card where nobody said it.
UNSTATED = {
    "intended_use": "Not stated by the file that was imported; to try the model in research only.",
    "not_for": (
        "Patients.",
        "Conclusions of any kind before it was judged on data of the place where it is used.",
    ),
    "evidence_level": "None: nothing was stated or measured when the model was imported.",
    "licence": "Not stated; do not pass the weights on.",
    "authors": "Not stated",
    "data": (),
}
_MOST_FILES = 2000
_LONGEST_VALUE, _LONGEST_MEANING = 16, 64


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What is to be imported. path: file or folder. parent: folder that receives the bundle, a folder of its name.

    name: of the bundle, None to make one from the path. facts: fields of the card that the user states; they go before
    what the file says. options: of the format, as texts ("folds": "0,1").
    """

    path: Path
    parent: Path
    name: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    def option(self, name: str, default: str, *known: str) -> str:
        """An option's text; raises UsageError where it is not one of `known`, if any are given."""
        value = self.options.get(name, default)
        if known and value not in known:
            raise UsageError(f"option {name} is {value!r}; known are {', '.join(known)}")
        return value

    def bundle_name(self) -> str:
        """The bundle's name: as stated, else the path's own in kebab-case. Raises UsageError where none can be made."""
        if self.name is not None:
            made = self.name
        else:
            stem = self.path.name.split(".")[0].lower()
            made = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in stem).split())
        if not is_bundle_name(made):
            raise UsageError(
                f"{made!r} cannot name a bundle: small letters, digits and hyphens, a letter first. State a name."
            )
        return made


class ModelFormat(Protocol):
    """A format of models. options: names of the options that it takes, each with a sentence."""

    title: str
    options: Mapping[str, str]

    def detects(self, path: Path) -> bool:
        """Whether the file or folder is of this format, by its content; never raises for what is something else."""

    def convert(self, request: ImportRequest) -> Bundle:
        """Write the bundle `request.parent / request.bundle_name()`. Raises ModelError naming what does not fit."""


model_formats: Registry[ModelFormat] = Registry("model-format", "hounsfield.zoo.formats", hyphenated=True)


def model_format(name: str) -> Callable[[type], type]:
    """Register the decorated class, which takes no arguments, as the format `name` (the name of its file)."""

    def register(cls: type) -> type:
        model_formats.add(name, cls())
        return cls

    return register


def detected_formats(path: Path) -> tuple[str, ...]:
    """Names of the formats that take `path` for one of theirs."""
    return tuple(name for name in model_formats.names() if model_formats.get(name).detects(path))


def import_model(request: ImportRequest, *, format_name: str | None = None) -> Bundle:
    """Make a bundle of a model of others and open it, verified.

    format_name: None to tell it by content. Raises ModelError where no format, or more than one, knows the file, and what
    the format raises; UsageError for an option that it does not take.
    """
    if not request.path.exists():
        raise UsageError(f"{request.path} does not exist")
    known = (format_name,) if format_name else detected_formats(request.path)
    if len(known) != 1:
        said = f"may be of the formats {', '.join(known)}" if known else "is of no known format"
        raise ModelError(f"{request.path.name} {said}. State one of: {', '.join(model_formats.names())}.")
    chosen = model_formats.get(known[0])
    unknown = sorted(set(request.options) - set(chosen.options))
    if unknown:
        raise UsageError(
            f"format {known[0]} takes no option {unknown[0]}; it takes {', '.join(chosen.options) or 'none'}"
        )
    return chosen.convert(request)


def imported_card(
    request: ImportRequest, format_name: str, said: Mapping[str, Any], *, also_unstated: Sequence[str] = ()
) -> ModelCard:
    """The card of an imported model. said: fields of the card that the format read from the file or knows of its kind.
    also_unstated: what else nobody said, though the format has a place for it.

    The user's facts go before; what neither states is filled with `UNSTATED` and named in `origin.unstated`.
    Raises UsageError for facts that make no valid card.
    """
    stated = {**said, **request.facts}
    missing = {name: value for name, value in UNSTATED.items() if name not in stated}
    origin = Origin(
        format=format_name,
        source=request.path.name,
        source_sha256=source_digest(request.path),
        unstated=tuple(sorted((*missing, *also_unstated))),
    )
    fields = {
        "name": request.bundle_name(),
        "version": "1.0.0",
        "title": request.bundle_name(),
        "code_version": version("hounsfield"),
        **missing,
        **stated,
        "origin": origin,
    }
    try:
        return ModelCard.model_validate(fields)
    except ValueError as error:
        raise UsageError(f"the card of {request.path.name} would not be valid: {error}") from error


def source_digest(path: Path) -> str:
    """SHA-256 of a file; of a folder, over the digests and names of all its files in order."""
    if path.is_file():
        return _file_digest(path)
    files = [found for found in sorted(path.rglob("*")) if found.is_file()][: _MOST_FILES + 1]
    if len(files) > _MOST_FILES:
        raise ModelError(f"{path.name} holds more than {_MOST_FILES} files: it is no model")
    lines = "".join(f"{_file_digest(found)}  {found.relative_to(path).as_posix()}\n" for found in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def named_classes(names: Sequence[str]) -> tuple[ClassCode, ...]:
    """Classes for names that others gave, each with a private code made from it; unique, 16 letters or fewer (PS3.5, SH).

    A format that knows a public code for a name (checked in the dictionaries of pydicom) states it instead. Raises
    ModelError for an empty name.
    """
    classes: list[ClassCode] = []
    taken: set[str] = set()
    for name in names:
        if not name.strip():
            raise ModelError("a class without a name cannot be reported. State the names of the classes.")
        words = "".join(c if c.isascii() and c.isalnum() else " " for c in name).upper().split()
        value = "_".join(words)[:_LONGEST_VALUE] or "CLASS"
        if value in taken:
            digest = hashlib.sha256(name.encode()).hexdigest()[:6].upper()
            value = f"{value[: _LONGEST_VALUE - 7]}_{digest}"
        taken.add(value)
        classes.append(
            ClassCode(name=name, value=value, scheme=PRIVATE_SCHEME, meaning=name[:_LONGEST_MEANING])
        )
    return tuple(classes)
