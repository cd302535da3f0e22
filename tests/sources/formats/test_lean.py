"""LEAN ticks, seconds and hours (its minutes are in test_formats)."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import numpy as np

from tests.sources.formats.market import PRICES, START, ohlc
from tests.sources.vendor_files import accepted, refused

MINUTE = int(START.timestamp()) // 60
MS = 38_160_000  # 10:36 in milliseconds since midnight


def zipped(path: Path, inside: str, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(inside, "\n".join(rows))
    return path


def test_ticks(tmp_path: Path) -> None:
    rows = [f"{MS + ms},1.10000,1.10020" for ms in (15, 2_000, 61_500)]
    path = zipped(tmp_path / "eurusd" / "20180220_quote.zip", "20180220_eurusd_tick_quote.csv", rows)
    assert "--zone" in refused(path).advice
    file = accepted(path, zone="utc")
    assert (file.format, file.kind, file.pair) == ("lean", "ticks", "eurusd")
    np.testing.assert_array_equal(file.bars.ts, [MINUTE, MINUTE + 1])
    assert file.bars.volume is not None
    np.testing.assert_array_equal(file.bars.volume, [2.0, 1.0])


def test_seconds_become_minutes(tmp_path: Path) -> None:
    rows = [f"{MS + 1000 * s},{ohlc(PRICES[s % 30])},0,{ohlc(PRICES[s % 30] + 0.0002)},0" for s in range(0, 120, 3)]
    path = zipped(tmp_path / "eurusd" / "20180220_quote.zip", "20180220_eurusd_second_quote.csv", rows)
    file = accepted(path, zone="utc")
    assert file.kind.endswith("-second bars, bid and ask")
    np.testing.assert_array_equal(file.bars.ts, [MINUTE, MINUTE + 1])
    shown = PRICES[[s % 30 for s in range(0, 60, 3)]] + 0.0001
    np.testing.assert_allclose(file.bars.high[0], shown[:, 1].max(), rtol=1e-12)
    np.testing.assert_allclose(file.bars.close[0], shown[-1, 3], rtol=1e-12)


def test_hours_are_refused_as_coarse(tmp_path: Path) -> None:
    hours = [dt.datetime(2018, 2, 20) + dt.timedelta(hours=h) for h in range(20)]
    rows = [f"{t:%Y%m%d %H:%M},{ohlc(p)},0,{ohlc(p)},0" for t, p in zip(hours, PRICES, strict=False)]
    refusal = refused(zipped(tmp_path / "hour" / "eurusd.zip", "eurusd.csv", rows), zone="utc")
    assert (refusal.format, refusal.kind) == ("lean", "hourly bars, bid and ask")
    assert "coarser than a minute" in refusal.reason
