"""yfinance's csv and Parquet files, whose columns have two-level names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from fxloom.sources import Ignored, SourceFile, read
from tests.sources.formats.market import PRICES, TIMES, assert_taken
from tests.sources.vendor_files import accepted, assert_bars, write_rows

GBP = np.round(PRICES + 0.2, 5)


def row(p: np.ndarray) -> str:
    """Close, High, Low, Open, Volume: yfinance sorts its columns by name."""
    return f"{p[3]:.5f},{p[1]:.5f},{p[2]:.5f},{p[0]:.5f},0"


def test_three_header_rows(tmp_path: Path) -> None:
    names = ["Price,Close,High,Low,Open,Volume", "Ticker" + ",EURUSD=X" * 5, "Datetime,,,,,"]
    rows = [f"{t:%Y-%m-%d %H:%M:%S}+00:00,{row(p)}" for t, p in zip(TIMES, PRICES, strict=True)]
    assert_taken(accepted(write_rows(tmp_path / "prices.csv", names + rows)), format="named columns")


def test_several_tickers_are_several_pairs(tmp_path: Path) -> None:
    names = [
        "Price" + ",Close" * 3 + ",High" * 3 + ",Low" * 3 + ",Open" * 3,
        "Ticker" + ",EURUSD=X,GBPUSD=X,GC=F" * 4,
        "Datetime" + "," * 12,
    ]
    rows = [
        f"{t:%Y-%m-%d %H:%M:%S}+00:00," + ",".join(f"{p[i]:.5f},{g[i]:.5f},1330.1" for i in (3, 1, 2, 0))
        for t, p, g in zip(TIMES, PRICES, GBP, strict=True)
    ]
    euro, pound, gold = sorted(read(write_rows(tmp_path / "prices.csv", names + rows)), key=lambda f: f.name)[:3]
    found = {f.pair: f for f in (euro, pound, gold) if isinstance(f, SourceFile)}
    assert_bars(found["eurusd"].bars, TIMES, PRICES)
    assert_bars(found["gbpusd"].bars, TIMES, GBP)
    assert found["eurusd"].name.endswith("prices.csv [eurusd]")
    (other,) = [f for f in (euro, pound, gold) if isinstance(f, Ignored)]
    assert "[GC=F]" in other.name


def test_two_levels_in_parquet(tmp_path: Path) -> None:
    columns = pd.MultiIndex.from_product([["Open", "High", "Low", "Close"], ["EURUSD=X"]], names=["Price", "Ticker"])
    frame = pd.DataFrame(PRICES, index=pd.DatetimeIndex(TIMES, name="Datetime"), columns=columns)
    frame.to_parquet(tmp_path / "prices.parquet")
    assert_taken(accepted(tmp_path / "prices.parquet"), format="parquet")
