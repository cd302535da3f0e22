"""Order flow against the normal distribution, least squares and counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fxloom.kernels.order_flow import bulk_flow, bulk_imbalance, move_run, second_slope, tail_share

RNG = np.random.default_rng(17)


def test_bulk_classification_matches_the_normal_distribution() -> None:
    r, volume = RNG.standard_t(3, 400), RNG.poisson(20, 400).astype(float)
    std = np.abs(RNG.normal(1.0, 0.3, 400)) + 0.02
    got = bulk_imbalance(volume, r, std, 30)
    for t in range(29, 400):
        w = slice(t - 29, t + 1)
        want = np.sum(volume[w] * (2 * stats.norm.cdf(r[w] / std[t]) - 1))
        assert got[t] == pytest.approx(want, abs=1e-13 * volume[w].sum())


def test_bulk_classification_is_missing_without_deviation() -> None:
    r, volume = np.zeros(50), np.ones(50)
    r[:3] = np.nan, 1.0, -1.0
    assert np.isnan(bulk_imbalance(volume, r, np.zeros(50), 15)).all()
    flow = bulk_flow(volume, r, np.zeros(50))
    assert np.isnan(flow[:3]).all()
    assert (flow[3:] == 0.0).all()


def test_runs_of_moves() -> None:
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


def test_second_slope_matches_least_squares() -> None:
    x, z = RNG.normal(size=300), 50.0 + RNG.normal(size=300)
    y = 2.0 + 0.5 * x - 0.1 * z + RNG.normal(size=300)
    got = second_slope(y, x, z, 120)
    for t in (119, 200, 299):
        w = slice(t - 119, t + 1)
        design = np.column_stack([np.ones(120), x[w], z[w]])
        assert got[t] == pytest.approx(np.linalg.lstsq(design, y[w], rcond=None)[0][2], rel=1e-10)
    assert np.isnan(second_slope(y, x, 3.0 * x - 1.0, 120)).all()
    assert np.isnan(second_slope(y, x, np.full(300, 7.0), 120)).all()
