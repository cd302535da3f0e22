"""The store as a folder of Parquet files that any program can read; ``fxloom.stores.tree`` documents the layout.

The only record of a file is its own metadata. A file appears complete or not at all, and everything read is verified
against the checksums that were written with it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from fxloom.bars.bars import Bars, Floats, Ints
from fxloom.bars.days import DaySummary
from fxloom.bars.months import month_of, months_of
from fxloom.engine.partitions import Corruption, PartitionKey, Record, Settings
from fxloom.features.catalogue import tables
from fxloom.stores.atomic import INCOMING, clear_temporaries, flush_folder, make_folders, replacing, store_errors
from fxloom.stores.bar_files import read_bars_file, read_note
from fxloom.stores.base import CorruptError, Part, StoreError
from fxloom.stores.contents import Contents, refuse_strays
from fxloom.stores.documents import settings_fields, settings_of
from fxloom.stores.frames import (
    features_table,
    joined,
    scanned,
    stored_bars_table,
)
from fxloom.stores.inventory import KEYS, Inventory
from fxloom.stores.listing import listed_bars, listed_parts, status_of
from fxloom.stores.parts import UNREADABLE, corruption_of, is_corruption, part_of, read_partition, read_record
from fxloom.stores.tree import SETTINGS, bars_path, foreign_entries, part_path
from fxloom.system.lock import lock

LOCK, NOTE = ".lock", ".lock.holder"
NEW_STORE = "init"  # the purpose that may turn a folder with other content into a store


class FolderStore:
    """A store in the folder ``root``, which the first write creates; StoreError if the path is empty."""

    external_bars = False
    parallel_writes = True

    def __init__(self, root: str | Path) -> None:
        if not str(root).strip():
            raise StoreError("the store's path is empty: pass a folder, or a postgresql:// URL")
        self.root = Path(root)
        self.url = self.address = str(root)
        self._settings: Settings | None = None
        self._contents = Contents(self.root)
        self._footers: dict[Path, tuple[tuple[int, int, int], Record | Corruption]] = {}

    # -- settings ------------------------------------------------------------------------------------------------

    def settings(self) -> Settings | None:
        """The store's settings, None if there are none yet; StoreError if they cannot be read."""
        path = self.root / SETTINGS
        try:
            return settings_of(json.loads(path.read_text("utf-8")), path)
        except FileNotFoundError:
            if listed_bars(self.root).files.height:
                raise StoreError(
                    f"{path} is missing but the store has bars: restore it from a backup, or ingest into a new store"
                ) from None
            return None
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error}") from None
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"{path} is corrupt ({error}): restore it from a backup, or ingest into a new store"
            ) from None

    def write_settings(self, settings: Settings) -> None:
        text = json.dumps(settings_fields(settings), indent=2, sort_keys=True) + "\n"
        with replacing(self.root, self.root / SETTINGS) as temporary:
            temporary.write_text(text, "utf-8")
        self._settings = settings

    # -- bars ----------------------------------------------------------------------------------------------------

    def _bars_files(self, pair: str, first: str = "", last: str = "9999-12") -> list[tuple[str, Path]]:
        """The months of a pair and their files; CorruptError if a stray file among them would duplicate rows."""
        listed = listed_bars(self.root, pair, first, last)
        refuse_strays(listed)
        return [(month, bars_path(self.root, pair, month)) for month in listed.files["month"]]

    def pairs_with_bars(self) -> list[str]:
        return sorted(set(listed_bars(self.root).files["pair"]))

    def price_sides(self, pair: str) -> set[str]:
        sides = set()
        for month, path in self._bars_files(pair):
            # Reading the bars of a corrupt month reports it; the other months have the same side.
            with contextlib.suppress(CorruptError):
                sides.add(read_note(path, pair, month).side)
        return sides

    def bar_months(self, pair: str) -> dict[str, list[DaySummary]]:
        return {month: read_note(path, pair, month).days for month, path in self._bars_files(pair)}

    def month_names(self, pair: str) -> list[str]:
        return [month for month, _ in self._bars_files(pair)]

    def days_of(self, pair: str, month: str) -> list[DaySummary]:
        return read_note(bars_path(self.root, pair, month), pair, month).days

    def all_days(self) -> dict[str, dict[str, list[DaySummary]]]:
        return self._contents.days()

    def read_bars(self, pair: str, start: int, end: int) -> Bars:
        first, last = month_of(start), month_of(max(start, end - 1))
        chosen = self._bars_files(pair, first, last)
        return joined([read_bars_file(path, pair, month)[0] for month, path in chosen]).between(start, end)

    def write_bars(self, pair: str, month: str, bars: Bars, side: str = "mid") -> None:
        if months_of(bars.ts) != [month]:
            raise ValueError(f"bars of {pair} {month} extend beyond the month: {months_of(bars.ts)}")
        self._write(bars_path(self.root, pair, month), stored_bars_table(bars, pair, month, side))

    def drop_bars(self, pair: str, month: str) -> None:
        path = bars_path(self.root, pair, month)
        with store_errors(self.root):
            path.unlink(missing_ok=True)
            flush_folder(path.parent)

    def set_bars_aside(self, pair: str, month: str) -> str:
        """Move the file of a corrupt month to the quarantine; returns its new path."""
        path = bars_path(self.root, pair, month)
        if not path.exists():
            return ""
        kept = self.root / "quarantine" / f"m1-{pair}-{month}-{uuid.uuid4().hex[:8]}.corrupt"
        with store_errors(self.root):
            make_folders(kept.parent)
            path.replace(kept)
        return str(kept)

    # -- features ------------------------------------------------------------------------------------------------

    def records(self, tables: Iterable[str] | None = None) -> list[Record]:
        found = (self._record(key, part_path(self.root, key)) for key in self._keys(tables))
        return [record for record in found if isinstance(record, Record)]

    def _keys(self, tables: Iterable[str] | None = None) -> Iterator[PartitionKey]:
        listed = listed_parts(self.root, None if tables is None else list(tables))
        return (PartitionKey(*key) for key in listed.files.select(*KEYS).iter_rows())

    def inventory(self, tables: Collection[str] | None = None) -> Inventory:
        return self._contents.inventory(tables)

    def record(self, key: PartitionKey) -> Record | None:
        path = part_path(self.root, key)
        found = self._record(key, path) if path.exists() else None
        return found if isinstance(found, Record) else None

    def _record(self, key: PartitionKey, path: Path) -> Record | Corruption:
        """The record in the metadata of the file at ``path``, cached until the file changes."""
        try:
            status = status_of(path)
        except OSError as error:
            return Corruption(str(path), f"{error}: populate computes it again")
        known = self._footers.get(path)
        if known is None or known[0] != status:
            known = self._footers[path] = (status, read_record(key, path))
        return known[1]

    def partition(self, key: PartitionKey) -> tuple[Record, pl.DataFrame] | None:
        path = part_path(self.root, key)
        if not path.exists():
            return None
        record, rows = read_partition(key, path, tables()[key.table].names, self._dtype())
        return record, rows.select("ts_utc", "pair", *tables()[key.table].names)

    def find_corrupt(self, inventory: Inventory | None = None) -> list[Corruption]:
        return self._contents.find_corrupt(inventory or self.inventory())

    def verify(self) -> list[Corruption]:
        """Files whose values differ from what was written, except those that ``find_corrupt`` already reports."""
        files = ((key, part_path(self.root, key)) for key in self._keys())
        readable = ((path, self._record(key, path)) for key, path in files)
        found = [(path, corruption_of(path, r, self._dtype())) for path, r in readable if isinstance(r, Record)]
        return [Corruption(str(path), why) for path, why in found if why]

    def publish(self, record: Record, ts: Ints, pairs: Sequence[str] | None, columns: dict[str, Floats]) -> None:
        self._write(part_path(self.root, record.key), features_table(record, ts, pairs, columns, self._dtype()))

    def _dtype(self) -> str:
        """The float type of the features, which never changes."""
        if self._settings is None:
            self._settings = self.settings()
        return self._settings.dtype if self._settings else "float32"

    def _files(
        self, table: str, pairs: Sequence[str] | None, start: int | None, end: int | None
    ) -> list[tuple[PartitionKey, Path]]:
        first = month_of(start) if start is not None else ""
        last = month_of(end - 1) if end is not None else "9999-12"
        listed = listed_parts(self.root, [table], pairs, first, last)
        refuse_strays(listed)
        keys = [PartitionKey(*key) for key in listed.files.select(KEYS).iter_rows()]
        return [(key, part_path(self.root, key)) for key in keys]

    def parts(
        self, table: str, pairs: Sequence[str] | None, start: int | None, end: int | None
    ) -> list[tuple[PartitionKey, Part]]:
        dtype = self._dtype()
        return [(key, part_of(key, path, dtype)) for key, path in self._files(table, pairs, start, end)]

    def scan(self, table: str, pairs: Sequence[str] | None, start: int | None, end: int | None) -> pl.LazyFrame | None:
        files = self._files(table, pairs, start, end)
        if not files:
            return None
        known = tables().get(table)
        names = known.names if known else _names_in(files[-1][1])
        dtype = self._dtype()
        return scanned(names, dtype, [(key, part_of(key, path, dtype)) for key, path in files], pairs)

    # -- the rest ------------------------------------------------------------------------------------------------

    def quarantine(self, rows: pl.DataFrame, name: str) -> str:
        path = self.root / "quarantine" / f"{name}.csv"
        with replacing(self.root, path) as temporary:
            rows.write_csv(temporary)
        return str(path)

    def keep(self, name: str, text: str) -> str:
        with replacing(self.root, self.root / name) as temporary:
            temporary.write_text(text, "utf-8")
        return str(self.root / name)

    def kept(self, name: str) -> str | None:
        try:
            return (self.root / name).read_text("utf-8")
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def exclusive(self, purpose: str, wait: float = 0.0) -> Iterator[None]:
        """Lock the store for writing; a folder that was created for it and stays unused is removed at the end.

        LockedError if another process holds it, StoreError if the folder has other content or cannot be written to.
        """
        made = [folder for folder in (self.root, *self.root.parents) if not folder.exists()]
        if not made and purpose != NEW_STORE:
            self._refuse_foreign()
        with contextlib.ExitStack() as held:
            with store_errors(self.root):
                held.enter_context(lock(self.root / LOCK, purpose, wait))
                clear_temporaries(self.root)
            try:
                yield
            finally:
                with contextlib.suppress(OSError):  # not empty: leave it
                    (self.root / INCOMING).rmdir()
                if made and not list(foreign_entries(self.root, (LOCK, NOTE))):
                    (self.root / LOCK).unlink(missing_ok=True)
        for folder in made:
            with contextlib.suppress(OSError):  # in use: leave it
                folder.rmdir()

    def _refuse_foreign(self) -> None:
        """StoreError if the folder is neither empty nor a store."""
        if not self.root.is_dir():
            raise StoreError(f"{self.root} is a file: pass a folder for the store")
        if self.settings() is None and (others := sorted(foreign_entries(self.root, (LOCK, NOTE, INCOMING)))):
            raise StoreError(
                f"{self.root} is not a store and has other content ({', '.join(others[:3])}"
                f"{' ...' if len(others) > 3 else ''}): choose a new folder, or make it a store with "
                f"`fxloom init --store {self.root}`"
            )

    def free_bytes(self) -> int | None:
        folder = self.root.absolute()
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def _write(self, path: Path, table: pa.Table) -> None:
        with replacing(self.root, path) as temporary:
            write_file(table, temporary)


def write_file(table: pa.Table, path: Path) -> None:
    """Write a file of the store as it is: compression, statistics and page checksums."""
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=1,
        use_dictionary=["pair"] if "pair" in table.column_names else False,
        use_byte_stream_split=[f.name for f in table.schema if pa.types.is_floating(f.type)],
        write_statistics=["ts_utc"] if "ts_utc" in table.column_names else False,
        write_page_checksum=True,
        row_group_size=1 << 20,
    )


def _names_in(path: Path) -> list[str]:
    try:
        return [name for name in pq.read_schema(path).names if name not in ("ts_utc", "pair")]
    except UNREADABLE as error:
        if not is_corruption(error):
            raise StoreError(f"{path} cannot be read: {error}") from None
        raise CorruptError(f"{path} is corrupt ({error}): populate computes it again") from None
