"""A store of full size: 28 pairs x 120 months x all tables, thin synthetic bars and values in the real layout."""

from __future__ import annotations

import itertools
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa

from fxloom.bars.bars import Bars
from fxloom.bars.clock import DAY, HOUR
from fxloom.bars.months import month_bounds
from fxloom.bars.pairs import PAIRS, PairInfo
from fxloom.engine.partitions import Record, Settings
from fxloom.engine.plan import PlannedPartition, make_plan
from fxloom.features.catalogue import VERSION, tables
from fxloom.features.environment import environment
from fxloom.features.feature import Table
from fxloom.run.state import state_of
from fxloom.stores.folder import FolderStore, write_file

MONTHS = [f"{year}-{month:02d}" for year in range(2014, 2024) for month in range(1, 13)]
LEVELS = 16  # distinct values of a column, so that the store stays small


class UnflushedStore(FolderStore):
    """Writes like FolderStore, but without temporaries and flushes, since nobody reads it meanwhile."""

    def _write(self, path: Path, table: pa.Table) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(table, path)


def thin_bars(pair: str, month: str) -> Bars:
    """Bars of every full hour of the month's weekdays."""
    first, end = month_bounds(month)
    hours = np.arange(first, end, HOUR)
    ts = hours[(hours // DAY + 3) % 7 < 5]  # 1970-01-01 was a Thursday
    rng = np.random.default_rng([PAIRS.index(pair), first])
    close = np.exp(np.cumsum(rng.normal(0.0, 1e-3, len(ts)))).round(5)
    open_ = np.concatenate([[1.0], close[:-1]])
    return Bars(
        ts, open_, np.maximum(open_, close), np.minimum(open_, close), close, np.full(len(ts), 7.0), close * 1e-4
    )


def make_full_store(root: Path, processes: int = 2, pairs: tuple[str, ...] = PAIRS, months: list[str] = MONTHS) -> None:
    """Write the store at ``root``: bars, settings, and a partition with its planned fingerprint for every key."""
    store = UnflushedStore(root)
    store.write_settings(
        Settings(month_bounds(months[0])[0], pairs={pair: PairInfo(1.0, True, True) for pair in pairs})
    )
    for pair, month in itertools.product(pairs, months):
        store.write_bars(pair, month, thin_bars(pair, month))
    plan = make_plan(state_of(store), list(tables().values()))
    by_key: dict[tuple[str, str], list[PlannedPartition]] = {}
    for partition in plan.partitions:
        by_key.setdefault((partition.key.pair, partition.key.month), []).append(partition)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:  # a fork would inherit the locks of polars
        list(pool.map(_publish, itertools.repeat(root), by_key.values(), chunksize=16))


def _publish(root: Path, planned: list[PlannedPartition]) -> None:
    """The partitions of one pair (or all) and month."""
    store = UnflushedStore(root)
    pair, month = planned[0].key.pair, planned[0].key.month
    ts = [thin_bars(p, month).ts for p in ([pair] if pair else store.pairs_with_bars())]
    names = None if pair else [p for p, t in zip(store.pairs_with_bars(), ts, strict=True) for _ in t]
    rows = np.concatenate(ts)
    values = np.random.default_rng(len(rows)).integers(0, LEVELS, len(rows)) / LEVELS
    for partition in planned:
        table = tables()[partition.key.table]
        quality = {name: _statistics(table, i, len(rows)) for i, name in enumerate(table.names)}
        record = Record(
            partition.key, partition.fingerprint, len(rows), VERSION, "2024-01-01T00:00:00Z", (), quality, environment()
        )
        store.publish(record, rows, names, {name: np.roll(values, i) for i, name in enumerate(table.names)})


def _statistics(table: Table, i: int, rows: int) -> dict[str, object]:
    """Column statistics within the range of the feature; every 50th column has a few undefined values."""
    column = table.features[i].column
    undefined = 5 if i % 50 == 49 and column.undefined else 0
    low = max(column.low, -1.0) if np.isfinite(column.low) else -1.0
    high = min(column.high, low + 1.0)
    return {
        "due": rows, "finite": rows - undefined, "undefined": undefined, "absent": 0, "gap": 0, "no_input": 0,
        "failed": 0, "missing": 0, "infinite": 0, "early": 0, "low": low, "high": high, "std": 0.25, "run": 3,
        "still": 3, "scale": 1e-3,
    }  # fmt: skip


if __name__ == "__main__":
    import sys

    make_full_store(Path(sys.argv[1]))
