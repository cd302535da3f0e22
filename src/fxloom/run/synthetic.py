"""Writes the synthetic market to files, for demonstrations and trials."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from fxloom.bars.synthetic import synthetic_market
from fxloom.stores.frames import bars_table


def write_synthetic_market(folder: str | Path, start: dt.date, end: dt.date, pairs: Sequence[str]) -> list[Path]:
    """One Parquet file of minute bars per pair in ``folder``, from ``start`` to ``end`` (exclusive), UTC.

    The bars have quotes and tick volume; the same arguments give the same bars. Returns the files.
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    files = []
    for pair, bars in synthetic_market(start, end, tuple(pairs)).items():
        files.append(root / f"{pair}.parquet")
        pq.write_table(bars_table(bars), files[-1])
    return files
