"""GAIN Capital's archive of ticks, in its three layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.sources.formats.market import START
from tests.sources.vendor_files import accepted, refused, write_rows

LAYOUTS = {
    "2007": ("", "284314832,EUR/USD,{},1.100000,1.100200,D"),
    "2009": ("", "284314832,D,EUR/USD,{},1.100000,1.100200"),
    "2015": ("lTid,cDealable,CurrencyPair,RateDateTime,RateBid,RateAsk", "284314832,D,EUR/USD,{}.633000000,1.1,1.1002"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_ticks(layout: str, tmp_path: Path) -> None:
    header, row = LAYOUTS[layout]
    rows = [row.format(f"2018-02-20 05:3{minute}:0{second}") for minute in (6, 7) for second in range(3)]
    path = write_rows(tmp_path / "Week1.csv", rows, header=header)
    assert "--zone" in refused(path).advice
    file = accepted(path, zone="America/New_York")
    assert (file.format, file.pair, file.kind, file.price_side) == ("gain", "eurusd", "ticks", "mid")
    start = int(START.timestamp()) // 60
    np.testing.assert_array_equal(file.bars.ts, [start, start + 1])
    np.testing.assert_allclose(file.bars.close, 1.1001, rtol=1e-12)
    assert file.bars.volume is not None
    np.testing.assert_array_equal(file.bars.volume, [3.0, 3.0])
