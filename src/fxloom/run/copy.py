"""A store copied into another, of either kind: settings, bars, partitions with their records, all compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from fxloom.bars.bars import Bars
from fxloom.bars.months import month_bounds
from fxloom.engine.partitions import Corruption, PartitionKey, Record, Settings
from fxloom.features.catalogue import tables
from fxloom.run.populate import ready_settings
from fxloom.stores.base import Store, StoreError

MICROSECONDS = 60_000_000


@dataclass
class CopyReport:
    """What was copied, what the target had already, and what could not be read in the source."""

    bars: int = 0
    partitions: int = 0
    present: int = 0
    corrupt: tuple[Corruption, ...] = ()


def copy_store(
    source: Store, target: Store, on_partition: Callable[[PartitionKey], None] = lambda _: None
) -> CopyReport:
    """Copy ``source`` into ``target``, which is new or has the same settings; repeat it to go on after an interruption.

    StoreError if the settings differ or if what is read back is not what was written.
    """
    settings = ready_settings(source)
    report = CopyReport()
    with target.exclusive("copy"):
        _copy_settings(settings, target)
        report.corrupt = tuple(source.find_corrupt())
        for pair in settings.pairs:
            _copy_bars(source, target, pair, report)
        held = {record.key: record for record in target.records()}
        for record in source.records():
            if record.key.table in tables():
                _copy_partition(source, target, record, held.get(record.key), report)
            on_partition(record.key)
    return report


def _copy_settings(settings: Settings, target: Store) -> None:
    there = target.settings()
    if there is None:
        target.write_settings(settings)
    elif there != settings:
        raise StoreError(f"{target.url} has settings of its own: name a new store to copy to")


def _copy_bars(source: Store, target: Store, pair: str, report: CopyReport) -> None:
    there = target.bar_months(pair)
    for month, days in source.bar_months(pair).items():
        if there.get(month) == days:
            report.present += 1
            continue
        bars = source.read_bars(pair, *month_bounds(month))
        target.write_bars(pair, month, bars)
        if not same_bars(bars, target.read_bars(pair, *month_bounds(month))):
            raise StoreError(f"bars of {pair} {month} are not the same in {target.url} as in {source.url}")
        report.bars += 1


def same_bars(a: Bars, b: Bars) -> bool:
    """Whether two series of bars agree to the last bit."""
    for name in (f.name for f in fields(Bars)):
        left, right = getattr(a, name), getattr(b, name)
        if (left is None) != (right is None):
            return False
        if left is not None and not np.array_equal(left, right, equal_nan=name in ("volume", "spread")):
            return False
    return True


def _copy_partition(source: Store, target: Store, record: Record, held: Record | None, report: CopyReport) -> None:
    if held == record:
        report.present += 1
        return
    rows = partition(source, record.key)
    names = tables()[record.key.table].names
    ts = rows["ts_utc"].to_physical().to_numpy() // MICROSECONDS
    pairs = rows["pair"].to_list() if not record.key.pair else None
    columns = {n: rows[n].cast(pl.Float64).fill_null(np.nan).to_numpy() for n in names}
    target.publish(record, ts, pairs, columns)
    back = partition(target, record.key)
    if not all(_same(rows[name], back[name]) for name in rows.columns):
        raise StoreError(f"{record.key} is not the same in {target.url} as in {source.url}")
    report.partitions += 1


def _same(a: pl.Series, b: pl.Series) -> bool:
    if not a.dtype.is_float():
        return bool(a.equals(b))
    return np.array_equal(a.fill_null(np.nan).to_numpy(), b.fill_null(np.nan).to_numpy(), equal_nan=True)


def partition(store: Store, key: PartitionKey) -> pl.DataFrame:
    """The rows of one partition: ts_utc, pair, features, by time and pair. StoreError if there are none."""
    frame = store.scan(key.table, [key.pair] if key.pair else None, *month_bounds(key.month))
    if frame is None:
        raise StoreError(f"{key} has a record in {store.url} but no rows")
    return frame.select("ts_utc", "pair", *tables()[key.table].names).sort("ts_utc", "pair").collect()
