"""Runs jobs in this process or in a pool of processes, always through the loop in ``executors.base``."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from fxloom.run.executors.base import Executor, ExecutorError, JobsRun, WorkerDiedError, run_in_order

__all__ = ["Executor", "ExecutorError", "JobsRun", "WorkerDiedError", "executor_for", "run_in_order"]


@contextlib.contextmanager
def executor_for(workers: int | None, jobs: int) -> Iterator[Executor]:
    """An executor for ``jobs`` jobs: this process for one worker or job, otherwise up to ``workers`` processes.

    ``workers`` None means one per processor. ValueError if it is less than 1.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"invalid number of workers {workers}, expected 1 or more")
    slots = min(workers or os.cpu_count() or 1, max(jobs, 1))
    executor: Executor
    if slots == 1:
        from fxloom.run.executors.serial import SerialExecutor

        executor = SerialExecutor()
    else:
        from fxloom.run.executors.processes import ProcessExecutor

        executor = ProcessExecutor(slots)
    try:
        yield executor
    finally:
        executor.close()
