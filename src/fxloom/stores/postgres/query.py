"""Reads rows from PostgreSQL by binary COPY, one month of one table at a time, as arrays or frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from psycopg import sql

from fxloom.bars.months import MICROSECONDS_PER_MINUTE
from fxloom.stores.base import Part
from fxloom.stores.postgres.binary import decoded
from fxloom.stores.postgres.connections import Connection, Connections
from fxloom.stores.postgres.layout import SQL_TYPES


@dataclass(frozen=True)
class RowRange:
    """The rows of a table with ``start <= ts < end`` (minutes since 1970); ``pair`` "": of a table that holds all."""

    table: sql.Identifier
    start: int
    end: int
    pair: str = "-"


def moment(minute: int) -> sql.Composable:
    """A minute since 1970 as a literal that is UTC for both timestamp types."""
    import numpy as np

    return sql.Literal(f"{str(np.datetime64(int(minute), 'm')).replace('T', ' ')}:00+00")


def fetch(connection: Connection, rows: RowRange, names: Sequence[str], dtype: str) -> dict[str, Any]:
    """ts_utc (minutes since 1970), pair if it is a key, and the columns ``names``, sorted by time.

    The server sends NaN for NULL, so that all rows have the same width.
    """
    keys = ["ts_utc", *(["pair"] if rows.pair == "" else [])]
    missing = sql.SQL(f"'NaN'::{SQL_TYPES[dtype]}")
    columns = [sql.SQL("coalesce({}, {})").format(sql.Identifier(name), missing) for name in names]
    query = sql.SQL("copy (select {} from {} where ts_utc >= {} and ts_utc < {} order by {}) to stdout (format binary)")
    statement = query.format(
        sql.SQL(", ").join([*map(sql.Identifier, keys), *columns]), rows.table, moment(rows.start), moment(rows.end),
        sql.SQL(", ").join(map(sql.Identifier, keys)),
    )  # fmt: skip
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        data = b"".join(bytes(piece) for piece in copy)
    kinds = ["time", *(["pair"] if rows.pair == "" else []), *([dtype] * len(names))]
    return dict(zip([*keys, *names], decoded(data, kinds).values(), strict=True))


def part_of(connections: Connections, rows: RowRange, dtype: str) -> Part:
    """A function that reads the given features of ``rows``, and no other columns, from the server."""
    return lambda wanted: _frame(connections.run(lambda c: fetch(c, rows, wanted, dtype)), rows)


def _frame(columns: dict[str, Any], rows: RowRange) -> pl.DataFrame:
    columns = dict(columns)
    ts = pl.Series("ts_utc", columns.pop("ts_utc") * MICROSECONDS_PER_MINUTE).cast(pl.Datetime("us", "UTC"))
    pairs = columns.pop("pair") if rows.pair == "" else [rows.pair] * len(ts)
    pair = pl.Series("pair", pairs, dtype=pl.String)
    return pl.DataFrame([ts, pair, *(pl.Series(name, values, nan_to_null=True) for name, values in columns.items())])
