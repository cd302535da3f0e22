"""Wrong units: single bars and stretches on another scale, and spreads not in price units."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from tests.sources.vendor_files import accepted, assert_bars, prices, refused, write_rows

START = dt.datetime(2018, 2, 20, 8, tzinfo=dt.UTC)
TIMES = [START + dt.timedelta(minutes=m) for m in range(400)]
PRICES = prices(400)
HEADER = "ts_utc,open,high,low,close"


def file_of(path: Path, table: np.ndarray, more: list[str] | None = None, header: str = HEADER) -> Path:
    more = more or [""] * len(table)
    rows = [
        f"{t:%Y-%m-%d %H:%M}," + ",".join(f"{x:.5f}" for x in p) + rest
        for t, p, rest in zip(TIMES, table, more, strict=False)
    ]
    return write_rows(path, rows, header=header)


@pytest.mark.parametrize("factor", [10.0, 0.1, 100.0, 1.2, 1 / 1.2])
@pytest.mark.parametrize("row", [0, 1, 200, 399])
def test_one_bar_on_another_scale_is_quarantined(factor: float, row: int, tmp_path: Path) -> None:
    table = PRICES.copy()
    table[row] *= factor
    outcome = accepted(file_of(tmp_path / "eurusd.csv", table))
    assert [q.line for q in outcome.quarantined] == [row + 2]
    rest = np.arange(400) != row
    assert_bars(outcome.bars, [t for t, kept in zip(TIMES, rest, strict=True) if kept], PRICES[rest])


def test_a_temporary_change_of_scale_is_quarantined(tmp_path: Path) -> None:
    table = PRICES.copy()
    table[100:115] *= 1.3
    outcome = accepted(file_of(tmp_path / "eurusd.csv", table))
    assert [q.line for q in outcome.quarantined] == list(range(102, 117))
    assert "10% away from its neighbours'" in outcome.quarantined[0].reason


@pytest.mark.parametrize(("first", "factor"), [(200, 10.0), (0, 10.0), (150, 1.5), (380, 0.6)])
def test_a_permanent_change_of_scale_yields_no_wrong_bar(first: int, factor: float, tmp_path: Path) -> None:
    """Bars out of the pair's range, up to half of the file, are quarantined; a jump within the range is refused."""
    table = PRICES.copy()
    table[first:] *= factor
    path = file_of(tmp_path / "eurusd.csv", table)
    if factor == 10.0 and first == 200:
        outcome = accepted(path)
        assert len(outcome.quarantined) == 200
        assert_bars(outcome.bars, TIMES[:200], PRICES[:200])
    else:
        refusal = refused(path)
        assert ("prices jump by" in refusal.reason) == (factor != 10.0)


def test_a_traded_crash_is_kept(tmp_path: Path) -> None:
    """Like EURCHF on 15 January 2015: from 1.20 through every price to 0.90 and back to 1.03 within half an hour."""
    path = np.concatenate([np.full(100, 1.2), np.linspace(1.2, 0.9, 8), np.linspace(0.9, 1.03, 12), np.full(280, 1.03)])
    table = np.stack([path[:-1], np.maximum(path[:-1], path[1:]), np.minimum(path[:-1], path[1:]), path[1:]], axis=1)
    outcome = accepted(file_of(tmp_path / "eurchf.csv", table.round(5)))
    assert not outcome.quarantined
    assert len(outcome.bars) == 399


def test_a_lasting_price_gap_is_kept(tmp_path: Path) -> None:
    """The same with missing quotes in between: 1.20, then 1.02 permanently."""
    table = np.repeat(np.append(np.full(100, 1.2), np.full(300, 1.02))[:, None], 4, axis=1)
    outcome = accepted(file_of(tmp_path / "eurchf.csv", table))
    assert not outcome.quarantined
    assert outcome.notes[0].startswith("prices jump from 1.2 to 1.02 at 2018-02-20 09:40 UTC and stay there")


def test_a_change_of_scale_across_a_missing_week_is_refused(tmp_path: Path) -> None:
    rows = [f"{t:%Y-%m-%d %H:%M},1.1,1.1,1.1,1.1" for t in TIMES[:50]]
    rows += [f"{t + dt.timedelta(days=6):%Y-%m-%d %H:%M},1.65,1.65,1.65,1.65" for t in TIMES[:50]]
    assert "prices jump by 50%" in refused(write_rows(tmp_path / "eurusd.csv", rows, header=HEADER)).reason


def test_prices_before_and_after_a_gap_of_weeks_are_not_compared(tmp_path: Path) -> None:
    rows = [f"{t:%Y-%m-%d %H:%M},1.1,1.1,1.1,1.1" for t in TIMES[:50]]
    rows += [f"{t + dt.timedelta(days=700):%Y-%m-%d %H:%M},1.6,1.6,1.6,1.6" for t in TIMES[:50]]
    outcome = accepted(write_rows(tmp_path / "eurusd.csv", rows, header=HEADER))
    assert (len(outcome.bars), len(outcome.quarantined)) == (100, 0)


@pytest.mark.parametrize(("column", "factor"), [(1, 1.3), (2, 0.7)])
def test_an_implausible_high_or_low_is_quarantined(column: int, factor: float, tmp_path: Path) -> None:
    table = PRICES.copy()
    table[50, column] *= factor
    outcome = accepted(file_of(tmp_path / "eurusd.csv", table))
    assert [(q.line, q.reason) for q in outcome.quarantined] == [
        (52, "its high or low is more than 20% away from its neighbours'")
    ]


SPREADS = HEADER + ",spread"


@pytest.mark.parametrize("pips", [[1.2, 1.3, 0.9], [0.5, 0.25, 0.4], [12.4, 10.1, 11.7]])
def test_spreads_in_pips_are_refused(pips: list[float], tmp_path: Path) -> None:
    more = [f",{pips[i % 3]}" for i in range(400)]
    refusal = refused(file_of(tmp_path / "eurusd.csv", PRICES, more, SPREADS))
    assert "are not in units of the price" in refusal.reason
    assert f"{pips[0]:g}" in refusal.reason
    assert "whole points" in refusal.advice


def test_spreads_in_tenths_of_a_yen_are_refused(tmp_path: Path) -> None:
    """0.3 pips of USDJPY are 27 bp as a price, 0.2 are 18: the single decimal reveals the unit."""
    more = [f",{(0.2, 0.3, 0.1)[i % 3]}" for i in range(400)]
    refusal = refused(file_of(tmp_path / "usdjpy.csv", PRICES * 100, more, SPREADS))
    assert "not in units of the price" in refusal.reason


def test_a_single_spread_in_pips_is_quarantined(tmp_path: Path) -> None:
    more = [",1.2" if i == 70 else f",{0.0001 + i * 1e-6:.6f}" for i in range(400)]
    outcome = accepted(file_of(tmp_path / "eurusd.csv", PRICES, more, SPREADS))
    assert [(q.line, q.reason) for q in outcome.quarantined] == [(72, "its spread is more than 5% of its price")]


def test_constant_volume_is_dropped_and_constant_spread_reported(tmp_path: Path) -> None:
    path = file_of(tmp_path / "eurusd.csv", PRICES, [",9,0.0002"] * 400, HEADER + ",volume,spread")
    outcome = accepted(path)
    assert outcome.bars.volume is None
    assert outcome.bars.spread is not None
    np.testing.assert_array_equal(outcome.bars.spread, 0.0002)
    assert outcome.notes == ("its volume is 9 in every bar: ignored", "its spread is 0.0002 in every bar")
