"""A process that reads one study after another: its crash, hang or memory is not the command's.

The process is a fresh Python (nothing is forked, no state is shared). Tasks go to it and outcomes come back as
JSON over a pipe of its own; it ends when the other end of the pipe closes, so a killed command leaves none.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from queue import Queue
from types import FrameType  # noqa: TC003  the handler's signature

from hounsfield.pipeline.study_task import Outcome, StudyTask, read_task

_GRACE_S = 5.0
# Most for a fresh process until it begins: imports on a busy machine with a slow disk.
_START_S = 300.0
_BEGUN = b"begun"
# sys.path is handed over: a test or a notebook may have found this package by its own additions.
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from hounsfield.pipeline.worker_process import serve; serve(int(sys.argv[1]))"
)
# Libraries of linear algebra start a thread for every core; as many workers as cores need one each.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


class WorkerProcess:
    """One process and the task that it is at, None when it waits for one. end: how it ended, once it has."""

    def __init__(self) -> None:
        self.connection, theirs = Pipe()
        shown = None if os.environ.get("HOUNSFIELD_TRACEBACK") else subprocess.DEVNULL
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter and program
            [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), json.dumps(sys.path)],
            pass_fds=[theirs.fileno()],
            env={**_ONE_THREAD, **os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=shown,
        )
        theirs.close()
        self.task: StudyTask | None = None
        self.n_tasks = 0
        self.end = ""
        self._deadline_s = self._time_limit_s = float("inf")

    def give(self, task: StudyTask, time_limit_s: float) -> None:
        """Begin with `task`; it may take `time_limit_s` seconds from when the process is up."""
        self.task, self._time_limit_s = task, time_limit_s
        self.n_tasks += 1
        self._deadline_s = time.monotonic() + _START_S + time_limit_s
        try:
            self.connection.send_bytes(task.to_text().encode())
        except OSError:
            self._deadline_s = time.monotonic() + _GRACE_S  # it has died: `listen` tells

    @property
    def has_ended(self) -> bool:
        """Whether the process is no more."""
        return self._process.poll() is not None

    def left_s(self) -> float:
        """Seconds until the task has taken too long."""
        return max(0.0, self._deadline_s - time.monotonic())

    def wait(self) -> Outcome | None:
        """What came of the task; None if the process ended instead (`end` says how). Stops it when time is up."""
        while self.task is not None:
            if not wait([self.connection], timeout=self.left_s()):
                return self.give_up()
            outcome = self.listen()
            if outcome is not None:
                return outcome
        return None

    def listen(self) -> Outcome | None:
        """Hear what the process says, when the pipe is ready: an outcome, or None: it has begun or it has died.

        After it has died `task` is None and `end` says how.
        """
        try:
            text = self.connection.recv_bytes()
        except (EOFError, OSError):
            self.task = None
            self.end = _end_in_words(self.stop())
            return None
        if text == _BEGUN:
            self._deadline_s = time.monotonic() + self._time_limit_s
            return None
        self.task = None
        return Outcome.from_text(text.decode())

    def give_up(self) -> Outcome:
        """Stop the process, whose task has taken too long, and say so."""
        key = self.task.key if self.task is not None else ""
        self.task = None
        self.stop(at_once=True)
        return Outcome(
            key,
            "failed",
            f"it took longer than {self._time_limit_s:g} s and was stopped. Give more with --time-limit, or read the "
            "study alone to see where it hangs.",
        )

    def stop(self, *, at_once: bool = False) -> int:
        """End the process, kindly first unless `at_once`; returns its exit status (negative: the signal)."""
        if self._process.poll() is None and not at_once:
            self._process.send_signal(signal.SIGTERM)
        elif at_once:
            self._process.kill()
        try:
            status = self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self.connection.close()
        return status


def _end_in_words(status: int) -> str:
    if status >= 0:
        return f"the process ended with status {status}"
    try:
        return f"the process was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"the process was ended by signal {-status}"


def serve(descriptor: int) -> None:
    """Read tasks from the pipe `descriptor` until it closes: the whole life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the command decides
    signal.signal(signal.SIGTERM, _leave)
    connection = Connection(descriptor)
    tasks: Queue[str | None] = Queue()
    threading.Thread(target=_receive, args=(connection, tasks), daemon=True).start()
    while (text := tasks.get()) is not None:
        connection.send_bytes(_BEGUN)
        connection.send_bytes(read_task(StudyTask.from_text(text)).to_text().encode())


def _leave(number: int, frame: FrameType | None) -> None:
    """End by an exception, so that half-written folders are removed on the way out."""
    del frame
    sys.exit(128 + number)


def _receive(connection: Connection, tasks: Queue[str | None]) -> None:
    """Hand tasks over; when the command is gone, leave whatever is going on."""
    try:
        while True:
            tasks.put(connection.recv_bytes().decode())
    except (EOFError, OSError):
        tasks.put(None)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE_S)
        os._exit(1)
