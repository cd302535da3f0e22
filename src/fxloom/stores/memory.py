"""A store in memory, for tests and for work that needs a store but no disk."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np
import polars as pl

from fxloom.bars.bars import Bars, Floats, Ints
from fxloom.bars.days import DaySummary, summarise_days
from fxloom.bars.months import month_of, months_of
from fxloom.engine.partitions import Corruption, PartitionKey, Record, Settings
from fxloom.features.catalogue import tables
from fxloom.stores.base import Part
from fxloom.stores.frames import features_table, joined
from fxloom.stores.inventory import Inventory, inventory_of
from fxloom.system.lock import LockedError


class MemoryStore:
    """A store that lives as long as its object; populate it with one worker."""

    external_bars = False
    parallel_writes = False

    def __init__(self) -> None:
        self.url = self.address = "memory:"
        self._settings: Settings | None = None
        self._bars: dict[tuple[str, str], Bars] = {}
        self._sides: dict[tuple[str, str], str] = {}
        self._parts: dict[PartitionKey, tuple[Record, pl.DataFrame]] = {}
        self._quarantine: dict[str, pl.DataFrame] = {}
        self._lock = threading.Lock()
        self.documents: dict[str, str] = {}

    def settings(self) -> Settings | None:
        return self._settings

    def write_settings(self, settings: Settings) -> None:
        self._settings = settings

    def pairs_with_bars(self) -> list[str]:
        return sorted({pair for pair, _ in self._bars})

    def price_sides(self, pair: str) -> set[str]:
        return {side for (p, _), side in self._sides.items() if p == pair}

    def bar_months(self, pair: str) -> dict[str, list[DaySummary]]:
        return {m: summarise_days(bars) for (p, m), bars in sorted(self._bars.items()) if p == pair}

    def all_days(self) -> dict[str, dict[str, list[DaySummary]]]:
        return {pair: self.bar_months(pair) for pair in self.pairs_with_bars()}

    def month_names(self, pair: str) -> list[str]:
        return sorted(month for p, month in self._bars if p == pair)

    def days_of(self, pair: str, month: str) -> list[DaySummary]:
        return summarise_days(self._bars[pair, month])

    def read_bars(self, pair: str, start: int, end: int) -> Bars:
        return joined([bars for (p, _), bars in sorted(self._bars.items()) if p == pair]).between(start, end)

    def write_bars(self, pair: str, month: str, bars: Bars, side: str = "mid") -> None:
        if months_of(bars.ts) != [month]:
            raise ValueError(f"bars of {pair} {month} extend beyond the month: {months_of(bars.ts)}")
        self._bars[pair, month] = bars.take(np.arange(len(bars)))
        self._sides[pair, month] = side

    def drop_bars(self, pair: str, month: str) -> None:
        self._bars.pop((pair, month), None)
        self._sides.pop((pair, month), None)

    def set_bars_aside(self, pair: str, month: str) -> str:
        self.drop_bars(pair, month)
        return ""

    def records(self, tables: Iterable[str] | None = None) -> list[Record]:
        wanted = None if tables is None else set(tables)
        return [r for key, (r, _) in sorted(self._parts.items()) if wanted is None or key.table in wanted]

    def inventory(self, tables: Collection[str] | None = None) -> Inventory:
        return inventory_of(self.records(tables))

    def record(self, key: PartitionKey) -> Record | None:
        return self._parts[key][0] if key in self._parts else None

    def partition(self, key: PartitionKey) -> tuple[Record, pl.DataFrame] | None:
        if key not in self._parts:
            return None
        record, rows = self._parts[key]
        return record, rows.select("ts_utc", "pair", *tables()[key.table].names)

    def find_corrupt(self, inventory: Inventory | None = None) -> list[Corruption]:
        return list((inventory or self.inventory()).corrupt)

    def verify(self) -> list[Corruption]:
        return []

    def publish(self, record: Record, ts: Ints, pairs: Sequence[str] | None, columns: dict[str, Floats]) -> None:
        dtype = self._settings.dtype if self._settings else "float32"
        frame = pl.DataFrame(pl.from_arrow(features_table(record, ts, pairs, columns, dtype)))
        if pairs is None:
            frame = frame.with_columns(pl.lit(record.key.pair).alias("pair"))
        self._parts[record.key] = (record, frame)

    def scan(self, table: str, pairs: Sequence[str] | None, start: int | None, end: int | None) -> pl.LazyFrame | None:
        frames = [frame for _, frame in self._frames(table, pairs, start, end)]
        if not frames:
            return None
        frame = pl.concat(frames).lazy()
        return frame if pairs is None else frame.filter(pl.col("pair").is_in(list(pairs)))

    def parts(
        self, table: str, pairs: Sequence[str] | None, start: int | None, end: int | None
    ) -> list[tuple[PartitionKey, Part]]:
        def part(frame: pl.DataFrame) -> Part:
            return lambda wanted: frame.select("ts_utc", "pair", *wanted)

        return [(key, part(frame)) for key, frame in self._frames(table, pairs, start, end)]

    def _frames(
        self, table: str, pairs: Sequence[str] | None, start: int | None, end: int | None
    ) -> list[tuple[PartitionKey, pl.DataFrame]]:
        first = month_of(start) if start is not None else ""
        last = month_of(end - 1) if end is not None else "9999-12"
        return [
            (key, frame)
            for key, (_, frame) in sorted(self._parts.items())
            if key.table == table and first <= key.month <= last and (pairs is None or key.pair in ("", *pairs))
        ]

    def quarantine(self, rows: pl.DataFrame, name: str) -> str:
        self._quarantine[name] = rows
        return f"memory:quarantine/{name}"

    def keep(self, name: str, text: str) -> str:
        self.documents[name] = text
        return f"memory:{name}"

    def kept(self, name: str) -> str | None:
        return self.documents.get(name)

    @contextlib.contextmanager
    def exclusive(self, purpose: str, wait: float = 0.0) -> Iterator[None]:
        if not self._lock.acquire(timeout=wait if wait > 0 else 0.001):
            raise LockedError(f"the store in memory is in use by another thread: {purpose} cannot start")
        try:
            yield
        finally:
            self._lock.release()

    def free_bytes(self) -> int | None:
        return None
