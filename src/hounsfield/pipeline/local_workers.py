"""Tasks read by worker processes on this machine: one study that crashes or hangs never stops the rest."""

from __future__ import annotations

import os
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hounsfield.pipeline.study_task import Outcome
from hounsfield.pipeline.worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from hounsfield.pipeline.study_task import StudyTask

# A CT of 500 slices with its masks, reports and a network takes 2 to 3 GiB while it is read.
BYTES_OF_WORKER = 3 * 1024**3
# Memory that libraries keep is given back by a fresh process now and then.
_TASKS_OF_PROCESS = 200
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def default_workers() -> int:
    """As many as there are cores for this process, and as many as fit into the memory that is free."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(n_cores, free_memory_bytes() // BYTES_OF_WORKER))


def free_memory_bytes() -> int:
    """Memory that is available now, or what a container allows if that is less; 64 GiB where it is unknown."""
    found = [64 * 1024**3]
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    except OSError:
        return found[0]
    for limit in _CGROUP_LIMITS:
        path = Path(limit)
        if path.is_file() and (text := path.read_text(encoding="ascii").strip()).isdigit():
            found.append(int(text))
    return min(found)


def read_locally(tasks: Iterable[StudyTask], *, n_workers: int, time_limit_s: float) -> Generator[Outcome]:
    """Outcomes in the order in which they come; every task has one, whatever happens to its process.

    tasks: taken one by one as workers become free. A task whose process dies is read once more at the end,
    alone: the memory may have been taken by its neighbours. Closing the iterator ends the processes.
    """
    died: list[StudyTask] = []
    with _Pool(n_workers, time_limit_s) as pool:
        for task, outcome in pool.outcomes(tasks):
            if outcome is not None:
                yield outcome
            else:
                died.append(task)
    with _Pool(1, time_limit_s) as pool:
        for task, outcome in pool.outcomes(died):
            yield outcome or Outcome(task.key, "failed", died_in_words(pool.last_end))


def died_in_words(end: str) -> str:
    """Why a study failed whose process died twice."""
    return (
        f"{end} while it read this study, twice (the second time alone). A library may crash on its files, or memory "
        "may not suffice: read the study alone with `hu read` to see more."
    )


class _Pool:
    """Some worker processes; each is started when there is something for it to do."""

    def __init__(self, n_workers: int, time_limit_s: float) -> None:
        self._n_workers, self._time_limit_s = n_workers, time_limit_s
        self._idle: list[WorkerProcess] = []
        self._busy: list[WorkerProcess] = []
        self.last_end = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in (*self._idle, *self._busy):
            worker.stop()

    def outcomes(self, tasks: Iterable[StudyTask]) -> Iterator[tuple[StudyTask, Outcome | None]]:
        """Each task with its outcome, or with None if its process died; `last_end` then says how."""
        waiting = iter(tasks)
        is_more = True
        while is_more or self._busy:
            while is_more and len(self._busy) < self._n_workers:
                task = next(waiting, None)
                is_more = task is not None
                if task is not None:
                    self._begin(task)
            yield from self._ended()

    def _begin(self, task: StudyTask) -> None:
        worker = self._idle.pop() if self._idle else WorkerProcess()
        worker.give(task, self._time_limit_s)
        self._busy.append(worker)

    def _ended(self) -> Iterator[tuple[StudyTask, Outcome | None]]:
        """Wait until something happens and tell what."""
        if not self._busy:
            return
        ready = wait([w.connection for w in self._busy], timeout=min(w.left_s() for w in self._busy))
        for worker in list(self._busy):
            task, outcome = worker.task, None
            if task is None:
                continue
            if worker.connection in ready:
                outcome = worker.listen()
            elif worker.left_s() == 0.0:
                outcome = worker.give_up()
            if worker.task is None:
                self._busy.remove(worker)
                self._keep(worker)
                yield task, outcome

    def _keep(self, worker: WorkerProcess) -> None:
        """Use the process again, if it lives and has not done very much."""
        if worker.has_ended:
            self.last_end = worker.end
        elif worker.n_tasks < _TASKS_OF_PROCESS:
            self._idle.append(worker)
        else:
            worker.stop()
