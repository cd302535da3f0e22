"""The interface of an executor, and the loop that runs jobs on any of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, Generic, Protocol, TypeVar

J = TypeVar("J")
R = TypeVar("R")

ATTEMPTS_ALONE = 2  # attempts to run a job by itself after a worker died while the job was in flight


class Executor(Protocol):
    """Runs calls somewhere: in this process, in others, on other machines.

    ``slots``: how many calls may run at once. ``lost``: the exceptions of a future which mean that its worker died,
    whatever the call itself did; the next ``submit`` then uses a new worker. ``local``: whether calls run in this
    process and may share its objects.
    """

    slots: int
    lost: tuple[type[BaseException], ...]
    local: bool

    def submit(self, function: Callable[..., R], /, *args: Any) -> Future[R]:
        """Start ``function(*args)``; unless calls are local, the function, arguments and result must be picklable."""

    def close(self) -> None:
        """Wait for running calls, drop the rest, and stop the workers."""


class ExecutorError(RuntimeError):
    """No worker process can be started; the message says what to do."""


class WorkerDiedError(RuntimeError):
    """The worker died every time this job ran alone: it was killed, or ran out of memory."""


class JobsRun(Generic[J, R]):
    """Runs jobs through ``function`` on ``executor``: iterate over it for (job, result or WorkerDiedError).

    At most one job per slot is in flight. ``may_start(job, running)`` can hold a job back while others run. Once
    ``stop()`` is true no more jobs are started, except that the first always is. If a worker dies, the jobs in flight
    run again alone at the end, so that one job's crash is not blamed on another; a job is given up when its worker has
    died ``ATTEMPTS_ALONE`` times while it ran alone.
    """

    def __init__(
        self,
        executor: Executor,
        function: Callable[[J], R],
        jobs: Iterable[J],
        may_start: Callable[[J, Collection[J]], bool] = lambda _, __: True,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.executor, self.function, self.may_start, self.stop = executor, function, may_start, stop
        self.pending = deque(jobs)
        self.running: dict[Future[R], J] = {}
        self.suspects: list[J] = []

    def __iter__(self) -> Iterator[tuple[J, R | WorkerDiedError]]:
        self._start_next()
        while True:
            while len(self.running) < self.executor.slots and not self.stop() and self._start_next():
                pass
            if not self.running:
                break
            yield from self._finished()
        for job in self.suspects:
            yield job, self._alone(job)

    def _start_next(self) -> bool:
        """Start the first pending job that may run now; if nothing is running, the first one in any case."""
        for _ in range(len(self.pending)):
            job = self.pending.popleft()
            if not self.running or self.may_start(job, self.running.values()):
                self._submit(job)
                return True
            self.pending.append(job)
        return False

    def _submit(self, job: J) -> None:
        try:
            self.running[self.executor.submit(self.function, job)] = job
        except self.executor.lost:
            self.suspects.append(job)

    def _finished(self) -> Iterator[tuple[J, R]]:
        done, _ = wait(self.running, return_when=FIRST_COMPLETED)
        for future in done:
            job = self.running.pop(future)
            try:
                result = future.result()
            except self.executor.lost:
                self.suspects.append(job)
            else:
                yield job, result

    def _alone(self, job: J) -> R | WorkerDiedError:
        for _ in range(ATTEMPTS_ALONE):
            try:
                return self.executor.submit(self.function, job).result()
            except self.executor.lost:
                continue
        return WorkerDiedError(
            f"its worker process died {ATTEMPTS_ALONE} times while running it alone: killed, or out of memory"
        )
