"""Several weeks of synthetic or real bars for tests of families with weekly anchors."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np

from fxloom.bars.bars import Bars
from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.bars.synthetic import synthetic_market
from fxloom.features.domain import RATE, Domain
from fxloom.features.feature import Family, tables_of
from fxloom.features.pair_view import PairFrame, View
from fxloom.series.anchors import Week, weeks
from tests.conftest import real_bars
from tests.markets import with_later_walk


@cache
def weekly_bars(name: str = "synthetic") -> Bars:
    """Three and a half weeks: enough for a fit in the third week and the next."""
    if name == "synthetic":
        return synthetic_market(date(2018, 1, 22), date(2018, 2, 15), pairs=["eurusd"])["eurusd"]
    return real_bars(name).take(slice(18_000))


@cache
def weekly_view(domain: Domain, name: str = "synthetic") -> View:
    return view_of(weekly_bars(name), domain)


def view_of(bars: Bars, domain: Domain, start: int = 0, first: int = 0) -> View:
    """A view of a new frame with baseline 1.25."""
    return PairFrame("eurusd", on_clock(bars), PairInfo(1.25)).view(domain, start, first)


def usable_weeks(view: View, warmup: int) -> list[Week]:
    return list(weeks(view.ts, 0, warmup))


def series(view: View) -> tuple[np.ndarray, np.ndarray]:
    """x and r of a domain by their definitions."""
    c = 100.0 * view.frame.bars.close / 1.25
    if view.domain is RATE:
        x = c
    else:
        past = np.lib.stride_tricks.sliding_window_view(c, 16)
        m = (past[:, :-1] - past[:, -1:]).sum(axis=1) / past[:, -1]
        x = np.concatenate([np.full(15, np.nan), 100.0 * (1.0 + np.where(np.abs(m) < 1e-12, 0.0, m) / 15.0)])
    r = np.diff(np.log(x), prepend=np.nan)
    r[np.abs(r) < 1e-12] = 0.0
    return x, r


# -- checks for every anchored family --------------------------------------------------------------------------------


def check_only_past_bars_matter(family: Family, domain: Domain) -> None:
    """Rows before a cut are bit-identical if later bars are removed or replaced."""
    bars = weekly_bars()
    expected = family.compute(weekly_view(domain))
    for cut in (11_000, len(bars) - 3_000):
        known = int(np.searchsorted(weekly_view(domain).ts, bars.ts[cut]))
        for other in (bars.take(slice(cut)), with_later_walk(bars, cut)):
            for name, column in family.compute(view_of(other, domain)).items():
                np.testing.assert_array_equal(column[:known], expected[name][:known], name)


def check_lookback_is_sufficient(family: Family, domain: Domain, warmup: int) -> None:
    """The last week's rows from the declared lookback alone, and from the ``warmup`` bars its fit needs."""
    (table,) = (t for t in tables_of(family) if t.domain is domain)
    whole = weekly_view(domain)
    expected = family.compute(whole)
    week = usable_weeks(whole, warmup)[-1]
    for first in (week.begin, week.begin + 17, len(whole) - 1):
        start = max(0, first - table.lookback)
        for begin in {start, max(start, week.begin - warmup)}:
            found = family.compute(view_of(weekly_bars(), domain, begin, first))
            for name, column in found.items():
                np.testing.assert_array_equal(column[first - begin :], expected[name][first:], name)


def check_due_and_in_range(family: Family, domain: Domain) -> None:
    """No value before the warm-up or the first usable anchor; from there on every value, within its range."""
    view = weekly_view(domain)
    out = family.compute(view)
    for column in family.columns(domain):
        begin = column.warmup if column.anchor is None else usable_weeks(view, column.warmup)[0].begin
        values = out[column.name]
        assert np.isnan(values[:begin]).all(), column.name
        assert np.isfinite(values[begin:]).all(), column.name
        assert values[begin:].min() >= column.low - 1e-12, column.name
        assert values[begin:].max() <= column.high * (1.0 + 1e-12), column.name
        assert not (np.signbit(values) & (values == 0.0)).any(), column.name
