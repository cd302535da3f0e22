"""The store as a folder of Parquet files that any reader understands.

    settings.json
    m1/pair=eurusd/month=2018-02/bars.parquet
    features/<table>/pair=eurusd/month=2018-02/part.parquet    (cross_sectional_panel: by month only)
    quarantine/...csv

Each file says in its own metadata what made it; there is no other record. Files are written under a temporary name,
flushed and renamed, so that a reader sees a partition whole or not at all; temporaries of killed runs are cleared
by the next writer.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from fxloom.bars.bars import Bars, Floats, Ints
from fxloom.bars.days import DaySummary
from fxloom.bars.months import month_of, months_of
from fxloom.bars.pairs import PairInfo
from fxloom.engine.partitions import Corruption, PartitionKey, Record, Settings
from fxloom.features.catalogue import tables
from fxloom.stores.base import CorruptError, StoreError
from fxloom.stores.frames import bars_of, bars_table, days_in, features_table, joined, record_in
from fxloom.stores.parts import UNREADABLE, corruption_of, feature_files
from fxloom.system.lock import lock

TEMPORARY = ".tmp-"
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} if sys.platform != "win32" else {errno.ENOSPC, errno.EFBIG}


class FolderStore:
    """A store in the folder ``root``; it is made by the first write."""

    borrows = False

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.url = self.address = str(root)
        self._settings: Settings | None = None
        self._footers: dict[Path, tuple[tuple[int, int, int], Record | Corruption]] = {}

    # -- settings ------------------------------------------------------------------------------------------------

    def settings(self) -> Settings | None:
        """The store's settings, None if there are none yet; StoreError if they cannot be read."""
        path = self.root / "settings.json"
        if not path.exists():
            if self.root.exists() and any(self.root.glob("m1/*/*/*.parquet")):
                raise StoreError(f"{path} is missing although the store has bars: restore it, or ingest anew elsewhere")
            return None
        try:
            fields = json.loads(path.read_text("utf-8"))
            pairs = {pair: PairInfo(**info) for pair, info in fields.pop("pairs").items()}
            return Settings(pairs=pairs, **fields)
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(f"{path} is damaged ({error}): restore it from a copy, or ingest anew elsewhere") from None

    def write_settings(self, settings: Settings) -> None:
        text = json.dumps(asdict(settings), indent=2, sort_keys=True) + "\n"
        with self._replacing(self.root / "settings.json") as temporary:
            temporary.write_text(text, "utf-8")
        self._settings = settings

    # -- bars ----------------------------------------------------------------------------------------------------

    def _bars_path(self, pair: str, month: str) -> Path:
        return self.root / "m1" / f"pair={pair}" / f"month={month}" / "bars.parquet"

    def bar_months(self, pair: str) -> dict[str, list[DaySummary]]:
        found = {}
        for path in sorted((self.root / "m1" / f"pair={pair}").glob("month=*/bars.parquet")):
            try:
                found[_part(path, "month")] = days_in(pq.read_metadata(path).metadata or {})
            except UNREADABLE as error:
                raise _unreadable(path, error) from None
        return found

    def read_bars(self, pair: str, start: int, end: int) -> Bars:
        first, last = month_of(start), month_of(max(start, end - 1))
        paths = sorted((self.root / "m1" / f"pair={pair}").glob("month=*/bars.parquet"))
        chosen = [p for p in paths if first <= _part(p, "month") <= last]
        return joined([_read_bars_file(path) for path in chosen]).between(start, end)

    def write_bars(self, pair: str, month: str, bars: Bars) -> None:
        """Replace a month of bars; ValueError if a bar lies outside of it."""
        if months_of(bars.ts) != [month]:
            raise ValueError(f"bars of {pair} {month} reach beyond the month: {months_of(bars.ts)}")
        self._write(self._bars_path(pair, month), bars_table(bars))

    def drop_bars(self, pair: str, month: str) -> str:
        """Move the file of a damaged month to the quarantine, so that it can be ingested again; returns where to."""
        path = self._bars_path(pair, month)
        if not path.exists():
            return ""
        kept = self.root / "quarantine" / f"m1-{pair}-{month}-{uuid.uuid4().hex[:8]}.damaged"
        kept.parent.mkdir(parents=True, exist_ok=True)
        path.replace(kept)
        return str(kept)

    # -- features ------------------------------------------------------------------------------------------------

    def _part_path(self, key: PartitionKey) -> Path:
        folder = self.root / "features" / key.table
        return (folder / f"pair={key.pair}" if key.pair else folder) / f"month={key.month}" / "part.parquet"

    def _part_paths(self, tables: Iterable[str] | None = None) -> Iterator[Path]:
        names = ["*"] if tables is None else list(tables)
        for name in names:
            folder = self.root / "features"
            yield from sorted(folder.glob(f"{name}/month=*/part.parquet"))
            yield from sorted(folder.glob(f"{name}/pair=*/month=*/part.parquet"))

    def records(self, tables: Iterable[str] | None = None) -> list[Record]:
        found = (self._record(path) for path in self._part_paths(tables))
        return [record for record in found if isinstance(record, Record)]

    def record(self, key: PartitionKey) -> Record | None:
        path = self._part_path(key)
        found = self._record(path) if path.exists() else None
        return found if isinstance(found, Record) else None

    def _record(self, path: Path) -> Record | Corruption:
        """What the file at ``path`` says of itself, remembered for as long as it is the same file."""
        try:
            status = path.stat()
        except OSError as error:
            return Corruption(str(path), f"{error}: populate makes it again")
        same = (status.st_ino, status.st_mtime_ns, status.st_size)
        known = self._footers.get(path)
        if known is None or known[0] != same:
            known = self._footers[path] = (same, _read_record(path))
        return known[1]

    def find_corrupt(self) -> list[Corruption]:
        """Files that cannot be read: bars (ingest them again) and partitions (populate makes them again)."""
        found = [r for r in map(self._record, self._part_paths()) if isinstance(r, Corruption)]
        for path in sorted(self.root.glob("m1/pair=*/month=*/bars.parquet")):
            try:
                _read_bars_file(path)
            except StoreError as error:
                found.append(Corruption(str(path), str(error)))
        return found

    def verify(self) -> list[Corruption]:
        """Files whose values are not those that were written; those that ``damages`` finds are left out."""
        readable = ((path, self._record(path)) for path in self._part_paths())
        found = [(path, corruption_of(path, r, self._dtype())) for path, r in readable if isinstance(r, Record)]
        return [Corruption(str(path), why) for path, why in found if why]

    def publish(self, record: Record, ts: Ints, pairs: Sequence[str] | None, columns: dict[str, Floats]) -> None:
        self._write(self._part_path(record.key), features_table(record, ts, pairs, columns, self._dtype()))

    def _dtype(self) -> str:
        """The type of features, settled once for the store."""
        if self._settings is None:
            self._settings = self.settings()
        return self._settings.dtype if self._settings else "float32"

    def scan(self, table: str, pairs: Sequence[str] | None, start: int | None, end: int | None) -> pl.LazyFrame | None:
        first = month_of(start) if start is not None else ""
        last = month_of(end - 1) if end is not None else "9999-12"
        paths = [p for p in self._part_paths([table]) if first <= _part(p, "month") <= last]
        by_pair = bool(paths) and paths[0].parts[-3].startswith("pair=")
        if by_pair and pairs is not None:
            paths = [p for p in paths if _part(p, "pair") in pairs]
        if not paths:
            return None
        files = [(PartitionKey(table, _part(p, "pair") if by_pair else "", _part(p, "month")), p) for p in paths]
        known = tables().get(table)
        names = known.names if known else [n for n in pq.read_schema(paths[-1]).names if n not in ("ts_utc", "pair")]
        frame = feature_files(files, names, self._dtype())
        return frame if by_pair or pairs is None else frame.filter(pl.col("pair").is_in(list(pairs)))

    # -- the rest ------------------------------------------------------------------------------------------------

    def quarantine(self, rows: pl.DataFrame, name: str) -> str:
        path = self.root / "quarantine" / f"{name}.csv"
        with self._replacing(path) as temporary:
            rows.write_csv(temporary)
        return str(path)

    def keep(self, name: str, text: str) -> str:
        with self._replacing(self.root / name) as temporary:
            temporary.write_text(text, "utf-8")
        return str(self.root / name)

    def kept(self, name: str) -> str | None:
        try:
            return (self.root / name).read_text("utf-8")
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def exclusive(self, purpose: str, wait: float = 0.0) -> Iterator[None]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with lock(self.root / ".lock", purpose, wait):
                self._clear_temporaries()
                yield
        except OSError as error:
            if error.errno in FORBIDDEN:
                raise StoreError(f"{self.root} cannot be written to: {error}") from None
            if error.errno in FULL:
                raise StoreError(
                    f"{self.root}: {error}; what was finished is kept: make room and run the command again"
                ) from None
            raise

    def _clear_temporaries(self) -> None:
        for path in self.root.glob(f"**/*{TEMPORARY}*"):
            path.unlink(missing_ok=True)

    def free_bytes(self) -> int | None:
        folder = self.root
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def _write(self, path: Path, table: pa.Table) -> None:
        with self._replacing(path) as temporary:
            pq.write_table(
                table,
                temporary,
                compression="zstd",
                compression_level=1,
                use_dictionary=["pair"] if "pair" in table.column_names else False,
                use_byte_stream_split=[f.name for f in table.schema if pa.types.is_floating(f.type)],
                write_statistics=["ts_utc"] if "ts_utc" in table.column_names else False,
                write_page_checksum=True,
                row_group_size=1 << 20,
            )

    @contextlib.contextmanager
    def _replacing(self, path: Path) -> Iterator[Path]:
        """A temporary beside ``path`` to write to; flushed and renamed to ``path`` at the end of the block."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}{TEMPORARY}{uuid.uuid4().hex[:12]}")
        try:
            yield temporary
            _flush(temporary)
            temporary.replace(path)
            _flush_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def _part(path: Path, name: str) -> str:
    """The value of ``name=value`` in a path."""
    return next(part for part in path.parts[::-1] if part.startswith(f"{name}=")).partition("=")[2]


def _read_bars_file(path: Path) -> Bars:
    try:
        table = pq.read_table(path, page_checksum_verification=True, partitioning=None)
        return bars_of(table)
    except UNREADABLE as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> StoreError:
    """Why a file of bars cannot be read: the system does not let us, or it is damaged."""
    if isinstance(error, OSError) and error.errno:
        return StoreError(f"{path} cannot be read: {error}")
    return CorruptError(f"{path} is damaged ({error}): ingest the bars of that month again")


def _read_record(path: Path) -> Record | Corruption:
    try:
        return record_in(pq.read_metadata(path).metadata)
    except UNREADABLE as error:
        return Corruption(str(path), f"{error}: populate makes it again")


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    if sys.platform == "win32":
        return  # folders cannot be opened there; the rename itself is journalled
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
