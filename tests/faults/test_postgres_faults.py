"""A server stopped, crashed or with killed backends during a populate: the run still completes.

FXLOOM_FAULTS sets the number of runs (200 under ``make faults``; a few otherwise, so that the test still runs).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from fxloom.run.copy import copy_store
from fxloom.run.populate import populate
from fxloom.stores.folder import FolderStore
from fxloom.stores.postgres import PostgresStore
from tests.lakes import make_lake, partition
from tests.stores.databases import store_url
from tests.stores.server import Server, running

TABLES = ["bqx_momentum", "bollinger", "time_features"]
ROUNDS = max(int(os.environ.get("FXLOOM_FAULTS", "0")) // 20, 1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of our own, because the tests kill it."""
    yield from running()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    store = make_lake(tmp_path_factory.mktemp("full"))
    assert not populate(store, tables=TABLES, workers=1).troubles
    return store


def contents(store: Any) -> dict[str, bytes]:
    found = {}
    for record in store.records():
        rows = partition(store, record.key).select(pl.col(pl.Float32).fill_null(float("nan")))
        found[f"{record.key} {record.fingerprint}"] = rows.to_numpy().tobytes()
    return found


def fresh(server: Server, full: FolderStore, folder: Path) -> PostgresStore:
    """A store with the bars of ``full`` and no features."""
    bars_only = FolderStore(folder / "bars")
    (folder / "bars").mkdir()
    for name in ("settings.json", "m1"):
        (folder / "bars" / name).symlink_to(full.root / name)
    store = PostgresStore(store_url(server.url, f"faults {uuid.uuid4().hex[:8]}"))
    copy_store(bars_only, store)
    return store


def after(store: PostgresStore, partitions: int, stop: threading.Event, act: Any) -> threading.Thread:
    """Call ``act`` in a thread once that many partitions are published."""

    def watch() -> None:
        while not stop.is_set() and len(store.records()) < partitions:
            stop.wait(0.002)
        if not stop.is_set():
            act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def kill_backends(server: Server) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")


def restart(server: Server, kind: signal.Signals) -> None:
    server.stop(kind)
    server.start()


FAULTS: dict[str, Callable[[Server], object]] = {
    "backends killed": kill_backends,
    "stopped": lambda server: restart(server, signal.SIGINT),
    "crashed": lambda server: restart(server, signal.SIGQUIT),
}


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "workers"), [("backends killed", 1), ("stopped", 1), ("crashed", 2)])
@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_populate_survives_a_server_failure(
    server: Server, full: FolderStore, tmp_path: Path, fault: str, workers: int, round_: int
) -> None:
    store = fresh(server, full, tmp_path)
    stop = threading.Event()
    at = random.Random(f"{fault} {workers} {round_}").randrange(1, 12)
    thread = after(store, at, stop, lambda: FAULTS[fault](server))
    try:
        summary = populate(store, tables=TABLES, workers=workers)
    finally:
        stop.set()
        thread.join()
    assert [o.why for o in summary.troubles] == []
    assert contents(store) == contents(full)


@pytest.mark.slow
def test_a_server_that_stays_down_fails_partitions_until_the_next_run(
    server: Server, full: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = fresh(server, full, tmp_path)
    monkeypatch.setattr("fxloom.stores.postgres.connections.PATIENCE", 0.3)
    store._connections.patience = 0.3
    stop = threading.Event()
    thread = after(store, 3, stop, server.stop)
    try:
        with contextlib.suppress(psycopg.OperationalError):
            summary = populate(store, tables=TABLES, workers=1)
    finally:
        stop.set()
        thread.join()
        server.start()
    assert summary.troubles
    assert all(o.result == "failed" and store.url in o.why for o in summary.troubles)
    assert not populate(store, tables=TABLES, workers=1).troubles
    assert contents(store) == contents(full)
