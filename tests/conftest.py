"""Where the sample data is, and real bars for tests that want them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from fxloom.bars.bars import Bars

DATA = Path(os.environ.get("FXLOOM_DATA") or Path(__file__).resolve().parents[1].parent / "shared" / "data")


def pytest_collection_modifyitems(items: list[pytest.PlannedPartition]) -> None:
    """Without the sample data its tests are skipped; where FXLOOM_DATA is set, missing data fails them instead."""
    if DATA.is_dir() or os.environ.get("FXLOOM_DATA"):
        return
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(pytest.mark.skip(reason="no sample data (FXLOOM_DATA)"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, [])]
    ran = sum("data" in r.keywords for r in reports if r.when == "call")
    terminalreporter.write_line(f"{ran} tests ran on the sample data")


@cache
def real_bars(name: str) -> Bars:
    """Bars of a sample file such as "market28/eurusd"."""
    frame = pl.read_parquet(DATA / f"{name}.parquet")

    def column(key: str) -> object:
        present = key in frame.columns and frame[key].null_count() == 0
        return frame[key].cast(pl.Float64).to_numpy() if present else None

    ts = frame["ts_utc"].dt.epoch("us").to_numpy() // 60_000_000
    return Bars(ts, *(frame[c].to_numpy() for c in ("open", "high", "low", "close")), volume=column("volume"))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def data() -> Path:
    return DATA
