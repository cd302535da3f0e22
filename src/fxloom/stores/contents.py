"""What a folder store holds, from its index where that is true and from its files where it is not."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from fxloom.bars.days import DaySummary
from fxloom.engine.partitions import Corruption, PartitionKey, Record
from fxloom.stores.bar_files import read_bars_file, read_note
from fxloom.stores.base import CorruptError, NewerFormatError, StoreError
from fxloom.stores.frames import BarsNote
from fxloom.stores.index import MOST_SEGMENTS, Index, Segment, slices, unknown, valid
from fxloom.stores.inventory import KEYS, RECORD, STATISTICS, Inventory, StatisticsRows, beside, record_row
from fxloom.stores.listing import LISTED, STATUS, Listed, folder_times, listed_bars, listed_parts, status_of
from fxloom.stores.parts import read_record
from fxloom.stores.tree import BARS, BARS_TABLE, PART, STRAY, bars_path, folder_of, part_path

T = TypeVar("T")

WORTH_SAVING = 32  # files whose footers are read again at every start before a segment is written for them
READERS = 4  # threads that read footers
FILES_AT_ONCE = 2048  # whose statistics are held as Python objects
DAY: dict[str, Any] = {
    "day": pl.Int32, "rows": pl.Int32, "first": pl.Int64, "last": pl.Int64, "clock": pl.Int32, "prices": pl.String,
    "volume": pl.String, "spread": pl.String,
}  # fmt: skip
PLACE: dict[str, Any] = {"stats": pl.String, "at": pl.Int64, "columns": pl.Int64}  # where a partition's statistics are
PARTS = LISTED | RECORD | PLACE
FOLDERS: dict[str, Any] = dict.fromkeys(KEYS, pl.String) | {"folder": pl.Int64}
DAYS = LISTED | {"whole": pl.Boolean} | DAY  # whole: the bars themselves were read and held to their summaries


@dataclass
class _Loaded:
    """Entries that are true, the statistics they point to by segment name ("" in memory), and what is corrupt."""

    entries: pl.DataFrame
    statistics: dict[str, Segment | pl.DataFrame | None]
    corrupt: list[Corruption]


class Contents:
    """Reads, and keeps, the index of the store at ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.index = Index(root, {"parts": PARTS, "stats": STATISTICS, "days": DAYS, "folders": FOLDERS})

    # -- partitions ----------------------------------------------------------------------------------------------

    def inventory(self, tables: Collection[str] | None = None) -> Inventory:
        """All readable partitions of ``tables`` (None: all); statistics are read when they are asked for."""
        found = listed_parts(self.root, tables)
        listed = found.files
        loaded = self._load(listed, every=tables is None)
        missing = unknown(listed, loaded.entries)
        if missing.height:
            self._read(loaded, missing)
        partitions = loaded.entries.sort(*KEYS)
        kept = partitions.select(*KEYS, *RECORD)

        def of_table(table: str) -> pl.DataFrame:
            return self._of_table(loaded, partitions.filter(pl.col("table") == table))

        strays = [Corruption(str(path), STRAY) for path in found.strays]
        return Inventory(kept, of_table, (*loaded.corrupt, *strays))

    def _of_table(self, loaded: _Loaded, partitions: pl.DataFrame) -> pl.DataFrame:
        """The statistics of ``partitions``, with their pair, month and rows."""
        ordered = partitions.sort("stats", "at")
        parts = [self._of_segment(loaded, group) for _, group in ordered.group_by("stats", maintain_order=True)]
        if not parts:
            return partitions.select("pair", "month", "rows").hstack(pl.DataFrame(schema=STATISTICS))
        return pl.concat(parts).sort("pair", "month", maintain_order=True)

    def _of_segment(self, loaded: _Loaded, group: pl.DataFrame) -> pl.DataFrame:
        """``_of_table`` for partitions whose statistics are in one segment; from their files if it is damaged."""
        name = group["stats"][0]
        if name not in loaded.statistics:
            loaded.statistics[name] = self.index.segment(name)
        source = loaded.statistics[name]
        if source is None:
            self.index.remove([name])
            again = _Loaded(pl.DataFrame(schema=PARTS), {}, loaded.corrupt)
            self._read(again, group)
            return self._of_table(again, again.entries)
        runs = slices(group)
        rows = [source.slice(*run) if isinstance(source, pl.DataFrame) else source.rows(*run) for run in runs]
        found = pl.concat(rows) if rows else pl.DataFrame(schema=STATISTICS)
        return beside(group, group["columns"].cast(pl.UInt32), found)

    def _load(self, listed: pl.DataFrame, every: bool) -> _Loaded:
        """The true entries of the index; those whose statistics are gone do not count.

        Segments are merged only if ``listed`` has every partition: the entries of others would be lost.
        """
        names, stats = self.index.names("parts"), self.index.names("stats")
        segments = [found.frame() for name in names if (found := self.index.segment(name)) is not None]
        entries = pl.concat([pl.DataFrame(schema=PARTS), *segments]).filter(pl.col("stats").is_in(stats))
        loaded = _Loaded(valid(entries, listed), {}, [])
        if every and len(names) > MOST_SEGMENTS:
            self._merge(loaded, [*names, *stats])
        return loaded

    def _merge(self, loaded: _Loaded, replaced: list[str]) -> None:
        """Write the true entries as one segment, in place of ``replaced``."""
        tables = [group for _, group in loaded.entries.sort(*KEYS).group_by("table", maintain_order=True)]
        if not tables:
            self.index.remove(replaced)
            return
        name = self.index.add("stats", (self._of_table(loaded, group).select(*STATISTICS) for group in tables))
        if name is None:
            return
        counts = pl.col("columns")
        placed = pl.concat(tables).with_columns(stats=pl.lit(name), at=counts.cum_sum() - counts).select(*PARTS)
        parts = self.index.add("parts", [placed])
        if parts is not None:
            self.index.remove(used for used in replaced if used not in (name, parts))
            loaded.entries = placed

    def _read(self, loaded: _Loaded, missing: pl.DataFrame) -> None:
        """Read what the index does not know from the files, and keep it in the index if it is worth it."""
        rows: list[tuple[Any, ...]] = []
        frames, total = [], 0
        with ThreadPoolExecutor(READERS) as pool:
            for some in missing.iter_slices(FILES_AT_ONCE):
                statistics = StatisticsRows()
                for status, found in pool.map(lambda row: self._record(*row[:3]), some.iter_rows()):
                    if isinstance(found, Corruption):
                        loaded.corrupt.append(found)
                    elif found is not None:
                        count = statistics.add(found.quality)
                        key = found.key
                        rows.append((key.table, key.pair, key.month, *status, *record_row(found), "", total, count))
                        total += count
                frames.append(statistics.frame())
        fresh = pl.DataFrame(rows, PARTS, orient="row")
        name = None
        if len(rows) >= WORTH_SAVING:
            name = self.index.add("stats", frames)
            if name is not None:
                fresh = fresh.with_columns(stats=pl.lit(name))
                self.index.add("parts", [fresh])
        if name is None:
            loaded.statistics[""] = pl.concat(frames)
        loaded.entries = pl.concat([loaded.entries, fresh])

    def _record(self, table: str, pair: str, month: str) -> tuple[tuple[int, int, int], Record | Corruption | None]:
        """The record of a file and the status that it had, both from one moment; None if the file is gone."""
        key = PartitionKey(table, pair, month)
        path = part_path(self.root, key)
        try:
            return _steadily(path, lambda: read_record(key, path))
        except FileNotFoundError:
            return (0, 0, 0), None

    # -- bars ----------------------------------------------------------------------------------------------------

    def days(self) -> dict[str, dict[str, list[DaySummary]]]:
        """The summaries of all stored days by pair and month; StoreError if bars cannot be read or have strays."""
        listed = listed_bars(self.root)
        refuse_strays(listed)
        entries = self._days(listed.files, whole=False)
        found: dict[str, dict[str, list[DaySummary]]] = {}
        for pair, month, *values in entries.sort("pair", "month", "day").select("pair", "month", *DAY).iter_rows():
            found.setdefault(pair, {}).setdefault(month, []).append(DaySummary(*values))
        return found

    def find_corrupt(self, inventory: Inventory) -> list[Corruption]:
        """Files that cannot be read, or lie where they do not belong; see ``Store.find_corrupt``.

        Bars are read whole, except those that were found whole before and have not been touched since.
        """
        bars = listed_bars(self.root)
        found = list(inventory.corrupt)
        self._days(bars.files, whole=True, corrupt=found)
        strays = [*bars.strays, *self._beside(pl.concat([d.select(KEYS) for d in (bars.files, inventory.partitions)]))]
        return found + [Corruption(str(path), STRAY) for path in strays]

    def _days(self, listed: pl.DataFrame, whole: bool, corrupt: list[Corruption] | None = None) -> pl.DataFrame:
        """The days of the files in ``listed``; ``whole``: only of those whose bars have been read and are right."""
        segments = self.index.segments("days")
        entries = pl.concat([pl.DataFrame(schema=DAYS), *(s.frame() for s in segments)])
        entries = entries.join(listed, on=[*KEYS, *STATUS], how="semi")
        entries = entries.filter(pl.col("whole")) if whole else entries
        entries = entries.sort("whole", maintain_order=True).unique([*KEYS, "day"], keep="last", maintain_order=True)
        missing = unknown(listed, entries)
        fresh = []
        for _, pair, month, *_rest in missing.iter_rows():
            try:
                fresh += self._noted(pair, month, whole)
            except NewerFormatError:
                raise
            except StoreError as error:
                if corrupt is None:
                    raise
                corrupt.append(Corruption(str(bars_path(self.root, pair, month)), str(error)))
        if fresh:
            entries = pl.concat([entries, pl.DataFrame(fresh, DAYS, orient="row")])
        if missing.height >= WORTH_SAVING or (fresh and len(segments) > MOST_SEGMENTS):
            added = self.index.add("days", [entries.sort(*KEYS, "day")])
            self.index.remove(s.name for s in segments if added not in (None, s.name))
        return entries

    def _noted(self, pair: str, month: str, whole: bool) -> list[tuple[Any, ...]]:
        """Rows of DAYS for one file of bars."""
        path = bars_path(self.root, pair, month)
        try:
            status, note = _steadily(path, lambda: _note(path, pair, month, whole))
        except FileNotFoundError:
            return []
        return [(BARS_TABLE, pair, month, *status, whole, *vars(day).values()) for day in note.days]

    # -- what does not belong ------------------------------------------------------------------------------------

    def _beside(self, keys: pl.DataFrame) -> list[Path]:
        """Parquet files beside the store's own; folders that have not changed since they had none are not opened."""
        listed = keys.with_columns(folder=pl.Series(folder_times(self.root, keys.iter_rows()), dtype=pl.Int64))
        segments = self.index.segments("folders")
        clean = pl.concat([pl.DataFrame(schema=FOLDERS), *(s.frame() for s in segments)])
        odd: list[Path] = []
        swept = []
        for table, pair, month, time in listed.join(clean, on=[*KEYS, "folder"], how="anti").iter_rows():
            name = BARS if table == BARS_TABLE else PART
            files = sorted((self.root / folder_of(table, pair, month)).glob("*.parquet"))
            beside = [path for path in files if path.name != name and path.name[0] not in "._"]
            odd += beside
            if not beside:
                swept.append((table, pair, month, time))
        if len(swept) >= WORTH_SAVING:
            known = clean.join(listed, on=[*KEYS, "folder"], how="semi")
            added = self.index.add("folders", [pl.concat([known, pl.DataFrame(swept, FOLDERS, orient="row")])])
            self.index.remove(s.name for s in segments if added not in (None, s.name))
        return odd


def refuse_strays(listed: Listed) -> None:
    """CorruptError if folders that would duplicate rows lie among those of the store."""
    if listed.strays:
        raise CorruptError(f"{listed.strays[0]}: {STRAY}")


def _note(path: Path, pair: str, month: str, whole: bool) -> BarsNote:
    return read_bars_file(path, pair, month)[1] if whole else read_note(path, pair, month)


def _steadily(path: Path, read: Callable[[], T]) -> tuple[tuple[int, int, int], T]:
    """The status of a file and what ``read`` finds in it, both from one moment."""
    before = status_of(path)
    found = read()
    while (after := status_of(path)) != before:  # it was replaced meanwhile
        before, found = after, read()
    return before, found
