"""Calls in a pool of fresh processes (spawned: they inherit no threads), one numeric thread each."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

R = TypeVar("R")
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS")


class ProcessExecutor:
    """A pool of ``slots`` processes, made anew after one of them has died."""

    lost: tuple[type[BaseException], ...] = (BrokenProcessPool,)
    local = False

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, function: Callable[..., R], /, *args: Any) -> Future[R]:
        """Start ``function(*args)`` in a worker process, in a new pool if the last one is broken."""
        for _ in range(2):
            pool = self._pool or self._new_pool()
            try:
                with one_thread_each():  # a process is started when its first call is submitted
                    return pool.submit(function, *args)
            except BrokenProcessPool:  # noticed only now: this call has not begun
                self._end(pool)
        raise BrokenProcessPool("two pools of processes broke before a call could begin")

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(self.slots, mp_context=context, initializer=prepare)
        return self._pool

    def _end(self, pool: ProcessPoolExecutor) -> None:
        pool.shutdown(wait=True, cancel_futures=True)
        if self._pool is pool:
            self._pool = None

    def close(self) -> None:
        """Let running calls end, drop the rest, and end the processes."""
        if self._pool is not None:
            self._end(self._pool)


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Keep the numeric libraries of processes started in this block to one thread each."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))  # read by the libraries when a worker imports them
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def prepare() -> None:
    """Make a worker leave Ctrl-C to its parent, end with its parent, and keep Arrow to one thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import pyarrow

    pyarrow.set_cpu_count(1)


def _end_with_parent() -> None:
    """A parent that is killed cannot tell its workers, which would wait for it for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def free_memory() -> int:
    """Bytes of memory that are free for use, 0 where the system does not tell."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0
