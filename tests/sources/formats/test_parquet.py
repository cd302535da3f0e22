"""Parquet of vendors' data frames, separate date and time columns, and decompression bombs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.formats.market import PRICES, TIMES, assert_taken
from tests.sources.vendor_files import accepted, refused

FRAME = pl.DataFrame({"ts_utc": TIMES, **dict(zip(("open", "high", "low", "close"), PRICES.T, strict=True))})


def test_metatrader_package_frames_keep_points(tmp_path: Path) -> None:
    columns = {
        "time": [int(t.timestamp()) for t in TIMES],
        **dict(zip(("open", "high", "low", "close"), PRICES.T, strict=True)),
    }
    frame = pl.DataFrame(columns | {"tick_volume": list(range(5, 35)), "spread": [8] * 30, "real_volume": [0] * 30})
    frame.write_parquet(tmp_path / "EURUSD.parquet")
    file = accepted(tmp_path / "EURUSD.parquet", zone="utc")
    assert_taken(file, format="mt5 python", volume=[float(v) for v in range(5, 35)])
    assert file.bars.spread is not None
    np.testing.assert_allclose(file.bars.spread, 8e-5, rtol=1e-12)


def test_dates_and_times_of_day_in_two_columns(tmp_path: Path) -> None:
    frame = FRAME.with_columns(pl.col("ts_utc").dt.date().alias("Date"), pl.col("ts_utc").dt.time().alias("Time"))
    frame.drop("ts_utc").write_parquet(tmp_path / "EURUSD.parquet")
    assert_taken(accepted(tmp_path / "EURUSD.parquet", zone="utc"), format="parquet")


def test_oversized_content_is_refused_without_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n = 20_000_000  # equal rows take a few kilobytes with run lengths and a dictionary of one value
    columns = {"ts_utc": pa.array(np.zeros(n, "datetime64[us]"))} | dict.fromkeys(
        ("open", "high", "low", "close"), pa.array(np.ones(n))
    )
    pq.write_table(pa.table(columns), tmp_path / "EURUSD.parquet", row_group_size=n, compression="zstd")
    assert (tmp_path / "EURUSD.parquet").stat().st_size < 1_500_000
    monkeypatch.setattr(pl, "read_parquet", lambda _: pytest.fail("the file was unfolded"))
    assert "bomb" in refused(tmp_path / "EURUSD.parquet").reason
