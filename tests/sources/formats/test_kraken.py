"""Kraken's OHLCVT archive."""

from __future__ import annotations

from pathlib import Path

from tests.sources.formats.market import PRICES, TIMES, assert_taken, ohlc
from tests.sources.vendor_files import accepted, write_rows


def test_seconds_open_high_low_close_volume_and_trades(tmp_path: Path) -> None:
    rows = [f"{int(t.timestamp())},{ohlc(p)},{12.5 + i},3" for i, (t, p) in enumerate(zip(TIMES, PRICES, strict=True))]
    assert_taken(
        accepted(write_rows(tmp_path / "EURUSD_1.csv", rows)), format="kraken", volume=[12.5 + i for i in range(30)]
    )
