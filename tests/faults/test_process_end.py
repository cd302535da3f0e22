"""Process exit after reading a file: reader threads that still hold it must not abort the process.

FXLOOM_FAULTS sets the number of runs (200 under ``make faults``; a few otherwise, so that the test still runs).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.sources.formats.market import PRICES, TIMES

RUNS = max(int(os.environ.get("FXLOOM_FAULTS") or 4), 2)
TWO_ROWS = pl.DataFrame({"time": TIMES, **dict(zip(("open", "high", "low", "close"), PRICES.T, strict=True))}).head(2)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_the_command_exits_with_its_own_status(kind: str, tmp_path: Path) -> None:
    """The file is so small that the command exits at once; one run in five used to abort (status 134)."""
    path = tmp_path / f"EURUSD.{kind}"
    naive = TWO_ROWS.with_columns(pl.col("time").dt.replace_time_zone(None))
    naive.write_parquet(path) if kind == "parquet" else naive.write_ipc(path)
    command = [sys.executable, "-m", "fxloom", "ingest", "--store", str(tmp_path / "lake"), str(path)]
    for _ in range(RUNS):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        assert "--zone" in done.stdout
