"""Getting a model of the catalogue, or one by its address: asked about, fetched, compared, recorded.

What came is recorded in `.pulled.json` of the models' folder: where no publisher states a SHA-256, a later download must be the
same file as the first.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError

from hounsfield.core.errors import Cancelled, ModelError, RefusedInput, ResultError
from hounsfield.zoo.card_part import CardPart, Digest
from hounsfield.zoo.download import DownloadLimits, Fetched, Wanted, check_address, fetch

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.zoo.catalogue import Entry

RECORD_FILE = ".pulled.json"
DOWNLOADS = ".downloads"
_LARGEST_RECORD_BYTES = 4 * 1024**2
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


class Asks(Protocol):
    """Asks the user whether to accept terms, or to fetch what has no stated digest; False ends it."""

    def __call__(self, about: Literal["terms", "no digest"], question: str) -> bool:
        """Whether the user says yes."""


class PulledFile(CardPart):
    """What came once. url: where from; pulled_on: day (ISO 8601, UTC)."""

    url: str
    sha256: Digest
    size_bytes: int
    pulled_on: str


class _Record(CardPart):
    files: dict[str, PulledFile] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model's files. path: the file, or the folder where several belong together. pinned_by: who stated its digest."""

    path: Path
    main: Fetched
    pinned_by: Literal["publisher", "first download", "nobody"]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What is wanted. entry: of the catalogue, None for an address alone. sha256: as the user states it, "" if not.

    parent: the models' folder. accepted: names of the entries whose licences the user accepted.
    """

    name: str
    urls: tuple[str, ...]
    parent: Path
    entry: Entry | None = None
    sha256: str = ""
    accepted: tuple[str, ...] = ()


def pull(request: PullRequest, ask: Asks, progress: Progress, limits: DownloadLimits | None = None) -> Pulled:
    """Fetch the files of a model into `parent/.downloads/NAME`.

    Raises RefusedInput where the terms do not let it be fetched, Cancelled where the user says no, ModelError where it is not
    the file of the first download, and what `fetch` raises.
    """
    if request.entry is not None:
        _check_terms(request.entry, request.accepted, ask)
    for url in request.urls:
        check_address(url)
    record = read_record(request.parent)
    digests = dict(request.entry.digests) if request.entry else {}
    if request.sha256:
        digests["sha256"] = request.sha256
    is_pinned = "sha256" in digests
    known = record.files.get(request.urls[0])
    if not is_pinned and known is not None:
        digests["sha256"] = known.sha256
    elif not is_pinned and not ask("no digest", _unpinned_question(request)):
        raise Cancelled(f"{request.name} was not fetched")
    folder = request.parent / DOWNLOADS / request.name
    size_bytes = request.entry.size_bytes if request.entry else None
    try:
        main = fetch(
            Wanted(request.urls, digests, size_bytes), folder / file_name(request.urls[0]), progress, limits
        )
    except ModelError as error:
        if known is None or is_pinned or "not the stated file" not in str(error):
            raise
        raise ModelError(
            f"{error} The file was first fetched on {known.pulled_on} and recorded then; if you know why it changed, give "
            "--anew to record the new one."
        ) from error
    _keep(record, request.urls[0], main)
    beside = request.entry.beside if request.entry else ()
    for url in beside:
        known = record.files.get(url)
        wanted = Wanted((url,), {"sha256": known.sha256} if known else {})
        _keep(record, url, fetch(wanted, folder / file_name(url), progress, limits))
    write_record(request.parent, record)
    pinned_by: Literal["publisher", "first download", "nobody"] = (
        "publisher" if is_pinned else ("first download" if known is not None and not beside else "nobody")
    )
    return Pulled(folder if beside else main.path, main, pinned_by)


def _check_terms(entry: Entry, accepted: tuple[str, ...], ask: Asks) -> None:
    licence = entry.licence
    if licence.gate == "publisher":
        raise RefusedInput(
            f"{entry.name} is given by its publisher only. Terms: {licence.name}. {licence.note} See {entry.sources[0]}; then "
            f"`hu models import FILE --name {entry.name}`."
        )
    if licence.gate == "none" or entry.name in accepted:
        return
    question = (
        f"Terms of {entry.name}: {licence.name}. {licence.note} Commercial use: {licence.commercial_use}. Read at "
        f"{licence.stated_at}.\nDo you accept them?"
    )
    if not ask("terms", question):
        raise Cancelled(
            f"{entry.name} was not fetched: its terms were not accepted (--accept-licence {entry.name})"
        )


def _unpinned_question(request: PullRequest) -> str:
    checksum = request.entry.checksum if request.entry else None
    weaker = (
        f" It states a {checksum.algorithm.upper()}, which tells damage but no forgery." if checksum else ""
    )
    return (
        f"Its publisher states no SHA-256 of {request.urls[0]}.{weaker}\nFetch it, and record what comes, so that later "
        "downloads must be the same?"
    )


def file_name(url: str) -> str:
    """A plain file name for what lies at an address; never one that begins with a point."""
    last = unquote(urlsplit(url).path).rstrip("/").rsplit("/", 1)[-1]
    return _ODD.sub("-", last).lstrip(".-")[-120:] or "model"


def forget(parent: Path, url: str) -> None:
    """Forget what came from an address, so that the next download is taken for the first."""
    record = read_record(parent)
    if record.files.pop(url, None) is not None:
        write_record(parent, record)


def _keep(record: _Record, url: str, got: Fetched) -> None:
    known = record.files.get(url)
    if known is not None and known.sha256 == got.sha256:
        return
    today = dt.datetime.now(dt.UTC).date().isoformat()
    record.files[url] = PulledFile(url=got.url, sha256=got.sha256, size_bytes=got.size_bytes, pulled_on=today)


def read_record(parent: Path) -> _Record:
    """What came so far. Raises ModelError where the record is damaged: taking it for empty would unpin everything."""
    path = parent / RECORD_FILE
    try:
        if path.stat().st_size > _LARGEST_RECORD_BYTES:
            raise ModelError(f"{path} is too long for a record of downloads. Look at it, and move it away.")
        return _Record.model_validate(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return _Record()
    except (ValidationError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{path} is no record of downloads ({type(error).__name__}). Without it nothing tells whether a file changed: look at "
            "it, and move it away."
        ) from error


def write_record(parent: Path, record: _Record) -> None:
    """Write the record, whole or not at all."""
    path = parent / RECORD_FILE
    fresh = path.with_name(f"{RECORD_FILE}.new")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise ResultError(f"{path} cannot be written ({error.strerror})") from error
