"""Runs calls in fresh processes (spawned, so that they inherit no threads) with one numeric thread each.

Not ``concurrent.futures.ProcessPoolExecutor``: if one of its workers runs out of memory while writing a result or
reading a call, a queue's lock may stay held or its thread may die, and the parent waits forever. Here each worker has
its own pipe, and a thread of the parent waits for its answer or its exit, whichever comes first, so every call ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from fxloom.run.executors.base import ExecutorError

R = TypeVar("R")
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS")
OUT_OF_MEMORY = 75  # exit status of a worker that cannot go on
GRACE = 10.0  # seconds for an idle worker to exit
_STARTING = threading.Lock()  # the environment that new processes inherit is changed while one starts


class LostWorkerError(RuntimeError):
    """The worker of a call ended before it answered."""


class ProcessExecutor:
    """Up to ``slots`` processes, each started when a call needs it and replaced after it has died."""

    lost: tuple[type[BaseException], ...] = (LostWorkerError,)
    local = False

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._threads: list[threading.Thread] = []
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()

    def submit(self, function: Callable[..., R], /, *args: Any) -> Future[R]:
        """Start ``function(*args)`` in a worker process; ExecutorError if no process can be started."""
        call = _Call(pickle.dumps((function, args)), Future())
        if len(self._threads) < self.slots:
            worker = _Worker()  # started here, so that an error reaches the caller
            thread = threading.Thread(target=self._serve, args=(worker,), daemon=True)
            self._threads.append(thread)
            thread.start()
        self._calls.put(call)
        return call.future

    def _serve(self, worker: _Worker | None) -> None:
        """Run calls until there are no more, with one worker at a time."""
        while (call := self._calls.get()) is not None:
            if not call.future.set_running_or_notify_cancel():
                continue
            try:
                worker = worker or _Worker()
                call.future.set_result(worker.answer(call.text))
            except BaseException as error:  # noqa: BLE001 - raised again by ``result``
                if isinstance(error, LostWorkerError) and worker is not None:
                    worker.end()
                    worker = None
                call.future.set_exception(error)
        if worker is not None:
            worker.end()

    def close(self) -> None:
        """Let running calls finish, drop the rest, and stop the processes."""
        with contextlib.suppress(queue.Empty):
            while True:
                call = self._calls.get_nowait()
                if call is not None:
                    call.future.cancel()
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()


class _Call:
    """A pickled call, and the future of its answer."""

    def __init__(self, text: bytes, future: Future[Any]) -> None:
        self.text, self.future = text, future


class _Worker:
    """One process and the pipe to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        try:
            self.pipe, theirs = context.Pipe()
            self.process: BaseProcess = context.Process(target=_work, args=(theirs,), daemon=True)
            with _STARTING, one_thread_each():
                self.process.start()
        except OSError as error:
            raise ExecutorError(f"no worker process can be started ({error}): run with --workers 1") from error
        theirs.close()

    def answer(self, text: bytes) -> Any:
        """What the call returns or raises; LostWorkerError if the process exits first."""
        try:
            self.pipe.send_bytes(text)
            wait([self.pipe, self.process.sentinel])
            if not self.pipe.poll():
                raise EOFError
            done, value = pickle.loads(self.pipe.recv_bytes())
        except Exception as error:
            raise LostWorkerError("the worker process ended: killed, or out of memory") from error
        if done:
            return value
        raise value

    def end(self) -> None:
        """Stop the process, by force if it does not exit by itself."""
        self.pipe.close()
        self.process.join(GRACE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


def _work(pipe: Connection) -> None:
    """Answer calls until the parent closes the pipe; an answer that cannot be sent ends the process."""
    prepare()
    while True:
        try:
            function, args = pickle.loads(pipe.recv_bytes())
        except EOFError:
            return
        try:
            answer = pickle.dumps((True, function(*args)))
        except MemoryError:
            os._exit(OUT_OF_MEMORY)  # nothing that this process does afterwards can be relied on
        except Exception as error:  # noqa: BLE001 - it is raised in the parent
            answer = _failure(error)
        pipe.send_bytes(answer)


def _failure(error: Exception) -> bytes:
    try:
        answer = pickle.dumps((False, error))
        pickle.loads(answer)
        return answer
    except Exception:  # noqa: BLE001 - exceptions with custom arguments may not survive pickling
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))


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
    """Make a worker ignore Ctrl-C, which its parent handles, exit with its parent, and limit Arrow to one thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import pyarrow

    pyarrow.set_cpu_count(1)


def _end_with_parent() -> None:
    """Exit when the parent does: a killed parent cannot close the pipe."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def free_memory() -> int:
    """Bytes of available memory, 0 if the system does not report it."""
    with contextlib.suppress(OSError, ValueError, StopIteration), open("/proc/meminfo", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable"))
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0
