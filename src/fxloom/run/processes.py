"""Tasks in a pool of fresh processes (spawned: they inherit no threads), one numeric thread each."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from fxloom.plan import Task
from fxloom.run.outcome import Outcome, all_failed
from fxloom.run.worker import prepare

Work = Callable[[str, Task], list[Outcome]]
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS")
PANEL_BYTES = 3 << 30  # what a task of many pairs may take
ALONE = 2  # attempts at a task by itself, after a worker died while it was in flight


def run_in_processes(url: str, tasks: Sequence[Task], workers: int, work: Work) -> Iterator[tuple[Task, list[Outcome]]]:
    """The outcomes of ``tasks`` as they end. A task in flight when a worker dies is tried alone, then reported."""
    suspects: list[Task] = []
    pending = deque(tasks)
    while pending:
        try:
            yield from _in_pool(url, pending, workers, work, suspects)
        except BrokenProcessPool:
            continue  # those in flight are suspects now; go on with the rest in a new pool
    for task in suspects:
        yield from _alone(url, task, work)


def _alone(url: str, task: Task, work: Work) -> Iterator[tuple[Task, list[Outcome]]]:
    """A suspect by itself, so that no other's death is laid to it; a worker may die on it once for no fault of its."""
    for _ in range(ALONE):
        try:
            yield from _in_pool(url, deque([task]), 1, work, [])
            return
        except BrokenProcessPool:
            continue
    yield task, all_failed(task, f"its worker process died {ALONE} times on it alone (killed, or out of memory)")


def _in_pool(
    url: str, pending: deque[Task], workers: int, work: Work, lost: list[Task]
) -> Iterator[tuple[Task, list[Outcome]]]:
    running: dict[Future[list[Outcome]], Task] = {}
    with process_pool(workers) as pool:
        try:
            while pending or running:
                while len(running) < workers and (task := _next(pending, running.values())) is not None:
                    try:
                        running[pool.submit(work, url, task)] = task
                    except BrokenProcessPool:
                        pending.appendleft(task)  # it never began
                        raise
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    outcomes = future.result()
                    yield running.pop(future), outcomes
        except BrokenProcessPool:
            lost.extend(running.values())
            raise


def _next(pending: deque[Task], running: Iterable[Task]) -> Task | None:
    """The next task that may start: two tasks of many pairs at once only where there is memory for both."""
    for _ in range(len(pending)):
        task = pending.popleft()
        if task.pair or not any(t.pair == "" for t in running) or free_memory() > PANEL_BYTES:
            return task
        pending.append(task)
    return None


def free_memory() -> int:
    """Bytes of memory that are free for use, 0 where the system does not tell."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


@contextlib.contextmanager
def process_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of spawned processes, one numeric thread each; on an error what runs may end, the rest is dropped."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))  # read by the libraries when a worker imports them
    try:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=prepare) as pool:
            try:
                yield pool
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
