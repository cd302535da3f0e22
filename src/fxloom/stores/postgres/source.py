"""Reads bars from the user's own tables, a month at a time; names are recognised, or given in the URL.

    postgresql://host/database?schema=public&bars=m1_{pair}&time=time&volume=ticks&bid=bid&ask=ask

``bars`` is the name of the tables, with {pair} (or {PAIR} for capitals); the other options name columns that are not
recognised. The rules for bars in files apply: rows that break one are quarantined with their line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from psycopg import sql

from fxloom.bars.bars import Bars
from fxloom.bars.pairs import PAIRS
from fxloom.sources.layout import BARS
from fxloom.sources.options import ReadOptions
from fxloom.sources.reading import read_entry
from fxloom.sources.records import FileResult, Refused, SourceFile
from fxloom.sources.walk import Entry
from fxloom.stores.base import StoreError
from fxloom.stores.frames import empty_bars
from fxloom.stores.postgres.address import Address, address_of
from fxloom.stores.postgres.connections import Connection, connections_of
from fxloom.stores.postgres.layout import TIMES, bounds
from fxloom.stores.postgres.partitions import COLUMNS, quoted

ROLES = (*BARS, "volume", "spread", "bid", "ask")
NUMBERS = ("real", "double precision", "numeric", "bigint", "integer", "smallint")
TIME_NAMES = ("ts_utc", "time", "timestamp", "ts", "datetime")
CLOSES = {"c", "close_price", "closeprice", "last"}
STAMP = "YYYY-MM-DD HH24:MI:SS"


def read_tables(url: str, pair: str | None = None) -> Iterator[FileResult]:
    """The bars of every pair's table (or of ``pair`` only), one result per month.

    StoreError if the database cannot be read or a table has no column of times.
    """
    source = BarsSource(address_of(url))
    pairs = source.pairs() if pair is None else [pair.lower()]
    if not pairs:
        yield Refused(
            f"no table matches {source.schema}.{source.pattern} for any pair",
            "set ?schema= and &bars= in the URL",
            name=source.shown,
        )
    for each in pairs:
        for month in source.months(each):
            if (found := source.month(each, month)) is not None:
                yield found


class BarsSource:
    """Tables of bars, one per pair, named by the URL's options."""

    def __init__(self, address: Address) -> None:
        self.shown = address.shown
        self.pattern = address.options.get("bars", "m1_{pair}")
        self.schema = address.options.get("schema", "public")
        if "." in self.pattern:
            self.schema, _, self.pattern = self.pattern.partition(".")
        if not {"{pair}", "{PAIR}"} & {self.pattern[i : i + 6] for i in range(len(self.pattern))}:
            raise StoreError(f"bars={self.pattern} names a single table: write {{pair}} in place of the pair")
        self.named = {role: name for role, name in address.options.items() if role in (*ROLES, "time")}
        self._connections = connections_of(address)

    def table(self, pair: str) -> str:
        return self.pattern.replace("{pair}", pair).replace("{PAIR}", pair.upper())

    def pairs(self) -> list[str]:
        """The pairs that have a table."""
        names = [quoted(self.schema, self.table(pair)) for pair in PAIRS]
        query = (
            "select i from unnest(%s::text[]) with ordinality t (name, i) "
            "where pg_catalog.to_regclass(name) is not null"
        )
        rows = self._connections.run(lambda c: c.execute(query, [names]).fetchall())
        return sorted(PAIRS[i - 1] for (i,) in rows)

    def months(self, pair: str) -> list[str]:
        """The months ("YYYY-MM") from the first to the last bar of ``pair``, found with the table's index."""
        time, _ = self._columns(pair)
        query = sql.SQL("select min({0}), max({0}) from {1}").format(
            sql.Identifier(time), sql.Identifier(self.schema, self.table(pair))
        )
        row = self._connections.run(lambda c: c.execute(query).fetchone())
        if row is None or row[0] is None:
            return []
        first, last = (moment.year * 12 + moment.month - 1 for moment in row)
        return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(first, last + 1)]

    def month(self, pair: str, month: str) -> FileResult | None:
        """The checked bars of one month; None if there are none."""
        name = f"{self.schema}.{self.table(pair)} {month}"
        time, columns = self._columns(pair)
        text = self._connections.run(lambda c: self._text(c, pair, month, time, columns))
        if text.count(b"\n") < 2:
            return None
        (found,) = read_entry(Entry(name, (name,), lambda: text), ReadOptions(pair, zone="utc", stamp="open"))
        return replace(found, format="postgresql") if isinstance(found, SourceFile) else found

    def bars(self, pair: str, month: str) -> Bars:
        """The valid bars of a month."""
        found = self.month(pair, month)
        return found.bars if isinstance(found, SourceFile) else empty_bars()

    def _columns(self, pair: str) -> tuple[str, dict[str, str]]:
        """The name of the time column, and all columns with their types."""
        table = quoted(self.schema, self.table(pair))
        columns = dict(self._connections.run(lambda c: c.execute(COLUMNS, [table]).fetchall()))
        if not columns:
            raise StoreError(f"{self.shown} has no table {self.schema}.{self.table(pair)}")
        times = [name for name, kind in columns.items() if kind.split("(")[0] + kind.partition(")")[2] in TIMES]
        named = [n for n in TIME_NAMES if n in times] or times
        time = self.named.get("time") or (named[0] if named else "")
        if time not in times:
            raise StoreError(
                f"{self.schema}.{self.table(pair)} has no column {time or 'of type timestamp'}"
                f"{' of type timestamp' if time else ''}: name it with &time=; it has {', '.join(columns)}"
            )
        return time, columns

    def _text(self, connection: Connection, pair: str, month: str, name: str, columns: dict[str, str]) -> bytes:
        """A month as CSV with a header, to which the rules for files can be applied."""
        time, (first, end) = sql.Identifier(name), bounds(month)
        moment = sql.SQL("{} at time zone 'UTC'" if columns[name].endswith(" with time zone") else "{}")
        query = sql.SQL(
            "copy (select to_char({}, {}) as ts_utc, {} from {} where {} >= {} and {} < {} order by {}) "
            "to stdout (format csv, header)"
        ).format(
            moment.format(time), sql.Literal(STAMP), sql.SQL(", ").join(self._selected(columns)),
            sql.Identifier(self.schema, self.table(pair)), time, sql.Literal(first), time, sql.Literal(end), time,
        )  # fmt: skip
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            return b"".join(bytes(piece) for piece in copy)

    def _selected(self, columns: dict[str, str]) -> Iterator[sql.Composable]:
        """The numeric columns under the names that the rules use; with a close, bid and ask only give the spread."""
        numbers = [name for name, kind in columns.items() if kind.partition("(")[0] in NUMBERS]
        missing = sorted(set(self.named.values()) - set(columns))
        if missing:
            raise StoreError(
                f"{self.schema}.{self.pattern} has no column {', '.join(missing)}: correct the URL's options"
            )
        roles = {role: name for role, name in self.named.items() if role in ROLES}
        roles |= {role: role for role in ROLES if role in numbers and role not in roles}
        if {"bid", "ask"} <= set(roles) and ("close" in roles or {n.lower() for n in numbers} & CLOSES):
            bid, ask = roles.pop("bid"), roles.pop("ask")
            numbers = [name for name in numbers if name not in (bid, ask)]
            if "spread" not in roles:
                yield sql.SQL("{} - {} as spread").format(sql.Identifier(ask), sql.Identifier(bid))
        for role, name in roles.items():
            yield sql.SQL("{} as {}").format(sql.Identifier(name), sql.Identifier(role))
        for name in numbers:
            if name not in roles.values() and name not in roles:
                yield sql.Identifier(name)
