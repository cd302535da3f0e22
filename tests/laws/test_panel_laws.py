"""Laws of panel tables: no lookahead, sufficient lookbacks, valid ranges, exact warm-ups."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from fxloom.bars.bars import Bars
from fxloom.bars.pairs import PAIRS
from fxloom.families import arbitrage, correlation, cross_sectional_panel, currency_strength, error_correction
from fxloom.features.domain import RATE
from fxloom.features.feature import Table, tables_of
from fxloom.features.panel_view import CARRY, PanelFrame, panel_minutes
from fxloom.series.panel import set_return, total_return
from fxloom.series.siblings import BASE, QUOTE
from tests.conftest import real_bars
from tests.markets import panel, panel_frame

FAMILIES = (correlation, error_correction, cross_sectional_panel, currency_strength, arbitrage)
TABLES = [table for module in FAMILIES for table in tables_of(module.FAMILY)]
SIX = ("eurgbp", "eurusd", "gbpusd", "nzdusd", "usdcad", "usdjpy")
EXPIRED, CARRIED = 7_300, 7_150  # bars of absence: longer and shorter than the time a close is carried
Stored = dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]  # (feature, pair) -> times and values

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)


@cache
def long_panel() -> dict[str, Bars]:
    """Six pairs over 18,000 minutes; two return after long gaps, one of them after its carried close has expired."""
    bars = panel(SIX, 18_000, seed=8, gaps=False)
    rng = np.random.default_rng(4)
    kept = {p: rng.random(18_000) < 0.8 for p in SIX}
    kept["usdcad"][16_300 - EXPIRED : 16_300] = False
    kept["nzdusd"][16_500 - CARRIED : 16_500] = False
    return {p: bars[p].take(kept[p]) for p in SIX}


def stored(table: Table, frame: PanelFrame, first: int = 0) -> Stored:
    """(feature, pair) -> times and values of the pair's observed bars from minute ``first`` on."""
    view = frame.view(table.domain, 0, int(np.searchsorted(frame.ts, first)))
    columns = table.family.compute(view)
    rows = {p: view.observed(p) for p in view.pairs}
    return {
        (f.name, p): (view.ts[rows[p]], columns[f.key][i, rows[p]]) for f in table.features for i, p in enumerate(rows)
    }


def assert_same(one: Stored, other: Stored, start: int, end: int) -> None:
    """The same times and bit-identical values from ``start`` until ``end``."""
    assert set(one) == set(other)
    for key in one:
        a, b = (slice(*np.searchsorted(ts, [start, end])) for ts, _ in (one[key], other[key]))
        assert np.array_equal(one[key][0][a], other[key][0][b]), key
        assert np.array_equal(one[key][1][a], other[key][1][b], equal_nan=True), key


def between(bars: dict[str, Bars], start: int, end: int) -> dict[str, Bars]:
    return {p: b.between(start, end) for p, b in bars.items()}


def firsts(bars: dict[str, Bars]) -> dict[str, float]:
    return {p: float(b.close[0]) for p, b in bars.items()}


def noisy_after(bars: dict[str, Bars], cut: int) -> dict[str, Bars]:
    def noisy(b: Bars) -> Bars:
        scale = np.where(b.ts < cut, 1.0, np.random.default_rng(1).uniform(0.5, 2.0, len(b)))
        return replace(b, **{c: getattr(b, c) * scale for c in ("open", "high", "low", "close", "spread")})

    return {p: noisy(b).take((b.ts < cut) | (b.ts % 7 > 1)) for p, b in bars.items()}


@each_table
@pytest.mark.parametrize("quotes", [True, False], ids=["quotes", "proxy"])
def test_a_lookback_gives_identical_values(table: Table, quotes: bool) -> None:
    bars = long_panel()
    clock = panel_minutes([b.ts for b in bars.values()])
    whole = stored(table, panel_frame(bars, quotes))
    for first in (16_200, 16_340, 16_517, 17_900):
        start, end = int(clock[first]), int(clock[first]) + 90
        part = between(bars, int(clock[first - table.lookback]), end)
        assert_same(whole, stored(table, panel_frame(part, quotes, firsts(bars)), start), start, end)


@each_table
def test_a_view_may_begin_later_than_its_frame(table: Table) -> None:
    frame = panel_frame(long_panel())
    whole = table.family.compute(frame.view(table.domain))
    first = 16_517
    view = panel_frame(long_panel()).view(table.domain, first - (table.lookback - CARRY), first)
    late = table.family.compute(view)
    for name, values in late.items():
        assert np.array_equal(values[:, view.first :], whole[name][:, first:], equal_nan=True), name


@each_table
def test_later_bars_do_not_matter(table: Table) -> None:
    bars = between(long_panel(), 0, int(long_panel()["eurusd"].ts[2_500]))
    whole = stored(table, panel_frame(bars))
    for at in (400, 1_999):
        cut = int(bars["eurusd"].ts[at])
        assert_same(whole, stored(table, panel_frame(between(bars, 0, cut))), 0, cut)
        assert_same(whole, stored(table, panel_frame(noisy_after(bars, cut))), 0, cut)


@each_table
def test_values_begin_at_the_warm_up_and_stay_in_range(table: Table) -> None:
    frame = panel_frame(panel(PAIRS, 1_700, seed=6, gaps=False))
    columns = table.family.compute(frame.view(table.domain))
    for f in table.features:
        column, values = f.column, columns[f.key]
        begin = column.warmup
        if column.anchor:
            begin = int(np.searchsorted(frame.ts, -(-frame.ts[column.warmup] // 60) * 60))
        assert np.isnan(values[:, :begin]).all(), f.name
        assert np.isfinite(values[:, begin]).sum() >= (14 if column.undefined else 28), f.name
        known = values[~np.isnan(values)]
        assert column.low - 1e-9 <= known.min() <= known.max() <= column.high + 1e-9, f.name
        assert not (np.signbit(known) & (known == 0.0)).any(), f.name


@each_table
def test_single_and_empty_pairs_are_not_errors(table: Table) -> None:
    single = panel_frame({"eurusd": panel()["eurusd"]})
    view = single.view(table.domain)
    columns = table.family.compute(view)
    reported = {name for _, where, names in view.missing for name in names if where.all()}
    assert all(name in reported or np.isfinite(column).any() for name, column in columns.items())
    gone = panel()["usdjpy"].take(slice(0, 0))
    bars = panel(("eurusd", "gbpusd", "usdjpy")) | {"usdjpy": gone}
    frame = panel_frame(bars, baselines=dict.fromkeys(bars, 1.2))
    assert {c.shape for c in table.family.compute(frame.view(table.domain)).values()} == {frame.price.shape}


def test_closed_triangles_relate_features_as_defined() -> None:
    frame = panel_frame(panel(PAIRS, 700, seed=2, gaps=False))
    view = frame.view(RATE)
    gap = set_return(view, BASE) + set_return(view, QUOTE) - view.r
    assert np.nanmax(np.abs(gap)) < 0.25 * np.nanstd(view.r)  # up to the triangles' noise
    columns = currency_strength.compute(view)
    difference = columns["cs_base_60"] - columns["cs_quote_60"]
    wanted = 8 / 7 * 1e4 * total_return(view, 60)
    assert np.nanmax(np.abs(difference - wanted)) < 0.5 < np.nanstd(wanted)


@pytest.mark.data
def test_real_triangles_relate_the_same_features() -> None:
    bars = {p: real_bars(f"market28/{p}").take(slice(0, 3_000)) for p in PAIRS}
    view = panel_frame(bars, quotes=False).view(RATE)
    rows = view.present.all(axis=0)
    columns = currency_strength.compute(view)
    difference = (columns["cs_base_60"] - columns["cs_quote_60"])[:, rows]
    wanted = 8 / 7 * 1e4 * total_return(view, 60)[:, rows]
    known = ~np.isnan(wanted)
    assert np.corrcoef(difference[known], wanted[known])[0, 1] > 0.99
