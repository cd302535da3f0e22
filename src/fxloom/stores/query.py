"""Reading features out of a store: any tables, joined on time and pair, lazily."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fxloom.features.catalogue import tables
from fxloom.features.feature import Feature
from fxloom.stores.base import Store
from fxloom.stores.frames import empty_features

KEYS = ["ts_utc", "pair"]


def known_at() -> pl.Expr:
    """The moment at which a bar, and all that is computed from it, is known: its open time plus one minute."""
    return (pl.col("ts_utc") + pl.duration(minutes=1)).alias("known_at")


def read_features(
    store: Store, features: Sequence[Feature], pairs: Sequence[str], start: int | None, end: int | None
) -> pl.LazyFrame:
    """``features`` of ``pairs`` where ``start <= ts_utc < end`` (minutes since 1970), a row a time and pair.

    Rows that only some of the tables have (partitions not populated yet) are kept, with nulls for the others.
    """
    by_table: dict[str, list[str]] = {}
    for feature in features:
        by_table.setdefault(feature.table, []).append(feature.name)
    joined: pl.LazyFrame | None = None
    for table, names in by_table.items():
        frame = _rows(store, table, names, pairs, start, end)
        joined = frame if joined is None else joined.join(frame, on=KEYS, how="full", coalesce=True)
    if joined is None:
        raise ValueError("no feature was asked for")
    return joined.select("ts_utc", known_at(), "pair", *(f.name for f in features)).sort("pair", "ts_utc")


def _rows(
    store: Store, table: str, names: Sequence[str], pairs: Sequence[str], start: int | None, end: int | None
) -> pl.LazyFrame:
    frame = store.scan(table, pairs, start, end)
    if frame is None:
        return empty_features(names)
    if tables()[table].family.scope == "panel" or pairs is not None:
        frame = frame.filter(pl.col("pair").is_in(list(pairs)))
    if start is not None:
        frame = frame.filter(pl.col("ts_utc") >= _moment(start))
    if end is not None:
        frame = frame.filter(pl.col("ts_utc") < _moment(end))
    return frame.select(*KEYS, *names)


def _moment(minute: int) -> pl.Expr:
    return pl.lit(minute * 60_000_000).cast(pl.Datetime("us", "UTC"))
