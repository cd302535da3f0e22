"""The interface of an executor, and the loop that runs jobs on any of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import islice
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
        return run_alone(self.executor, self.function, job)


def run_alone(executor: Executor, function: Callable[[J], R], job: J) -> R | WorkerDiedError:
    """The result of ``job`` while nothing else is in flight, after ``ATTEMPTS_ALONE`` attempts if its worker dies."""
    for _ in range(ATTEMPTS_ALONE):
        try:
            return executor.submit(function, job).result()
        except executor.lost:
            continue
    return WorkerDiedError(
        f"its worker process died {ATTEMPTS_ALONE} times while running it alone: killed, or out of memory"
    )


def run_in_order(
    executor: Executor,
    function: Callable[[J], R],
    jobs: Iterable[J],
    may_start: Callable[[J, Collection[J]], bool] = lambda _, __: True,
) -> Iterator[tuple[J, R | WorkerDiedError]]:
    """Run ``jobs`` and yield (job, result or WorkerDiedError) in their order, however long each takes.

    Jobs are taken from the iterable as they start; at most two per slot are in flight or wait for an earlier one, so
    that few results are held. ``may_start`` and what happens when a worker dies are as in ``JobsRun``.
    """
    most = 1 if executor.local else 2 * executor.slots
    waiting: deque[tuple[J, Future[R] | None]] = deque()
    pending = iter(jobs)
    held: list[J] = []  # the next job, if it could not start yet
    while True:
        while len(waiting) < most and (held or (held := list(islice(pending, 1)))):
            running = [job for job, future in waiting if future is not None and not future.done()]
            if waiting and not may_start(held[0], running):
                break
            job = held.pop()
            waiting.append((job, _submitted(executor, function, job)))
        if not waiting:
            return
        job, future = waiting.popleft()
        result = _result_of(executor, function, job, future, [each for _, each in waiting])
        yield job, result


def _submitted(executor: Executor, function: Callable[[J], R], job: J) -> Future[R] | None:
    try:
        return executor.submit(function, job)
    except executor.lost:
        return None


def _result_of(
    executor: Executor, function: Callable[[J], R], job: J, future: Future[R] | None, others: Iterable[Future[R] | None]
) -> R | WorkerDiedError:
    """The result of ``future``; if its worker died, of ``job`` run again when the ``others`` have ended."""
    if future is not None:
        try:
            return future.result()
        except executor.lost:
            wait([other for other in others if other is not None])
    return run_alone(executor, function, job)
