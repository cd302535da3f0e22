"""Spread estimators against bidask, simulations and their paper."""

from __future__ import annotations

import math

import bidask
import numpy as np
import pytest

from fxloom.kernels.edge import bar_pairs, corwin_schultz, edge
from tests.markets import roll_prices

RNG = np.random.default_rng(17)


@pytest.mark.parametrize("stride", [1, 5])
@pytest.mark.parametrize("level", [1.0, 110.0, 0.009])
def test_edge_matches_bidask(level: float, stride: int) -> None:
    o, h, l, c = (level * p for p in roll_prices(600, 2e-3))
    got = edge(*bar_pairs(o, h, l, c, stride, 0.0), 60, stride)
    assert np.isnan(got[: 59 * stride]).all()
    for t in range(59 * stride, 600, 7):
        rows = t - stride * np.arange(60)[::-1]
        want = bidask.edge(o[rows], h[rows], l[rows], c[rows])
        assert got[t] == pytest.approx(want, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("spread", [3e-4, 1e-3])
def test_edge_recovers_the_spread_of_a_simulation(spread: float) -> None:
    o, h, l, c = roll_prices(20_000, spread)
    assert edge(*bar_pairs(o, h, l, c, 1, 0.0), 20_000, 1)[-1] == pytest.approx(spread, rel=0.03)


def test_edge_needs_two_bars_that_move() -> None:
    o, h, l, c = (p.copy() for p in roll_prices(200, 2e-3))
    for column in (o, h, l):
        column[60:160] = c[59]
    c[60:160] = c[59]
    got = edge(*bar_pairs(o, h, l, c, 1, 0.0), 60, 1)
    want = [bidask.edge(o[t - 59 : t + 1], h[t - 59 : t + 1], l[t - 59 : t + 1], c[t - 59 : t + 1]) for t in (130, 159)]
    assert np.isnan(want).all()
    assert np.isnan(got[[130, 159]]).all()
    assert np.isfinite(got[[59, 199]]).all()


def test_prices_within_rounding_are_equal_for_edge() -> None:
    o, h, l, c = roll_prices(80, 2e-3)
    noisy = c * (1.0 + 3e-14 * RNG.choice([-1.0, 1.0], 80))
    o, h = noisy.copy(), c.copy()  # every open at the high, up to rounding
    h, l = np.maximum(h, o), l
    loose, strict = (bar_pairs(o, h, l, c, 1, tolerance)[6] for tolerance in (1e-13, 0.0))
    assert np.nansum(loose) < np.nansum(strict)


def test_corwin_schultz_of_two_known_bars() -> None:
    """Both bars are 1 % wide around one level; alpha from the paper's equations 14 and 18."""
    h, l = np.full(2, 101.0), np.full(2, 100.0)
    width = math.log(1.01)
    beta, gamma = 2 * width**2, width**2
    k = 3 - 2 * math.sqrt(2)
    alpha = (math.sqrt(2 * beta) - math.sqrt(beta)) / k - math.sqrt(gamma / k)
    want = 2 * (math.exp(alpha) - 1) / (1 + math.exp(alpha))
    assert corwin_schultz(h, l, 1)[1] == pytest.approx(want, rel=1e-12)
    assert want == pytest.approx(width, rel=1e-4)  # without volatility the whole range is spread
    assert corwin_schultz(np.array([101.0, 103.0]), np.array([100.0, 102.5]), 1)[1] == 0.0
