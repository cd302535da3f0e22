"""The store in PostgreSQL."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np
import polars as pl
from psycopg import sql

from fxloom.bars.bars import Bars, Floats, Ints
from fxloom.bars.clock import DAY
from fxloom.bars.days import DaySummary, summarise_days
from fxloom.bars.months import month_bounds, month_of, months_of
from fxloom.engine.partitions import Corruption, DType, PartitionKey, Record, Settings
from fxloom.features.catalogue import tables
from fxloom.stores.base import CorruptError, Part, StoreError
from fxloom.stores.documents import FORMAT, settings_fields, settings_of
from fxloom.stores.frames import joined, scanned
from fxloom.stores.inventory import Inventory
from fxloom.stores.postgres.address import address_of
from fxloom.stores.postgres.binary import Block, checksum, encoded
from fxloom.stores.postgres.connections import Connection, connections_of
from fxloom.stores.postgres.contents import all_days, days_of, inventory_of_schema
from fxloom.stores.postgres.layout import Relation, bars_relation, base_statements, features_relation, schema_statements
from fxloom.stores.postgres.locks import only_writer
from fxloom.stores.postgres.partitions import drop_partition, quoted, ready_parent, write_partition
from fxloom.stores.postgres.query import RowRange, fetch, part_of
from fxloom.stores.postgres.records import frame_of, record_of_row, record_values
from fxloom.stores.postgres.source import BarsSource
from fxloom.stores.postgres.statements import CHECKSUMS, KEYS, MONTHS, PAIRS_STORED, RECORDS, SAVE_MONTH, SAVE_RECORD

T = TypeVar("T")

READS = 3
CHANGED_BARS = "these bars were changed outside fxloom: ingest that month again"


class PostgresStore:
    """A store in one schema of a PostgreSQL database, created by the first write.

    ``url`` may be shown; ``address`` opens the store in another process, may contain the password, and is never shown.
    """

    parallel_writes = False

    def __init__(self, url: str, adopt: bool = False) -> None:
        self._address = address_of(url).with_options(adopt="yes") if adopt else address_of(url)
        self.url = self._address.shown
        self.schema = self._address.schema
        self._connections = connections_of(self._address)
        self._settings: Settings | None = None
        self._source = BarsSource(self._address) if "bars" in self._address.options else None

    @property
    def external_bars(self) -> bool:
        """Whether bars stay in the user's own tables, because the URL has ``bars=``."""
        return self._source is not None

    @property
    def address(self) -> str:
        """The address for ``open_backend`` in another process, which waits for the server as this one does."""
        return self._address.with_options(patience=f"{self._connections.patience:g}").text

    def _run(self, work: Callable[[Connection], T]) -> T:
        return self._connections.run(work)

    def _own(self, name: str) -> sql.Identifier:
        """One of the store's own tables; % is doubled, as statements with parameters require."""
        return sql.Identifier(self.schema.replace("%", "%%"), name)

    def _exists(self, connection: Connection, name: str) -> bool:
        row = connection.execute(
            "select pg_catalog.to_regclass(%s) is not null", [quoted(self.schema, name)]
        ).fetchone()
        return bool(row and row[0])

    def _rows(
        self, connection: Connection, table: str, query: str, values: Any = None, binary: bool = False
    ) -> list[Any]:
        """Rows of one of the store's own tables (``{}`` in the query); none if it does not exist yet."""
        if not self._exists(connection, table):
            return []
        found: list[Any] = connection.execute(
            sql.SQL(query).format(self._own(table)), values or (), binary=binary
        ).fetchall()
        return found

    def _own_rows(self, table: str, query: str, values: Any = None, binary: bool = False) -> list[Any]:
        """``_rows`` in a transaction of its own."""
        return self._run(lambda c: self._rows(c, table, query, values, binary))

    # -- settings ------------------------------------------------------------------------------------------------

    def settings(self) -> Settings | None:
        rows = self._own_rows("settings", "select value from {} where name = 'store'")
        if not rows:
            return None
        try:
            return settings_of(rows[0][0], f"the settings in {self.url}")
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(f"the settings in {self.url} are corrupt ({error}): restore them from a backup") from None

    def write_settings(self, settings: Settings) -> None:
        text = json.dumps(settings_fields(settings))

        def write(connection: Connection) -> None:
            self._make_base(connection)
            query = "insert into {} values ('store', %s) on conflict (name) do update set value = excluded.value"
            connection.execute(sql.SQL(query).format(self._own("settings")), [text])

        self._run(write)
        self._settings = settings

    def _make_base(self, connection: Connection) -> None:
        """Create the schema and the store's own tables if needed; the role needs CREATE only if they do not exist."""
        there = connection.execute("select 1 from pg_catalog.pg_namespace where nspname = %s", [self.schema]).fetchone()
        if there is None:
            for statement in schema_statements(self.schema):
                connection.execute(statement)
        if not self._exists(connection, "quarantine"):
            for statement in base_statements(self.schema):
                connection.execute(statement)

    def _dtype(self) -> DType:
        if self._settings is None:
            self._settings = self.settings()
        return self._settings.dtype if self._settings else "float32"

    # -- bars ----------------------------------------------------------------------------------------------------

    def pairs_with_bars(self) -> list[str]:
        return [pair for (pair,) in self._own_rows("bar_months", PAIRS_STORED)]

    def price_sides(self, pair: str) -> set[str]:
        query = "select distinct price_side from {} where pair = %s"
        return {side for (side,) in self._own_rows("bar_months", query, [pair])}

    def bar_months(self, pair: str) -> dict[str, list[DaySummary]]:
        query = "select month, days from {} where pair = %s order by month"
        rows = self._own_rows("bar_months", query, [pair])
        return {month: days_of(days) for month, days in rows}

    def all_days(self) -> dict[str, dict[str, list[DaySummary]]]:
        return all_days(self._own_rows)

    def month_names(self, pair: str) -> list[str]:
        found = self._own_rows("bar_months", "select month from {} where pair = %s order by month", [pair])
        return [month for (month,) in found]

    def days_of(self, pair: str, month: str) -> list[DaySummary]:
        found = self._own_rows("bar_months", "select days from {} where pair = %s and month = %s", [pair, month])
        return days_of(found[0][0]) if found else []

    def read_bars(self, pair: str, start: int, end: int) -> Bars:
        first, last = month_of(start), month_of(max(start, end - 1))

        def read(connection: Connection) -> list[tuple[str, Bars | None]]:
            """The months with their bars, None for those whose bars do not match their summaries."""
            found: list[tuple[str, Bars | None]] = []
            for month, volume, spread, days in self._rows(connection, "bar_months", MONTHS, [pair, first, last]):
                low, high = month_bounds(month)
                low = max(low, start - start % DAY)
                high = min(high, -(-end // DAY) * DAY)
                bars = self._stored(connection, pair, month, volume, spread, low, high)
                noted = [d for d in days_of(days) if low <= d.first < high]
                found.append((month, bars if summarise_days(bars) == noted else None))
            return found

        for _ in range(READS):  # a month that is being replaced may show old summaries with new rows
            months = self._run(read)
            if all(bars is not None for _, bars in months):
                return joined([bars for _, bars in months if bars is not None]).between(start, end)
        month = next(month for month, bars in months if bars is None)
        raise CorruptError(f"{self._bars_place(pair, month)}: {CHANGED_BARS}")

    def _bars_place(self, pair: str, month: str) -> str:
        if self._source is not None:
            return f"{self._source.schema}.{self._source.table(pair)} {month}"
        return f"{self.schema}.{bars_relation(self.schema, pair).child(month)}"

    def _stored(
        self, connection: Connection, pair: str, month: str, volume: bool, spread: bool, start: int, end: int
    ) -> Bars:
        if self._source is not None:
            return self._source.bars(pair, month).between(start, end)
        relation = bars_relation(self.schema, pair)
        rows = RowRange(relation.identifier, start, end)
        columns = fetch(connection, rows, [name for name, _ in relation.columns], "float64")
        columns["volume"] = columns["volume"] if volume else None
        columns["spread"] = columns["spread"] if spread else None
        return Bars(columns.pop("ts_utc"), **columns)

    def write_bars(self, pair: str, month: str, bars: Bars, side: str = "mid") -> None:
        if months_of(bars.ts) != [month]:
            raise ValueError(f"bars of {pair} {month} extend beyond the month: {months_of(bars.ts)}")
        nothing = np.full(len(bars), np.nan)
        columns = [bars.open, bars.high, bars.low, bars.close, bars.volume, bars.spread]
        block = Block(bars.ts, None, [nothing if c is None else c for c in columns], "float64")
        days = summarise_days(bars)
        plain = json.dumps([list(asdict(day).values()) for day in days])
        noted = [pair, month, len(bars), bars.volume is not None, bars.spread is not None, side, plain]
        if self._source is not None and summarise_days(self._source.bars(pair, month)) != days:
            raise StoreError(
                f"{self.url} reads its bars from existing tables ({self._source.pattern}): write the bars of {pair} "
                "there, then ingest those tables"
            )

        def write(connection: Connection) -> None:
            self._make_base(connection)
            query = "select 1 from {} where pair = %s and month = %s"
            if self._source is None:
                self._write(connection, bars_relation(self.schema, pair), month, block,
                            lambda: bool(self._rows(connection, "bar_months", query, [pair, month])))  # fmt: skip
            connection.execute(sql.SQL(SAVE_MONTH).format(self._own("bar_months")), noted)

        self._run(write)

    def _write(
        self, connection: Connection, relation: Relation, month: str, block: Block, owned: Callable[[], bool]
    ) -> str:
        """Write ``block`` as the partition of ``month``; returns the partition's name."""
        time_type = ready_parent(connection, relation)
        return write_partition(
            connection, relation, month, lambda: encoded(block), lambda: self._address.adopt or owned(), time_type
        )

    def drop_bars(self, pair: str, month: str) -> None:
        def drop(connection: Connection) -> None:
            if self._exists(connection, "bar_months"):
                if self._source is None:
                    drop_partition(connection, bars_relation(self.schema, pair), month)
                query = sql.SQL("delete from {} where pair = %s and month = %s").format(self._own("bar_months"))
                connection.execute(query, [pair, month])

        self._run(drop)

    def set_bars_aside(self, pair: str, month: str) -> str:
        self.drop_bars(pair, month)
        return ""

    # -- features ------------------------------------------------------------------------------------------------

    def _records(
        self, names: Iterable[str] | None, pair: str | None = None, month: str | None = None
    ) -> list[tuple[Record, bool]]:
        values = {"tables": None if names is None else list(names), "pair": pair, "month": month}
        rows = self._own_rows("partitions", RECORDS, values)
        return [(record_of_row(row, self.url), row[-1]) for row in rows]

    def records(self, tables: Iterable[str] | None = None) -> list[Record]:
        return [record for record, there in self._records(tables) if there]

    def inventory(self, tables: Collection[str] | None = None) -> Inventory:
        return inventory_of_schema(self._own_rows, tables, self.schema, self.url)

    def record(self, key: PartitionKey) -> Record | None:
        return next((r for r, there in self._records([key.table], key.pair, key.month) if there), None)

    def partition(self, key: PartitionKey) -> tuple[Record, pl.DataFrame] | None:
        values = {"tables": [key.table], "pair": key.pair, "month": key.month}
        for _ in range(READS):  # a partition that is being replaced may show its old record with new rows
            rows = self._own_rows("partitions", RECORDS, values)
            if not rows or not rows[0][-1]:
                return None
            block = self._block(features_relation(self.schema, tables()[key.table], key.pair, self._dtype()), key)
            if checksum(block) == rows[0][-2]:
                return record_of_row(rows[0], self.url), frame_of(key, block)
        raise CorruptError(
            f"{self.schema} {key}: its rows were changed outside fxloom: populate --force computes it again"
        )

    def verify(self) -> list[Corruption]:
        """Partitions whose rows differ from what was written: something else has changed them."""
        rows = self._own_rows("partitions", CHECKSUMS)
        found = []
        for table, pair, month, expected in rows:
            relation = features_relation(self.schema, tables()[table], pair, self._dtype())
            if checksum(self._block(relation, PartitionKey(table, pair, month))) != expected:
                where = f"{self.schema}.{relation.child(month)}"
                found.append(
                    Corruption(where, "its rows were changed outside fxloom: populate --force computes it again")
                )
        return found

    def _block(self, relation: Relation, key: PartitionKey) -> Block:
        """The rows of a partition as they are stored."""
        dtype, names = self._dtype(), [name for name, _ in relation.columns]
        rows = RowRange(relation.identifier, *month_bounds(key.month), key.pair)
        columns = self._run(lambda c: fetch(c, rows, names, dtype))
        pairs = columns["pair"].tolist() if not key.pair else None
        return Block(columns["ts_utc"], pairs, [columns[name] for name in names], dtype)

    def find_corrupt(self, inventory: Inventory | None = None) -> list[Corruption]:
        """Partitions that have a record but no table, and bars that do not match their record."""
        found = list((inventory or self.inventory()).corrupt)
        rows = self._own_rows("bar_months", "select pair, month from {} order by 1, 2")
        for pair, month in rows:
            try:
                self.read_bars(pair, *month_bounds(month))
            except (StoreError, ValueError):
                found.append(Corruption(self._bars_place(pair, month), CHANGED_BARS))
        return found

    def publish(self, record: Record, ts: Ints, pairs: Sequence[str] | None, columns: dict[str, Floats]) -> None:
        dtype = self._dtype()
        key = record.key
        relation = features_relation(self.schema, tables()[key.table], key.pair, dtype)
        block = Block(ts, pairs, list(columns.values()), dtype)
        query = "select 1 from {} where table_name = %s and pair = %s and month = %s"

        def write(connection: Connection) -> None:
            child = self._write(connection, relation, key.month, block, lambda: bool(
                self._rows(connection, "partitions", query, [key.table, key.pair, key.month])))  # fmt: skip
            fields = record_values(record, child) | {"checksum": checksum(block), "format": FORMAT}
            connection.execute(sql.SQL(SAVE_RECORD).format(self._own("partitions")), fields)

        self._run(write)

    def scan(self, table: str, pairs: Sequence[str] | None, start: int | None, end: int | None) -> pl.LazyFrame | None:
        parts = self.parts(table, pairs, start, end)
        return scanned(tables()[table].names, self._dtype(), parts, pairs) if parts else None

    def parts(
        self, table: str, pairs: Sequence[str] | None, start: int | None, end: int | None
    ) -> list[tuple[PartitionKey, Part]]:
        first = month_of(start) if start is not None else ""
        last = month_of(end - 1) if end is not None else "9999-12"
        keys = self._own_rows("partitions", KEYS, [table, first, last])
        dtype, found = self._dtype(), []
        for pair, month in keys:
            if pairs is None or not pair or pair in pairs:
                low, high = month_bounds(month)
                relation = features_relation(self.schema, tables()[table], pair, dtype)
                rows = RowRange(
                    relation.identifier,
                    low if start is None else max(low, start),
                    high if end is None else min(high, end),
                    pair,
                )
                found.append((PartitionKey(table, pair, month), part_of(self._connections, rows, dtype)))
        return found

    # -- the rest ------------------------------------------------------------------------------------------------

    def quarantine(self, rows: pl.DataFrame, name: str) -> str:
        lines = [
            [name, *(_plain(cell) for cell in row)] for row in rows.select("file", "line", "reason", "text").rows()
        ]

        def write(connection: Connection) -> None:
            self._make_base(connection)
            where = self._own("quarantine")
            connection.execute(sql.SQL("delete from {} where name = %s").format(where), [name])
            query = sql.SQL("insert into {} (name, file, line, reason, text) values (%s, %s, %s, %s, %s)").format(where)
            with connection.cursor() as cursor:
                cursor.executemany(query, lines)

        self._run(write)
        return f"{self.schema}.quarantine where name = '{name}'"

    def keep(self, name: str, text: str) -> str:
        query = (
            "insert into {} values (%s, %s) on conflict (name) do update "
            "set (content, written) = (excluded.content, now())"
        )

        def write(connection: Connection) -> None:
            self._make_base(connection)
            connection.execute(sql.SQL(query).format(self._own("documents")), [name, _plain(text)])

        self._run(write)
        return f"{self.schema}.documents where name = '{name}'"

    def kept(self, name: str) -> str | None:
        query = "select content from {} where name = %s"
        rows = self._own_rows("documents", query, [name])
        return rows[0][0] if rows else None

    @contextlib.contextmanager
    def exclusive(self, purpose: str, wait: float = 0.0) -> Iterator[None]:
        with only_writer(self._connections, self.schema, purpose, wait):
            yield

    def free_bytes(self) -> int | None:
        return None


def _plain(cell: Any) -> Any:
    """``cell`` without NUL, the one character that PostgreSQL's text type cannot hold."""
    return cell.replace("\0", "\ufffd") if isinstance(cell, str) else cell
