"""Spread estimators, order flow, jumps, quantile classes and tree sums against libraries and slow twins."""

from __future__ import annotations

import math

import bidask
import numpy as np
import pytest
from scipy import stats

from fxloom.kernels.edge import bar_pairs, corwin_schultz, edge
from fxloom.kernels.jumps import bipower_variance, ewma, ewma_ratio, jump_z
from fxloom.kernels.order_flow import bulk_flow, bulk_imbalance, move_run, second_slope, tail_share
from fxloom.kernels.range_volatility import bar_variances, strided_sum, strided_variance, true_range
from fxloom.kernels.scaling import changes_over, crossings, hurst
from fxloom.kernels.tree import tree_sum, zscore_present

RNG = np.random.default_rng(17)


def simulated_bars(n: int, spread: float, ticks: int = 60, seed: int = 3) -> tuple[np.ndarray, ...]:
    """Roll's model: a random walk seen half a spread above or below at every tick."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0.0, 1e-4, n * ticks))
    price = np.exp(walk + 0.5 * spread * rng.choice([-1.0, 1.0], n * ticks)).reshape(n, ticks)
    return tuple(np.ascontiguousarray(c) for c in (price[:, 0], price.max(1), price.min(1), price[:, -1]))


# -- spreads ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [1, 5])
@pytest.mark.parametrize("level", [1.0, 110.0, 0.009])
def test_edge_is_that_of_bidask(level: float, stride: int) -> None:
    o, h, l, c = (level * p for p in simulated_bars(600, 2e-3))
    got = edge(*bar_pairs(o, h, l, c, stride, 0.0), 60, stride)
    assert np.isnan(got[: 59 * stride]).all()
    for t in range(59 * stride, 600, 7):
        rows = t - stride * np.arange(60)[::-1]
        want = bidask.edge(o[rows], h[rows], l[rows], c[rows])
        assert got[t] == pytest.approx(want, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("spread", [3e-4, 1e-3])
def test_edge_finds_the_spread_of_a_simulation(spread: float) -> None:
    o, h, l, c = simulated_bars(20_000, spread)
    assert edge(*bar_pairs(o, h, l, c, 1, 0.0), 20_000, 1)[-1] == pytest.approx(spread, rel=0.03)


def test_edge_needs_two_bars_that_move() -> None:
    o, h, l, c = (p.copy() for p in simulated_bars(200, 2e-3))
    for column in (o, h, l):
        column[60:160] = c[59]
    c[60:160] = c[59]
    got = edge(*bar_pairs(o, h, l, c, 1, 0.0), 60, 1)
    want = [bidask.edge(o[t - 59 : t + 1], h[t - 59 : t + 1], l[t - 59 : t + 1], c[t - 59 : t + 1]) for t in (130, 159)]
    assert np.isnan(want).all()
    assert np.isnan(got[[130, 159]]).all()
    assert np.isfinite(got[[59, 199]]).all()


def test_prices_within_rounding_are_equal_for_edge() -> None:
    o, h, l, c = simulated_bars(80, 2e-3)
    noisy = c * (1.0 + 3e-14 * RNG.choice([-1.0, 1.0], 80))
    o, h = noisy.copy(), c.copy()  # every open at the high but for rounding
    h, l = np.maximum(h, o), l
    loose, strict = (bar_pairs(o, h, l, c, 1, tolerance)[6] for tolerance in (1e-13, 0.0))
    assert np.nansum(loose) < np.nansum(strict)


def test_corwin_schultz_of_two_known_bars() -> None:
    """Both bars 1 % wide around one level: alpha from the paper's equations 14 and 18."""
    h, l = np.full(2, 101.0), np.full(2, 100.0)
    width = math.log(1.01)
    beta, gamma = 2 * width**2, width**2
    k = 3 - 2 * math.sqrt(2)
    alpha = (math.sqrt(2 * beta) - math.sqrt(beta)) / k - math.sqrt(gamma / k)
    want = 2 * (math.exp(alpha) - 1) / (1 + math.exp(alpha))
    assert corwin_schultz(h, l, 1)[1] == pytest.approx(want, rel=1e-12)
    assert want == pytest.approx(width, rel=1e-4)  # no volatility: the whole range is spread
    assert corwin_schultz(np.array([101.0, 103.0]), np.array([100.0, 102.5]), 1)[1] == 0.0


# -- order flow ------------------------------------------------------------------------------------------------------


def test_bulk_classification_is_the_normal_distribution() -> None:
    r, volume = RNG.standard_t(3, 400), RNG.poisson(20, 400).astype(float)
    std = np.abs(RNG.normal(1.0, 0.3, 400)) + 0.02
    got = bulk_imbalance(volume, r, std, 30)
    for t in range(29, 400):
        w = slice(t - 29, t + 1)
        want = np.sum(volume[w] * (2 * stats.norm.cdf(r[w] / std[t]) - 1))
        assert got[t] == pytest.approx(want, abs=1e-13 * volume[w].sum())


def test_bulk_classification_of_no_deviation_is_missing() -> None:
    r, volume = np.zeros(50), np.ones(50)
    r[:3] = np.nan, 1.0, -1.0
    assert np.isnan(bulk_imbalance(volume, r, np.zeros(50), 15)).all()
    flow = bulk_flow(volume, r, np.zeros(50))
    assert np.isnan(flow[:3]).all()
    assert (flow[3:] == 0.0).all()


def test_run_of_moves() -> None:
    direction = np.array([0, 0, 1, 0, 1, 1, -1, 0, -1, 1, 0, 0, 0, 0, 0], float)
    assert move_run(direction, 5)[4:].tolist() == [2, 3, -1, -1, -2, 1, 1, 1, 1, 1, 0]
    assert move_run(direction, 2)[1:].tolist() == [0, 1, 1, 1, 2, -1, -1, -1, 1, 1, 0, 0, 0, 0]
    assert np.isnan(move_run(np.array([1.0, np.nan, 1.0, 1.0]), 2)[:3]).all()


def test_share_of_the_tail() -> None:
    size = np.round(np.abs(RNG.standard_t(2, 300)), 1).astype(np.float64)
    got = tail_share(size, 40, 0.3, 3.0)
    for t in range(39, 300):
        w = size[t - 39 : t + 1]
        moves = w[w >= 0.3]
        assert got[t] == np.sum(w > 3 * np.median(moves) * (1 + 1e-9)) / 40
    assert np.isnan(tail_share(np.zeros(60), 40, 0.3, 3.0)).all()


def test_second_slope_is_that_of_least_squares() -> None:
    x, z = RNG.normal(size=300), 50.0 + RNG.normal(size=300)
    y = 2.0 + 0.5 * x - 0.1 * z + RNG.normal(size=300)
    got = second_slope(y, x, z, 120)
    for t in (119, 200, 299):
        w = slice(t - 119, t + 1)
        design = np.column_stack([np.ones(120), x[w], z[w]])
        assert got[t] == pytest.approx(np.linalg.lstsq(design, y[w], rcond=None)[0][2], rel=1e-10)
    assert np.isnan(second_slope(y, x, 3.0 * x - 1.0, 120)).all()
    assert np.isnan(second_slope(y, x, np.full(300, 7.0), 120)).all()


# -- volatility ------------------------------------------------------------------------------------------------------


def test_jump_statistic_is_standard_normal_without_jumps_and_large_with_one() -> None:
    r = np.abs(RNG.normal(0.0, 1e-4, 40_000))
    z = jump_z(r, 200)[199::200]
    assert abs(z.mean()) < 0.25
    assert z.std() == pytest.approx(1.0, abs=0.15)
    r[39_900] = 20e-4
    assert jump_z(r, 200)[-1] > 5.0
    assert np.isnan(jump_z(np.zeros(100), 60)).all()


def test_bipower_variance_ignores_a_jump() -> None:
    r = np.abs(RNG.normal(0.0, 1.0, 5_000))
    r[2_500] = 100.0
    assert bipower_variance(r, 5_000)[-1] == pytest.approx(1.0, rel=0.12)


def test_range_estimators_agree_on_a_random_walk_without_drift() -> None:
    bars = simulated_bars(4_000, 0.0, ticks=400, seed=9)
    for variance in bar_variances(*bars):
        assert np.sqrt(variance.mean()) == pytest.approx(1e-4 * math.sqrt(400), rel=0.08)  # few ticks see less range


def test_true_range_reaches_to_the_close_before() -> None:
    h, l, c = np.array([2.0, 5.0, 5.0]), np.array([1.0, 4.0, 3.0]), np.array([1.5, 4.5, 4.0])
    assert true_range(h, l, c, 1)[1:].tolist() == [3.5, 2.0]
    assert np.isnan(true_range(h, l, np.array([np.nan, 4.5, 4.0]), 1)[1])


def test_strided_sums() -> None:
    y = RNG.normal(5.0, 1.0, 300)
    total, variance = strided_sum(y, 7, 5), strided_variance(y, 7, 5)
    assert np.isnan(total[:30]).all()
    for t in (30, 100, 299):
        rows = t - 5 * np.arange(7)
        assert total[t] == pytest.approx(y[rows].sum(), rel=1e-14)
        assert variance[t] == pytest.approx(y[rows].var(ddof=1), rel=1e-12)


def test_exponential_means() -> None:
    got = ewma(np.array([np.nan, 4.0, 1.0, 1.0]), 5)
    assert np.isnan(got[0])
    assert got[1:] == pytest.approx([4.0, 3.0, 7 / 3], rel=1e-14)
    size = np.concatenate([[1.0, 2.0], np.zeros(100), [1.0]])
    ratio = ewma_ratio(size, 5, 20, 50)
    assert np.isfinite(ratio[:52]).all()
    assert np.isnan(ratio[52:102]).all()
    assert np.isfinite(ratio[102])


# -- scaling and classes ---------------------------------------------------------------------------------------------


def test_hurst_of_walks_and_waves() -> None:
    walk = 100.0 + np.cumsum(RNG.normal(0.0, 0.01, 60_000))
    assert np.nanmean(hurst(walk, 240, 6)) == pytest.approx(0.5, abs=0.05)
    noise = 100.0 + RNG.normal(0.0, 0.01, 60_000)
    assert np.nanmean(hurst(noise, 240, 6)) == pytest.approx(0.0, abs=0.02)
    assert np.isnan(hurst(np.full(500, 100.0), 240, 6)).all()


def test_changes_within_rounding_are_none() -> None:
    x = np.array([100.0, 100.0 + 3e-11, 100.01])
    got = changes_over(x, 1)
    assert got[1] == 0.0
    assert got[2] == pytest.approx(0.01, rel=1e-6)


def test_crossings_need_both_sides() -> None:
    x = np.array([101.0, 99.0, 100.0, 101.0, 99.0, 98.0])
    assert crossings(x, np.full(6, 100.0))[1:].tolist() == [1.0, 0.0, 0.0, 1.0, 0.0]


# -- tree sums -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1, 2, 3, 60, 119, 240, 1_440])
def test_tree_sums_are_exact_windows_wherever_history_begins(window: int) -> None:
    y = RNG.normal(3.0, 1.0, 5_000)
    got = tree_sum(y, window)
    assert np.isnan(got[: window - 1]).all()
    for t in (window - 1, 2_500, 4_999):
        assert got[t] == pytest.approx(math.fsum(y[t - window + 1 : t + 1]), rel=1e-14)
    for begin in (1, 77, 2_049):
        assert np.array_equal(tree_sum(y[begin:].copy(), window)[window - 1 :], got[begin + window - 1 :])
    y[3_000] = np.nan
    assert np.isnan(tree_sum(y, window)[3_000 : 3_000 + window]).all()
    assert np.isfinite(tree_sum(y, window)[3_000 + window :]).all()


@pytest.mark.parametrize("level", [0.0, 5.0, 1e4])
def test_zscores_of_the_values_present(level: float) -> None:
    y = level + RNG.normal(0.0, 0.01, 700)
    y[RNG.random(700) < 0.3] = np.nan
    got = zscore_present(y, 100, 50)
    for t in range(700):
        w = y[max(t - 99, 0) : t + 1]
        w = w[np.isfinite(w)]
        if t < 99 or len(w) < 50 or np.isnan(y[t]):
            assert np.isnan(got[t])
        else:
            assert got[t] == pytest.approx((y[t] - w.mean()) / w.std(ddof=1), rel=1e-8, abs=1e-8)
    assert np.isnan(zscore_present(np.full(200, level), 100, 50)).all()
