"""The same tasks on a Dask cluster, for archives that outgrow one machine (extra `cluster`).

Dask carries tasks to its workers and carries them again when a worker is lost; on the worker each study is
read in a process of its own, as on one machine. Archive and folder of results must lie under the same path on
every machine. Dask trusts its network: use one that you trust, or TLS in Dask's own settings.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import MissingModel, UsageError
from hounsfield.pipeline.local_workers import died_in_words
from hounsfield.pipeline.study_task import Outcome, StudyTask
from hounsfield.pipeline.worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

_CONNECT_S = 10.0
# Tasks that are with the cluster at a time, for each of its threads: one that runs, one that waits.
_TASKS_OF_THREAD = 2
_OWN = threading.local()


def read_on_cluster(tasks: Iterable[StudyTask], *, address: str, time_limit_s: float) -> Generator[Outcome]:
    """Outcomes in the order in which they come. address: of the scheduler, e.g. `tcp://host:8786`.

    Raises MissingModel if Dask is not installed, UsageError if no scheduler with workers answers there.
    Closing the iterator takes back what has not begun.
    """
    with _connected(address) as client:
        sent = _Sent(client, time_limit_s)
        waiting = iter(tasks)
        try:
            while sent.fill(waiting):
                yield sent.next_outcome()
        finally:
            client.cancel(list(sent.running), force=True)


class _Sent:
    """The tasks that are with the cluster."""

    def __init__(self, client: Any, time_limit_s: float) -> None:
        from distributed import as_completed

        self._client, self._time_limit_s = client, time_limit_s
        self._ended = as_completed(loop=client.loop)
        self.running: dict[Any, StudyTask] = {}

    def fill(self, waiting: Iterator[StudyTask]) -> bool:
        """Send as many as the cluster should have at a time; False when none are left anywhere."""
        while len(self.running) < _most_at_a_time(self._client):
            task = next(waiting, None)
            if task is None:
                break
            future = self._client.submit(_read_on_worker, task.to_text(), self._time_limit_s, pure=False)
            self.running[future] = task
            self._ended.add(future)
        return bool(self.running)

    def next_outcome(self) -> Outcome:
        """Wait for the next to end."""
        future = next(self._ended)
        outcome = _outcome_of(future, self.running.pop(future))
        future.release()
        return outcome


def _connected(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingModel(
            "--engine needs Dask, which is not installed: pip install 'hounsfield[cluster]'."
        ) from error
    try:
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {address} ({type(error).__name__}). Start one with `dask scheduler`, and "
            f"workers with `dask worker {address}`."
        ) from error
    if not client.nthreads():
        client.close()
        raise UsageError(
            f"the Dask scheduler at {address} has no workers. Start some: `dask worker {address} --nthreads 1`."
        )
    return client


def _most_at_a_time(client: Any) -> int:
    """Workers may come and go; one at least is waited for."""
    n_threads = sum(int(n) for n in client.nthreads().values())
    return _TASKS_OF_THREAD * max(1, n_threads)


def _outcome_of(future: Any, task: StudyTask) -> Outcome:
    error = future.exception()
    if error is None:
        return Outcome.from_text(future.result())
    reason = f"the cluster gave the study up ({type(error).__name__}): the workers that were given it ended. See their logs."
    return Outcome(task.key, "failed", reason)


def _read_on_worker(text: str, time_limit_s: float) -> str:
    """On a worker of the cluster: read the study of a task in the process that belongs to this thread."""
    task = StudyTask.from_text(text)
    end = ""
    for _ in range(2):
        worker = getattr(_OWN, "worker", None) or WorkerProcess()
        _OWN.worker = None
        worker.give(task, time_limit_s)
        outcome = worker.wait()
        if outcome is not None:
            _OWN.worker = None if worker.has_ended else worker
            return outcome.to_text()
        end = worker.end
    return Outcome(task.key, "failed", died_in_words(end)).to_text()
