"""Copies one store into another of any kind: settings, bars and partitions, each compared with the original."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import polars as pl

from fxloom.bars.bars import Bars
from fxloom.bars.days import DaySummary, summarise_days
from fxloom.bars.months import MICROSECONDS_PER_MINUTE, month_bounds
from fxloom.engine.partitions import Corruption, PartitionKey, Record, Settings
from fxloom.features.catalogue import tables
from fxloom.run.state import ready_settings
from fxloom.stores.base import CorruptError, Store, StoreError


@dataclass
class CopyReport:
    """What was copied, already present or unreadable, and what changed in the source during the copy."""

    bars: int = 0
    partitions: int = 0
    present: int = 0
    corrupt: tuple[Corruption, ...] = ()
    changed: tuple[str, ...] = ()


def copy_store(
    source: Store, target: Store, on_partition: Callable[[PartitionKey], None] = lambda _: None
) -> CopyReport:
    """Copy ``source`` into ``target``, which is new or has the same settings; run it again to resume.

    Everything is read back from the target and compared. The source may be written to during the copy; the report
    lists what changed after it was copied. StoreError if the settings differ, if the source has no bars, or if what is
    read back is not what was written; LockedError if another writer holds the target.
    """
    settings = ready_settings(source)
    report = CopyReport()
    with target.exclusive("copy"):
        _begin(settings, target)
        corrupt = source.find_corrupt()
        copied = {pair: _copy_bars(source, target, pair, settings, report) for pair in settings.pairs}
        held = {record.key: record for record in target.records()}
        records: dict[PartitionKey, Record] = {}
        for record in source.records():
            if record.key.table in tables():
                records[record.key] = record
                try:
                    _copy_partition(source, target, record, held.get(record.key), report)
                except CorruptError as error:
                    corrupt.append(Corruption(str(record.key), str(error)))
            on_partition(record.key)
    report.corrupt = tuple(corrupt)
    report.changed = tuple(_changed(source, settings, copied, records))
    return report


def _begin(settings: Settings, target: Store) -> None:
    """Give the target these settings; each pair is added once its bars are copied."""
    there = target.settings()
    if there is None:
        target.write_settings(replace(settings, pairs={}))
    elif replace(there, pairs={}) != replace(settings, pairs={}) or not there.pairs.items() <= settings.pairs.items():
        raise StoreError(f"{target.url} has different settings: choose a new store to copy to")


def _copy_bars(
    source: Store, target: Store, pair: str, settings: Settings, report: CopyReport
) -> dict[str, list[DaySummary]]:
    """Copy the bars of a pair, then its settings; returns the summaries of what was copied."""
    there = target.bar_months(pair)
    copied = {}
    for month, days in source.bar_months(pair).items():
        if there.get(month) == days:
            report.present += 1
            copied[month] = days
            continue
        bars = source.read_bars(pair, *month_bounds(month))
        target.write_bars(pair, month, bars, settings.pairs[pair].price_side)
        if not same_bars(bars, target.read_bars(pair, *month_bounds(month))):
            raise StoreError(f"bars of {pair} {month} differ between {target.url} and {source.url}")
        copied[month] = summarise_days(bars)
        report.bars += 1
    held = target.settings()
    if held is not None and pair not in held.pairs and copied:
        target.write_settings(held.with_pair(pair, settings.pairs[pair]))
    return copied


def same_bars(a: Bars, b: Bars) -> bool:
    """Whether two series of bars agree to the last bit."""
    for name in (f.name for f in fields(Bars)):
        left, right = getattr(a, name), getattr(b, name)
        if (left is None) != (right is None):
            return False
        if left is not None and not np.array_equal(left, right, equal_nan=name in ("volume", "spread")):
            return False
    return True


def _copy_partition(source: Store, target: Store, listed: Record, held: Record | None, report: CopyReport) -> None:
    """Copy one partition, if it still exists, as it is now: it may have changed since it was ``listed``."""
    key = listed.key
    if held == listed:
        report.present += 1
        return
    found = source.partition(key)
    if found is None:
        return
    record, rows = found
    ts = rows["ts_utc"].to_physical().to_numpy() // MICROSECONDS_PER_MINUTE
    pairs = rows["pair"].to_list() if not key.pair else None
    columns = {n: rows[n].cast(pl.Float64).fill_null(np.nan).to_numpy() for n in tables()[key.table].names}
    target.publish(record, ts, pairs, columns)
    back = target.partition(key)
    if back is None or back[0] != record or not all(_same(rows[name], back[1][name]) for name in rows.columns):
        raise StoreError(f"{key} differs between {target.url} and {source.url}")
    report.partitions += 1


def _same(a: pl.Series, b: pl.Series) -> bool:
    if not a.dtype.is_float():
        return bool(a.equals(b))
    return np.array_equal(a.fill_null(np.nan).to_numpy(), b.fill_null(np.nan).to_numpy(), equal_nan=True)


def _changed(
    source: Store,
    settings: Settings,
    bars: Mapping[str, Mapping[str, list[DaySummary]]],
    records: Mapping[PartitionKey, Record],
) -> Iterator[str]:
    """What the source has now but did not have when it was copied."""
    now = ready_settings(source)
    if now != settings:
        yield "settings"
    for pair in now.pairs:
        before, after = bars.get(pair, {}), source.bar_months(pair)
        yield from (f"m1 {pair} {month}" for month, days in after.items() if before.get(month) != days)
    yield from (str(r.key) for r in source.records() if r.key.table in tables() and records.get(r.key) != r)
