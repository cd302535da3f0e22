"""SIGKILL before every statement and commit that writes to PostgreSQL: what was committed stays, a rerun adds the rest.

Every statement if FXLOOM_FAULTS is 100 or more, otherwise every 29th.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fxloom.bars.months import month_bounds
from fxloom.engine.partitions import Settings
from fxloom.run.copy import copy_store
from fxloom.run.ingest import ingest
from fxloom.run.populate import populate
from fxloom.stores.base import Store
from fxloom.stores.folder import FolderStore
from fxloom.stores.postgres import PostgresStore
from tests.faults.test_kills import END, PAIRS, START, Tally
from tests.faults.victims import copying, dying_at_statement, ingesting, killed_after, populating
from tests.lakes import QUICK, make_lake, partition
from tests.stores.databases import drop_schema, store_url
from tests.stores.server import database

__all__ = ["database"]

EVERY = 1 if int(os.environ.get("FXLOOM_FAULTS") or 0) >= 100 else 29
PATIENCE = 60.0  # seconds for the server to notice that a client is gone


@dataclass(frozen=True)
class Whole:
    """The folder stores that undisturbed runs produce, and what they hold."""

    files: Path
    bare: FolderStore
    full: FolderStore
    settings: Settings | None
    bars: dict[str, bytes]
    features: dict[str, bytes]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    root = tmp_path_factory.mktemp("whole")
    full = make_lake(root, PAIRS, START, END)
    bare = FolderStore(root / "bare")
    ingest(bare, [root / "files"])
    assert not populate(full, tables=QUICK, workers=1).troubles
    return Whole(root / "files", bare, full, full.settings(), bars_of(full), features_of(full))


def bars_of(store: Store) -> dict[str, bytes]:
    """The bars of every month as bytes."""
    found = {}
    for pair in store.pairs_with_bars():
        for month in store.bar_months(pair):
            bars = store.read_bars(pair, *month_bounds(month))
            columns = (bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.spread)
            found[f"{pair} {month}"] = b"".join(np.ascontiguousarray(c).tobytes() for c in columns if c is not None)
    return found


def features_of(store: Store) -> dict[str, bytes]:
    """The values of every partition as bytes, by its key and fingerprint."""
    found = {}
    for record in store.records():
        rows = partition(store, record.key).select(pl.col(pl.Float32).fill_null(float("nan")))
        found[f"{record.key} {record.fingerprint}"] = rows.to_numpy().tobytes()
    return found


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    tally = Tally()
    yield tally
    print(f"\n{request.node.name}: {tally.at_work} kills, {tally.lost} lost, {tally.wrong} wrong")


def count(tally: Tally, before: dict[str, bytes], after: dict[str, bytes], expected: dict[str, bytes]) -> None:
    tally.wrong += sum(expected.get(key) != value for key, value in before.items())
    tally.lost += sum(after.get(key) != value for key, value in before.items())
    assert after == expected


def killed_stores(
    database: str, work: Callable[[str], tuple[Callable[..., None], tuple[object, ...]]]
) -> Iterator[str]:
    """The URL of a new store for every kill; what happens there is killed one statement later each time."""
    for number in itertools.count(0, EVERY):
        schema = f"kills {uuid.uuid4().hex[:8]}"
        url = store_url(database, schema)
        victim, args = work(url)
        killed = killed_after(120.0, dying_at_statement, number, victim, *args)
        if killed:
            yield url
        drop_schema(database, schema)
        if not killed:
            assert number > 20
            return


@pytest.mark.slow
def test_ingest_killed_before_each_statement(database: str, whole: Whole, tally: Tally) -> None:
    for url in killed_stores(database, lambda url: (ingesting, (url, str(whole.files)))):
        store = PostgresStore(url)
        before = bars_of(store)
        assert not [r for r in ingest(store, [whole.files], wait=PATIENCE) if r.refused]
        count(tally, before, bars_of(store), whole.bars)
        assert store.settings() == whole.settings
        tally.at_work += 1
    assert (tally.lost, tally.wrong) == (0, 0)


@pytest.mark.slow
def test_populate_killed_before_each_statement(database: str, whole: Whole, tally: Tally) -> None:
    def with_bars(url: str) -> tuple[Callable[..., None], tuple[object, ...]]:
        copy_store(whole.bare, PostgresStore(url))
        return populating, (url,)

    for url in killed_stores(database, with_bars):
        store = PostgresStore(url)
        before = features_of(store)
        summary = populate(store, tables=QUICK, workers=1, wait=PATIENCE)
        assert not summary.troubles
        assert len(summary.results) == len(whole.features) - len(before)
        count(tally, before, features_of(store), whole.features)
        tally.at_work += 1
    assert (tally.lost, tally.wrong) == (0, 0)


@pytest.mark.slow
def test_copy_killed_before_each_statement(database: str, whole: Whole, tally: Tally) -> None:
    for url in killed_stores(database, lambda url: (copying, (whole.full.url, url))):
        store = PostgresStore(url)
        bars, features = bars_of(store), features_of(store)
        assert not copy_store(whole.full, store).corrupt
        count(tally, bars, bars_of(store), whole.bars)
        count(tally, features, features_of(store), whole.features)
        assert store.settings() == whole.settings
        tally.at_work += 1
    assert (tally.lost, tally.wrong) == (0, 0)
