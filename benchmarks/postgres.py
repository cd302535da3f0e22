"""Write speed of a partition to PostgreSQL: ours, a bare COPY of prepared buffers, ADBC, and row by row.

    python -m benchmarks.postgres [--rounds 7]

One new partition of an existing table is committed: 30,000 rows of 90 real columns, keyed by time. "ours" includes
building the buffers, the checks, attaching and the record; the bare COPY only sends prepared buffers into a new keyed
table. The methods take turns, so that other load affects all of them alike; the best and the median are reported. The
server is the tests' (FXLOOM_TEST_POSTGRES, the wheel, or the installed one), without fsync if the tests start it. ADBC
and execute_values run if adbc-driver-postgresql and psycopg2-binary are installed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import sql

from fxloom.bars.months import month_bounds
from fxloom.engine.partitions import PartitionKey, Record, Settings
from fxloom.features.catalogue import tables
from fxloom.stores.postgres import PostgresStore
from fxloom.stores.postgres.binary import Block, encoded

ROWS, TABLE = 30_000, "reg_rate"
FIRST = month_bounds("2018-03")[0]
Way = Callable[[int], None]


def synthetic(missing: int) -> dict[str, np.ndarray]:
    """Columns of noise; the first ``missing`` rows have no value, as before a warm-up."""
    generator = np.random.default_rng(0)
    columns = {name: generator.normal(size=ROWS) for name in tables()[TABLE].names}
    for column in columns.values():
        column[:missing] = np.nan
    return columns


class Bench:
    """One database, one schema, and several ways to write the same rows."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.schema = f"bench_{uuid.uuid4().hex[:8]}"
        self.store = PostgresStore(f"{url}{'&' if '?' in url else '?'}schema={self.schema}")
        self.store.write_settings(Settings(FIRST))
        self.columns = synthetic(0)
        self.ts = FIRST + np.arange(ROWS)
        self.connection = psycopg.connect(url, autocommit=True)
        self.ready = [bytes(p) for p in encoded(Block(self.ts, None, list(self.columns.values()), "float32"))]
        self.bytes = sum(map(len, self.ready))

    def create(self, name: str) -> sql.Identifier:
        """Create an empty keyed table, outside the measured time."""
        where = sql.Identifier(self.schema, name)
        columns = sql.SQL(", ").join(sql.SQL("{} real").format(sql.Identifier(c)) for c in self.columns)
        self.connection.execute(sql.SQL("drop table if exists {}").format(where))
        self.connection.execute(sql.SQL("create table {} (ts_utc timestamptz primary key, {})").format(where, columns))
        return where

    def ours(self, turn: int) -> float:
        record = Record(PartitionKey(TABLE, "eurusd", "2018-03"), f"f{turn}", ROWS, 1, "2026-01-01T00:00:00Z")
        self.connection.execute(
            sql.SQL("drop table if exists {}").format(sql.Identifier(self.schema, f"{TABLE}_eurusd_2018_03"))
        )
        return timed(lambda: self.store.publish(record, self.ts, None, self.columns))

    def ours_with_gaps(self, turn: int) -> float:
        whole, self.columns = self.columns, synthetic(200)
        try:
            return self.ours(turn)
        finally:
            self.columns = whole

    def replacing(self, turn: int) -> float:
        """Ours, replacing an existing partition."""
        record = Record(PartitionKey(TABLE, "eurusd", "2018-03"), f"g{turn}", ROWS, 1, "2026-01-01T00:00:00Z")
        return timed(lambda: self.store.publish(record, self.ts, None, self.columns))

    def bare(self, _turn: int) -> float:
        where = self.create("bare")

        def send() -> None:
            statement = sql.SQL("copy {} from stdin (format binary)").format(where)
            with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
                for piece in self.ready:
                    copy.write(piece)

        return timed(send)

    def adbc(self, _turn: int) -> float:
        import adbc_driver_postgresql.dbapi as adbc

        self.create("adbc")
        times = pa.array(self.ts * 60_000_000, type=pa.timestamp("us", tz="UTC"))
        with adbc.connect(self.url) as connection, connection.cursor() as cursor:

            def send() -> None:
                values = {name: pa.array(column.astype(np.float32)) for name, column in self.columns.items()}
                table = pa.table({"ts_utc": times, **values})
                cursor.adbc_ingest("adbc", table, mode="append", db_schema_name=self.schema)
                connection.commit()

            return timed(send)

    def execute_values(self, _turn: int) -> float:
        import psycopg2
        from psycopg2.extras import execute_values

        self.create("rows")
        connection = psycopg2.connect(self.url)

        def send() -> None:
            import datetime as dt

            start = dt.datetime(2018, 3, 1, tzinfo=dt.UTC)
            times = [start + dt.timedelta(minutes=i) for i in range(ROWS)]
            rows = list(zip(times, *(column.tolist() for column in self.columns.values()), strict=True))
            with connection.cursor() as cursor:
                execute_values(cursor, f'insert into {self.schema}."rows" values %s', rows, page_size=1000)
            connection.commit()

        try:
            return timed(send)
        finally:
            connection.close()

    def close(self) -> None:
        self.connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(self.schema)))
        self.connection.close()


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measured(bench: Bench, rounds: int) -> dict[str, dict[str, float]]:
    ways: dict[str, Callable[[int], float]] = {
        "bare COPY of ready buffers": bench.bare, "fxloom, buffers built": bench.ours,
        "fxloom, 200 rows with gaps": bench.ours_with_gaps, "fxloom, replacing": bench.replacing, "ADBC": bench.adbc,
    }  # fmt: skip
    times: dict[str, list[float]] = {name: [] for name in [*ways, "execute_values"]}
    for turn in range(rounds):
        for name, way in ways.items():
            times[name].append(way(turn))
        if turn < 2:
            times["execute_values"].append(bench.execute_values(turn))
    return {name: _figures(found, bench.bytes, times["bare COPY of ready buffers"]) for name, found in times.items()}


def _figures(seconds: list[float], size: int, bare: list[float]) -> dict[str, float]:
    best, median = min(seconds), statistics.median(seconds)
    return {
        "best ms": 1e3 * best, "median ms": 1e3 * median, "MB/s": size / best / 1e6, "rows/s": ROWS / best,
        "of bare": min(bare) / best, "of bare, medians": statistics.median(bare) / median,
    }  # fmt: skip


def servers() -> Iterator[str]:
    named = os.environ.get("FXLOOM_TEST_POSTGRES")
    if named:
        yield named
        return
    from tests.stores.server import running

    yield from (server.url for server in running())


def main() -> dict[str, dict[str, float]]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    found: dict[str, dict[str, float]] = {}
    for url in servers():
        bench = Bench(url)
        try:
            found = measured(bench, rounds)
        finally:
            bench.close()
    print(json.dumps(found, indent=1, default=lambda v: round(v, 3)))
    return found


if __name__ == "__main__":
    main()
