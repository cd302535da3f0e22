"""JSON candles as returned by each vendor's API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fxloom.sources import SourceFile, read
from tests.conftest import DATA
from tests.sources.formats.market import PRICES, TIMES, assert_taken
from tests.sources.vendor_files import accepted, assert_bars, refused

SECONDS = [int(t.timestamp()) for t in TIMES]
VOLUME = [float(n) for n in range(10, 40)]
OHLC = ("open", "high", "low", "close")


def side(p: np.ndarray) -> dict[str, str]:
    return {name: f"{x:.5f}" for name, x in zip("ohlc", p, strict=True)}


def oanda(*sides: str) -> dict[str, Any]:
    candles = [
        {
            "complete": True,
            "volume": int(v),
            "time": f"{t:%Y-%m-%dT%H:%M:%S}.000000000Z",
            **dict.fromkeys(sides, side(p)),
        }
        for t, p, v in zip(TIMES, PRICES, VOLUME, strict=True)
    ]
    return {"instrument": "EUR_USD", "granularity": "M1", "candles": candles}


def rows(names: tuple[str, ...], times: list[Any], time: str) -> list[dict[str, Any]]:
    return [
        {time: t, **dict(zip(names, map(float, p), strict=True)), "v" if len(names[0]) == 1 else "volume": v}
        for t, p, v in zip(times, PRICES, VOLUME, strict=True)
    ]


MILLISECONDS = [1000 * s for s in SECONDS]
SPELLED = [f"{t:%Y-%m-%d %H:%M:%S}" for t in TIMES]
FILES: dict[str, tuple[Any, str, dict[str, str]]] = {
    "oanda": (oanda("mid"), "oanda json", {}),
    "oanda of one side": (oanda("bid"), "oanda json", {}),
    "oanda latest": ({"latestCandles": [oanda("mid")]}, "oanda json", {}),
    "polygon": (
        {"ticker": "C:EURUSD", "status": "OK", "resultsCount": 30, "results": rows(tuple("ohlc"), MILLISECONDS, "t")},
        "polygon json", {},
    ),
    "twelve data": (
        {"meta": {"symbol": "EUR/USD", "interval": "1min", "type": "Physical Currency"},
         "values": [{k: str(x) for k, x in row.items()} for row in reversed(rows(OHLC, SPELLED, "datetime"))],
         "status": "ok"},
        "twelve data json", {"zone": "utc"},
    ),
    "finnhub": (
        {**dict(zip("ohlc", PRICES.T.tolist(), strict=True)), "s": "ok", "t": SECONDS, "v": VOLUME}, "finnhub json", {},
    ),
    "dukascopy-node": (rows(OHLC, MILLISECONDS, "timestamp"), "dukascopy json", {}),
    "dukascopy-node arrays": (
        [[ms, *map(float, p), v] for ms, p, v in zip(MILLISECONDS, PRICES, VOLUME, strict=True)], "json", {},
    ),
    "pandas records": (rows(OHLC, [f"{s}.000Z" for s in SPELLED], "date"), "json", {}),
}  # fmt: skip


@pytest.mark.parametrize("vendor", FILES)
def test_candles_of(vendor: str, tmp_path: Path) -> None:
    content, format, options = FILES[vendor]
    (tmp_path / "eurusd.json").write_text(json.dumps(content))
    assert_taken(accepted(tmp_path / "eurusd.json", **options), format=format, volume=VOLUME)


def test_alpha_vantage_names_its_pair_and_zone(tmp_path: Path) -> None:
    series = {
        time: {f"{i}. {name}": f"{x:.5f}" for i, (name, x) in enumerate(zip(OHLC, p, strict=True), 1)}
        for time, p in reversed(list(zip(SPELLED, PRICES, strict=True)))
    }
    about = {"1. Information": "FX Intraday (1min) Time Series", "2. From Symbol": "EUR", "3. To Symbol": "USD",
             "5. Interval": "1min", "7. Time Zone": "UTC"}  # fmt: skip
    (tmp_path / "query.json").write_text(json.dumps({"Meta Data": about, "Time Series FX (1min)": series}))
    assert_taken(accepted(tmp_path / "query.json"), format="alpha vantage json")


def test_oanda_bids_and_asks_are_quoted_bars(tmp_path: Path) -> None:
    content = oanda("bid")
    for candle, p in zip(content["candles"], PRICES, strict=True):
        candle["ask"] = side(p + 0.0002)
    (tmp_path / "candles.json").write_text(json.dumps(content))
    file = accepted(tmp_path / "candles.json")
    assert (file.pair, file.kind) == ("eurusd", "minute bars, bid and ask")
    np.testing.assert_allclose(file.bars.open, PRICES[:, 0] + 0.0001, rtol=1e-12)


def test_a_candle_that_is_not_complete_is_quarantined(tmp_path: Path) -> None:
    content = oanda("mid")
    content["candles"][-1]["complete"] = False
    (tmp_path / "candles.json").write_text(json.dumps(content))
    file = accepted(tmp_path / "candles.json")
    assert [(q.line, q.reason) for q in file.quarantined] == [(30, "its candle is not complete yet")]
    assert_bars(file.bars, TIMES[:-1], PRICES[:-1])


def test_several_instruments_in_one_answer(tmp_path: Path) -> None:
    pound = json.loads(json.dumps(oanda("mid")).replace("EUR_USD", "GBP_USD"))
    (tmp_path / "latest.json").write_text(json.dumps({"latestCandles": [oanda("mid"), pound]}))
    files = [file for file in read(tmp_path / "latest.json") if isinstance(file, SourceFile)]
    assert [file.pair for file in files] == ["eurusd", "gbpusd"]
    assert [file.name.rpartition(" ")[2] for file in files] == ["[eurusd]", "[gbpusd]"]


@pytest.mark.parametrize("orient", ["records", "index", "columns"])
def test_json_written_by_pandas(orient: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(dict(zip(OHLC, PRICES.T, strict=True)), index=pd.DatetimeIndex(TIMES, name="time"))
    if orient == "records":
        frame = frame.reset_index()
    frame.to_json(tmp_path / "eurusd.json", orient=orient, date_unit="ms", double_precision=10)
    assert_taken(accepted(tmp_path / "eurusd.json", zone="utc"), format="json")


def test_one_object_per_line(tmp_path: Path) -> None:
    (tmp_path / "eurusd.json").write_text("\n".join(map(json.dumps, rows(OHLC, MILLISECONDS, "timestamp"))))
    assert_taken(accepted(tmp_path / "eurusd.json"), format="dukascopy json", volume=VOLUME)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"type": "FeatureCollection", "features": []}, "without candles"),
        ({"s": "no_data"}, "no_data"),
        ({"status": "error", "message": "You have run out of API credits"}, "run out of API credits"),
        ({"Note": "Thank you for using Alpha Vantage!"}, "Thank you for using"),
        ([1, 2, 3], "without candles"),
        ({}, "without candles"),
        ({"candles": [{"time": "2018-02-20T10:36:00Z", "mid": {"o": 1}}]}, "unknown format"),
    ],
)
def test_json_without_candles(content: Any, reason: str, tmp_path: Path) -> None:
    (tmp_path / "eurusd.json").write_text(json.dumps(content))
    assert reason in refused(tmp_path / "eurusd.json").reason


@pytest.mark.parametrize("text", ['{"t": [1, 2', "[" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000, "{]"])
def test_corrupt_or_too_deep_json(text: str, tmp_path: Path) -> None:
    (tmp_path / "eurusd.json").write_text(text)
    assert "JSON" in refused(tmp_path / "eurusd.json").reason


@pytest.mark.data
def test_dukascopy_delta_encoding() -> None:
    name = "candles-minute-EUR-USD-BID-2026-7-10.json"
    file = accepted(DATA / "exports_odd" / name)
    source = json.loads((DATA / "exports_odd" / name).read_text())
    assert (file.pair, file.kind, len(file.bars)) == ("eurusd", "minute bars, bid", len(source["times"]))
    minute, units = source["timestamp"] // 60_000, [round(source["close"] / 1e-5)]
    times = []
    for step, change in zip(source["times"], source["closes"], strict=True):
        minute += step
        times.append(minute)
        units.append(units[-1] + change)
    np.testing.assert_array_equal(file.bars.ts, times)
    np.testing.assert_allclose(file.bars.close, np.array(units[1:]) / 1e5, rtol=1e-14)
