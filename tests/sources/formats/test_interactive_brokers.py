"""Bars of ib_insync and ib_async, and bid and ask per second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.sources.formats.market import PRICES, START, assert_taken, later, ohlc
from tests.sources.vendor_files import accepted, refused, write_rows

HEADER = ",date,open,high,low,close,volume,average,barCount"


@pytest.mark.parametrize(
    ("spelled", "hours", "options"),
    [
        ("%Y-%m-%d %H:%M:%S-05:00", -5.0, {}),  # util.df(bars).to_csv(), dates with a zone
        ("%Y%m%d  %H:%M:%S", -5.0, {"zone": "-5"}),  # the API's own text, two spaces
        ("%Y%m%d %H:%M:%S US/Eastern", -5.0, {}),  # with the zone's name since version 10.17
    ],
)
def test_bars(spelled: str, hours: float, options: dict[str, str], tmp_path: Path) -> None:
    rows = [f"{i},{t:{spelled}},{ohlc(p)},-1,-1,-1" for i, (t, p) in enumerate(zip(later(hours), PRICES, strict=True))]
    assert_taken(
        accepted(write_rows(tmp_path / "EURUSD.csv", rows, header=HEADER), **options), format="ib", hours=hours
    )


def test_one_bid_and_ask_per_second(tmp_path: Path) -> None:
    rows = [f"20180220  10:36:{s:02d},EURUSD,BID,1.1000{s % 10},1.1001{s % 10}," for s in range(60)]
    path = write_rows(tmp_path / "seconds.txt", rows)
    refusal = refused(path)
    assert (refusal.format, refusal.pair, refusal.kind) == ("ib", "eurusd", "seconds")
    assert "--zone" in refusal.advice
    file = accepted(path, zone="utc")
    np.testing.assert_array_equal(file.bars.ts, [int(START.timestamp()) // 60])
    assert file.bars.spread is not None
    np.testing.assert_allclose(file.bars.spread, [0.0001], rtol=1e-9)
    np.testing.assert_allclose(file.bars.high, [1.10014], rtol=1e-12)  # bid 1.10009, ask 1.10019
