"""The location of the sample data, and real bars for tests that use them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from fxloom.bars.bars import Bars

DATA = Path(os.environ.get("FXLOOM_DATA") or Path(__file__).resolve().parents[1].parent / "shared" / "data")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests of the sample data where it is absent; if FXLOOM_DATA is set they run, and fail without the data."""
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

    ts = frame["ts_utc"].dt.epoch("us").to_numpy() // 60_000_000
    has_volume = "volume" in frame.columns and frame["volume"].null_count() == 0
    volume = frame["volume"].cast(pl.Float64).to_numpy() if has_volume else None
    o, h, l, c = (frame[name].to_numpy() for name in ("open", "high", "low", "close"))
    return Bars(ts, o, h, l, c, volume)


@cache
def real_quotes(name: str) -> Bars:
    """Mid prices and spreads of a sample file with quotes such as "quotes/oanda_2014/nzdusd"."""
    frame = pl.read_parquet(DATA / f"{name}.parquet")
    ts = frame["ts_utc"].dt.epoch("us").to_numpy() // 60_000_000
    o, h, l, c = (((frame[f"bid_{p}"] + frame[f"ask_{p}"]) / 2.0).to_numpy() for p in ("open", "high", "low", "close"))
    return Bars(ts, o, h, l, c, spread=(frame["ask_close"] - frame["bid_close"]).to_numpy())


@pytest.fixture(scope="session")
def data() -> Path:
    return DATA
