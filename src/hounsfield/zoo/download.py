"""Fetching one large file over https: resumed where it stopped, from mirrors in turn, bounded in bytes and time.

What has come lies in `FILE.part`, and beside it in `FILE.part.json` what the server said of the file; the request that goes on
asks for the rest only if the file is still the same (RFC 9110, If-Range). Only https, to wherever it redirects; http is taken
from this machine itself, for mirrors inside a hospital's own proxy and for tests.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import ipaddress
import json
import re
import shutil
import socket
import ssl
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from hounsfield.core.errors import MissingModel, ModelError, ResultError, UsageError
from hounsfield.core.progress import step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hounsfield.core import Progress

_PIECE_BYTES = 256 * 1024
_REDIRECTS = {301, 302, 303, 307, 308}
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """connect_s: to connect and to get an answer. silence_s: without a byte. total_s: of one file. tries: of each address."""

    connect_s: float = 20.0
    silence_s: float = 60.0
    total_s: float = 6 * 3600.0
    largest_bytes: int = 20 * 1024**3
    redirects: int = 8
    tries: int = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to come. urls: the publisher's address, then mirrors. digests: stated by algorithm ("sha256", "sha1", "md5")."""

    urls: tuple[str, ...]
    digests: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: the file, the address that it came from, its SHA-256 and size."""

    path: Path
    url: str
    sha256: str
    size_bytes: int


class _Interrupted(Exception):
    """The transfer stopped or the server failed: what came is kept, and going on may help."""


class _Useless(Exception):
    """This address will not give the file: the next one is tried."""


def fetch(wanted: Wanted, path: Path, progress: Progress, limits: DownloadLimits | None = None) -> Fetched:
    """Bring the file to `path`, whole and with the stated digests, or leave what came in `path`.part to go on with.

    A file that lies at `path` already and has the stated SHA-256 is taken. Raises UsageError for an address that may not be
    asked, MissingModel naming every address and why it failed, ModelError where what came is not the stated file (it is
    deleted), ResultError where the disk is full, Cancelled.
    """
    limits = limits or DownloadLimits()
    for url in wanted.urls:
        check_address(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    stated = wanted.digests.get("sha256")
    if stated is not None and path.is_file() and _fits(path, wanted.digests):
        return Fetched(path, wanted.urls[0], stated, path.stat().st_size)
    ends_at_s = time.monotonic() + limits.total_s
    faults: list[str] = []
    for url in wanted.urls:
        transfer = _Transfer(url, path, wanted, limits, progress, ends_at_s)
        try:
            transfer.run(faults)
        except _Useless as fault:
            faults.append(f"{_host(url)}: {fault}")
            continue
        except OSError as error:
            raise _disk_error(path, error) from error
        return _checked(transfer, wanted)
    raise MissingModel(
        f"{path.name} could not be fetched ({'; '.join(faults)}). What came is kept in {_part(path)}: give the command again to "
        "go on, or fetch the file by other means and give it to `hu models import`."
    )


def check_address(url: str) -> None:
    """Raise UsageError unless the address is https, or http of this machine itself, without a password."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise UsageError("the address holds a user name or password. Give one without.")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts))):
        raise UsageError(
            f"{url!r} is no https address. Models are fetched over https only, so that nobody on the way can change them."
        )


def _is_here(parts: SplitResult) -> bool:
    """Whether the host is this machine; by number, so that no name server is believed."""
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


@dataclass(frozen=True, slots=True)
class _Transfer:
    """The attempts at one address; ends_at_s: by the monotonic clock."""

    url: str
    path: Path
    wanted: Wanted
    limits: DownloadLimits
    progress: Progress
    ends_at_s: float

    @property
    def part(self) -> Path:
        """What came so far."""
        return _part(self.path)

    @property
    def record(self) -> Path:
        """What the server said of it."""
        return self.path.with_name(self.path.name + ".part.json")

    def run(self, faults: list[str]) -> None:
        """Bring the whole file into the part. Raises _Useless when the tries are used up."""
        for _ in range(self.limits.tries):
            try:
                self._attempt()
            except _Interrupted as fault:
                faults.append(f"{_host(self.url)}: {fault}")
            else:
                return
        raise _Useless(f"stopped {self.limits.tries} times")

    def forget(self) -> None:
        """Delete what came."""
        self.part.unlink(missing_ok=True)
        self.record.unlink(missing_ok=True)

    def _attempt(self) -> None:
        kept = self._kept()
        headers = {"Accept-Encoding": "identity", "User-Agent": "hounsfield"}
        if kept is not None:
            headers |= {"Range": f"bytes={self.part.stat().st_size}-", "If-Range": kept["validator"]}
        with self._answer(headers) as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise _Useless("sends the file in another encoding than asked for")
            if response.status == 206 and kept is not None:
                self._go_on(response, kept)
            elif response.status == 416:
                self.forget()
                raise _Interrupted("the part that was kept is no part of the file there; begun anew")
            elif response.status == 200:
                self._begin(response)
            elif response.status in {408, 425, 429} or response.status >= 500:
                raise _Interrupted(f"answers {response.status} {response.reason}")
            else:
                raise _Useless(f"answers {response.status} {response.reason}")

    def _kept(self) -> dict[str, str] | None:
        """What was said of the part that lies here, if it can be gone on with at this address."""
        try:
            kept = json.loads(self.record.read_bytes()[:65536])
            validator, size = str(kept["validator"]), int(kept["size"])
            usable = kept["url"] == self.url and bool(validator) and size > self.part.stat().st_size
        except (OSError, ValueError, KeyError, TypeError):
            usable = False
        return {"validator": validator, "size": str(size)} if usable else None

    def _go_on(self, response: http.client.HTTPResponse, kept: Mapping[str, str]) -> None:
        """Append the rest, if it is the rest of what lies here."""
        n_kept, size = self.part.stat().st_size, int(kept["size"])
        said = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if said is None or tuple(map(int, said.groups())) != (n_kept, size - 1, size):
            self.forget()
            raise _Interrupted("sent another range than the one asked for; begun anew")
        if _validator(response) not in {"", kept["validator"]}:
            self.forget()
            raise _Interrupted("the file changed meanwhile; begun anew")
        self._write(response, "ab", n_kept, size)

    def _begin(self, response: http.client.HTTPResponse) -> None:
        self.forget()
        size = response.length  # None where the server does not state it
        wanted = self.wanted.size_bytes
        if size is not None and size > self.limits.largest_bytes:
            raise _Useless(f"states {size} bytes, the limit is {self.limits.largest_bytes}")
        if size is not None and wanted is not None and size != wanted:
            raise _Useless(f"states {size} bytes, the catalogue {wanted}")
        if size is not None and shutil.disk_usage(self.part.parent).free < size:
            raise ResultError(
                f"{self.path.name} has {size} bytes, and the disk of {self.path.parent} has fewer free. Make room, or set "
                "HOUNSFIELD_MODELS to a folder on another disk."
            )
        if size is not None and (validator := _validator(response)):
            # Before the first byte: whatever stops this, the part is never without its record.
            said = {"url": self.url, "validator": validator, "size": size}
            self.record.write_text(json.dumps(said), encoding="utf-8")
        self._write(response, "wb", 0, size)

    def _write(self, response: http.client.HTTPResponse, mode: str, n_there: int, size: int | None) -> None:
        most = min(self.limits.largest_bytes, self.wanted.size_bytes or self.limits.largest_bytes)
        with self.part.open(mode) as out:
            for piece in self._pieces(response):
                n_there += len(piece)
                if n_there > most:
                    raise _Useless(f"sends more than {most} bytes")
                out.write(piece)
                step(self.progress, f"fetching {self.path.name}", min(n_there / size, 1.0) if size else 0.0)
        if size is not None and n_there != size:
            raise _Interrupted(f"sent {n_there} of {size} bytes")

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        while True:
            if time.monotonic() > self.ends_at_s:
                raise _Useless(f"took longer than {self.limits.total_s:.0f} s")
            try:
                # read1 gives what is there: a slow trickle comes back here and meets the limit of time.
                piece = response.read1(_PIECE_BYTES)
            except TimeoutError as error:
                raise _Interrupted(f"sent nothing for {self.limits.silence_s:.0f} s") from error
            except (OSError, http.client.HTTPException) as error:
                raise _Interrupted(f"broke off ({type(error).__name__})") from error
            if not piece:
                return
            yield piece

    @contextmanager
    def _answer(self, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
        """The answer after redirects."""
        url = self.url
        for _ in range(self.limits.redirects + 1):
            with closing(self._connection(urlsplit(url))) as connection:
                response = self._ask(connection, urlsplit(url), headers)
                if response.status not in _REDIRECTS:
                    yield response
                    return
                url = self._redirected(url, response.headers.get("Location", ""))
        raise _Useless(f"redirects more than {self.limits.redirects} times")

    def _redirected(self, url: str, location: str) -> str:
        target = urljoin(url, location)
        parts = urlsplit(target)
        here = parts.scheme == "http" and _is_here(parts) and _is_here(urlsplit(self.url))
        if not (parts.hostname and not parts.username and (parts.scheme == "https" or here)):
            raise _Useless(f"redirects to {target[:200]!r}, which is no https address")
        return target

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self.limits.connect_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=self.limits.connect_s)

    def _ask(
        self, connection: http.client.HTTPConnection, parts: SplitResult, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.connect()
            # Time-outs of sockets begin anew with each byte; headers that trickle need a clock of their own.
            clock = threading.Timer(self.limits.connect_s, _hang_up, [connection])
            clock.start()
            try:
                connection.request("GET", target, headers=dict(headers))
                response = connection.getresponse()
            finally:
                clock.cancel()
            if connection.sock is not None:
                connection.sock.settimeout(self.limits.silence_s)
        except TimeoutError as error:
            raise _Interrupted(f"gave no answer in {self.limits.connect_s:.0f} s") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _Interrupted(f"gave no answer ({type(error).__name__}: {error})") from error
        return response


def _hang_up(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError):
        if connection.sock is not None:
            # Closing alone would not wake whoever waits for the next byte.
            connection.sock.shutdown(socket.SHUT_RDWR)


def _validator(response: http.client.HTTPResponse) -> str:
    """What tells whether the file is still the same: a strong ETag, else the date of change; "" without either."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _checked(transfer: _Transfer, wanted: Wanted) -> Fetched:
    """Compare what came with what was stated, then give it its name."""
    part, size = transfer.part, transfer.part.stat().st_size
    found = {name: _digest(part, name) for name in {"sha256", *wanted.digests}}
    wrong = [name for name, stated in wanted.digests.items() if found[name] != stated]
    if wrong or (wanted.size_bytes is not None and size != wanted.size_bytes):
        transfer.forget()
        said = (
            f"its {wrong[0]} is {found[wrong[0]]}, stated is {wanted.digests[wrong[0]]}"
            if wrong
            else f"it has {size} bytes, stated are {wanted.size_bytes}"
        )
        raise ModelError(
            f"what came from {_host(transfer.url)} is not the stated file: {said}. It was deleted. Try again later; if it stays "
            "so, the file was exchanged: ask its publisher."
        )
    part.replace(transfer.path)
    transfer.forget()
    return Fetched(transfer.path, transfer.url, found["sha256"], size)


def _fits(path: Path, digests: Mapping[str, str]) -> bool:
    return all(_digest(path, name) == stated for name, stated in digests.items())


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def _disk_error(path: Path, error: OSError) -> ResultError:
    said = "the disk is full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else str(error.strerror or error)
    return ResultError(
        f"{path.name} cannot be written into {path.parent}: {said}. What came is kept in {_part(path)}; make room and give the "
        "command again, or set HOUNSFIELD_MODELS to a folder on another disk."
    )
