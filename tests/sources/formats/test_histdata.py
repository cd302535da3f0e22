"""HistData's one-sided ticks, and its early years (other layouts are in test_formats)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.sources.formats.market import START
from tests.sources.vendor_files import accepted, refused, write_rows

ROWS = ["20180220 053601;1.1;0", "20180220 053620;1.1003;0", "20180220 053659;1.1002;0"]


def test_ticks_of_the_bid(tmp_path: Path) -> None:
    file = accepted(write_rows(tmp_path / "DAT_NT_EURUSD_T_BID_201802.csv", ROWS), zone="-5")
    assert (file.format, file.kind, file.price_side, file.has_quotes) == ("histdata", "ticks, bid", "bid", False)
    np.testing.assert_array_equal(file.bars.ts, [int(START.timestamp()) // 60])
    bars = file.bars
    assert [bars.open[0], bars.high[0], bars.low[0], bars.close[0]] == [1.1, 1.1003, 1.1, 1.1002]


@pytest.mark.parametrize(("side", "reason"), [("ASK", "ask bars only"), ("LAST", "unknown format")])
def test_ticks_of_another_side(side: str, reason: str, tmp_path: Path) -> None:
    assert reason in refused(write_rows(tmp_path / f"DAT_NT_EURUSD_T_{side}_201802.csv", ROWS), zone="-5").reason
