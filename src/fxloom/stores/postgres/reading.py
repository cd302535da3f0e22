"""Rows out of PostgreSQL: a month of one table at a time, through a binary COPY, as arrays and lazy frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source
from psycopg import sql

from fxloom.stores.frames import MICROSECONDS
from fxloom.stores.postgres.binary import decoded
from fxloom.stores.postgres.connections import Connection, Connections
from fxloom.stores.postgres.layout import SQL_TYPES


@dataclass(frozen=True)
class Span:
    """Rows of a table from one minute to another, of ``pair`` or ("") with the pair among their keys."""

    table: sql.Identifier
    start: int
    end: int
    pair: str = "-"


def moment(minute: int) -> sql.Composable:
    """A minute since 1970 as a literal that both kinds of timestamp read as UTC."""
    import numpy as np

    return sql.Literal(f"{str(np.datetime64(int(minute), 'm')).replace('T', ' ')}:00+00")


def fetch(connection: Connection, span: Span, names: Sequence[str], dtype: str) -> dict[str, Any]:
    """ts_utc (minutes since 1970), pair if it is a key, and the columns ``names`` with NaN for NULL, by time.

    NULL is told as NaN by the server already, so that all rows have one width.
    """
    keys = ["ts_utc", *(["pair"] if span.pair == "" else [])]
    missing = sql.SQL(f"'NaN'::{SQL_TYPES[dtype]}")
    columns = [sql.SQL("coalesce({}, {})").format(sql.Identifier(name), missing) for name in names]
    query = sql.SQL("copy (select {} from {} where ts_utc >= {} and ts_utc < {} order by {}) to stdout (format binary)")
    statement = query.format(
        sql.SQL(", ").join([*map(sql.Identifier, keys), *columns]), span.table, moment(span.start), moment(span.end),
        sql.SQL(", ").join(map(sql.Identifier, keys)),
    )  # fmt: skip
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        data = b"".join(bytes(piece) for piece in copy)
    kinds = ["time", *(["pair"] if span.pair == "" else []), *([dtype] * len(names))]
    return dict(zip([*keys, *names], decoded(data, kinds).values(), strict=True))


def feature_source(connections: Connections, spans: Sequence[Span], names: Sequence[str], dtype: str) -> pl.LazyFrame:
    """The rows of ``spans`` as a lazy frame that asks the server only for the columns that are wanted."""
    kind = pl.Float32 if dtype == "float32" else pl.Float64
    schema: dict[str, Any] = {"ts_utc": pl.Datetime("us", "UTC"), "pair": pl.String} | dict.fromkeys(names, kind)

    def produce(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = [n for n in names if with_columns is None or n in with_columns]
        left = n_rows
        for span in spans:
            if left is not None and left <= 0:
                return
            frame = _frame(connections.run(lambda c, s=span: fetch(c, s, wanted, dtype)), span)  # type: ignore[misc]
            frame = frame if left is None else frame.head(left)
            left = None if left is None else left - frame.height
            frame = frame if predicate is None else frame.filter(predicate)
            yield frame if with_columns is None else frame.select(with_columns)

    return register_io_source(produce, schema=schema)


def _frame(columns: dict[str, Any], span: Span) -> pl.DataFrame:
    columns = dict(columns)
    ts = pl.Series("ts_utc", columns.pop("ts_utc") * MICROSECONDS).cast(pl.Datetime("us", "UTC"))
    pairs = columns.pop("pair") if span.pair == "" else [span.pair] * len(ts)
    pair = pl.Series("pair", pairs, dtype=pl.String)
    return pl.DataFrame([ts, pair, *(pl.Series(name, values) for name, values in columns.items())])
