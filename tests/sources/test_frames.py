"""Typed columns: times in every type and unit, numbers as text, and non-numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.sources.formats.market import PRICES, TIMES, assert_taken
from tests.sources.vendor_files import accepted, refused

BARS = dict(zip(("open", "high", "low", "close"), PRICES.T, strict=True))
SECONDS = np.array([int(t.timestamp()) for t in TIMES])


def stored(path: Path, time: pl.Series, **more: pl.Series) -> Path:
    pl.DataFrame({"time": time, **BARS, **more}).write_parquet(path)
    return path


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("kind", [pl.Int64, pl.UInt64, pl.Float64])
def test_epochs(unit: int, kind: type[pl.DataType], tmp_path: Path) -> None:
    path = stored(tmp_path / "EURUSD.parquet", pl.Series(SECONDS * unit).cast(kind))
    assert_taken(accepted(path, zone="utc"), format="parquet")


def test_zoned_timestamps_are_utc_internally(tmp_path: Path) -> None:
    moments = pl.Series(TIMES).dt.convert_time_zone("Asia/Tokyo")
    assert_taken(accepted(stored(tmp_path / "EURUSD.parquet", moments)), format="parquet")


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical])
def test_times_as_text(kind: type[pl.DataType], tmp_path: Path) -> None:
    spelled = pl.Series([f" {t:%d/%m/%Y %H:%M:%S}" for t in TIMES]).cast(kind)
    assert_taken(accepted(stored(tmp_path / "EURUSD.parquet", spelled), zone="utc"), format="parquet")


def test_dates_and_times_of_day_as_numbers(tmp_path: Path) -> None:
    dates = pl.Series([int(f"{t:%Y%m%d}") for t in TIMES])
    for name, clocks in (("hhmm", [int(f"{t:%H%M}") for t in TIMES]), ("hhmmss", [int(f"{t:%H%M%S}") for t in TIMES])):
        frame = pl.DataFrame({"date": dates, "time": clocks, **BARS})
        frame.write_parquet(tmp_path / f"EURUSD {name}.parquet")
        assert_taken(accepted(tmp_path / f"EURUSD {name}.parquet", zone="utc"), format="parquet")


def test_numbers_as_text_and_in_other_types(tmp_path: Path) -> None:
    frame = pl.DataFrame({"ts_utc": TIMES, **BARS})
    text = frame.with_columns(
        pl.col("open", "high").cast(pl.String), pl.int_range(7, 37, dtype=pl.Int16).alias("volume")
    )
    text.write_parquet(tmp_path / "EURUSD.parquet")
    assert_taken(accepted(tmp_path / "EURUSD.parquet"), format="parquet", volume=[float(v) for v in range(7, 37)])
    frame.with_columns(pl.col("open") > 0).write_parquet(tmp_path / "EURUSD 2.parquet")
    assert "'open' holds Boolean instead of numbers" in refused(tmp_path / "EURUSD 2.parquet").reason


def test_a_volume_of_nulls_means_no_volume(tmp_path: Path) -> None:
    path = stored(tmp_path / "EURUSD.parquet", pl.Series(TIMES), volume=pl.Series([None] * 30))
    assert_taken(accepted(path), format="parquet")


def test_bracketed_names_are_not_column_levels(tmp_path: Path) -> None:
    path = stored(
        tmp_path / "EURUSD.parquet", pl.Series(TIMES), **{"(a": pl.Series([1] * 30), "(1+)": pl.Series([1] * 30)}
    )
    assert_taken(accepted(path), format="parquet")


def test_long_texts_in_time_or_symbol_columns_are_refused(tmp_path: Path) -> None:
    """A dictionary stores a long text once for any number of rows."""
    long = pl.Series(["x" * 1000] * 30)
    path = stored(tmp_path / "EURUSD.parquet", pl.Series(TIMES), symbol=long)
    assert "'symbol' holds text of 1,000 bytes" in refused(path, zone="utc").reason
    path = stored(tmp_path / "EURUSD 2.parquet", pl.Series(TIMES), comment=long, nested=pl.Series([[1, 2]] * 30))
    assert_taken(accepted(path), format="parquet")
