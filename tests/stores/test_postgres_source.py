"""Bars in existing tables: copied into a store, or read in place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from psycopg import sql

from fxloom.bars.bars import Bars
from fxloom.bars.months import month_bounds
from fxloom.cli import main
from fxloom.run.copy import same_bars
from fxloom.run.ingest import ingest
from fxloom.run.populate import populate
from fxloom.stores.base import StoreError
from fxloom.stores.folder import FolderStore
from fxloom.stores.postgres import PostgresStore
from fxloom.stores.postgres.address import address_of
from fxloom.stores.postgres.connections import _idle
from fxloom.stores.postgres.source import BarsSource
from tests.markets import chained_bars, with_prices
from tests.stores.databases import connected, database, pg, query, schema, store_url

__all__ = ["database", "pg", "schema"]

FIRST, EDGE = month_bounds("2024-01")
N = 4000
TABLES = ["bollinger", "bqx_momentum"]


def walk(pair: str) -> Bars:
    """Minutes around the end of January, with prices of five digits."""
    generator = np.random.default_rng(len(pair) + ord(pair[0]))
    close = np.round(1.1 + np.cumsum(generator.normal(0, 1e-4, N)), 5)
    ts = EDGE - 2880 + np.arange(N)
    ticks = generator.integers(1, 90, N).astype(np.float64)
    bars = with_prices(chained_bars(ts, close, 1e-5, 1e-5), digits=5)
    return replace(bars, volume=ticks, spread=np.full(N, 2e-5))


COLUMNS = {
    "ours": "ts_utc timestamptz primary key, open float8, high float8, low float8, close float8, volume float8, "
    "spread float8",
    "local names": 'id serial, "time" timestamp primary key, o numeric, h numeric, l numeric, c numeric, '
    "tick_volume int, bid numeric, ask numeric, note text default 'x'",
    "bare": '"time" timestamp primary key, open numeric(10,5), high numeric(10,5), low numeric(10,5), '
    "close numeric(10,5)",
}


def fill(database: str, schema: str, kind: str, pairs: tuple[str, ...] = ("eurusd", "audusd")) -> None:
    """Tables of bars as users might have them."""
    names = {
        "ours": ["ts_utc", "open", "high", "low", "close", "volume", "spread"],
        "local names": ["time", "o", "h", "l", "c", "tick_volume", "bid", "ask"],
        "bare": ["time", "open", "high", "low", "close"],
    }[kind]
    with connected(database) as connection:
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        for pair in pairs:
            table, bars = sql.Identifier(schema, f"Bars {pair.upper()}"), walk(pair)
            connection.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(COLUMNS[kind])))
            listed = sql.SQL(", ").join(map(sql.Identifier, names))
            with (
                connection.cursor() as cursor,
                cursor.copy(sql.SQL("copy {} ({}) from stdin").format(table, listed)) as c,
            ):
                for i in range(N):
                    time = str(np.datetime64(int(bars.ts[i]), "m")) + ("Z" if kind == "ours" else "")
                    row: list[object] = [
                        time,
                        *(repr(float(x[i])) for x in (bars.open, bars.high, bars.low, bars.close)),
                    ]
                    if kind == "ours":
                        row += [bars.volume[i], bars.spread[i]]  # type: ignore[index]
                    if kind == "local names":
                        row += [int(bars.volume[i]), f"{bars.close[i]:.5f}", f"{bars.close[i] + 2e-5:.5f}"]  # type: ignore[index]
                    c.write_row(row)


def source_url(database: str, schema: str, more: str = "") -> str:
    return store_url(database, schema) + "&bars=Bars {PAIR}" + more


def stored(store: FolderStore | PostgresStore, pair: str) -> Bars:
    return store.read_bars(pair, 0, 10**9)


@pytest.mark.parametrize("kind", COLUMNS)
def test_bars_are_read_from_columns_of_any_name(database: str, schema: str, tmp_path: Path, kind: str) -> None:
    fill(database, schema, kind)
    store = FolderStore(tmp_path / "lake")
    reports = ingest(store, [source_url(database, schema)])
    assert [(r.refused, r.pair, r.quarantined) for r in reports] == [
        ("", pair, 0) for pair in ("audusd", "eurusd") for _ in range(2)
    ]
    for pair in ("audusd", "eurusd"):
        got, want = stored(store, pair), walk(pair)
        for name in ("ts", "open", "high", "low", "close"):
            assert np.array_equal(getattr(got, name), getattr(want, name)), name
        if kind == "bare":
            assert got.volume is None
            assert got.spread is None
        else:
            assert np.array_equal(got.volume, want.volume)  # type: ignore[arg-type]
            assert np.allclose(got.spread, 2e-5, rtol=1e-9)  # type: ignore[arg-type]


def test_columns_can_be_named(database: str, schema: str, tmp_path: Path) -> None:
    fill(database, schema, "local names", ("eurusd",))
    query(database, 'alter table {} rename column "time" to moment', f"{schema}/Bars EURUSD")
    query(database, "alter table {} rename column tick_volume to count_of_ticks", f"{schema}/Bars EURUSD")
    store = FolderStore(tmp_path / "lake")
    ingest(store, [source_url(database, schema, "&time=moment&volume=count_of_ticks")])
    assert np.array_equal(stored(store, "eurusd").volume, walk("eurusd").volume)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match=r"no column moments.*it has .*moment"):
        ingest(store, [source_url(database, schema, "&time=moments")])
    with pytest.raises(StoreError, match="no column nothing"):
        ingest(store, [source_url(database, schema, "&time=moment&volume=nothing")])


def test_rows_that_break_a_rule_are_quarantined(database: str, schema: str, tmp_path: Path) -> None:
    fill(database, schema, "ours", ("eurusd",))
    query(database, "update {} set high = low / 2 where ts_utc = '2024-02-01+00'", f"{schema}/Bars EURUSD")
    store = FolderStore(tmp_path / "lake")
    reports = ingest(store, [source_url(database, schema)])
    assert [r.quarantined for r in reports] == [0, 1]
    assert len(stored(store, "eurusd")) == N - 1
    assert EDGE not in stored(store, "eurusd").ts


def test_missing_tables_are_reported(database: str, pg: PostgresStore) -> None:
    reports = ingest(pg, [source_url(database, pg.schema)])
    assert "no table" in reports[0].refused
    with pytest.raises(StoreError, match=r"write \{pair\}"):
        ingest(pg, [store_url(database, pg.schema) + "&bars=all_bars"])


def test_bars_can_stay_in_their_tables(
    database: str, schema: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(database, schema, "local names")
    url = source_url(database, schema)
    assert main(["ingest", "--store", url, url]) == 0
    store = PostgresStore(url)
    folder = FolderStore(tmp_path / "lake")
    ingest(folder, [url])
    assert same_bars(stored(store, "eurusd"), stored(folder, "eurusd"))
    for each in (store, folder):
        assert not populate(each, tables=TABLES, workers=1).troubles
    prints = [{r.key: r.fingerprint for r in s.records()} for s in (store, folder)]
    assert prints[0] == prints[1]
    assert query(database, "select to_regclass('{}') is null", f"{schema}/m1_eurusd") == [(True,)]
    # later rows and changed numbers are detected when the bars are ingested again
    assert store.find_corrupt() == []
    query(database, "delete from {} where time = '2024-02-01 00:30'", f"{schema}/Bars EURUSD")
    assert len(store.find_corrupt()) == 1
    assert main(["ingest", "--store", url, url]) == 0
    assert store.find_corrupt() == []
    assert populate(store, tables=TABLES, workers=1).count("done") == len(TABLES) + 1
    capsys.readouterr()


def test_bars_that_differ_from_the_tables_are_refused(database: str, schema: str) -> None:
    fill(database, schema, "ours")
    url = source_url(database, schema)
    ingest(PostgresStore(url), [url])
    bars = walk("eurusd").between(FIRST, EDGE)
    with pytest.raises(StoreError, match="reads its bars from existing tables"):
        PostgresStore(url).write_bars("eurusd", "2024-01", bars.take(slice(5, None)))


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "Pacific/Kiritimati"])
def test_time_zones_of_environment_and_server_do_not_matter(
    zone: str, database: str, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Months are derived from a table's first and last time, which the session's zone could shift."""
    fill(database, schema, "ours", ("eurusd",))
    bars = walk("eurusd")
    edges = [month_bounds("2024-01")[0], month_bounds("2024-04")[0] - 1]  # the first and the last minute of months
    with connected(database) as connection:
        for ts in edges:
            row = sql.SQL("insert into {} values (to_timestamp({}), 1.1, 1.1, 1.1, 1.1, 1, 0)")
            connection.execute(row.format(sql.Identifier(schema, "Bars EURUSD"), sql.Literal(60 * ts)))
    monkeypatch.setenv("PGTZ", zone)
    monkeypatch.setenv("PGOPTIONS", f"-c TimeZone={zone} -c DateStyle=German")
    _idle.cache_clear()
    source = BarsSource(address_of(f"{store_url(database, schema)}&bars=Bars {{PAIR}}"))
    found = [source.bars("eurusd", month) for month in source.months("eurusd")]
    _idle.cache_clear()
    assert sorted(int(ts) for b in found for ts in b.ts) == sorted([*bars.ts.tolist(), *edges])
