"""Lists all files of a folder store with their size, time and inode, quickly: a full store has 161,400 partitions."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fxloom.bars.pairs import PAIRS
from fxloom.stores.tree import BARS, MONTH, PART, holds_rows

KEYS = ("table", "pair", "month")
STATUS = ("size", "mtime", "inode")  # what tells whether a file is the one that was read before; mtime in nanoseconds
_PAIRS = frozenset(PAIRS)
LISTED: dict[str, Any] = dict.fromkeys(KEYS, pl.String) | dict.fromkeys(STATUS, pl.Int64)


@dataclass
class Listed:
    """``files``: KEYS and STATUS of each; ``strays``: folders that look like the store's but are not."""

    files: pl.DataFrame
    strays: list[Path]


def listed_parts(root: Path, tables: Collection[str] | None = None) -> Listed:
    """The partitions of ``tables`` (None: all that have a folder)."""
    walk = _Walk(PART)
    for table in sorted(_folders(f"{root}/features") if tables is None else tables):
        folder = f"{root}/features/{table}"
        walk.months(folder, table, "")
        walk.pairs(folder, table)
    return walk.found()


def listed_bars(root: Path) -> Listed:
    """The files of bars; their ``table`` is "m1"."""
    walk = _Walk(BARS)
    walk.pairs(f"{root}/m1", "m1")
    return walk.found()


def folder_times(root: Path, keys: Iterable[tuple[str, str, str]]) -> list[int]:
    """When the folder of each file (table, pair, month) was last changed, in nanoseconds; 0 if it is gone."""
    return [_folder_time(f"{root}/{_folder(*key)}") for key in keys]


def _folder(table: str, pair: str, month: str) -> str:
    above = "m1" if table == "m1" else f"features/{table}"
    return f"{above}/pair={pair}/month={month}" if pair else f"{above}/month={month}"


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
    """Collects the files of one name below folders of pairs and months."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[tuple[str, str, str, int, int, int]] = []
        self.strays: list[Path] = []

    def found(self) -> Listed:
        return Listed(pl.DataFrame(self.rows, LISTED, orient="row"), self.strays)

    def pairs(self, folder: str, table: str) -> None:
        for entry in sorted(_folders(folder)):
            if entry.startswith("pair="):
                if entry[5:] in _PAIRS:
                    self.months(f"{folder}/{entry}", table, entry[5:])
                else:
                    self._stray(f"{folder}/{entry}")

    def months(self, folder: str, table: str, pair: str) -> None:
        for entry in sorted(_folders(folder)):
            month = MONTH.fullmatch(entry)
            if month is None:
                if entry.startswith("month="):
                    self._stray(f"{folder}/{entry}")
                continue
            try:
                status = status_of(f"{folder}/{entry}/{self.name}")
            except (FileNotFoundError, NotADirectoryError):
                continue
            self.rows.append((table, pair, month[1], *status))

    def _stray(self, folder: str) -> None:
        if holds_rows(Path(folder)):
            self.strays.append(Path(folder))
