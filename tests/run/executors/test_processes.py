"""Calls in worker processes: every call ends, whatever happens to its worker."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fxloom.run.executors import JobsRun, WorkerDiedError
from fxloom.run.executors.processes import ONE_THREAD, LostWorkerError, ProcessExecutor
from fxloom.run.warm import compiling

TIMEOUT = 120.0  # calls take less than a second; a call that never ends fails its test after this


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(2)
    yield executor
    executor.close()


def double(number: int) -> int:
    return 2 * number


def fail(message: str) -> None:
    raise ValueError(message)


class Unpicklable(Exception):
    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


def fail_oddly() -> None:
    raise Unpicklable(1, 2)


def die(by: signal.Signals = signal.SIGKILL) -> None:
    os.kill(os.getpid(), by)


def leave(status: int) -> None:
    os._exit(status)


def swallow_memory(limit: int) -> int:
    """Exhaust the memory with a list that the interpreter has to grow."""
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return len([bytes(1 << 20) for _ in range(1 << 20)])


def return_too_much(size: int, limit: int) -> bytes:
    """Return a result that fits into memory while its pickled copy does not."""
    data = bytes(size)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return data


def environment() -> set[str | None]:
    return {os.environ.get(name) for name in ONE_THREAD}


def test_results_and_errors_are_returned(executor: ProcessExecutor) -> None:
    futures = [executor.submit(double, n) for n in range(20)]
    assert [f.result(TIMEOUT) for f in futures] == list(range(0, 40, 2))
    with pytest.raises(ValueError, match="no such thing"):
        executor.submit(fail, "no such thing").result(TIMEOUT)
    with pytest.raises(RuntimeError, match="Unpicklable: 1 and 2"):
        executor.submit(fail_oddly).result(TIMEOUT)
    assert executor.submit(environment).result(TIMEOUT) == {"1"}
    assert os.environ.get("NUMBA_NUM_THREADS") != "1" or "NUMBA_NUM_THREADS" in os.environ


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM])
def test_a_worker_that_dies_ends_its_call_and_is_replaced(by: signal.Signals, executor: ProcessExecutor) -> None:
    with pytest.raises(LostWorkerError, match="killed, or out of memory"):
        executor.submit(die, by).result(TIMEOUT)
    with pytest.raises(LostWorkerError):
        executor.submit(leave, 0).result(TIMEOUT)
    assert executor.submit(double, 4).result(TIMEOUT) == 8


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory")
def test_a_worker_without_memory_ends_its_call(executor: ProcessExecutor) -> None:
    with pytest.raises(LostWorkerError):
        executor.submit(swallow_memory, 2 << 30).result(TIMEOUT)
    with pytest.raises(LostWorkerError):
        executor.submit(return_too_much, 1 << 30, 2 << 30).result(TIMEOUT)
    assert executor.submit(double, 4).result(TIMEOUT) == 8


def test_a_crashed_worker_does_not_affect_other_calls(executor: ProcessExecutor) -> None:
    """Calls of other workers continue and are not even restarted."""
    waiting = executor.submit(double, 21)
    crashed = executor.submit(die)
    assert waiting.result(TIMEOUT) == 42
    assert isinstance(crashed.exception(TIMEOUT), LostWorkerError)


def test_a_job_that_always_crashes_is_abandoned(executor: ProcessExecutor) -> None:
    results = dict(JobsRun(executor, leave_if_odd, range(6)))
    assert {job: isinstance(r, WorkerDiedError) for job, r in results.items()} == {n: n % 2 == 1 for n in range(6)}


def leave_if_odd(number: int) -> int:
    if number % 2:
        os._exit(9)
    return number


def test_closing_drops_calls_that_have_not_started(executor: ProcessExecutor) -> None:
    futures = [executor.submit(double, n) for n in range(200)]
    executor.close()
    assert all(f.done() for f in futures)
    assert threading.active_count() < 10


def test_a_worker_killed_while_compiling_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: ProcessExecutor
) -> None:
    """Families are retried; compilation is not marked complete while one of them is missing."""
    from fxloom.run import warm
    from fxloom.system.cache import cache_root

    monkeypatch.setenv("FXLOOM_CACHE", str(tmp_path / "cache"))
    cache_root.cache_clear()
    try:
        monkeypatch.setattr(warm, "_warm_or_reason", leave_for_time_features)
        events = list(compiling(executor))
        assert events[-1].done == events[-1].total
        assert not (tmp_path / "cache" / warm.compiled_marker()).exists()
    finally:
        cache_root.cache_clear()


def leave_for_time_features(name: str) -> None:
    if name == "time_features":
        os._exit(9)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root, to hide /dev/shm")
def test_a_read_only_dev_shm_does_not_matter(tmp_path: Path) -> None:
    """Semaphores would need /dev/shm; pipes do not. Without namespaces this cannot be tested."""
    program = (
        "from fxloom.run.executors.processes import ProcessExecutor\n"
        "if __name__ == '__main__':\n"
        "    executor = ProcessExecutor(1)\n"
        "    print(executor.submit(abs, -3).result(100))\n"
        "    executor.close()\n"
    )
    (tmp_path / "program.py").write_text(program)
    hidden = f"mount -t tmpfs -o ro none /dev/shm && {sys.executable} {tmp_path / 'program.py'}"
    run = subprocess.run(["unshare", "-m", "sh", "-c", hidden], capture_output=True, text=True, check=False)
    if "unshare failed" in run.stderr or "permission denied" in run.stderr.lower():
        pytest.skip("namespaces or mounts are forbidden here")
    assert (run.returncode, run.stdout) == (0, "3\n"), run.stderr
