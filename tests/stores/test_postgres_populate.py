"""All commands on PostgreSQL: ingest, populate, audit, read, matrix, verify, copy; the same values as in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import fxloom
from fxloom.bars.months import month_bounds
from fxloom.cli import main
from fxloom.run.copy import copy_store, same_bars
from fxloom.run.ingest import ingest
from fxloom.run.populate import populate
from fxloom.stores.base import Store, StoreError
from fxloom.stores.folder import FolderStore
from fxloom.stores.postgres import PostgresStore
from tests.lakes import PAIRS, QUICK, killed_populate, make_lake, partition, write_market
from tests.stores.databases import database, pg, query, schema

__all__ = ["database", "pg", "schema"]

TABLES = [*QUICK, "cross_sectional_panel"]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    """A folder store populated without interruption."""
    store = make_lake(tmp_path_factory.mktemp("full"))
    assert not populate(store, tables=TABLES, workers=1).troubles
    return store


@pytest.fixture
def lake(pg: PostgresStore, tmp_path: Path) -> PostgresStore:
    """The bars of the same market in PostgreSQL."""
    assert not [r for r in ingest(pg, [write_market(tmp_path / "files")]) if r.refused]
    return pg


def bars_in(store: Store) -> dict[tuple[str, str], Any]:
    return {(p, m): store.read_bars(p, *month_bounds(m)) for p in PAIRS for m in store.bar_months(p)}


def contents(store: Store) -> dict[str, Any]:
    """Records without creation times, and values of every partition as bytes."""
    found: dict[str, Any] = {}
    for record in store.records():
        rows = partition(store, record.key)
        floats = rows.select(pl.col(pl.Float32).fill_null(float("nan"))).to_numpy()
        plain = (record.fingerprint, record.rows, record.proxies, record.quality, record.environment)
        found[str(record.key)] = (plain, rows["ts_utc"].to_list(), rows["pair"].to_list(), floats.tobytes())
    return found


def test_bars_are_the_same_as_in_a_folder(lake: PostgresStore, full: FolderStore) -> None:
    ours, theirs = bars_in(lake), bars_in(full)
    assert ours.keys() == theirs.keys()
    assert all(same_bars(ours[k], theirs[k]) for k in ours)
    assert lake.settings() == full.settings()
    assert [lake.bar_months(p) for p in PAIRS] == [full.bar_months(p) for p in PAIRS]


@pytest.mark.slow
def test_two_workers_produce_what_a_folder_holds_once(lake: PostgresStore, full: FolderStore) -> None:
    assert not populate(lake, tables=TABLES, workers=2).troubles
    assert contents(lake) == contents(full)
    again = populate(lake, tables=TABLES, workers=2)
    assert again.results == []
    assert populate(lake, ["eurusd"], tables=["bollinger"], workers=1, force=True).count("done") == 4
    assert contents(lake) == contents(full)


@pytest.mark.slow
def test_a_killed_run_resumes(lake: PostgresStore, full: FolderStore) -> None:
    killed_populate(lake.address, TABLES, 7)
    before = {r.key: r.made for r in lake.records()}
    assert len(before) == 7
    rest = populate(lake, tables=TABLES, workers=2, wait=30)
    assert not rest.troubles
    assert len(rest.results) == 18 - 7
    assert {r.key: r.made for r in lake.records() if r.key in before} == before
    assert contents(lake) == contents(full)


def test_commands_work_as_on_a_folder(
    lake: PostgresStore, full: FolderStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--store", lake.address]
    assert main(["populate", *where, "--tables", "bollinger", "--workers", "1"]) == 0
    assert main(["audit", *where]) == 0
    assert main(["verify", *where, "--tables", "bollinger_rate", "--workers", "1", "--budget", "5s", "--json"]) == 0
    out = capsys.readouterr().out
    report = json.loads(out[out.index("{\n") :])
    assert report["holds"]
    out_file = tmp_path / "m.parquet"
    assert main(["matrix", *where, "--features", "bollinger_rate", "--out", str(out_file)]) == 0
    other = tmp_path / "n.parquet"
    assert main(["matrix", "--store", full.url, "--features", "bollinger_rate", "--out", str(other)]) == 0
    ours, theirs = (pl.read_parquet(f).sort("pair", "ts_utc").fill_nan(None) for f in (out_file, other))
    assert ours.equals(theirs)
    documents = query(lake.address.partition("&schema")[0], "select name from {}", f"{lake.schema}/documents")
    assert documents[0][0].startswith("reports/verify-")


def test_a_few_columns_are_read_lazily(lake: PostgresStore, full: FolderStore) -> None:
    assert not populate(lake, tables=["bollinger"], workers=1).troubles
    wanted = {"what": ["bb_width_15_rate"], "pairs": ["usdjpy"], "start": "2024-01-20", "end": "2024-02-03"}
    ours, theirs = (fxloom.open_store(s.address).read(**wanted).collect() for s in (lake, full))  # type: ignore[arg-type]
    assert ours.fill_nan(None).equals(theirs.fill_nan(None))
    assert ours.height > 1000


@pytest.mark.slow
def test_a_store_is_copied_in_both_directions(pg: PostgresStore, full: FolderStore, tmp_path: Path) -> None:
    there = copy_store(full, pg)
    assert (there.bars, there.partitions, there.present) == (4, 18, 0)
    assert pg.records() == sorted(full.records(), key=lambda r: r.key)
    assert contents(pg) == contents(full)
    again = copy_store(full, pg)
    assert (again.bars, again.partitions, again.present) == (0, 0, 22)
    back = FolderStore(tmp_path / "back")
    assert main(["copy", "--from", pg.address, "--to", back.url]) == 0
    assert contents(back) == contents(full)
    assert populate(pg, tables=TABLES, workers=1).results == []


def test_a_copy_into_a_store_of_other_settings_is_refused(lake: PostgresStore, full: FolderStore) -> None:
    settings = lake.settings()
    assert settings is not None
    lake.write_settings(settings.with_pair("eurgbp", settings.pairs["eurusd"]))
    with pytest.raises(StoreError, match="has different settings"):
        copy_store(full, lake)


def test_a_copy_that_differs_from_its_source_is_detected(
    pg: PostgresStore, full: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = PostgresStore.publish

    def wrong(self: PostgresStore, record: Any, ts: Any, pairs: Any, columns: dict[str, Any]) -> None:
        first = next(iter(columns))
        real(self, record, ts, pairs, columns | {first: np.nextafter(columns[first].astype(np.float32), np.inf)})

    monkeypatch.setattr(PostgresStore, "publish", wrong)
    with pytest.raises(StoreError, match="differs between"):
        copy_store(full, pg)
