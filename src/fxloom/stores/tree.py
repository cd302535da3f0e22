"""The layout of a folder store; finds its files, and those that do not belong there.

settings.json
m1/pair=eurusd/month=2018-02/bars.parquet
features/<table>/pair=eurusd/month=2018-02/part.parquet    (tables that hold all pairs: by month only)
quarantine/...csv
reports/...json
_index/...                                                 (see ``fxloom.stores.index``; safe to delete)
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fxloom.bars.pairs import PAIRS
from fxloom.engine.partitions import PartitionKey

SETTINGS, BARS, PART = "settings.json", "bars.parquet", "part.parquet"
MONTH = re.compile(r"month=(\d{4}-(?:0[1-9]|1[0-2]))")
STRAY = "it is not part of the store: move it elsewhere, because programs that read the folder would see its rows twice"


def bars_path(root: Path, pair: str, month: str) -> Path:
    """The file of a pair's bars of ``month`` ("YYYY-MM")."""
    return root / "m1" / f"pair={pair}" / f"month={month}" / BARS


def part_path(root: Path, key: PartitionKey) -> Path:
    """The file of a partition of features."""
    folder = root / "features" / key.table
    return (folder / f"pair={key.pair}" if key.pair else folder) / f"month={key.month}" / PART


@dataclass(frozen=True)
class Listing:
    """Files of a store, and stray folders that look like the store's but are not."""

    bars: tuple[tuple[str, str, Path], ...] = ()  # pair, month, file
    parts: tuple[tuple[PartitionKey, Path], ...] = ()
    strays: tuple[Path, ...] = ()


def list_bars(root: Path, pair: str | None = None, first: str = "", last: str = "9999-12") -> Listing:
    """The bars of ``pair`` (None: of all pairs) in the months from ``first`` to ``last``."""
    pairs, strays = _pair_folders(root / "m1") if pair is None else ([(pair, root / "m1" / f"pair={pair}")], [])
    found = []
    for name, folder in pairs:
        months, odd = _month_files(folder, BARS, first, last)
        found += [(name, month, path) for month, path in months]
        strays += odd
    return Listing(bars=tuple(found), strays=tuple(strays))


def list_parts(root: Path, table: str, pairs: Collection[str] | None, first: str, last: str) -> Listing:
    """The partitions of ``table`` for ``pairs`` (None: all) in the months from ``first`` to ``last``.

    Only the folders of those pairs and months are looked at. Partitions of all pairs together are always among them.
    """
    folder = root / "features" / table
    months, strays = _month_files(folder, PART, first, last)
    found = [(PartitionKey(table, "", month), path) for month, path in months]
    chosen, odd = _pair_folders(folder)
    strays += odd
    for pair, inner in chosen:
        if pairs is None or pair in pairs:
            months, odd = _month_files(inner, PART, first, last)
            found += [(PartitionKey(table, pair, month), path) for month, path in months]
            strays += odd
    return Listing(parts=tuple(found), strays=tuple(strays))


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if e.is_dir()), key=lambda e: e.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _pair_folders(folder: Path) -> tuple[list[tuple[str, Path]], list[Path]]:
    """The folders of pairs, and those that only look like one."""
    named = [(e.name.partition("=")[2], Path(e.path)) for e in _folders(folder) if e.name.startswith("pair=")]
    strays = [path for name, path in named if name not in PAIRS and holds_rows(path)]
    return [(name, path) for name, path in named if name in PAIRS], strays


def _month_files(folder: Path, name: str, first: str, last: str) -> tuple[list[tuple[str, Path]], list[Path]]:
    """The months from ``first`` to ``last`` that have the file ``name``, and folders that only look like a month."""
    found, strays = [], []
    for entry in _folders(folder):
        month = MONTH.fullmatch(entry.name)
        if month:
            if first <= month[1] <= last and (path := Path(entry.path) / name).exists():
                found.append((month[1], path))
        elif entry.name.startswith("month=") and holds_rows(Path(entry.path)):
            strays.append(Path(entry.path))
    return found, strays


def holds_rows(folder: Path) -> bool:
    """Whether there are Parquet files in ``folder`` at any depth."""
    return any(folder.rglob("*.parquet"))


def enclosing_store(path: Path) -> Path | None:
    """The folder store that contains ``path``, or None; only the store itself may write there.

    >>> enclosing_store(Path("/nowhere/at/all.parquet")) is None
    True
    """
    inside = Path(os.path.abspath(path)).parents
    resolved = path.parent.resolve() / path.name
    return next((f for f in (*inside, *resolved.parents) if (f / SETTINGS).is_file() and (f / "m1").is_dir()), None)


def foreign_entries(root: Path, ours: Iterable[str]) -> Iterator[str]:
    """The names of entries of ``root`` that are not in ``ours``."""
    known = set(ours)
    with os.scandir(root) as entries:
        yield from (entry.name for entry in entries if entry.name not in known)
