"""Half an hour of EURUSD that format tests write in every layout."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from fxloom.sources import SourceFile
from tests.sources.vendor_files import assert_bars, prices

START = dt.datetime(2018, 2, 20, 10, 36, tzinfo=dt.UTC)  # a Tuesday; 20 cannot be a month
TIMES = [START + dt.timedelta(minutes=m) for m in range(30)]
PRICES = prices(30)


def ohlc(p: np.ndarray, separator: str = ",") -> str:
    return separator.join(f"{x:.5f}" for x in p)


def later(hours: float, times: Sequence[dt.datetime] = TIMES) -> list[dt.datetime]:
    """The times on a clock ``hours`` ahead of UTC."""
    return [t + dt.timedelta(hours=hours) for t in times]


def assert_taken(file: SourceFile, *, format: str, hours: float = 0.0, volume: Sequence[float] | None = None) -> None:
    """The whole half hour was read, with the expected prices, volume and zone."""
    assert (file.format, file.pair, file.zone.hours) == (format, "eurusd", (hours,))
    assert file.rows == 30
    assert not file.quarantined
    assert_bars(file.bars, TIMES, PRICES)
    if volume is None:
        assert file.bars.volume is None
    else:
        assert file.bars.volume is not None
        np.testing.assert_allclose(file.bars.volume, volume, rtol=1e-12)
