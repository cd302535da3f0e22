"""Each format on a tiny synthetic file: its bars against the rows written."""

from __future__ import annotations

import datetime as dt
import lzma
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.sources.vendor_files import accepted, assert_bars, minutes_of, prices, refused, write_rows

START = dt.datetime(2018, 2, 5, 10, 36, tzinfo=dt.UTC)  # a Monday
TIMES = [START + dt.timedelta(minutes=m) for m in range(30)]
PRICES = prices(30)
Row = Callable[[dt.datetime, np.ndarray], str]


def ohlc(p: np.ndarray, separator: str = ",", decimals: int = 5) -> str:
    return separator.join(f"{x:.{decimals}f}" for x in p)


BAR_FILES: dict[str, tuple[str, str, Row]] = {
    "histdata ascii": ("DAT_ASCII_EURUSD_M1_2018.csv", "", lambda t, p: f"{t:%Y%m%d %H%M%S};{ohlc(p, ';', 6)};0"),
    "histdata nt": ("DAT_NT_EURUSD_M1_2018.csv", "", lambda t, p: f"{t:%Y%m%d %H%M%S},{ohlc(p)},0"),
    "histdata mt": ("DAT_MT_EURUSD_M1_2018.csv", "", lambda t, p: f"{t:%Y.%m.%d,%H:%M},{ohlc(p, ',', 6)},0"),
    "mt4": ("EURUSD1.csv", "", lambda t, p: f"{t:%Y.%m.%d,%H:%M},{ohlc(p)},12"),
    "mt4 header": (
        "EURUSD.m1.csv",
        "Date,Time,Open,High,Low,Close,Volume",
        lambda t, p: f"{t:%Y.%m.%d,%H:%M},{ohlc(p)},12",
    ),
    "iso tab": (
        "eurusd.txt",
        "Time\tOpen\tHigh\tLow\tClose\tVolume",
        lambda t, p: f"{t:%Y-%m-%d %H:%M:%S}\t{ohlc(p, chr(9))}\t5",
    ),
    "iso bare": ("EUR-USD.csv", "", lambda t, p: f"{t:%Y-%m-%d %H:%M},{ohlc(p)},608"),
    "iso T": ("x_EUR_USD.csv", "timestamp,open,high,low,close", lambda t, p: f"{t:%Y-%m-%dT%H:%M:%S},{ohlc(p)}"),
    "german": (
        "eurusd.csv",
        "Date;Open;High;Low;Close",
        lambda t, p: f"{t:%d.%m.%Y %H:%M};{ohlc(p, ';').replace('.', ',')}",
    ),
    "american": ("eurusd.csv", "Date,Open,High,Low,Close", lambda t, p: f"{t:%m/%d/%Y %H:%M},{ohlc(p)}"),
    "forexite": (
        "eu.txt",
        "<TICKER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
        lambda t, p: f"EURUSD,{t:%Y%m%d},{t:%H%M%S},{ohlc(p)},4",
    ),
    "epoch ms": ("EURUSDm.csv", "time,open,high,low,close", lambda t, p: f"{int(t.timestamp()) * 1000},{ohlc(p)}"),
    "quoted": ("eurusd.csv", '"time","open","high","low","close"', lambda t, p: f'"{t:%Y-%m-%d %H:%M}",{ohlc(p)}'),
}


@pytest.mark.parametrize("name", BAR_FILES)
def test_bars(name: str, tmp_path: Path) -> None:
    file, header, row = BAR_FILES[name]
    times = [t + dt.timedelta(days=15) for t in TIMES]  # the 20th: day and month cannot be confused
    rows = [row(t + dt.timedelta(hours=2), p) for t, p in zip(times, PRICES, strict=True)]
    outcome = accepted(write_rows(tmp_path / "f" / file, rows, header=header), zone="+2")
    assert (outcome.pair, outcome.kind, outcome.digits) == ("eurusd", "minute bars", 5)
    assert outcome.zone.hours == (2.0,)
    assert outcome.rows == 30
    assert_bars(outcome.bars, times, PRICES)


def test_without_weekly_edges_a_zone_is_required(tmp_path: Path) -> None:
    for name, (file, header, row) in BAR_FILES.items():
        rows = [row(t + dt.timedelta(days=15), p) for t, p in zip(TIMES, PRICES, strict=True)]
        refusal = refused(write_rows(tmp_path / name / file, rows, header=header))
        assert "--zone +2" in str(refusal)
        assert refusal.pair == "eurusd"


@pytest.mark.parametrize("header", ["ts_utc", "Gmt time", "utc", "time (UTC)", "Date_GMT"])
def test_a_column_named_utc_is_trusted(header: str, tmp_path: Path) -> None:
    rows = [f"{t:%Y-%m-%d %H:%M:%S},{ohlc(p)}" for t, p in zip(TIMES, PRICES, strict=True)]
    outcome = accepted(write_rows(tmp_path / "eurusd.csv", rows, header=f"{header},open,high,low,close"))
    assert outcome.zone.hours == (0.0,)
    assert_bars(outcome.bars, TIMES, PRICES)


@pytest.mark.parametrize(
    ("suffix", "hours"), [("+00:00", 0), ("Z", 0), ("+02:00", 2), ("-0500", -5), (" GMT+0530", 5.5)]
)
def test_offsets_in_the_times_are_trusted(suffix: str, hours: float, tmp_path: Path) -> None:
    local = [t + dt.timedelta(hours=hours) for t in TIMES]
    rows = [f"{t:%Y-%m-%d %H:%M:%S}{suffix},{ohlc(p)}" for t, p in zip(local, PRICES, strict=True)]
    outcome = accepted(write_rows(tmp_path / "eurusd.csv", rows, header="time,open,high,low,close"))
    assert outcome.zone.hours == (float(hours),)
    assert outcome.notes == ()
    assert_bars(outcome.bars, TIMES, PRICES)


def test_metatrader_5_spread_and_volume(tmp_path: Path) -> None:
    header = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"
    rows = [
        f"{t:%Y.%m.%d\t%H:%M:%S}\t{ohlc(p, chr(9))}\t{7 + i}\t0\t{i}"
        for i, (t, p) in enumerate(zip(TIMES, PRICES, strict=True))
    ]
    outcome = accepted(write_rows(tmp_path / "EURUSD_M1.csv", rows, header=header), zone="utc")
    assert (outcome.format, outcome.price_side) == ("mt5", "bid")
    assert outcome.bars.volume is not None
    assert outcome.bars.spread is not None
    np.testing.assert_array_equal(outcome.bars.volume, 7.0 + np.arange(30))
    np.testing.assert_allclose(outcome.bars.spread, np.arange(30) * 1e-5, rtol=1e-12)


def test_metatrader_5_real_volume_where_positive(tmp_path: Path) -> None:
    header = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"
    rows = [
        f"{t:%Y.%m.%d\t%H:%M:%S}\t{ohlc(p, chr(9))}\t7\t{100 * (i % 2)}\t1"
        for i, (t, p) in enumerate(zip(TIMES, PRICES, strict=True))
    ]
    outcome = accepted(write_rows(tmp_path / "EURUSD_M1.csv", rows, header=header), zone="utc")
    assert outcome.bars.volume is not None
    np.testing.assert_array_equal(outcome.bars.volume, np.where(np.arange(30) % 2, 100.0, 7.0))


def test_metatrader_5_ticks_fill_empty_quotes_with_the_last(tmp_path: Path) -> None:
    header = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>"
    rows = [
        "2018.02.05\t10:36:01.100\t1.10000\t1.10020\t\t\t6",
        "2018.02.05\t10:36:02.000\t1.10010\t\t\t\t2",
        "2018.02.05\t10:37:00.000\t\t1.10030\t\t\t4",
    ]
    outcome = accepted(write_rows(tmp_path / "EURUSD.csv", rows, header=header), zone="utc")
    assert outcome.kind == "ticks"
    np.testing.assert_allclose(outcome.bars.close, [1.10015, 1.1002], rtol=1e-12)
    assert outcome.bars.spread is not None
    np.testing.assert_allclose(outcome.bars.spread, [0.0001, 0.0002], rtol=1e-9)


def test_metatrader_5_package_frame(tmp_path: Path) -> None:
    rows = [
        f"{i},{int(t.timestamp())},{ohlc(p)},{20 + i},8,0" for i, (t, p) in enumerate(zip(TIMES, PRICES, strict=True))
    ]
    header = ",time,open,high,low,close,tick_volume,spread,real_volume"
    outcome = accepted(write_rows(tmp_path / "EURUSD.csv", rows, header=header), zone="utc")
    assert outcome.format == "mt5 python"
    assert_bars(outcome.bars, TIMES, PRICES)
    assert outcome.bars.volume is not None
    assert outcome.bars.spread is not None
    np.testing.assert_array_equal(outcome.bars.volume, 20.0 + np.arange(30))
    np.testing.assert_allclose(outcome.bars.spread, 8e-5, rtol=1e-12)


TICKS = [(0.25, 1.10000, 1.10010), (20.0, 1.10020, 1.10040), (59.999, 1.09990, 1.10000), (75.5, 1.10010, 1.10020)]
TICK_BARS = np.array(
    [[1.10005, 1.1003, 1.09995, 1.09995], [1.10015] * 4]
)  # by hand: mids 1.10005 1.1003 1.09995 | 1.10015


def clock(t: dt.datetime) -> str:
    return f"{t:%H:%M:%S}.{t.microsecond // 1000:03d}"


def quotes(*numbers: float) -> str:
    return ",".join(f"{number:.5f}" for number in numbers)


Tick = Callable[[dt.datetime, float, float], str]
TICK_FILES: dict[str, tuple[str, str, Tick]] = {
    "dukascopy": (
        "EURUSD.csv",
        "Gmt time,Ask,Bid,AskVolume,BidVolume",
        lambda t, b, a: f"{t:%d.%m.%Y} {clock(t)},{quotes(a, b)},1.5,0.75",
    ),
    "bare": ("EURUSD_ticks.csv", "", lambda t, b, a: f"{t:%Y.%m.%d} {clock(t)},{quotes(b, a)},0.10,0.10"),
    "truefx": ("ticks.csv", "", lambda t, b, a: f"EUR/USD,{t:%Y%m%d} {clock(t)},{quotes(b, a)}"),
    "truefx header": (
        "eurusd-ticks.csv",
        "timestamp,bid,ask",
        lambda t, b, a: f"{t:%Y-%m-%d %H:%M:%S.%f}+00:00,{quotes(b, a)}",
    ),
    "histdata": (
        "DAT_ASCII_EURUSD_T_201802.csv",
        "",
        lambda t, b, a: f"{t:%Y%m%d %H%M%S}{t.microsecond // 1000:03d},{quotes(b, a)},0",
    ),
}


@pytest.mark.parametrize("name", TICK_FILES)
def test_ticks_become_minutes(name: str, tmp_path: Path) -> None:
    file, header, row = TICK_FILES[name]
    rows = [row(START.replace(day=20) + dt.timedelta(seconds=s), b, a) for s, b, a in TICKS]
    outcome = accepted(write_rows(tmp_path / "f" / file, rows, header=header), zone="utc")
    assert (outcome.pair, outcome.kind, outcome.price_side) == ("eurusd", "ticks", "mid")
    bars = outcome.bars
    np.testing.assert_array_equal(bars.ts, minutes_of([TIMES[0].replace(day=20), TIMES[1].replace(day=20)]))
    np.testing.assert_allclose(np.stack([bars.open, bars.high, bars.low, bars.close], axis=1), TICK_BARS, rtol=1e-14)
    assert bars.volume is not None
    assert bars.spread is not None
    np.testing.assert_array_equal(bars.volume, [3.0, 1.0])
    np.testing.assert_allclose(bars.spread, [0.0001, 0.0001], rtol=1e-9)


def test_bi5(tmp_path: Path) -> None:
    records = [(250, 158_010, 158_000), (59_999, 158_030, 158_020), (60_000, 158_110, 158_100)]
    data = b"".join(struct.pack(">IIIff", ms, ask, bid, 1.5, 2.5) for ms, ask, bid in records)
    path = tmp_path / "GBPJPY_2012_11_03_00h_ticks.bi5"
    path.write_bytes(lzma.compress(data, lzma.FORMAT_ALONE))
    outcome = accepted(path)
    noon = int(dt.datetime(2012, 12, 3, tzinfo=dt.UTC).timestamp()) // 60
    np.testing.assert_array_equal(outcome.bars.ts, [noon, noon + 1])
    np.testing.assert_allclose(outcome.bars.close, [158.025, 158.105], rtol=1e-14)
    assert outcome.bars.spread is not None
    np.testing.assert_allclose(outcome.bars.spread, [0.01, 0.01], rtol=1e-9)
    folders = tmp_path / "EURUSD" / "2012" / "11" / "03"
    folders.mkdir(parents=True)
    (folders / "05h_ticks.bi5").write_bytes(
        lzma.compress(struct.pack(">IIIff", 0, 130_010, 130_000, 1, 1), lzma.FORMAT_ALONE)
    )
    other = accepted(folders / "05h_ticks.bi5")
    assert (other.pair, other.bars.ts[0]) == ("eurusd", noon + 300)
    np.testing.assert_allclose(other.bars.close, [1.30005], rtol=1e-14)


@pytest.mark.parametrize(
    "spoil",
    [lambda b: b[:-7], lambda b: b[:0], lambda b: b[:3] * 9, lambda b: lzma.compress(b[:21], lzma.FORMAT_ALONE)],
)
def test_a_corrupt_bi5_is_refused(spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = b"".join(struct.pack(">IIIff", i * 100, 158_010, 158_000, *rng.random(2)) for i in range(200))
    path = tmp_path / "GBPJPY_2012_11_03_00h_ticks.bi5"
    path.write_bytes(spoil(lzma.compress(data, lzma.FORMAT_ALONE)))
    assert "download it again" in str(refused(path))


def test_lean_minute_quotes(tmp_path: Path) -> None:
    rows = [f"{60_000 * i},{ohlc(p)},0,{ohlc(p + 0.0001)},0" for i, p in enumerate(PRICES)]
    path = tmp_path / "oanda_eurusd_20140501_minute_quote.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("20140501_eurusd_minute_quote.csv", "\r\n".join(rows) + "\r\n")
    assert "--zone" in str(refused(path))
    outcome = accepted(path, zone="utc")
    assert outcome.kind == "minute bars, bid and ask"
    assert outcome.bars.ts[0] == int(dt.datetime(2014, 5, 1, tzinfo=dt.UTC).timestamp()) // 60
    np.testing.assert_allclose(outcome.bars.close, PRICES[:, 3] + 0.00005, rtol=1e-12)


def test_bid_and_ask_bars_of_fxcm(tmp_path: Path) -> None:
    rows = [
        f"{t:%m/%d/%Y %H:%M:%S},{ohlc(p)},{ohlc(p + 0.0002)},7"
        for t, p in zip([t.replace(day=20) for t in TIMES], PRICES, strict=True)
    ]
    header = "DateTime,BidOpen,BidHigh,BidLow,BidClose,AskOpen,AskHigh,AskLow,AskClose,TickQty"
    outcome = accepted(write_rows(tmp_path / "EURUSD.csv", rows, header=header), zone="utc")
    assert (outcome.format, outcome.price_side, outcome.kind) == ("fxcm", "mid", "minute bars, bid and ask")
    np.testing.assert_allclose(outcome.bars.high, PRICES[:, 1] + 0.0001, rtol=1e-12)
    assert outcome.bars.spread is not None
    np.testing.assert_allclose(outcome.bars.spread, 0.0002, rtol=1e-9)


def test_five_second_bars_of_oanda(tmp_path: Path) -> None:
    start = int(START.timestamp())
    rows = [
        f"{start}.0,1.1,1.2,1.3,1.0,1.0",
        f"{start + 5}.0,1.2,1.1,1.4,1.1,2.0",
        f"{start + 55}.0,1.1,1.15,1.2,0.9,3.0",
        f"{start + 60}.0,1.0,1.0,1.0,1.0,4.0",
    ]
    outcome = accepted(write_rows(tmp_path / "EUR_USD_S5.csv", rows, header="utc,open,close,high,low,volumn"))
    assert outcome.kind == "five-second bars"
    assert_bars(outcome.bars, TIMES[:2], np.array([[1.1, 1.4, 0.9, 1.15], [1.0] * 4]))
    assert outcome.bars.volume is not None
    np.testing.assert_array_equal(outcome.bars.volume, [6.0, 4.0])


@pytest.mark.parametrize(
    ("seconds", "kind"),
    [(300, "five-minute bars"), (3600, "hourly bars"), (14_400, "4-hour bars"), (86_400, "daily bars")],
)
def test_coarser_bars_are_refused(seconds: int, kind: str, tmp_path: Path) -> None:
    rows = [f"{START + dt.timedelta(seconds=seconds * i):%Y-%m-%d %H:%M},{ohlc(p)}" for i, p in enumerate(PRICES)]
    refusal = refused(write_rows(tmp_path / "eurusd.csv", rows, header="ts_utc,open,high,low,close"))
    assert refusal.kind == kind
    assert "one-minute bars" in str(refusal)


@pytest.mark.parametrize("unit", ["us", "ns", "ms"])
def test_parquet(unit: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"ts_utc": TIMES, **dict(zip(["open", "high", "low", "close"], PRICES.T, strict=True))})
    path = tmp_path / "eurusd.parquet"
    frame.with_columns(pl.col("ts_utc").dt.cast_time_unit(unit)).write_parquet(path)  # type: ignore[arg-type]
    outcome = accepted(path)
    assert_bars(outcome.bars, TIMES, PRICES)
    assert not outcome.has_volume
    naive = frame.with_columns(pl.col("ts_utc").dt.replace_time_zone(None).alias("time")).drop("ts_utc")
    naive.write_parquet(tmp_path / "eurusd2.parquet")
    assert "--zone" in str(refused(tmp_path / "eurusd2.parquet", pair="eurusd"))
    assert_bars(
        accepted(tmp_path / "eurusd2.parquet", zone="-3", pair="eurusd").bars,
        [t + dt.timedelta(hours=3) for t in TIMES],
        PRICES,
    )


def test_parquet_with_bad_rows_and_other_columns(tmp_path: Path) -> None:
    frame = pl.DataFrame({"time": [t.isoformat() for t in TIMES], **dict(zip("ohlc", PRICES.T, strict=True))})
    frame = frame.with_columns(pl.when(pl.int_range(pl.len()) == 4).then(None).otherwise(pl.col("h")).alias("h"))
    frame.write_parquet(tmp_path / "EUR_USD.parquet")
    outcome = accepted(tmp_path / "EUR_USD.parquet")
    assert [(q.line, q.reason) for q in outcome.quarantined] == [(5, "missing or non-numeric price")]
    assert outcome.quarantined[0].raw.startswith("2018-02-05T10:40:00+00:00")


def test_a_spread_in_prices_and_one_in_points(tmp_path: Path) -> None:
    for values, expected in (([0.00012] * 30, 0.00012), (["12"] * 30, 0.00012)):
        rows = [f"{t:%Y-%m-%d %H:%M},{ohlc(p)},{s}" for t, p, s in zip(TIMES, PRICES, values, strict=True)]
        outcome = accepted(write_rows(tmp_path / "eurusd.csv", rows, header="ts_utc,open,high,low,close,spread"))
        assert outcome.bars.spread is not None
        np.testing.assert_allclose(outcome.bars.spread, expected, rtol=1e-9)
    assert "points" in outcome.notes[0]


def test_close_timestamps(tmp_path: Path) -> None:
    rows = [f"{t + dt.timedelta(minutes=1):%Y-%m-%d %H:%M},{ohlc(p)}" for t, p in zip(TIMES, PRICES, strict=True)]
    path = write_rows(tmp_path / "eurusd.csv", rows, header="ts_utc,open,high,low,close")
    assert_bars(accepted(path, stamp="close").bars, TIMES, PRICES)


def test_a_requested_format_is_the_only_one_tried(tmp_path: Path) -> None:
    rows = [f"{t:%Y.%m.%d,%H:%M},{ohlc(p)},12" for t, p in zip(TIMES, PRICES, strict=True)]
    path = write_rows(tmp_path / "EURUSD1.csv", rows)
    assert accepted(path, format="mt4", zone="+2").format == "mt4"
    assert "not in the format yahoo" in str(refused(path, format="yahoo", zone="+2"))
    with pytest.raises(ValueError, match="--format"):
        accepted(path, format="nonsense")
