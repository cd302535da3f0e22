"""Jobs in order: results come in the order of the jobs, few are held, and a death is laid to one job only."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator

from fxloom.run.executors import WorkerDiedError, run_in_order
from fxloom.run.executors.processes import ProcessExecutor
from fxloom.run.executors.serial import SerialExecutor


def late_or_dead(number: int) -> int:
    """Early jobs take longer; job 3 kills its process."""
    if number == 3:
        os._exit(9)
    time.sleep(max(0.0, 0.1 - number / 50))
    return number * number


def test_results_come_in_the_order_of_the_jobs() -> None:
    executor = ProcessExecutor(2)
    try:
        found = list(run_in_order(executor, late_or_dead, range(10)))
    finally:
        executor.close()
    assert [job for job, _ in found] == list(range(10))
    assert isinstance(found[3][1], WorkerDiedError)
    assert [result for job, result in found if job != 3] == [n * n for n in range(10) if n != 3]


def test_in_this_process_a_job_is_taken_only_when_the_one_before_is_done() -> None:
    taken: list[int] = []

    def jobs() -> Iterator[int]:
        for number in range(4):
            taken.append(number)
            yield number

    for job, result in run_in_order(SerialExecutor(), abs, jobs()):
        assert taken == list(range(job + 1))
        assert result == job


def test_few_jobs_are_taken_ahead_of_the_results() -> None:
    taken: list[int] = []

    def jobs() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    executor = ProcessExecutor(2)
    try:
        for job, _ in run_in_order(executor, abs, jobs()):
            assert len(taken) <= job + 5
    finally:
        executor.close()


def test_a_job_that_may_not_start_waits_for_the_others() -> None:
    def alone(job: int, running: Collection[int]) -> bool:
        seen.append((job, tuple(running)))
        return job != 2

    seen: list[tuple[int, tuple[int, ...]]] = []
    executor = ProcessExecutor(2)
    try:
        found = list(run_in_order(executor, abs, range(5), alone))
    finally:
        executor.close()
    assert found == [(n, n) for n in range(5)]
    assert any(job == 2 for job, _ in seen)
