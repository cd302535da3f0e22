"""The PostgreSQL store on a real server: the conformance suite, and what only a database can do."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import psycopg
import pytest
from psycopg import sql

from fxloom.bars.pairs import PairInfo
from fxloom.engine.partitions import Corruption, PartitionKey, Record, Settings
from fxloom.stores.base import CorruptError, NewerFormatError, StoreError
from fxloom.stores.postgres import PostgresStore
from fxloom.stores.postgres import store as store_module
from fxloom.stores.postgres.binary import Block, encoded
from fxloom.stores.postgres.connections import Connection, Connections
from tests.stores.conformance import (
    MARCH,
    TABLE,
    StoreConformance,
    catalogue_columns,
    same_bars,
    some_bars,
    some_columns,
    some_record,
)
from tests.stores.databases import TS, connected, database, drop_schema, lake, pg, query, schema, store_url

__all__ = ["database", "lake", "pg", "schema"]

CHILD = f"{TABLE}_eurusd_2018_03"
PARENT = f"{TABLE}_eurusd"


class TestPostgresStore(StoreConformance):
    @pytest.fixture
    def store(self, pg: PostgresStore) -> PostgresStore:
        return pg


def values(store: PostgresStore) -> list[float | None]:
    """The last row's first feature, as another reader of the parent table sees it."""
    name = catalogue_columns()[0]
    text = f"select {name} from {{}} order by ts_utc desc limit 1"
    return [row[0] for row in query(store.address.partition("&schema")[0], text, f"{store.schema}/{PARENT}")]


@pytest.fixture
def disturbed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Functions appended to this list are called once each, in the middle of the next COPY."""
    pending: list[Any] = []

    def interrupted(block: Block) -> Iterator[bytes | memoryview]:
        pieces = encoded(block)
        yield next(pieces)
        if pending:
            pending.pop(0)()
        yield from pieces

    monkeypatch.setattr(store_module, "encoded", interrupted)
    return pending


# -- layout ----------------------------------------------------------------------------------------------------------


def test_tables_are_partitioned_by_month_and_commented(lake: PostgresStore, database: str) -> None:
    shape = "select relkind::text, relispartition from pg_class where oid = to_regclass('{}')"
    assert query(database, shape, f"{lake.schema}/{PARENT}") == [("p", False)]
    assert query(database, shape, f"{lake.schema}/{CHILD}") == [("r", True)]
    assert query(database, shape, f"{lake.schema}/m1_eurusd_2018_03") == [("r", True)]
    keys = "select pg_get_constraintdef(oid) from pg_constraint where contype = 'p' and conrelid = '{}'::regclass"
    assert query(database, keys, f"{lake.schema}/{CHILD}") == [("PRIMARY KEY (ts_utc)",)]
    kinds = "select distinct format_type(atttypid, -1) from pg_attribute where attrelid = '{}'::regclass and attnum > 1"
    assert query(database, kinds, f"{lake.schema}/{CHILD}") == [("real",)]
    said = query(database, "select col_description('{}'::regclass, 2)", f"{lake.schema}/{PARENT}")[0][0]
    assert "first after" in said


def test_missing_values_are_null(lake: PostgresStore, database: str) -> None:
    name = catalogue_columns()[0]
    counts = query(database, f"select count(*), count({name}) from {{}}", f"{lake.schema}/{CHILD}")
    assert counts == [(200, 197)]


def test_a_query_of_one_month_touches_one_partition(lake: PostgresStore, database: str) -> None:
    lake.publish(some_record(month="2018-04"), MARCH + 31 * 1440 + np.arange(200), None, some_columns())
    text = "explain select * from {} where ts_utc >= '2018-03-05+00' and ts_utc < '2018-03-06+00'"
    plan = " ".join(line for (line,) in query(database, text, f"{lake.schema}/{PARENT}"))
    assert "2018_03" in plan
    assert "2018_04" not in plan


def test_a_partition_is_attached_without_a_scan(lake: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    connect = Connections.connect

    def listening(self: Connections, name: str = "fxloom") -> Connection:
        connection = connect(self, name)
        connection.execute("set client_min_messages = debug1")
        connection.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
        return connection

    monkeypatch.setattr(Connections, "connect", listening)
    lake._connections.close()
    lake.publish(some_record(month="2018-04"), MARCH + 31 * 1440 + np.arange(200), None, some_columns())
    lake._connections.close()
    reported = [m for m in heard if "partition constraint" in m]
    assert any("is implied by existing constraints" in m for m in reported), reported


def test_printed_ddl_creates_what_the_store_creates(lake: PostgresStore, database: str) -> None:
    from fxloom.features.catalogue import tables
    from fxloom.stores.postgres.layout import ddl

    columns = (
        "select attname, format_type(atttypid, -1), attnotnull from pg_attribute "
        "where attrelid = '{}'::regclass and attnum > 0 order by attnum"
    )
    made = query(database, columns, f"{lake.schema}/{PARENT}")
    other = lake.schema + " of ddl"
    try:
        with connected(database) as connection:
            connection.execute(ddl(other, [tables()[TABLE]], "float32").encode())
        assert query(database, columns, f"{other}/{PARENT}") == made
        store = PostgresStore(store_url(database, other))
        store.write_settings(Settings(MARCH))
        store.publish(some_record(), TS, None, some_columns())
        assert store.records() == [some_record()]
    finally:
        from tests.stores.databases import drop_schema

        drop_schema(database, other)


def test_the_ddl_is_printed_without_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    from fxloom.bars.pairs import PAIRS
    from fxloom.cli import main
    from fxloom.features.catalogue import tables

    assert main(["init", "--ddl", "--store", "postgresql://me:s3cret@nowhere.invalid/db?schema=team x"]) == 0
    out = capsys.readouterr().out
    assert "s3cret" not in out
    assert out.count('create table if not exists "team x".') == 5 + 28 + 28 * (len(tables()) - 1) + 1
    assert out.count(") partition by range (ts_utc);") == 28 + 28 * (len(tables()) - 1) + 1
    assert all(f'"m1_{pair}"' in out for pair in PAIRS)


# -- foreign tables --------------------------------------------------------------------------------------------------


def premade(lake: PostgresStore, database: str, columns: str = "") -> None:
    """A partition for April created ahead by another team, under its own name."""
    text = "create table {} partition of {} for values from ('2018-04-01+00') to ('2018-05-01+00')" + columns
    query(database, text, f"{lake.schema}/april", f"{lake.schema}/{PARENT}")


def test_empty_partitions_made_ahead_are_filled(lake: PostgresStore, database: str) -> None:
    premade(lake, database)
    april = some_record(month="2018-04")
    for _ in range(2):  # the second time it holds our rows, which are replaced
        lake.publish(april, MARCH + 31 * 1440 + np.arange(200), None, some_columns())
        assert query(database, "select count(*) from {}", f"{lake.schema}/april") == [(200,)]
        assert april in lake.records()


def test_rows_without_a_record_are_replaced_only_with_adopt(lake: PostgresStore, database: str) -> None:
    premade(lake, database)
    query(database, "insert into {} (ts_utc) values ('2018-04-02+00')", f"{lake.schema}/april")
    april, ts = some_record(month="2018-04"), MARCH + 31 * 1440 + np.arange(200)
    with pytest.raises(StoreError, match=r"april has rows without a record in this store.*--adopt"):
        lake.publish(april, ts, None, some_columns())
    assert query(database, "select count(*) from {}", f"{lake.schema}/april") == [(1,)]
    PostgresStore(lake.address, adopt=True).publish(april, ts, None, some_columns())
    assert query(database, "select count(*) from {}", f"{lake.schema}/april") == [(200,)]


def test_tables_with_other_columns_are_refused_with_the_difference(lake: PostgresStore, database: str) -> None:
    name = catalogue_columns()[3]
    query(database, f"alter table {{}} drop column {name}, add column extra text", f"{lake.schema}/{PARENT}")
    with pytest.raises(StoreError, match=f"lacks {name} real; also has extra text"):
        lake.publish(some_record(), TS, None, some_columns())


def test_a_table_that_is_not_partitioned_is_refused(pg: PostgresStore, database: str) -> None:
    pg.write_settings(Settings(MARCH))
    query(database, "create table {} (ts_utc timestamptz)", f"{pg.schema}/{PARENT}")
    with pytest.raises(StoreError, match="not partitioned"):
        pg.publish(some_record(), TS, None, some_columns())


def test_bars_changed_and_partitions_dropped_by_others_are_detected(lake: PostgresStore, database: str) -> None:
    assert lake.find_corrupt() == []
    query(database, "update {} set high = high * 2 where ts_utc = '2018-03-01 01:00+00'", f"{lake.schema}/m1_eurusd")
    query(database, "drop table {}", f"{lake.schema}/{CHILD}")
    bars, gone = sorted(lake.find_corrupt(), key=lambda d: "m1_" not in d.where)
    assert isinstance(bars, Corruption)
    assert "m1_eurusd_2018_03" in bars.where
    assert TABLE in gone.where
    assert lake.records() == []
    lake.publish(some_record(), TS, None, some_columns())
    assert lake.records() == [some_record()]


def test_values_changed_by_others_fail_their_checksum(lake: PostgresStore, database: str) -> None:
    assert lake.verify() == []
    name = catalogue_columns()[2]
    update = f"update {{}} set {name} = {name} + 1e-6 where ts_utc = '2018-03-01 01:00+00'"
    query(database, update, f"{lake.schema}/{PARENT}")
    assert [d.where for d in lake.verify()] == [f"{lake.schema}.{CHILD}"]


# -- concurrent readers and writers ----------------------------------------------------------------------------------


def test_a_reader_sees_the_old_partition_until_the_commit(lake: PostgresStore, disturbed: list[Any]) -> None:
    seen: list[float | None] = []
    disturbed.append(lambda: seen.extend(values(lake)))
    lake.publish(some_record(fingerprint="f2"), TS, None, some_columns(value=7.0))
    assert seen == [0.5]
    assert values(lake) == [7.0]


def test_an_older_snapshot_sees_a_whole_partition(lake: PostgresStore, database: str) -> None:
    with connected(database) as reader:
        reader.execute("begin isolation level repeatable read")
        reader.execute("select 1 from pg_class limit 1")
        lake.publish(some_record(fingerprint="f2"), TS, None, some_columns(value=7.0))
        count = reader.execute(
            sql.SQL("select count(*) from {}").format(sql.Identifier(lake.schema, PARENT))
        ).fetchone()
        assert count == (200,)


def test_a_long_reader_delays_only_the_writer(lake: PostgresStore, database: str) -> None:
    parent = sql.Identifier(lake.schema, PARENT)
    with connected(database) as reader:
        reader.execute("begin")
        reader.execute(sql.SQL("select count(*) from {}").format(parent))
        writer = threading.Thread(
            target=lambda: lake.publish(some_record(fingerprint="f2"), TS, None, some_columns(value=7.0))
        )
        writer.start()
        waiting = "select 1 from pg_locks where mode = 'AccessExclusiveLock' and not granted"
        while writer.is_alive() and not query(database, waiting):
            time.sleep(0.01)
        with connected(database) as other:
            other.execute("set statement_timeout = '30s'")
            for _ in range(5):
                assert other.execute(sql.SQL("select count(*) from {}").format(parent)).fetchone() == (200,)
        assert writer.is_alive()
        assert lake.records() == [some_record()]
        reader.execute("commit")
    writer.join(60)
    assert lake.records() == [some_record(fingerprint="f2")]
    assert values(lake) == [7.0]


def test_a_killed_backend_is_replaced_and_the_write_repeated(
    lake: PostgresStore, database: str, disturbed: list[Any]
) -> None:
    def kill() -> None:
        ours = (
            "select pg_terminate_backend(pid) from pg_stat_activity where state = 'active' and query ilike 'copy%' "
            f"and strpos(query, '{lake.schema.split(chr(34))[1]}') > 0"
        )
        assert query(database, ours) == [(True,)]

    disturbed += [kill, kill]
    lake.publish(some_record(fingerprint="f2"), TS, None, some_columns(value=7.0))
    assert disturbed == []
    assert lake.records() == [some_record(fingerprint="f2")]
    assert values(lake) == [7.0]


@pytest.mark.parametrize("error", [psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected])
def test_retryable_transactions_are_retried(
    lake: PostgresStore, disturbed: list[Any], error: type[psycopg.Error]
) -> None:
    def fail() -> None:
        raise error("try again")

    disturbed.append(fail)
    lake.publish(some_record(fingerprint="f2"), TS, None, some_columns(value=7.0))
    assert values(lake) == [7.0]


def test_a_failed_write_leaves_the_older_partition(lake: PostgresStore, disturbed: list[Any]) -> None:
    def fail() -> None:
        raise psycopg.errors.DiskFull("no space left on device")

    disturbed.append(fail)
    with pytest.raises(StoreError, match="no space"):
        lake.publish(some_record(fingerprint="f2"), TS, None, some_columns(value=7.0))
    assert lake.records() == [some_record()]
    assert values(lake) == [0.5]


def test_many_writers_of_one_parent_do_not_deadlock(lake: PostgresStore) -> None:
    months = [f"2018-{m:02d}" for m in range(3, 11)]
    firsts = [MARCH, *(MARCH + 1440 * d for d in (31, 61, 92, 122, 153, 184, 214))]

    def write(worker: int) -> None:
        store = PostgresStore(lake.address)
        for k in range(3):
            for month, first in list(zip(months, firsts, strict=True))[worker::2]:
                record = some_record(month=month, fingerprint=f"f{k}")
                store.publish(record, first + np.arange(200), None, some_columns(value=k))

    threads = [threading.Thread(target=write, args=(w,)) for w in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert {(r.key.month, r.fingerprint) for r in lake.records()} == {(m, "f2") for m in months}


def test_the_lock_holder_is_named(lake: PostgresStore) -> None:
    from fxloom.system.lock import LockedError

    with lake.exclusive("populate"):
        with pytest.raises(LockedError, match=r"in use: populate, process \d+ on "), lake.exclusive("ingest"):
            pass
        with pytest.raises(LockedError), PostgresStore(lake.address).exclusive("ingest", wait=0.2):
            pass


def test_a_released_lock_is_free_at_once(lake: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server ends a closed session some time later, here not at all; the next command finds the store free."""
    kept = []

    def left_open(connection: Any) -> contextlib.nullcontext[Any]:
        kept.append(connection)
        return contextlib.nullcontext(connection)

    monkeypatch.setattr(contextlib, "closing", left_open)
    for _ in range(2):
        with lake.exclusive("ingest"):
            pass
    for connection in kept:
        connection.close()


def test_a_record_of_all_pairs_keeps_its_key(pg: PostgresStore, database: str) -> None:
    from fxloom.features.catalogue import tables

    table = "cross_sectional_panel"
    pg.write_settings(Settings(MARCH))
    columns = {name: np.arange(4.0) for name in tables()[table].names}
    record = Record(PartitionKey(table, "", "2018-03"), "f", 4, 1, "2026-01-01T00:00:00Z")
    pg.publish(record, MARCH + np.array([0, 0, 1, 1]), ["eurusd", "usdjpy"] * 2, columns)
    keys = "select pg_get_constraintdef(oid) from pg_constraint where contype = 'p' and conrelid = '{}'::regclass"
    assert query(database, keys, f"{pg.schema}/{table}_2018_03") == [("PRIMARY KEY (ts_utc, pair)",)]


# -- names, formats, changes -----------------------------------------------------------------------------------------


def test_a_schema_may_have_a_per_cent_sign(database: str) -> None:
    name = f"50 %s off {time.time_ns()} %"
    store = PostgresStore(store_url(database, name))
    try:
        store.write_settings(Settings(MARCH, "float32", {"eurusd": PairInfo(1.2, True, False, "bid")}))
        store.write_bars("eurusd", "2018-03", some_bars())
        store.publish(some_record(), TS, None, some_columns())
        store.keep("a", "b")
        store.quarantine(pl.DataFrame({"file": ["a"], "line": [3], "reason": ["r"], "text": ["100 %"]}), "bad")
        again = PostgresStore(store_url(database, name))
        assert again.settings() == store.settings()
        assert again.records() == [some_record()]
        assert (again.kept("a"), again.pairs_with_bars()) == ("b", ["eurusd"])
        assert (again.find_corrupt(), again.verify()) == ([], [])
        assert len(again.read_bars("eurusd", MARCH, MARCH + 1440)) == 200
        again.drop_bars("eurusd", "2018-03")
        assert again.pairs_with_bars() == []
    finally:
        drop_schema(database, name)


def test_changed_settings_are_detected_and_later_versions_left_alone(
    lake: PostgresStore, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"{lake.schema}/settings"
    query(database, "update {} set value = replace(value::text, '1.2', '1.3')::json", where)
    with pytest.raises(StoreError, match=r"settings in .* are corrupt \(its checksum"):
        PostgresStore(lake.address).settings()
    monkeypatch.setattr("fxloom.stores.documents.FORMAT", 2)
    lake.write_settings(Settings(MARCH))
    monkeypatch.undo()
    with pytest.raises(NewerFormatError, match="later version of fxloom"):
        PostgresStore(lake.address).settings()
    query(database, "update {} set format = 2", f"{lake.schema}/partitions")
    with pytest.raises(NewerFormatError, match=f"{TABLE} eurusd 2018-03 was written by a later version"):
        lake.records()


@pytest.mark.parametrize(
    "change",
    [
        "delete from {} where volume = 7",
        "update {} set close = close + 1 where volume = 7",
        "update {} set volume = null where volume = 7",
    ],
)
def test_bars_changed_by_others_are_not_read(change: str, lake: PostgresStore, database: str) -> None:
    query(database, change, f"{lake.schema}/m1_eurusd")
    with pytest.raises(
        CorruptError, match=r"m1_eurusd_2018_03: these bars were changed outside fxloom: ingest that month"
    ):
        lake.read_bars("eurusd", MARCH, MARCH + 5)
    assert [c.where.endswith("m1_eurusd_2018_03") for c in lake.find_corrupt()] == [True]
    lake.set_bars_aside("eurusd", "2018-03")
    lake.write_bars("eurusd", "2018-03", some_bars())
    assert same_bars(lake.read_bars("eurusd", MARCH, MARCH + 10_000), some_bars())


def test_rows_changed_by_others_are_not_a_partition(lake: PostgresStore, database: str) -> None:
    found = lake.partition(some_record().key)
    assert found is not None
    assert (found[0], found[1].height) == (some_record(), 200)
    query(database, f"update {{}} set {catalogue_columns()[1]} = 0", f"{lake.schema}/{CHILD}")
    with pytest.raises(CorruptError, match="its rows were changed outside fxloom"):
        lake.partition(some_record().key)
