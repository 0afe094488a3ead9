"""What is known of an archive and what came of its studies, on disk: a batch that stops goes on from here.

One SQLite file in the folder of results, written by the command alone; its workers never touch it. A study's
outcome is committed before the next one is counted, so that a kill at any moment loses no finished study.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import sqlite3
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING

from hounsfield.core.errors import ResultError, UsageError
from hounsfield.pipeline.study_task import Outcome
from hounsfield.studies import ArchiveFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

JOURNAL_NAME = "journal.sqlite"
_LOCK_NAME = ".journal.lock"
_LAYOUT = 1
_COMMIT_EVERY_FILES = 2000
# `place` is the name with a byte below every other for the slash: files then sort as folders list them.
_TABLES = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS file (
    place TEXT PRIMARY KEY, folder TEXT NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    kind TEXT NOT NULL, study_uid TEXT NOT NULL, task TEXT, seen INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS file_of_task ON file (task, place);
CREATE INDEX IF NOT EXISTS file_of_folder ON file (kind, folder);
CREATE TABLE IF NOT EXISTS task (
    key TEXT PRIMARY KEY, place TEXT NOT NULL, fingerprint TEXT NOT NULL, state TEXT NOT NULL, outcome TEXT,
    seen INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS task_in_order ON task (place);
"""
_SLASH = "\x01"


class Journal:
    """The journal of one archive. Open it with `open_journal`; one command at a time may."""

    def __init__(self, file: str) -> None:
        self._db = sqlite3.connect(file)
        self._db.executescript(_TABLES)
        (self._seen,) = self._db.execute("SELECT COALESCE(MAX(seen), 0) + 1 FROM file").fetchone()
        self._n_uncommitted = 0

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def belong_to(self, path: str) -> None:
        """Note which archive this is the journal of. Raises UsageError if it is another's."""
        for name, value in (("layout", str(_LAYOUT)), ("path", path)):
            self._db.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, value))
            (found,) = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
            if found != value:
                raise UsageError(
                    f"the folder of results holds the journal of another archive ({name} {found!r}, not {value!r}). "
                    "Choose another folder with --out, or move the old results away."
                )
        self._db.commit()

    def begin(self) -> bool:
        """Note that a run begins; whether the one before was cut off."""
        was_cut_off = (
            self._db.execute("SELECT 1 FROM setting WHERE name = 'under way'").fetchone() is not None
        )
        self._db.execute("INSERT OR REPLACE INTO setting VALUES ('under way', '')")
        self._db.commit()
        return was_cut_off

    def end(self) -> None:
        """Note that the run came to its end."""
        self._db.execute("DELETE FROM setting WHERE name = 'under way'")
        self._db.commit()

    def known(self, file: ArchiveFile) -> ArchiveFile | None:
        """What an earlier look found for this file, if its size and time are the same."""
        row = self._db.execute(
            "SELECT kind, study_uid FROM file WHERE place = ? AND size_bytes = ? AND mtime_ns = ?",
            (_place(file.name), file.size_bytes, file.mtime_ns),
        ).fetchone()
        return None if row is None else ArchiveFile(file.name, file.size_bytes, file.mtime_ns, *row)

    def add_file(self, file: ArchiveFile) -> None:
        """Note a file of the look that is going on."""
        self._db.execute(
            "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                _place(file.name),
                _place(file.folder),
                file.size_bytes,
                file.mtime_ns,
                file.kind,
                file.study_uid,
                _own_task(file),
                self._seen,
            ),
        )
        self._n_uncommitted += 1
        if self._n_uncommitted % _COMMIT_EVERY_FILES == 0:
            self._db.commit()

    def settle(self, settings: str) -> None:
        """End the look: forget files that are gone, put what belongs together into one task, find what is new.

        settings: what else decides the results; a task waits if its files or these have changed, and if it
        failed before.
        """
        self._db.execute("DELETE FROM file WHERE seen < ?", (self._seen,))
        self._give_homes("damaged", _homes_of_damaged)
        self._give_homes("mask", _homes_of_masks)
        files = self._db.execute(
            "SELECT task, place, size_bytes, mtime_ns FROM file WHERE task IS NOT NULL ORDER BY task, place"
        )
        for key, rows in groupby(files, key=lambda row: row[0]):
            digest = hashlib.sha256(settings.encode())
            first = None
            for _, place, size_bytes, mtime_ns in rows:
                first = first or place
                digest.update(f"{place}\0{size_bytes}\0{mtime_ns}\n".encode())
            self._settle_task(key, str(first), digest.hexdigest())
        # A task that is no more, while its files are: they are part of another task now.
        self._db.execute(
            "DELETE FROM task WHERE seen < ? AND place IN (SELECT place FROM file)", (self._seen,)
        )
        self._db.commit()

    def _settle_task(self, key: str, place: str, fingerprint: str) -> None:
        self._db.execute(
            "INSERT INTO task VALUES (?, ?, ?, 'waiting', NULL, ?) ON CONFLICT (key) DO UPDATE SET "
            "state = CASE WHEN fingerprint = excluded.fingerprint AND state = 'done' THEN 'done' ELSE 'waiting' END, "
            "place = excluded.place, fingerprint = excluded.fingerprint, seen = excluded.seen",
            (key, place, fingerprint, self._seen),
        )

    def _give_homes(self, kind: str, homes_of: Callable[[sqlite3.Connection, str], list[str]]) -> None:
        """Files of one kind go to the task of the studies beside them, which become one task."""
        folder: str | None = None
        while True:
            row = self._db.execute(
                "SELECT folder FROM file WHERE kind = ?1 AND (?2 IS NULL OR folder > ?2) ORDER BY folder LIMIT 1",
                (kind, folder),
            ).fetchone()
            if row is None:
                return
            (folder,) = row
            homes = homes_of(self._db, folder)
            if homes:
                whole = (homes[0], folder, kind)
                self._db.execute("UPDATE file SET task = ? WHERE folder = ? AND kind = ?", whole)
            for other in homes[1:]:
                self._db.execute("UPDATE file SET task = ? WHERE task = ?", (homes[0], other))

    def n_tasks(self, state: str | None = None) -> int:
        """Tasks of the last look, all or those in one state (`waiting`, `done`, `failed`)."""
        (n,) = self._db.execute(
            "SELECT COUNT(*) FROM task WHERE seen = ?1 AND (?2 IS NULL OR state = ?2)", (self._seen, state)
        ).fetchone()
        return int(n)

    def waiting(self) -> Iterator[str]:
        """Keys of the tasks that wait, in order of their first files; tasks may be finished meanwhile."""
        place = ""
        while True:
            row = self._db.execute(
                "SELECT key, place FROM task WHERE seen = ? AND state = 'waiting' AND place > ? ORDER BY place",
                (self._seen, place),
            ).fetchone()
            if row is None:
                return
            key, place = row
            yield key

    def files_of(self, key: str) -> tuple[ArchiveFile, ...]:
        """The files of a task, in order of names."""
        rows = self._db.execute(
            "SELECT place, size_bytes, mtime_ns, kind, study_uid FROM file WHERE task = ? ORDER BY place",
            (key,),
        )
        return tuple(ArchiveFile(row[0].replace(_SLASH, "/"), *row[1:]) for row in rows)

    def folders_of(self, key: str) -> list[tuple[str, str]]:
        """Application and folder of each reading that an earlier run wrote for a task."""
        row = self._db.execute("SELECT outcome FROM task WHERE key = ?", (key,)).fetchone()
        if row is None or row[0] is None:
            return []
        return [(reading["application"], reading["folder"]) for reading in json.loads(row[0])["readings"]]

    def finish(self, outcome: Outcome) -> None:
        """Note what came of a task; on return it is on disk."""
        self._db.execute(
            "UPDATE task SET state = ?, outcome = ? WHERE key = ?",
            (outcome.state, outcome.to_text(), outcome.key),
        )
        self._db.commit()

    def outcomes(self) -> Iterator[Outcome]:
        """What came of every task that was ever finished, in order of their first files."""
        for (text,) in self._db.execute("SELECT outcome FROM task WHERE outcome IS NOT NULL ORDER BY place"):
            yield Outcome.from_text(text)


def _place(name: str) -> str:
    return name.replace("/", _SLASH)


def _own_task(file: ArchiveFile) -> str | None:
    """The task of a file for itself: its study, its folder or only the file."""
    if file.kind == "nothing":
        return None
    return file.study_uid or shared_task(file) or f"file {file.name}"


def shared_task(file: ArchiveFile) -> str | None:
    """The task of a file that states no study but may belong to one with others of its folder, else None.

    Volumes may be image and mask; DICOM without UIDs may be slices that anonymisation left without them.
    """
    return f"folder {file.folder or '.'}" if file.kind in {"dicom", "mask", "volume"} else None


def _homes_of_damaged(db: sqlite3.Connection, folder: str) -> list[str]:
    """A damaged file may belong to the study in its folder, which then says so."""
    rows = db.execute(
        "SELECT task FROM file WHERE folder = ? AND kind = 'dicom' ORDER BY place LIMIT 1", (folder,)
    )
    return [task for (task,) in rows]


def _homes_of_masks(db: sqlite3.Connection, folder: str) -> list[str]:
    """Masks lie beside their study: in its folder, or below the nearest folder that holds any study.

    At the top of the archive only one study can be meant.
    """
    at = folder
    while True:
        below = (f"{at}{_SLASH}", f"{at}{chr(ord(_SLASH) + 1)}") if at else ("", "\U0010ffff")
        rows = db.execute(
            "SELECT task, MIN(place) FROM file WHERE kind = 'dicom' AND (folder = ? OR (place > ? AND place < ?)) "
            "GROUP BY task ORDER BY MIN(place)",
            (at, *below),
        ).fetchall()
        homes = [task for task, _ in rows]
        if homes:
            return homes if at or len(homes) == 1 else []
        if not at:
            return []
        at = at.rpartition(_SLASH)[0]


@contextmanager
def open_journal(out: Path) -> Iterator[Journal]:
    """The journal in the folder `out`, made if there is none; no other command may use it meanwhile.

    Raises UsageError if another command does, ResultError if it cannot be read or written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / _LOCK_NAME).open("w")
    except OSError as error:
        raise ResultError(
            f"cannot write to the folder {out}: {error.strerror}. Name another with --out."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"another command is reading into {out}. Wait until it has ended, or name another folder with --out."
            ) from error
        with _told(out):
            journal = Journal(str(out / JOURNAL_NAME))
            try:
                yield journal
            finally:
                journal.close()


@contextmanager
def _told(out: Path) -> Iterator[None]:
    """Errors of the database as errors of ours."""
    try:
        yield
    except sqlite3.Error as error:
        if "full" in str(error):
            remedy = "the disk is full: free some space and give the same command again, it goes on where it stopped"
        elif isinstance(error, sqlite3.OperationalError):
            remedy = "check that the folder may be written to and give the same command again"
        else:
            remedy = (
                "it is damaged: move it away and give the same command again, every study is then read anew"
            )
        raise ResultError(f"{out / JOURNAL_NAME} could not be used ({error}); {remedy}.") from error
