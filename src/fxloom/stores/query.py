"""Reads features from a store lazily, month by month, with the tables of each pair and month side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from fxloom.bars.months import MICROSECONDS_PER_MINUTE
from fxloom.features.feature import Feature
from fxloom.stores.base import CorruptError, Part, Store
from fxloom.stores.frames import FLOATS

KEYS = ["ts_utc", "pair"]
SCHEMA: dict[str, Any] = {"ts_utc": pl.Datetime("us", "UTC"), "pair": pl.String}


def known_at() -> pl.Expr:
    """When a bar, and everything computed from it, is known: its open time plus one minute."""
    return (pl.col("ts_utc") + pl.duration(minutes=1)).alias("known_at")


def read_features(
    store: Store, features: Sequence[Feature], pairs: Sequence[str], start: int | None, end: int | None
) -> pl.LazyFrame:
    """``features`` of ``pairs`` where ``start <= ts_utc < end`` (minutes since 1970), one row per time and pair.

    Rows are sorted by pair and time. Rows that only some of the tables have (others are not populated yet) are kept,
    with nulls elsewhere. Only what the query needs is read, and only one month is in memory at a time.
    ValueError if no feature is requested.
    """
    if not features:
        raise ValueError("no feature was requested: name features, tables, families or a domain")
    settings = store.settings()
    dtype = FLOATS[settings.dtype if settings else "float32"]
    request = _Request(store, features, tuple(pairs), start, end)
    schema = SCHEMA | dict.fromkeys((f.name for f in features), dtype)

    def produce(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = [n for n in schema if with_columns is None or n in with_columns]
        left = n_rows
        for frame in request.frames([n for n in wanted if n not in SCHEMA], dtype):
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            chosen = frame if predicate is None else frame.filter(predicate)
            yield chosen.select(wanted)
            if left == 0:
                return

    frame = register_io_source(produce, schema=schema)
    ordered = frame if request.in_order else frame.sort("pair", "ts_utc")
    return ordered.select("ts_utc", known_at(), "pair", *(f.name for f in features))


@dataclass
class _Request:
    """The partitions that one read needs, listed once: by month, pair ("" for all) and table."""

    store: Store
    features: Sequence[Feature]
    pairs: tuple[str, ...]
    start: int | None
    end: int | None

    def __post_init__(self) -> None:
        self.parts: dict[str, dict[str, dict[str, Part]]] = defaultdict(lambda: defaultdict(dict))
        for table in dict.fromkeys(f.table for f in self.features):
            for key, part in self.store.parts(table, self.pairs, self.start, self.end):
                self.parts[key.month][key.pair][table] = part
        self.months = sorted(self.parts)
        self.mixed = any("" in by_pair for by_pair in self.parts.values())
        self.in_order = not self.mixed or len(self.pairs) < 2 or len(self.months) < 2

    def frames(self, wanted: Sequence[str], dtype: Any) -> Iterator[pl.DataFrame]:
        """One frame per pair and month: ts_utc, pair and the ``wanted`` features.

        Pair by pair, which is the order of the rows that are returned; month by month where partitions hold all pairs,
        so that none is read twice.
        """
        by_table: dict[str, list[str]] = {f.table: [] for f in self.features}
        for feature in self.features:
            if feature.name in wanted:
                by_table[feature.table].append(feature.name)
        spans = [[m] for m in self.months] if self.mixed else [self.months]
        for months in spans:
            together = {m: self._together(m, by_table) for m in months}
            for pair in sorted(self.pairs):
                for month in months:
                    own = self.parts[month].get(pair, {})
                    frames = {t: self._within(own[t](by_table[t])) for t in by_table if t in own}
                    frames |= {t: f.filter(pl.col("pair") == pair) for t, f in together[month].items()}
                    if frames:
                        yield _completed(side_by_side([frames[t] for t in by_table if t in frames]), wanted, dtype)

    def _together(self, month: str, by_table: Mapping[str, Sequence[str]]) -> dict[str, pl.DataFrame]:
        """The partitions of a month that hold all pairs, by table."""
        return {t: self._within(part(list(by_table[t]))) for t, part in self.parts[month].get("", {}).items()}

    def _within(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of ``frame``, which is in order of time, from ``start`` to ``end``: a slice, not a copy."""
        ts = frame["ts_utc"].to_physical()
        if not ts.is_sorted():
            raise CorruptError("the rows of a partition are not in order of time: audit --whole finds which")
        first = 0 if self.start is None else int(ts.search_sorted(self.start * MICROSECONDS_PER_MINUTE))
        end = len(ts) if self.end is None else int(ts.search_sorted(self.end * MICROSECONDS_PER_MINUTE))
        return frame.slice(first, end - first)


def side_by_side(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Combine tables of one pair: columns side by side if their times are equal, otherwise joined on time."""
    first, *others = frames
    alike = [f for f in others if f["ts_utc"].equals(first["ts_utc"])]
    combined = pl.concat([first, *(f.drop(KEYS) for f in alike)], how="horizontal") if alike else first
    for frame in others:
        if not any(frame is f for f in alike):
            combined = combined.join(frame, on=KEYS, how="full", coalesce=True)
    return combined if len(alike) == len(others) else combined.sort("ts_utc")


def _completed(frame: pl.DataFrame, wanted: Sequence[str], dtype: Any) -> pl.DataFrame:
    """``frame`` with a column of nulls for each feature whose partition is missing."""
    absent = [pl.lit(None, dtype).alias(name) for name in wanted if name not in frame.columns]
    return frame.with_columns(absent) if absent else frame
