"""All published partitions of a store as columns: their records, and the statistics of their columns table by table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from fxloom.engine.partitions import Corruption, PartitionKey, Record
from fxloom.engine.quality import STATS_FIELDS

KEYS = ("table", "pair", "month")
RECORD: dict[str, Any] = {
    "fingerprint": pl.String, "rows": pl.Int64, "catalogue": pl.Int64, "made": pl.String, "proxies": pl.String,
    "environment": pl.String,
}  # fmt: skip
MEASURED = ("low", "high", "std", "scale")  # the statistics that are not counts
STATISTICS: dict[str, Any] = {"feature": pl.String} | {
    name: pl.Float64 if name in MEASURED else pl.Int32 for name in STATS_FIELDS
}
COUNTS = tuple(name for name in STATS_FIELDS if name not in MEASURED)


@dataclass(frozen=True)
class Inventory:
    """``partitions``: one row per published partition, with the columns table, pair, month and those of RECORD.

    ``statistics(table)``: one row per partition and feature of a table, with pair, month, rows (of the partition) and
    the columns of STATISTICS.
    """

    partitions: pl.DataFrame
    statistics: Callable[[str], pl.DataFrame]
    corrupt: tuple[Corruption, ...] = ()

    def narrowed(self, chosen: pl.Expr, tables: Collection[str] | None = None) -> Inventory:
        """The partitions for which ``chosen``, an expression on pair and month, holds, of ``tables`` (None: all)."""
        kept = self.partitions.filter(chosen if tables is None else chosen & pl.col("table").is_in(list(tables)))
        return Inventory(kept, lambda table: self.statistics(table).filter(chosen), self.corrupt)


class Fingerprints(Mapping[PartitionKey, str]):
    """The fingerprints of an inventory's partitions, looked up without a key object for each."""

    def __init__(self, partitions: pl.DataFrame) -> None:
        self._by_table: dict[str, dict[tuple[str, str], str]] = {}
        for table, pair, month, fingerprint in partitions.select(*KEYS, "fingerprint").iter_rows():
            self._by_table.setdefault(table, {})[pair, month] = fingerprint
        self._count = partitions.height

    def __getitem__(self, key: PartitionKey) -> str:
        found: str | None = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: PartitionKey, default: Any = None) -> Any:
        """As a dictionary's; written out because a plan asks for every partition."""
        found = self._by_table.get(key.table)
        return default if found is None else found.get((key.pair, key.month), default)

    def __iter__(self) -> Iterator[PartitionKey]:
        return (PartitionKey(t, pair, month) for t, keys in self._by_table.items() for pair, month in keys)

    def __len__(self) -> int:
        return self._count


def record_row(record: Record) -> tuple[Any, ...]:
    """The columns of RECORD for one partition."""
    return (record.fingerprint, record.rows, record.catalogue, record.made, ",".join(record.proxies),
            record.environment)  # fmt: skip


@dataclass
class StatisticsRows:
    """Statistics of many partitions, collected as columns."""

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in STATISTICS})

    def add(self, quality: Mapping[str, Mapping[str, Any]]) -> int:
        """Add the features of one partition, in order; returns how many."""
        self.columns["feature"] += quality
        values = list(quality.values())
        for name in STATS_FIELDS:
            self.columns[name] += [v.get(name, 0) for v in values] if name in COUNTS else [v.get(name) for v in values]
        return len(values)

    def frame(self) -> pl.DataFrame:
        """The rows so far, with the columns of STATISTICS."""
        return pl.DataFrame(self.columns, STATISTICS)


def inventory_of(records: Iterable[Record]) -> Inventory:
    """The inventory of records that are in memory."""
    found = sorted(records, key=lambda record: record.key)
    rows = [(r.key.table, r.key.pair, r.key.month, *record_row(r)) for r in found]
    by_table: dict[str, list[Record]] = {}
    for record in found:
        by_table.setdefault(record.key.table, []).append(record)

    def statistics(table: str) -> pl.DataFrame:
        collected, counts = StatisticsRows(), []
        for record in by_table.get(table, []):
            counts.append(collected.add(record.quality))
        partitions = partitions_frame(rows).filter(pl.col("table") == table)
        return beside(partitions, pl.Series(counts, dtype=pl.UInt32), collected.frame())

    return Inventory(partitions_frame(rows), statistics)


def partitions_frame(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """The partitions of an inventory from rows of KEYS and RECORD."""
    return pl.DataFrame(list(rows), dict.fromkeys(KEYS, pl.String) | RECORD, orient="row")


def beside(partitions: pl.DataFrame, counts: pl.Series, statistics: pl.DataFrame) -> pl.DataFrame:
    """``statistics`` with the pair, month and rows of their partitions; each has as many as ``counts`` says."""
    at = pl.select(pl.int_range(len(counts), dtype=pl.UInt32).repeat_by(counts).explode().drop_nulls()).to_series()
    keys = partitions.select("pair", "month", pl.col("rows"))
    return pl.concat([keys[at], statistics], how="horizontal") if len(at) else keys.clear().hstack(statistics.clear())
