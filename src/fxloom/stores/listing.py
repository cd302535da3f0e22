"""Lists the files of a folder store with their size, time and inode, quickly: a full store has 161,400 partitions."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fxloom.bars.pairs import PAIRS
from fxloom.stores.inventory import KEYS
from fxloom.stores.tree import BARS, BARS_TABLE, MONTH, PART, folder_of, holds_rows

STATUS = ("size", "mtime", "inode")  # what tells whether a file is the one that was read before; mtime in nanoseconds
_PAIRS = frozenset(PAIRS)
LISTED: dict[str, Any] = dict.fromkeys(KEYS, pl.String) | dict.fromkeys(STATUS, pl.Int64)


@dataclass
class Listed:
    """``files``: KEYS and STATUS of each; ``strays``: folders that look like the store's but are not."""

    files: pl.DataFrame
    strays: list[Path]


def listed_parts(
    root: Path,
    tables: Collection[str] | None = None,
    pairs: Collection[str] | None = None,
    first: str = "",
    last: str = "9999-12",
) -> Listed:
    """The partitions of ``tables`` (None: all that have a folder) for ``pairs`` in the months ``first`` to ``last``.

    Only the folders of those pairs and months are looked at. Partitions of all pairs together are always among them.
    """
    walk = _Walk(PART, first, last)
    for table in sorted(_folders(f"{root}/features") if tables is None else tables):
        folder = f"{root}/features/{table}"
        walk.months(folder, table, "")
        walk.pairs(folder, table, pairs)
    return walk.found()


def listed_bars(root: Path, pair: str | None = None, first: str = "", last: str = "9999-12") -> Listed:
    """The files of bars of ``pair`` (None: of all) in the months ``first`` to ``last``; their table is BARS_TABLE."""
    walk = _Walk(BARS, first, last)
    if pair is None:
        walk.pairs(f"{root}/{BARS_TABLE}", BARS_TABLE, None)
    else:
        walk.months(f"{root}/{BARS_TABLE}/pair={pair}", BARS_TABLE, pair)
    return walk.found()


def folder_times(root: Path, keys: Iterable[tuple[str, str, str]]) -> list[int]:
    """When the folder of each file (table, pair, month) was last changed, in nanoseconds; 0 if it is gone."""
    return [_folder_time(f"{root}/{folder_of(*key)}") for key in keys]


def _folder_time(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except FileNotFoundError:
        return 0


def status_of(path: str | Path) -> tuple[int, int, int]:
    """STATUS of a file; OSError if it cannot be looked at."""
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns, found.st_ino


def _folders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


class _Walk:
    """Collects the files of one name, of the months ``first`` to ``last``, below folders of pairs and months."""

    def __init__(self, name: str, first: str, last: str) -> None:
        self.name, self.first, self.last = name, first, last
        self.rows: list[tuple[str, str, str, int, int, int]] = []
        self.strays: list[Path] = []

    def found(self) -> Listed:
        return Listed(pl.DataFrame(self.rows, LISTED, orient="row"), self.strays)

    def pairs(self, folder: str, table: str, wanted: Collection[str] | None) -> None:
        for entry in sorted(_folders(folder)):
            if not entry.startswith("pair="):
                continue
            pair = entry[5:]
            if pair not in _PAIRS:
                self._stray(f"{folder}/{entry}")
            elif wanted is None or pair in wanted:
                self.months(f"{folder}/{entry}", table, pair)

    def months(self, folder: str, table: str, pair: str) -> None:
        for entry in sorted(_folders(folder)):
            month = MONTH.fullmatch(entry)
            if month is None:
                if entry.startswith("month="):
                    self._stray(f"{folder}/{entry}")
            elif self.first <= month[1] <= self.last:
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    self.rows.append((table, pair, month[1], *status_of(f"{folder}/{entry}/{self.name}")))

    def _stray(self, folder: str) -> None:
        if holds_rows(Path(folder)):
            self.strays.append(Path(folder))
