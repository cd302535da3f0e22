"""Bad input: every row is accounted for, every file is accepted or refused with advice, nothing raises."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxloom.sources import FORMAT_NAMES, FileResult, Ignored, ReadOptions, Refused, SourceFile, read
from fxloom.sources.reading import read_entry
from fxloom.sources.walk import Entry
from tests.sources.vendor_files import accepted, assert_bars, market_minutes, mt4, prices, refused, write_rows

TIMES = [dt.datetime(2018, 2, 5, 10, tzinfo=dt.UTC) + dt.timedelta(minutes=m) for m in range(60)]
PRICES = prices(60)
ROWS = [mt4(t, p) for t, p in zip(TIMES, PRICES, strict=True)]
LINE = "2018.02.05,12:30,{},{},{},{},{}"

BROKEN = {
    "a price is zero or negative": LINE.format("1.1", "1.2", "0", "1.1", 5),
    "missing or non-numeric price": LINE.format("1.1", "abc", "1.0", "1.1", 5),
    "a price is not finite": LINE.format("1.1", "inf", "1.0", "1.1", 5),
    "outside this pair's range": LINE.format("1.1", "1e308", "1.0", "1.1", 5),
    "high is below low": LINE.format("1.1", "1.0", "1.2", "1.1", 5),
    "high is below open or close": LINE.format("1.1", "1.05", "1.0", "1.04", 5),
    "low is above open or close": LINE.format("1.1", "1.2", "1.15", "1.18", 5),
    "volume is negative": LINE.format("1.1", "1.2", "1.0", "1.1", -5),
    "its time does not parse": "2018.02.30,12:30,1.1,1.2,1.0,1.1,5",
    "its time is before 1971": "1900.02.05,12:30,1.1,1.2,1.0,1.1,5",
    "too few columns": "2018.02.05,12:30,1.1,1.2",
    "contradicts an earlier row": "2018.02.05,10:07,1.1,1.2,1.0,1.1,5",
}


@pytest.mark.parametrize("reason", BROKEN)
def test_a_row_that_breaks_a_rule_is_quarantined(reason: str, tmp_path: Path) -> None:
    rows = [*ROWS[:20], BROKEN[reason], *ROWS[20:]]
    outcome = accepted(write_rows(tmp_path / "eurusd.csv", rows), zone="utc")
    assert len(outcome.quarantined) == 1
    bad = outcome.quarantined[0]
    assert (bad.line, bad.raw) == (21, BROKEN[reason])
    assert reason in bad.reason
    assert_bars(outcome.bars, TIMES, PRICES)


def test_ask_below_bid(tmp_path: Path) -> None:
    rows = ["2018-02-05 10:00:00.1,1.1,1.1002", "2018-02-05 10:00:01.1,1.1,1.0998", "2018-02-05 10:00:02.1,1.1,1.1"]
    outcome = accepted(write_rows(tmp_path / "eurusd.csv", rows, header="ts_utc,bid,ask"))
    assert [(q.line, q.reason) for q in outcome.quarantined] == [(3, "ask is below bid")]
    assert outcome.bars.volume is not None
    assert outcome.bars.volume[0] == 2


def test_a_negative_spread(tmp_path: Path) -> None:
    rows = [f"{t:%Y-%m-%d %H:%M},1.1,1.1,1.1,1.1,{s}" for t, s in zip(TIMES, [0.0001, -0.0001] * 30, strict=True)]
    outcome = accepted(write_rows(tmp_path / "eurusd.csv", rows, header="ts_utc,open,high,low,close,spread"))
    assert len(outcome.bars) == len(outcome.quarantined) == 30
    assert outcome.quarantined[0].reason == "spread is negative"


def test_shuffled_and_duplicated_rows(tmp_path: Path) -> None:
    order = np.random.default_rng(3).permutation(60)
    rows = [ROWS[i] for i in order] + ROWS[:25]
    outcome = accepted(write_rows(tmp_path / "eurusd.csv", rows), zone="utc")
    assert_bars(outcome.bars, TIMES, PRICES)
    assert (outcome.identical, outcome.rows) == (25, 85)
    assert "not sorted by time" in outcome.notes[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "eurusd.csv"
    path.write_bytes((end.join(["Date,Time,Open,High,Low,Close,Volumé", *ROWS]) + end).encode(encoding))
    assert_bars(accepted(path, zone="utc").bars, TIMES, PRICES)


def test_mixed_line_ends_and_blank_lines_keep_the_line_numbers(tmp_path: Path) -> None:
    text = "\r\n".join(ROWS[:10]) + "\n\n   \r\n" + "\n".join(ROWS[10:]) + "\r\nnonsense,here"
    path = tmp_path / "eurusd.csv"
    path.write_text(text, newline="")
    outcome = accepted(path, zone="utc")
    assert_bars(outcome.bars, TIMES, PRICES)
    assert [q.line for q in outcome.quarantined] == [63]


@pytest.mark.parametrize("cut", [1, 5, 9, 20, 33])
def test_a_file_cut_short_says_where(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "eurusd.csv"
    path.write_text("\n".join(ROWS)[:-cut])
    outcome = accepted(path, zone="utc")
    assert len(outcome.bars) + len(outcome.quarantined) == 60
    if cut > 1:
        assert outcome.quarantined[0].line == 60


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n\n",
        b"\x00" * 500,
        os.urandom(3000),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9,
        b"PAR1" + b"x" * 300 + b"PAR1",
        b"PK\x03\x04" + b"z" * 90,
        b"\x1f\x8b" + b"q" * 50,
        b"%PDF-1.4 hello",
        b"<html><body>404, not found</body></html>",
        "天地玄黃,宇宙洪荒,日月\n".encode() * 5,
        b"a,b,c\n1,2,3\n",
        b"1;2;3;4;5;6\n" * 30,
        b"time,open,high,low,close\n",
        b'{"bars": [1, 2, 3]}',
    ],
)
def test_files_without_market_data_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "eurusd.csv"
    path.write_bytes(data)
    refusal = refused(path, zone="utc")
    assert refusal.reason
    assert refusal.advice
    assert refusal.name == str(path)


def test_files_of_three_bars_and_of_one(tmp_path: Path) -> None:
    for count in (1, 2, 3):
        outcome = accepted(write_rows(tmp_path / f"eurusd {count}.csv", ROWS[:count]), zone="utc")
        assert_bars(outcome.bars, TIMES[:count], PRICES[:count])


def test_names_with_spaces_and_quotes(tmp_path: Path) -> None:
    path = write_rows(tmp_path / 'it\'s "my" [data] %20 &' / "my 'EUR USD' file, (1).csv", ROWS)
    assert accepted(path, zone="utc").pair == "eurusd"


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("EUR_USD", "eurusd"),
        ("EURUSD.m", "eurusd"),
        ("eurusd", "eurusd"),
        ("EURUSDm_M1", "eurusd"),
        ("EURUSDpro", "eurusd"),
        ("DAT_ASCII_GBPJPY_M1_2017", "gbpjpy"),
        ("xEURUSD", None),
        ("EURUSDT", None),
        ("US30m_H1", None),
        ("XAUUSD", None),
        ("usdeur", None),
        ("eurusd_gbpusd", None),
        ("pair=audcad", "audcad"),
        ("EURUSD1", "eurusd"),
        ("2018 chf-jpy", "chfjpy"),
    ],
)
def test_pairs_in_names(name: str, pair: str | None, tmp_path: Path) -> None:
    level = 150.0 if pair and pair.endswith("jpy") else 1.1
    rows = [mt4(t, p) for t, p in zip(TIMES, prices(60, level), strict=True)]
    (outcome,) = read(write_rows(tmp_path / "f" / f"{name}.csv", rows), ReadOptions(zone="utc"))
    if pair:
        assert isinstance(outcome, SourceFile), outcome
        assert outcome.pair == pair
    else:
        assert isinstance(outcome, Refused)
        assert "pair" in str(outcome)


def test_pair_option_and_file_name(tmp_path: Path) -> None:
    nameless = write_rows(tmp_path / "f" / "x.csv", ROWS)
    assert "--pair" in str(refused(nameless, zone="utc"))
    assert accepted(nameless, zone="utc", pair="EUR/USD").pair == "eurusd"
    named = write_rows(tmp_path / "f" / "eurusd.csv", ROWS)
    assert "not gbpusd" in str(refused(named, zone="utc", pair="gbpusd"))
    with pytest.raises(ValueError, match="28 pairs"):
        read(nameless, ReadOptions(pair="eurxyz"))


def test_prices_of_another_instrument_are_refused(tmp_path: Path) -> None:
    refusal = refused(write_rows(tmp_path / "usdjpy.csv", ROWS), zone="utc")
    assert "impossible for usdjpy" in str(refusal)


def test_bars_of_the_ask_alone_are_refused(tmp_path: Path) -> None:
    assert "ask" in str(refused(write_rows(tmp_path / "EURUSD_Candlestick_1_M_ASK_2018.csv", ROWS), zone="utc"))
    outcome = accepted(write_rows(tmp_path / "EURUSD_Candlestick_1_M_BID_2018.csv", ROWS), zone="utc")
    assert (outcome.kind, outcome.price_side) == ("minute bars, bid", "bid")


def test_weekend_filler_is_set_aside(tmp_path: Path) -> None:
    times = market_minutes(dt.date(2018, 1, 7), 2)
    table = prices(len(times))
    rows = []
    for t, p, after in zip(times, table, [*times[1:], times[-1]], strict=True):
        rows.append(f"{t:%d.%m.%Y %H:%M}:00.000," + ",".join(f"{x:.5f}" for x in p) + ",3.5")
        flat = ",".join([f"{p[3]:.5f}"] * 4)
        rows += [
            f"{t + dt.timedelta(minutes=m):%d.%m.%Y %H:%M}:00.000,{flat},0"
            for m in range(1, int((after - t).total_seconds()) // 60)
        ]
    outcome = accepted(write_rows(tmp_path / "EURUSD.csv", rows, header="Gmt time,Open,High,Low,Close,Volume"))
    assert outcome.filler == 2880
    assert_bars(outcome.bars, times, table)
    assert outcome.filler_examples[0].startswith("line 7202: ")
    mt = [mt4(t + dt.timedelta(hours=2), p) for t, p in zip(times[:7200], table, strict=False)]
    mt += [mt4(times[7199] + dt.timedelta(hours=2, minutes=m), table[7199]) for m in range(1, 2881)]
    mt += [mt4(t + dt.timedelta(hours=2), p) for t, p in zip(times[7200:], table[7200:], strict=True)]
    outcome = accepted(write_rows(tmp_path / "EURUSD1.csv", mt))
    assert (outcome.filler, outcome.zone.hours) == (2880, (2.0,))
    assert_bars(outcome.bars, times, table)


def test_a_still_price_during_the_week_is_not_filler(tmp_path: Path) -> None:
    rows = [mt4(t, np.full(4, 1.1)) for t in TIMES]
    outcome = accepted(write_rows(tmp_path / "eurusd.csv", rows), zone="utc")
    assert (outcome.filler, len(outcome.bars)) == (0, 60)


def test_zips_and_gzips(tmp_path: Path) -> None:
    text = "\n".join(ROWS).encode()
    with zipfile.ZipFile(tmp_path / "EURUSD.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/part.csv", text)
        archive.writestr("data/report.txt", b"HistData.com (c) 2012\nFile: x.csv Status Report\n\nGap of 61s found")
        archive.writestr("__MACOSX/._part.csv", b"\x00\x05")
    report, hidden = (o for o in read(tmp_path / "EURUSD.zip", ReadOptions(zone="utc")) if isinstance(o, Ignored))
    assert {"hidden" in hidden.reason, "hidden" in report.reason} == {True, False}
    (outcome,) = (o for o in read(tmp_path / "EURUSD.zip", ReadOptions(zone="utc")) if isinstance(o, SourceFile))
    assert outcome.name.endswith("EURUSD.zip/data/part.csv")
    assert_bars(outcome.bars, TIMES, PRICES)
    (tmp_path / "GBPUSD.csv.gz").write_bytes(gzip.compress(text))
    assert_bars(accepted(tmp_path / "GBPUSD.csv.gz", zone="utc").bars, TIMES, PRICES)


def test_zip_bombs_are_refused(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eurusd.csv", b"0" * (64 << 20))
    (tmp_path / "bomb.zip").write_bytes(bomb.getvalue())
    assert "bomb" in str(refused(tmp_path / "bomb.zip"))
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"0" * (64 << 20)))
    assert "bomb" in str(refused(tmp_path / "bomb.csv.gz"))
    with zipfile.ZipFile(tmp_path / "nested.zip", "w") as archive:
        archive.writestr("inner.zip", bomb.getvalue())
    assert "an archive inside an archive" in str(refused(tmp_path / "nested.zip"))


def test_corrupt_zips_are_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eurusd.csv", "\n".join(ROWS))
    whole = packed.getvalue()
    for name, data in (("cut.zip", whole[:-40]), ("flipped.zip", whole[:80] + b"\xff\xff\xff" + whole[83:])):
        (tmp_path / name).write_bytes(data)
        assert refused(tmp_path / name).reason


def test_links_out_of_the_folder_are_refused_and_reported(tmp_path: Path) -> None:
    outside = write_rows(tmp_path / "outside" / "gbpusd.csv", ROWS)
    folder = tmp_path / "folder"
    write_rows(folder / "deep" / "eurusd.csv", ROWS)
    (folder / "out.csv").symlink_to(outside)
    (folder / "away").symlink_to(tmp_path / "outside")
    (folder / "dangling.csv").symlink_to(tmp_path / "nowhere.csv")
    (folder / "loop").symlink_to(folder)
    (folder / ".git").mkdir()
    os.mkfifo(folder / "pipe.csv")
    outcomes = {Path(o.name).name: o for o in read(folder, ReadOptions(zone="utc"))}
    assert set(outcomes) == {"eurusd.csv", "out.csv", "away", "dangling.csv", "pipe.csv", ".git"}
    assert isinstance(outcomes.pop(".git"), Ignored)
    assert isinstance(outcomes.pop("eurusd.csv"), SourceFile)
    assert "pipe" in str(outcomes.pop("pipe.csv"))
    for outcome in outcomes.values():
        assert "leads out of the folder" in str(outcome)


def test_missing_inputs_are_reported(tmp_path: Path) -> None:
    assert "no such file" in str(refused(tmp_path / "nowhere"))
    (tmp_path / "empty.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    assert "empty zip" in str(refused(tmp_path / "empty.zip"))


FIELDS = st.one_of(
    st.text(max_size=12),
    st.floats().map(str),
    st.integers().map(str),
    st.sampled_from(
        [
            "2018.02.05",
            "10:36",
            "1.1",
            "1.10005",
            "",
            "20180205 103600",
            "2018-02-05 10:36:00+00:00",
            "1517827000",
            "nan",
            "1e400",
            "-0",
            "EURUSD",
        ]
    ),
)
HEADERS = st.sampled_from(
    [
        "",
        "Date,Time,Open,High,Low,Close,Volume",
        "ts_utc,open,high,low,close,volume,spread",
        "ts_utc,bid,ask",
        "<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>,<VOL>,<SPREAD>",
        "time,symbol,o,h,l,c",
        "utc,bid,ask,bid",
    ]
)


def check(data: bytes, name: str = "eurusd.csv", format: str = "auto") -> None:
    """Any bytes give a result, never an exception, and only valid bars."""
    for zone in ("auto", "utc", "Africa/Cairo"):
        for outcome in read_entry(Entry(name, (name,), lambda: data), ReadOptions(format=format, zone=zone)):
            check_outcome(outcome)


def check_outcome(outcome: FileResult) -> None:
    if isinstance(outcome, SourceFile):
        bars = outcome.bars
        assert len(bars)
        assert (np.diff(bars.ts) > 0).all()
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()
        assert (bars.low > 0).all()
        assert np.isfinite(bars.high).all()
    else:
        assert str(outcome)


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=600),
    st.sampled_from(["eurusd.csv", "EURUSD_2018_01_01_00h_ticks.bi5", "x.parquet"]),
    st.sampled_from(["auto", *FORMAT_NAMES]),
)
def test_any_bytes(data: bytes, name: str, format: str) -> None:
    check(data, name, format)


@settings(max_examples=100, deadline=None)
@given(HEADERS, st.lists(st.lists(FIELDS, min_size=1, max_size=10), min_size=1, max_size=12), st.sampled_from(",;\t|"))
def test_any_table(header: str, table: list[list[str]], separator: str) -> None:
    check("\n".join([header, *(separator.join(row) for row in table)]).encode("utf-8", "replace"))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 59), st.sampled_from(["drop", "cut", "swap", "copy", "junk", "scale"]), st.integers(0, 40)
        ),
        max_size=12,
    )
)
def test_a_corrupted_good_file(changes: list[tuple[int, str, int]]) -> None:
    rows = list(ROWS)
    for place, how, much in changes:
        row = rows[place]
        rows[place] = {
            "drop": "",
            "cut": row[:much],
            "swap": rows[much],
            "copy": f"{row}\n{row}",
            "junk": row[:much] + "\x7f~" + row[much:],
            "scale": row.replace("1.", "1", 1),
        }[how]
    check("\n".join(rows).encode())
