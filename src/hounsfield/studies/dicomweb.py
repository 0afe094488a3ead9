"""Studies from a DICOMweb server (PS3.18): found with QIDO-RS, fetched whole with WADO-RS into a folder that goes again.

    https://server/dicom-web/studies/1.2.3                one study
    https://server/dicom-web/studies/1.2.3/series/1.2.4   one series of it
    https://server/dicom-web/studies?PatientID=...        what the server finds, up to a limit

Redirects are not followed, and what the server sends is bounded in bytes, instances and time. A server that wants
to know who asks is told what the environment variable HOUNSFIELD_DICOMWEB_AUTHORIZATION holds ("Bearer ...",
"Basic ..."), and only over https or to this machine itself.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import ssl
import tempfile
import time
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import SplitResult, urlsplit

from hounsfield.core.errors import RefusedInput, StudyError, UsageError
from hounsfield.core.progress import step
from hounsfield.studies import limits
from hounsfield.studies.sources import find_sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hounsfield.core import Progress
    from hounsfield.studies.sources import Source

_ADDRESS = re.compile(r"^(https?):/+(?=[^/])", re.IGNORECASE)
_STUDY = re.compile(r"/studies/[0-9.]{1,64}(/series/[0-9.]{1,64})?/?$")
_UID = re.compile(r"[0-9.]{1,64}")
_INSTANCES = 'multipart/related; type="application/dicom"; transfer-syntax=*'
# Held by the environment, because arguments are seen in lists of processes.
AUTHORIZATION = "HOUNSFIELD_DICOMWEB_AUTHORIZATION"
_PIECE_BYTES = 256 * 1024
_LONGEST_PART_HEADER_BYTES = 16 * 1024


def web_address(path: Path | str) -> str | None:
    """The address that `path` means, None if it is a path of files; a Path has lost one of its two slashes."""
    said = str(path)
    return _ADDRESS.sub(lambda found: f"{found[1].lower()}://", said) if _ADDRESS.match(said) else None


def web_sources(address: str, progress: Progress) -> list[Source]:
    """Every instance behind `address` as a file; the files are deleted when no Source of them is left.

    Raises UsageError for an address of no study, StudyError if the server does not answer as PS3.18 says, RefusedInput
    beyond a limit.
    """
    parts = urlsplit(address)
    if parts.username or parts.password:
        raise UsageError(
            "the address holds a user name or password, which would be seen in lists of processes. Give one without."
        )
    resources = [parts.path.rstrip("/")] if _STUDY.search(parts.path) else _found_studies(parts)
    folder = Path(tempfile.mkdtemp(prefix="hounsfield-"))
    download = _Download(parts, folder, progress)
    weakref.finalize(download, shutil.rmtree, folder, ignore_errors=True)
    for resource in resources:
        download.fetch(resource)
    return [_kept(source, download) for source in find_sources(folder)]


def _kept(source: Source, download: _Download) -> Source:
    """The source, holding on to the download to which its file belongs."""
    from dataclasses import replace

    open_file = source.open

    def open_downloaded() -> BinaryIO:
        download.check_is_there()
        return open_file()

    return replace(source, open=open_downloaded)


def _found_studies(parts: SplitResult) -> list[str]:
    """Resources of the studies that a query finds. `parts`: of ".../studies?..." or of the service alone."""
    root = parts.path.rstrip("/").removesuffix("/studies")
    query = f"?{parts.query}" if parts.query else ""
    with _answer(parts, f"{root}/studies{query}", "application/dicom+json") as response:
        content = response.read(limits.MAX_ANSWER_BYTES + 1)
    if len(content) > limits.MAX_ANSWER_BYTES:
        raise RefusedInput(
            f"{parts.hostname} answers a query with more than {limits.MAX_ANSWER_BYTES // 1024**2} MiB. Ask for one study."
        )
    try:
        uids = [_study_uid(item) for item in json.loads(content or b"[]")]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise StudyError(
            f"{parts.hostname} answers {parts.path} with something else than a list of studies ({error}). Check that the "
            "address is that of a DICOMweb service (QIDO-RS)."
        ) from error
    if not uids:
        raise StudyError(f"{parts.hostname} finds no study for this address. Check it, or ask for another.")
    if len(uids) > limits.MAX_DOWNLOADED_STUDIES:
        raise RefusedInput(
            f"{parts.hostname} finds {len(uids)} studies, the limit is {limits.MAX_DOWNLOADED_STUDIES}. Ask for fewer: "
            ".../studies?PatientID=... or .../studies/UID."
        )
    return [f"{root}/studies/{uid}" for uid in uids]


def _study_uid(item: dict[str, Any]) -> str:
    uid = str(item["0020000D"]["Value"][0])
    if not _UID.fullmatch(uid):
        raise ValueError("a Study Instance UID that is none")
    return uid


@contextmanager
def _answer(parts: SplitResult, resource: str, accept: str) -> Iterator[http.client.HTTPResponse]:
    """The server's answer to one GET. Raises StudyError naming server, fault and remedy."""
    host = parts.hostname or ""
    try:
        connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(
                host, parts.port, timeout=limits.SILENCE_S, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=limits.SILENCE_S)
        )
        try:
            connection.request("GET", resource, headers={"Accept": accept, **_sign_in(parts)})
            response = connection.getresponse()
            if response.status not in {200, 204}:
                remedy = (
                    f"Sign in: set {AUTHORIZATION} to what the server wants, such as 'Bearer TOKEN'."
                    if response.status in {401, 403}
                    else "Check the address."
                )
                raise StudyError(
                    f"{host} answers {response.status} {response.reason} to the request for images. {remedy}"
                )
            yield response
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise StudyError(
            f"{host} cannot be read ({type(error).__name__}: {str(error)[:120]}). Check the address and that the server "
            "runs."
        ) from error


def _sign_in(parts: SplitResult) -> dict[str, str]:
    """The header that says who asks. Raises UsageError where it would cross a network in clear."""
    said = os.environ.get(AUTHORIZATION, "")
    if not said:
        return {}
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise UsageError(
            f"{AUTHORIZATION} is set, and {parts.hostname} is asked over http, where everybody on the way could read "
            "it. Give the address with https, or unset the variable."
        )
    if not said.isascii() or not said.isprintable():
        raise UsageError(f"{AUTHORIZATION} holds characters that no header can. Set it again.")
    return {"Authorization": said}


class _Download:
    """Files in a folder, one an instance, numbered as they came, within limits that count for all together."""

    def __init__(self, parts: SplitResult, folder: Path, progress: Progress) -> None:
        self._parts, self._folder, self._progress = parts, folder, progress
        self._began_s = time.monotonic()
        self._n_bytes = self._n_instances = 0

    def check_is_there(self) -> None:
        """Raise StudyError where somebody else deleted the downloaded files."""
        if not self._folder.is_dir():
            raise StudyError(
                "the downloaded files were deleted while they were in use. Read the study again."
            )

    def fetch(self, resource: str) -> None:
        """All instances of one resource."""
        with _answer(self._parts, resource, _INSTANCES) as response:
            boundary = re.search(
                r'boundary="?([^";,]{1,200})"?', response.getheader("Content-Type", ""), re.IGNORECASE
            )
            if boundary is None:
                raise StudyError(
                    f"{self._parts.hostname} does not answer with instances (multipart/related) but with "
                    f"{response.getheader('Content-Type', 'nothing')[:60]}. Check that the address is that of a study in a "
                    "DICOMweb service (WADO-RS)."
                )
            self._split(response, boundary[1].encode("latin-1"))

    def _split(self, response: http.client.HTTPResponse, boundary: bytes) -> None:
        """Write each part to a file. The delimiter is CR LF -- boundary; the first may lack its CR LF (RFC 2046)."""
        delimiter = b"\r\n--" + boundary
        held = bytearray(b"\r\n")
        while self._skip_to(response, held, delimiter, None):
            if not self._fill(response, held, 2):
                break
            if held[:2] == b"--":
                return
            with (self._folder / f"{self._n_instances:06d}.dcm").open("wb") as file:
                if not self._skip_to(response, held, b"\r\n\r\n", None):
                    break
                if not self._skip_to(response, held, delimiter, file):
                    break
            # The delimiter that ended this part begins the next.
            held[:0] = delimiter
            self._count_instance()
        raise StudyError(
            f"{self._parts.hostname} ended its answer before the last instance was complete. Read the study again."
        )

    def _skip_to(
        self, response: http.client.HTTPResponse, held: bytearray, mark: bytes, file: BinaryIO | None
    ) -> bool:
        """Take what comes before `mark` out of `held`, into the file if there is one; False if the answer ends."""
        n_dropped = 0
        while (at := held.find(mark)) < 0:
            ready = max(len(held) - len(mark), 0)
            if file is not None:
                file.write(held[:ready])
            del held[:ready]
            n_dropped += 0 if file is not None else ready
            if n_dropped > _LONGEST_PART_HEADER_BYTES or not self._fill(response, held, len(held) + 1):
                return False
        if file is not None:
            file.write(held[:at])
        del held[: at + len(mark)]
        return True

    def _fill(self, response: http.client.HTTPResponse, held: bytearray, n_bytes: int) -> bool:
        """Have at least `n_bytes` in `held`; False if the answer ends before."""
        while len(held) < n_bytes:
            piece = response.read1(_PIECE_BYTES)
            if not piece:
                return False
            held += piece
            self._n_bytes += len(piece)
            self._check_limits()
        return True

    def _check_limits(self) -> None:
        if self._n_bytes > limits.MAX_DOWNLOAD_BYTES:
            raise RefusedInput(
                f"{self._parts.hostname} sends more than {limits.MAX_DOWNLOAD_BYTES} bytes, the limit. Ask for one series."
            )
        if time.monotonic() - self._began_s > limits.WHOLE_DOWNLOAD_S:
            raise RefusedInput(
                f"{self._parts.hostname} takes longer than {limits.WHOLE_DOWNLOAD_S:.0f} s, the limit. Ask for one series."
            )

    def _count_instance(self) -> None:
        self._n_instances += 1
        step(self._progress, "downloading", 0.0)
        if self._n_instances > limits.MAX_DOWNLOADED_INSTANCES:
            raise RefusedInput(
                f"{self._parts.hostname} sends more than {limits.MAX_DOWNLOADED_INSTANCES} instances, the limit. Ask for "
                "one series."
            )
