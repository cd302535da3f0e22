"""Fibonacci levels against a slow reference: random walks, ties and still prices."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.families import fibonacci
from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.pair_view import PairFrame, View
from tests.markets import tied_walk

LEVELS = (23.6, 38.2, 50.0, 61.8, 78.6)


def view_of(n: int, seed: int, domain: Domain, still: tuple[int, int] = (0, 0)) -> View:
    bars = tied_walk(n, seed, still, step=2, reach=3, gaps=False)
    return PairFrame("eurusd", on_clock(bars), PairInfo(float(bars.close[0]))).view(domain)


def slow_levels(high: np.ndarray, low: np.ndarray, close: float) -> dict[str, float]:
    """The definitions on one window of 120 bars."""
    top, bottom = max(high), min(low)
    since_high = next(i for i, h in enumerate(high[::-1]) if h == top)
    since_low = next(i for i, l in enumerate(low[::-1]) if l == bottom)
    reach, up = top - bottom, since_high < since_low
    levels = {q: top - q / 100 * reach if up else bottom + q / 100 * reach for q in LEVELS}
    return {
        **{f"fib_{q * 10:.0f}": close - level for q, level in levels.items()},
        "fib_position": (close - bottom) / reach if reach > 0 else np.nan,
        "fib_range": 100.0 * reach / close,
        "fib_bars_since_high": since_high,
        "fib_bars_since_low": since_low,
        "fib_direction": 1.0 if up else -1.0,
    }


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("still", [(0, 0), (300, 500)], ids=["walk", "with a standstill"])
def test_levels_match_their_definitions(domain: Domain, still: tuple[int, int]) -> None:
    view = view_of(900, 1, domain, still)
    got = fibonacci.compute(view)
    _, high, low, close = view.ohlc
    first = domain.bars + 119
    for name, values in got.items():
        assert np.isnan(values[:first]).all(), name
    for t in range(first, 900):
        window = slice(t - 119, t + 1)
        for name, want in slow_levels(high[window], low[window], close[t]).items():
            assert got[name][t] == pytest.approx(want, rel=1e-10, abs=1e-11, nan_ok=True), (name, t)


def test_warmup_names_and_ranges_match_their_declarations() -> None:
    for domain in BOTH:
        view = view_of(2000, 2, domain)
        got = fibonacci.compute(view)
        for column in fibonacci.columns(domain):
            values = got[column.name]
            assert np.flatnonzero(~np.isnan(values))[0] == column.warmup == domain.bars + 119
            assert column.low <= np.nanmin(values) <= np.nanmax(values) <= column.high


def test_a_still_price_has_no_position_and_is_at_every_level() -> None:
    view = view_of(900, 3, RATE, (300, 500))
    got = fibonacci.compute(view)
    inside = slice(430, 500)
    assert np.isnan(got["fib_position"][inside]).all()
    assert (got["fib_direction"][inside] == -1.0).all()
    for name in ("fib_236", "fib_786", "fib_range", "fib_bars_since_high", "fib_bars_since_low"):
        assert (got[name][inside] == 0.0).all(), name
        assert not np.signbit(got[name][inside]).any(), name
    assert np.isnan(got["fib_position"][119:]).sum() == 500 - 419  # windows entirely inside the still stretch


def test_a_later_start_gives_identical_values() -> None:
    for domain in BOTH:
        whole = view_of(1500, 4, domain)
        part = whole.frame.view(domain, 613)
        whole.frame.work.clear()
        early, late = fibonacci.compute(whole), fibonacci.compute(part)
        for column in fibonacci.columns(domain):
            begin = column.lookback
            np.testing.assert_array_equal(late[column.name][begin:], early[column.name][613 + begin :])
