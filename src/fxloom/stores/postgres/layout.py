"""The layout in PostgreSQL: names, columns, comments, and the statements that create them.

{schema}.settings, partitions, bar_months, documents, quarantine      the store's own records
{schema}.m1_{pair}                            bars, partitioned by month on ts_utc
{schema}.{table}_{pair}                       features, likewise; partitions {table}_{pair}_{YYYY_MM}
{schema}.cross_sectional_panel                key (ts_utc, pair); partitions cross_sectional_panel_{YYYY_MM}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from fxloom.bars.months import month_bounds, month_of
from fxloom.bars.pairs import PAIRS
from fxloom.engine.partitions import DType, PartitionKey
from fxloom.features.feature import Feature, Table

SQL_TYPES = {"float32": "real", "float64": "double precision"}
PRICES = ("open", "high", "low", "close")
TIMES = ("timestamp with time zone", "timestamp without time zone")

BASE = {
    "settings": (
        "name text primary key, value json not null",
        "Settings of the whole store: baseline time, type of features, pairs",
    ),
    "partitions": (
        "table_name text, pair text, month text, relation text not null, fingerprint text not null, "
        "rows bigint not null, catalogue integer not null, made text not null, proxies json not null, "
        "environment text not null, quality json not null, packed bytea not null, checksum bigint not null, "
        "format integer not null, written timestamptz not null default now(), primary key (table_name, pair, month)",
        "One row per published partition, written in the same transaction; pair is empty in tables kept by month only",
    ),
    "bar_months": (
        "pair text, month text, rows bigint not null, has_volume boolean not null, has_spread boolean not null, "
        "price_side text not null, days json not null, written timestamptz not null default now(), "
        "primary key (pair, month)",
        "One row per month of bars, with a summary of each day, so that plans need not read the bars",
    ),
    "documents": (
        "name text primary key, content text not null, written timestamptz not null default now()",
        "Documents of the store, such as reports",
    ),
    "quarantine": (
        "name text, file text, line bigint, reason text, text text, written timestamptz not null default now()",
        "Rows of users' files that broke a rule",
    ),
}


@dataclass(frozen=True)
class Relation:
    """A partitioned table: its columns (name, type) after the keys, and the comments on it and on them."""

    schema: str
    name: str
    keyed_by_pair: bool
    columns: tuple[tuple[str, str], ...]
    comment: str
    comments: tuple[str, ...] = ()

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def keys(self) -> tuple[str, ...]:
        return ("ts_utc", "pair") if self.keyed_by_pair else ("ts_utc",)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.keys, *(name for name, _ in self.columns))

    def child(self, month: str) -> str:
        """The name of the partition of ``month``."""
        return f"{self.name}_{month.replace('-', '_')}"


def parent_name(key: PartitionKey) -> str:
    """The name of the partitioned table that holds ``key``."""
    return f"{key.table}_{key.pair}" if key.pair else key.table


def bars_relation(schema: str, pair: str) -> Relation:
    """The table of a pair's bars."""
    columns = (*((name, "double precision") for name in PRICES), ("volume", "double precision"),
               ("spread", "double precision"))  # fmt: skip
    comments = ("opening price of the minute", "highest price", "lowest price", "closing price",
                "ticks or traded units of the minute", "ask - bid at the close of the minute, price units")  # fmt: skip
    return Relation(schema, f"m1_{pair}", False, columns, f"One-minute bars of {pair}; ts_utc is when a bar "
                    "opens; it is known a minute later", comments)  # fmt: skip


def features_relation(schema: str, table: Table, pair: str, dtype: DType) -> Relation:
    """The table of a pair's features, or of all pairs' if ``pair`` is ""."""
    columns = tuple((name, SQL_TYPES[dtype]) for name in table.names)
    name = f"{table.name}_{pair}" if pair else table.name
    what = f"{table.family.name}, {len(columns)} features of {pair or 'all pairs'}; ts_utc is when a bar opens; its "
    return Relation(schema, name, not pair, columns, what + "features are known a minute later",
                    tuple(_comment_for(f) for f in table.features))  # fmt: skip


def _comment_for(feature: Feature) -> str:
    c = feature.column
    unbounded = c.low == float("-inf") and c.high == float("inf")
    parts = [c.formula, f"unit: {c.unit}" if c.unit else "", "" if unbounded else f"range [{c.low:g}, {c.high:g}]",
             f"first after {c.warmup} bars", c.source]  # fmt: skip
    return "; ".join(part for part in parts if part)


def relations(schema: str, tables: Sequence[Table], dtype: DType) -> Iterator[Relation]:
    """Every partitioned table of a store with all pairs."""
    yield from (bars_relation(schema, pair) for pair in PAIRS)
    for table in tables:
        for pair in [""] if table.holds_all_pairs else PAIRS:
            yield features_relation(schema, table, pair, dtype)


# -- statements ------------------------------------------------------------------------------------------------------


def schema_statements(schema: str) -> Iterator[sql.Composed]:
    yield sql.SQL("create schema if not exists {}").format(sql.Identifier(schema))


def base_statements(schema: str) -> Iterator[sql.Composed]:
    for name, (columns, comment) in BASE.items():
        where = sql.Identifier(schema, name)
        yield sql.SQL("create table if not exists {} ({})").format(where, sql.SQL(columns))
        yield sql.SQL("comment on table {} is {}").format(where, sql.Literal(comment))
    yield sql.SQL("create index if not exists quarantine_name on {} (name)").format(
        sql.Identifier(schema, "quarantine")
    )


def _column_list(relation: Relation, time_type: str = "timestamptz") -> sql.Composable:
    found: list[sql.Composable] = [sql.SQL("ts_utc {} not null").format(sql.SQL(time_type))]
    if relation.keyed_by_pair:
        found.append(sql.SQL("pair text not null"))
    for name, kind in relation.columns:
        null = " not null" if name in PRICES else ""
        found.append(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind + null)))
    return sql.SQL(",\n    ").join(found)


def parent_statements(relation: Relation) -> Iterator[sql.Composed]:
    """The partitioned table with its comments."""
    yield sql.SQL(
        "create table if not exists {} (\n    {},\n    primary key ({})\n) partition by range (ts_utc)"
    ).format(relation.identifier, _column_list(relation), key_list(relation))
    yield sql.SQL("comment on table {} is {}").format(relation.identifier, sql.Literal(relation.comment))
    for (name, _), text in zip(relation.columns, relation.comments, strict=False):
        column = sql.Identifier(relation.schema, relation.name, name)
        yield sql.SQL("comment on column {} is {}").format(column, sql.Literal(text))


def key_list(relation: Relation) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, relation.keys))


def name_list(relation: Relation) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, relation.names))


def bounds(month: str) -> tuple[str, str]:
    """The first moments of a month and of the next, as literals for either type of ts_utc."""
    return f"{month}-01 00:00:00+00", f"{month_of(month_bounds(month)[1])}-01 00:00:00+00"


def child_statements(relation: Relation, month: str, name: str, time_type: str) -> Iterator[sql.Composed]:
    """Create the table of one month, not attached yet, with a CHECK that saves the scan when it is attached."""
    first, end = bounds(month)
    yield sql.SQL("create table {} (\n    {},\n    constraint month check (ts_utc >= {} and ts_utc < {})\n)").format(
        sql.Identifier(relation.schema, name), _column_list(relation, time_type), sql.Literal(first), sql.Literal(end)
    )


def ddl(schema: str, tables: Sequence[Table], dtype: DType) -> str:
    """All SQL that a store needs; monthly partitions are created and attached when they are written."""
    statements = [*schema_statements(schema), *base_statements(schema)]
    for relation in relations(schema, tables, dtype):
        statements += parent_statements(relation)
    return "\n".join(f"{statement.as_string(None)};" for statement in statements)
