"""Functions that run in separate processes to be killed, starved or observed."""

from __future__ import annotations

import contextlib
import ctypes
import io
import multiprocessing
import os
import resource
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from fxloom.run.copy import copy_store
from fxloom.run.ingest import ingest
from fxloom.run.populate import populate
from fxloom.run.settling import IngestOptions
from fxloom.stores import open_backend
from fxloom.stores.folder import FolderStore
from tests.lakes import QUICK


def server() -> Any:
    """A context whose processes start quickly: they fork from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fxloom.run.ingest", "fxloom.run.populate", "fxloom.cli", "fxloom.run.workers"])
    return context


def start(work: Callable[..., None], *args: object) -> tuple[BaseProcess, Connection]:
    """Run ``work(connection, *args)`` in a new process; returns when it reports that it started."""
    context = server()
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, *args), daemon=True)
    process.start()
    assert ours.recv() == "begins"
    return process, ours


def ingesting(connection: Connection, url: str, files: str) -> None:
    connection.send("begins")
    reports = ingest(open_backend(url), [files])
    connection.send([r.refused for r in reports if r.refused])


def populating(connection: Connection, url: str, force: bool = False) -> None:
    connection.send("begins")
    summary = populate(open_backend(url), tables=QUICK, workers=1, force=force)
    connection.send([f"{o.result} {o.why}" for o in summary.troubles])


def populating_often(connection: Connection, url: str, times: int) -> None:
    """Replace every partition ``times`` times."""
    connection.send("begins")
    troubles = []
    for _ in range(times):
        troubles += populate(FolderStore(url), tables=QUICK, workers=1, force=True).troubles
    connection.send([o.why for o in troubles])


def rewriting(connection: Connection, url: str, versions: list[str]) -> None:
    """Ingest one version of the bars after the other and compute what depends on them, until told to stop."""
    connection.send("begins")
    rounds, troubles = 0, []
    while not connection.poll():
        store = open_backend(url)
        options = IngestOptions(replace=True)
        troubles += [r.refused for r in ingest(store, [versions[rounds % len(versions)]], options=options) if r.refused]
        troubles += [o.why for o in populate(store, tables=QUICK, workers=1).troubles]
        rounds += 1
    connection.send((rounds, troubles))


def copying(connection: Connection, url: str, target: str) -> None:
    connection.send("begins")
    report = copy_store(open_backend(url), open_backend(target))
    connection.send([*map(str, report.corrupt), *report.changed])


def dying_at_write(connection: Connection, number: int, work: Callable[..., None], *args: object) -> None:
    """Run ``work`` and die just before its ``number``-th write; with fewer writes, send its result."""
    Failpoints(number).install()
    work(connection, *args)


def dying_at_statement(connection: Connection, number: int, work: Callable[..., None], *args: object) -> None:
    """Run ``work`` and die just before its ``number``-th statement or commit that writes to PostgreSQL."""
    Statements(number).install()
    work(connection, *args)


class Failpoints:
    """Counter of steps that change a file system: opening for writing, flushing, renaming, creating, removing.

    An audit hook sees Python's own calls; flushes and Arrow's writes raise no audit event, so they are wrapped. A file
    written by Arrow counts as two steps; dying at the second leaves half of the file.
    """

    EVENTS = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate")

    def __init__(self, number: int) -> None:
        self.left = number

    def install(self) -> None:
        real_flush, real_write = os.fsync, pq.write_table

        def flush(handle: Any) -> None:
            self.step()
            real_flush(handle)

        def write(table: Any, path: Path, **options: Any) -> None:
            self.step()
            real_write(table, path, **options)
            if self.left == 0:
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            self.step()

        for module, name, replacement in ((os, "fsync", flush), (pq, "write_table", write)):
            setattr(module, name, replacement)
        sys.addaudithook(self.hear)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        opened = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if event in self.EVENTS or (opened and not str(args[0]).startswith("/dev/")):
            self.step()

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Statements(Failpoints):
    """Counter of what writes to PostgreSQL: statements, blocks of rows, and the end of every transaction."""

    READ = ("select", "set ", "show")

    def install(self) -> None:
        import psycopg

        real_transaction = psycopg.Connection.transaction

        @contextlib.contextmanager
        def transaction(connection: Any, *args: Any, **options: Any) -> Iterator[Any]:
            with real_transaction(connection, *args, **options) as begun:
                yield begun
                self.step()

        for owner, name in ((psycopg.Cursor, "execute"), (psycopg.Cursor, "executemany"), (psycopg.Copy, "write")):
            setattr(owner, name, self.counted(getattr(owner, name)))
        setattr(psycopg.Connection, "transaction", transaction)  # noqa: B010 - typed more narrowly than it is called

    def counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(owner: Any, query: Any, *args: Any, **options: Any) -> Any:
            text = query if isinstance(query, str) else query.as_string(None) if hasattr(query, "as_string") else ""
            if not text.lstrip().lower().startswith(self.READ):
                self.step()
            return real(owner, query, *args, **options)

        return call


def with_file_limit(connection: Connection, work: str, url: str, files: str, limit: int) -> None:
    """Ingest or populate with files limited to ``limit`` bytes."""
    from fxloom.cli import main

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    connection.send("begins")
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        status = main(command(work, url, files))
    connection.send((status, errors.getvalue()))


def unprivileged(connection: Connection, work: str, url: str, files: str) -> None:
    """Ingest, populate or audit as an unprivileged user: without its capabilities, root is bound by permissions."""
    from fxloom.cli import main

    header, none = struct.pack("Ii", 0x20080522, 0), bytes(24)
    assert ctypes.CDLL(None, use_errno=True).capset(header, none) == 0
    connection.send("begins")
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        status = main(command(work, url, files))
    connection.send((status, errors.getvalue()))


def command(work: str, url: str, files: str) -> list[str]:
    if work == "ingest":
        return ["ingest", "--store", url, files]
    return [work, "--store", url, *([] if work == "audit" else ["--tables", ",".join(QUICK), "--workers", "1"])]


def reading(connection: Connection, url: str, whole: dict[str, int]) -> None:
    """Read partitions in turn until asked to stop; sends the number of reads, and every incomplete one."""
    connection.send("begins")
    reads, wrong = 0, []
    while not connection.poll():
        for name, checksum in whole.items():
            found = checksum_of(Path(url) / name)
            reads += 1
            if found != checksum:
                wrong.append(f"{name}: {found}")
    connection.send((reads, wrong))


def checksum_of(path: Path) -> int:
    """A checksum that changes with any added, missing or different row or value."""
    frame = pl.read_parquet(path, hive_partitioning=False)
    return int(frame.hash_rows(seed=1).sum()) + frame.height


def duration_of(work: Callable[..., None], *args: object) -> float:
    """Seconds that ``work`` takes uninterrupted."""
    process, connection = start(work, *args)
    began = time.monotonic()
    connection.recv()
    took = time.monotonic() - began
    process.join()
    return took


def killed_after(seconds: float, work: Callable[..., None], *args: object) -> bool:
    """Start ``work`` and kill it after ``seconds``; returns whether it was still running."""
    process, connection = start(work, *args)
    at_work = not connection.poll(seconds)
    if not at_work:
        with contextlib.suppress(EOFError):  # it ended by itself
            connection.recv()
            return False
    process.kill()
    process.join()
    return True


def result_of(work: Callable[..., None], *args: object) -> Any:
    """What ``work`` sends when it ends."""
    process, connection = start(work, *args)
    reported = connection.recv()
    process.join()
    return reported
