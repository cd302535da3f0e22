"""Fibonacci levels of still prices and of later starts; declared warm-ups and ranges."""

from __future__ import annotations

import numpy as np

from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.families import fibonacci
from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.pair_view import PairFrame, View
from tests.markets import tied_walk


def view_of(n: int, seed: int, domain: Domain, still: tuple[int, int] = (0, 0)) -> View:
    bars = tied_walk(n, seed, still, step=2, reach=3, gaps=False)
    return PairFrame("eurusd", on_clock(bars), PairInfo(float(bars.close[0]))).view(domain)


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
