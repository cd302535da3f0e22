"""Several pairs in one file: one result per pair; other instruments are skipped and counted by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fxloom.sources import FileResult, Ignored, ReadOptions, Refused, SourceFile, read
from tests.sources.formats.market import PRICES, TIMES, ohlc
from tests.sources.vendor_files import accepted, assert_bars, refused, write_rows

YEN = np.round(PRICES * 100, 3)
HEADER = "ts_utc,symbol,open,high,low,close"


def rows(*symbols: str) -> list[str]:
    return [
        f"{t:%Y-%m-%d %H:%M},{symbol},{ohlc(YEN[i] if 'JPY' in symbol else PRICES[i])}"
        for i, t in enumerate(TIMES)
        for symbol in symbols
    ]


def by_pair(found: list[FileResult]) -> dict[str, SourceFile]:
    return {file.pair: file for file in found if isinstance(file, SourceFile)}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_of_symbols(kind: str, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "prices.csv", rows("EUR/USD", "USDJPY", "XAU/USD"), header=HEADER)
    if kind == "parquet":
        pl.read_csv(path).write_parquet(tmp_path / "prices.parquet")
        path = tmp_path / "prices.parquet"
    found = list(read(path))
    pairs = by_pair(found)
    assert list(pairs) == ["eurusd", "usdjpy"]
    assert_bars(pairs["eurusd"].bars, TIMES, PRICES)
    assert_bars(pairs["usdjpy"].bars, TIMES, YEN)
    assert pairs["usdjpy"].name == f"{path} [usdjpy]"
    (others,) = [file for file in found if isinstance(file, Ignored)]
    assert others.reason.startswith("30 rows of XAU/USD")


def test_the_requested_pair(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "prices.csv", rows("EURUSD", "USDJPY"), header=HEADER)
    found = list(read(path, ReadOptions(pair="usdjpy")))
    assert list(by_pair(found)) == ["usdjpy"]
    (others,) = [file for file in found if isinstance(file, Ignored)]
    assert "30 rows of EURUSD" in others.reason
    assert "gbpusd" in refused(path, pair="gbpusd").advice


def test_one_unreadable_pair_does_not_affect_the_others(tmp_path: Path) -> None:
    broken = [f"{t:%Y-%m-%d %H:%M},GBPUSD,1,2,3,4" for t in TIMES]
    found = list(read(write_rows(tmp_path / "prices.csv", rows("EURUSD") + broken, header=HEADER)))
    assert list(by_pair(found)) == ["eurusd"]
    (refusal,) = [file for file in found if isinstance(file, Refused)]
    assert (refusal.pair, refusal.name) == ("gbpusd", f"{tmp_path / 'prices.csv'} [gbpusd]")


def test_rows_without_a_symbol_are_counted(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "prices.csv", [*rows("EURUSD", "USDJPY"), "2018-02-20 12:00,,1,1,1,1"], header=HEADER)
    (others,) = [file for file in read(path) if isinstance(file, Ignored)]
    assert others.reason.startswith("1 rows of ")


def test_instruments_outside_the_28_pairs(tmp_path: Path) -> None:
    refusal = refused(write_rows(tmp_path / "prices.csv", rows("XAUUSD", "BTCUSD"), header=HEADER))
    assert "holds BTCUSD, XAUUSD" in refusal.reason


def test_one_symbol_needs_no_label(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "prices.csv", rows("EUR.USD"), header=HEADER)
    assert accepted(path).name == str(path)
