"""Features of bars in memory: frames of several libraries, required history, and invalid bars."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

import fxloom
from fxloom.api.arrays import as_bars
from fxloom.bars.bars import Bars
from fxloom.bars.synthetic import synthetic_market

DEVIATION = "stat_std_15_rate"


@pytest.fixture(scope="module")
def bars() -> Bars:
    return synthetic_market(dt.date(2024, 1, 8), dt.date(2024, 1, 13), ("eurusd",))["eurusd"]


@pytest.fixture(scope="module")
def frame(bars: Bars) -> pl.DataFrame:
    times = pl.Series("ts_utc", bars.ts * 60_000_000).cast(pl.Datetime("us", "UTC"))
    columns = {n: getattr(bars, n) for n in ("open", "high", "low", "close", "volume", "spread")}
    return pl.DataFrame([times, *(pl.Series(n, c) for n, c in columns.items())])


def deviation(frame: object, **options: object) -> pl.DataFrame:
    wanted = {"baseline": 1.1, "features": DEVIATION} | options
    return fxloom.compute(frame, "eurusd", **wanted)["statistics_rate"]  # type: ignore[arg-type]


def test_a_value_needs_its_whole_lookback_in_the_frame(frame: pl.DataFrame, bars: Bars) -> None:
    rows = deviation(frame)
    assert rows.columns == ["ts_utc", "known_at", "pair", DEVIATION]
    assert rows[DEVIATION].null_count() == 14
    index = 100 * bars.close[:15] / 1.1
    assert rows[DEVIATION].drop_nulls()[0] == pytest.approx(index.std(ddof=1), rel=1e-9)


def test_values_do_not_depend_on_the_frames_first_row(frame: pl.DataFrame) -> None:
    whole = fxloom.compute(frame, "eurusd", baseline=1.1, tables="technical")
    late = fxloom.compute(frame[500:], "eurusd", baseline=1.1, tables="technical")
    for name, rows in late.items():
        for feature in rows.columns[3:]:
            values = rows[feature].drop_nulls()
            np.testing.assert_allclose(
                values.to_numpy(), whole[name][feature].tail(len(values)).to_numpy(), rtol=1e-9, atol=1e-9
            )


def test_the_last_row_alone_equals_that_of_the_whole_frame(frame: pl.DataFrame) -> None:
    names = ["reg_rate", "tech_rsi_14_rate", DEVIATION]
    whole = fxloom.compute(frame, "EURUSD", baseline=1.1, features=names)
    last = fxloom.compute(frame, "eurusd", baseline=1.1, features=names, last=2)
    for table, rows in last.items():
        assert rows.height == 2
        assert rows.equals(whole[table].tail(2))


def test_pandas_frames_with_a_time_index_are_accepted(frame: pl.DataFrame) -> None:
    expected = deviation(frame)
    assert deviation(frame.to_pandas()).equals(expected)
    assert deviation(frame.to_pandas().set_index("ts_utc")).equals(expected)
    local = frame.to_pandas().set_index("ts_utc").tz_convert("Asia/Tokyo")
    assert isinstance(local.index, pd.DatetimeIndex)
    assert deviation(local).equals(expected)


def test_a_baseline_is_required(frame: pl.DataFrame) -> None:
    with pytest.raises(TypeError, match="baseline"):
        fxloom.compute(frame, "eurusd", features=DEVIATION)  # type: ignore[call-arg]
    for wrong in (0.0, -1.0, np.nan, {"gbpusd": 1.2}):
        with pytest.raises(ValueError, match="baseline"):
            deviation(frame, baseline=wrong)
    level = "stat_mean_15_rate"
    one, two = (
        fxloom.compute(frame, "eurusd", baseline=b, features=level, last=1)["statistics_rate"][level][0]
        for b in (1.0, 2.0)
    )
    assert one == pytest.approx(2 * two)


def test_too_little_history_is_reported(frame: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"reg_rate of eurusd needs \d+, but there are 4\. .*complete=True"):
        fxloom.compute(frame[:5], "eurusd", baseline=1.1, tables="reg_rate")
    assert deviation(frame[:20], complete=True)[DEVIATION].null_count() == 14


@pytest.mark.parametrize("last", [0, -1])
def test_at_least_one_row_must_be_requested(last: int, frame: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match=f"invalid last={last}, expected 1 or more rows"):
        fxloom.compute(frame, "eurusd", baseline=1.1, tables="bollinger", last=last)


def test_several_pairs_allow_panel_tables() -> None:
    market = synthetic_market(dt.date(2024, 1, 8), dt.date(2024, 1, 12), ("eurusd", "gbpusd", "eurgbp"))
    frames = fxloom.compute(market, baseline="first close", tables="currency_strength", complete=True)
    assert set(frames["currency_strength"]["pair"].unique()) == set(market)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: replace(b, close=_with(b.close, 7, np.nan)), "2024-01-08 00:07.* missing, infinite or not above 0"),
        (lambda b: replace(b, open=_with(b.open, 3, -1.0)), "2024-01-08 00:03"),
        (lambda b: replace(b, high=_with(b.high, 4, np.inf)), "2024-01-08 00:04"),
        (lambda b: replace(b, low=_with(b.low, 5, 9.0)), "2024-01-08 00:05.* low above"),
        (lambda b: replace(b, volume=_with(b.volume, 2, -3.0)), "2024-01-08 00:02.* volume"),
        (lambda b: replace(b, spread=_with(b.spread, 2, np.inf)), "2024-01-08 00:02.* spread"),
        (lambda b: replace(b, ts=_with(b.ts, 9, b.ts[8])), "must increase"),
        (lambda b: b.take(slice(0, 0)), "no bars"),
    ],
)
def test_invalid_bars_are_reported(bars: Bars, change: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_bars(change(bars), "eurusd")  # type: ignore[operator]


def _with(column: np.ndarray | None, at: int, value: float) -> np.ndarray:
    assert column is not None
    out = column.copy()
    out[at] = value
    return out


def test_frames_without_bars_report_missing_columns(frame: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match="lack close; they have ts_utc, open"):
        deviation(frame.drop("close"))
    with pytest.raises(ValueError, match="whole minutes"):
        deviation(frame.with_columns(pl.col("ts_utc") + pl.duration(seconds=1)))
    with pytest.raises(ValueError, match="not one of the 28 pairs"):
        fxloom.compute(frame, "eurxyz", baseline=1.0)
    with pytest.raises(ValueError, match="the pair is missing"):
        fxloom.compute(frame, baseline=1.0)


def test_panel_tables_need_several_pairs(frame: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match="correlation_rate need several pairs"):
        fxloom.compute(frame, "eurusd", baseline=1.0, tables="correlation_rate")
