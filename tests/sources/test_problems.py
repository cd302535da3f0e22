"""Files refused as a whole: mostly invalid, another instrument, swapped dates, coarser than a minute."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import pytest

from fxloom.bars.pairs import PAIRS
from fxloom.sources.instrument import PRICE_RANGES
from tests.sources.vendor_files import accepted, assert_bars, prices, refused, write_rows

START = dt.datetime(2018, 2, 20, 8, tzinfo=dt.UTC)
TIMES = [START + dt.timedelta(minutes=m) for m in range(100)]
PRICES = prices(100)
HEADER = "ts_utc,open,high,low,close"


def row(t: dt.datetime, p: object, spelled: str = "%Y-%m-%d %H:%M") -> str:
    return f"{t.strftime(spelled)}," + ",".join(f"{x:.5f}" for x in p)  # type: ignore[attr-defined]


def test_a_file_of_mostly_invalid_rows_is_refused(tmp_path: Path) -> None:
    for bad in (50, 51):
        rows = [
            row(t, (p[0], p[2], p[1], p[3]) if i < bad else p)
            for i, (t, p) in enumerate(zip(TIMES, PRICES, strict=True))
        ]
        rows = [r if i >= bad else f"{r.split(',')[0]},1.1,1.0,1.2,1.1" for i, r in enumerate(rows)]
        path = write_rows(tmp_path / "eurusd.csv", rows, header=HEADER)
        if bad == 50:
            assert_bars(accepted(path).bars, TIMES[50:], PRICES[50:])
        else:
            refusal = refused(path)
            assert "51 of its 100 rows break a rule (mostly: high is below low)" in refusal.reason
            assert (refusal.line, len(refusal.quarantined)) == (2, 51)


def test_a_file_of_contradictory_rows_is_refused(tmp_path: Path) -> None:
    rows = [row(TIMES[i // 5], p) for i, p in enumerate(PRICES)]
    refusal = refused(write_rows(tmp_path / "eurusd.csv", rows, header=HEADER))
    assert "of its 100 rows break a rule (mostly: contradicts an earlier row" in refusal.reason


def test_two_feeds_in_one_file_are_refused(tmp_path: Path) -> None:
    """Each minute twice with different prices: half of the rows, so not a majority."""
    rows = [row(TIMES[i], p + shift) for shift in (0.0, 0.001) for i, p in enumerate(PRICES)]
    refusal = refused(write_rows(tmp_path / "eurusd.csv", rows, header=HEADER))
    assert "100 rows contradict earlier rows of the same time, for only 100 bars" in refusal.reason


# Rates of the European Central Bank and the Bank of England, end of 2000, 2008 and 2020, to two or three digits.
HISTORY = {
    "eurusd": (0.93, 1.39, 1.23), "usdjpy": (114.0, 90.6, 103.0), "gbpusd": (1.49, 1.46, 1.37),
    "usdchf": (1.62, 1.06, 0.885), "audusd": (0.556, 0.70, 0.77), "nzdusd": (0.44, 0.58, 0.72),
    "usdcad": (1.50, 1.22, 1.27), "eurgbp": (0.624, 0.953, 0.899), "eurchf": (1.52, 1.49, 1.08),
    "gbpjpy": (170.0, 132.0, 141.0), "gbpnzd": (3.37, 2.51, 1.90), "nzdjpy": (50.5, 52.8, 74.4),
}  # fmt: skip


def test_price_ranges_exclude_a_factor_of_ten() -> None:
    assert sorted(PRICE_RANGES) == sorted(PAIRS)
    assert all(high / low < 10 for low, high in PRICE_RANGES.values())
    for pair, rates in HISTORY.items():
        low, high = PRICE_RANGES[pair]
        assert all(1.1 * low < rate < high / 1.1 for rate in rates), pair
        assert all(not low <= rate * factor <= high for rate in rates for factor in (10, 0.1)), pair


def test_another_instrument_is_refused_with_the_pairs_range(tmp_path: Path) -> None:
    """Prices around 9.4 are not USDCHF, whatever the file is called."""
    refusal = refused(
        write_rows(
            tmp_path / "usdchf.csv", [row(t, p * 8.5) for t, p in zip(TIMES, PRICES, strict=True)], header=HEADER
        )
    )
    assert "100 of its 100 prices (such as 9.35" in refusal.reason
    assert "usdchf, which has been between 0.5 and 2.7" in refusal.reason


def test_swapped_days_and_months(tmp_path: Path) -> None:
    """5 to 9 February, stored as 2 May, 2 June .. by a program that swapped day and month."""
    true = [dt.datetime(2018, 2, day, 10, m, tzinfo=dt.UTC) for day in range(5, 10) for m in range(20)]
    stored = [t.replace(month=t.day, day=t.month) for t in true]
    rows = [row(t, p) for t, p in zip(stored, PRICES, strict=True)]
    refusal = refused(write_rows(tmp_path / "eurusd.csv", rows, header=HEADER))
    assert "isolated days exactly a month apart (2018-05-02 and 2018-06-02)" in refusal.reason
    assert "day and month" in refusal.reason


def test_one_day_with_day_and_month_swapped(tmp_path: Path) -> None:
    """12 to 14 March, the 12th stored as 3 December."""
    true = [dt.datetime(2018, 3, day, 10, m, tzinfo=dt.UTC) for day in (12, 13, 14) for m in range(30)]
    stored = [t.replace(month=t.day, day=t.month) if t.day <= 12 else t for t in true]
    rows = [row(t, p) for t, p in zip(stored, PRICES, strict=False)]
    refusal = refused(write_rows(tmp_path / "eurusd.csv", rows, header=HEADER))
    assert "an isolated day (2018-12-03) that would be next to the others as 2018-03-12" in refusal.reason
    assert "day and month" in refusal.reason


def test_dates_without_times_and_times_without_dates(tmp_path: Path) -> None:
    days = [START + dt.timedelta(days=i) for i in range(100)]
    daily = [row(t, p, "%Y-%m-%d") for t, p in zip(days, PRICES, strict=True)]
    refusal = refused(write_rows(tmp_path / "eurusd.csv", daily, header="Date,Open,High,Low,Close"))
    assert "coarser than a minute" in refusal.reason
    clocks = [row(t, p, "%H:%M") for t, p in zip(TIMES, PRICES, strict=True)]
    refusal = refused(write_rows(tmp_path / "eurusd.csv", clocks, header="Time,Open,High,Low,Close"))
    assert "its times have no date (such as 08:00)" in refusal.reason


def test_daily_bars_in_a_file_named_like_lean_minutes(tmp_path: Path) -> None:
    """As milliseconds since midnight, 20180220 is 05:36:20: three years of days would be one minute."""
    days = [START + dt.timedelta(days=i) for i in range(100)]
    rows = [row(t, [*p, 0, *(p + 0.0001), 0], "%Y%m%d") for t, p in zip(days, PRICES, strict=True)]
    path = tmp_path / "eurusd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("20180220_eurusd_minute_quote.csv", "\n".join(rows))
    refusal = refused(path, zone="utc")
    assert "dates (such as '20180220'), not milliseconds of a day" in refusal.reason
    assert "coarser than a minute" in refusal.reason


@pytest.mark.parametrize("count", [2, 3, 4, 60])
@pytest.mark.parametrize(("minutes", "kind"), [(5, "five-minute bars"), (60, "hourly bars"), (1440, "daily bars")])
def test_a_few_coarse_bars_are_refused_as_such(count: int, minutes: int, kind: str, tmp_path: Path) -> None:
    times = [START + dt.timedelta(minutes=minutes * i) for i in range(count)]
    refusal = refused(
        write_rows(tmp_path / "eurusd.csv", [row(t, p) for t, p in zip(times, PRICES, strict=False)], header=HEADER)
    )
    assert refusal.kind == kind
    assert f"{kind}: coarser than a minute" in refusal.reason


def test_hourly_bars_with_many_gaps_are_coarse(tmp_path: Path) -> None:
    hours = [h for h in range(400) if h % 7 not in (1, 2, 4)][:100]
    rows = [row(START + dt.timedelta(hours=h), p) for h, p in zip(hours, PRICES, strict=True)]
    assert "coarser than a minute" in refused(write_rows(tmp_path / "eurusd.csv", rows, header=HEADER)).reason


def test_irregular_bars_are_coarse(tmp_path: Path) -> None:
    """Tick bars or range bars: irregular times, minutes apart."""
    seconds = [331 * i + 17 * (i * i % 11) for i in range(100)]
    rows = [row(START + dt.timedelta(seconds=s), p, "%Y-%m-%d %H:%M:%S") for s, p in zip(seconds, PRICES, strict=True)]
    assert "coarser than a minute" in refused(write_rows(tmp_path / "eurusd.csv", rows, header=HEADER)).reason


@pytest.mark.parametrize(
    ("name", "side"), [("EURUSD_MID", "mid"), ("EURUSD_BID", "bid"), ("mid/EURUSD", "mid"), ("EURUSD", "bid")]
)
def test_the_side_in_the_name_counts(name: str, side: str, tmp_path: Path) -> None:
    path = write_rows(tmp_path / f"{name}.csv", [row(t, p) for t, p in zip(TIMES, PRICES, strict=True)], header=HEADER)
    assert accepted(path).price_side == side


def test_the_side_in_the_columns_counts(tmp_path: Path) -> None:
    rows = [row(t, p) for t, p in zip(TIMES, PRICES, strict=True)]
    path = write_rows(tmp_path / "EURUSD.csv", rows, header="ts_utc,mid_open,mid_high,mid_low,mid_close")
    assert accepted(path).price_side == "mid"
