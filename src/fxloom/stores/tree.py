"""The layout of a folder store.

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
from collections.abc import Iterable, Iterator
from pathlib import Path

from fxloom.engine.partitions import PartitionKey

SETTINGS, BARS, PART = "settings.json", "bars.parquet", "part.parquet"
BARS_TABLE = "m1"  # in the place of a table's name
MONTH = re.compile(r"month=(\d{4}-(?:0[1-9]|1[0-2]))")
STRAY = "it is not part of the store: move it elsewhere, because programs that read the folder would see its rows twice"


def folder_of(table: str, pair: str, month: str) -> str:
    """The folder of one file, relative to the store; ``table`` is BARS_TABLE for bars, ``pair`` "" for all pairs."""
    above = BARS_TABLE if table == BARS_TABLE else f"features/{table}"
    return f"{above}/pair={pair}/month={month}" if pair else f"{above}/month={month}"


def bars_path(root: Path, pair: str, month: str) -> Path:
    """The file of a pair's bars of ``month`` ("YYYY-MM")."""
    return root / folder_of(BARS_TABLE, pair, month) / BARS


def part_path(root: Path, key: PartitionKey) -> Path:
    """The file of a partition of features."""
    return root / folder_of(key.table, key.pair, key.month) / PART


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
