"""Sums of all pairwise correlations against correlations of single pairs."""

from __future__ import annotations

import numpy as np

from fxloom.kernels.panel_correlations import NESTED, correlation_sums
from fxloom.kernels.present_moments import present_corr
from fxloom.series.siblings import relations
from tests.markets import correlated_returns


def test_sums_of_correlations_match_single_pairs() -> None:
    pairs = ("audusd", "eurjpy", "eurusd", "gbpusd", "usdcad")
    r, present = correlated_returns(5, 2_400)
    known = relations(pairs)
    sums, counts, magnitudes = correlation_sums(r, present, known.relation, known.sign)
    want, number, size = np.zeros(sums.shape), np.zeros(sums.shape), np.zeros(magnitudes.shape)
    for p in range(5):
        for q in range(5):
            for w, window in enumerate(NESTED) if p != q else ():
                rho = np.where(present[p] & present[q], present_corr(r[p], r[q], window), np.nan)
                s, there = known.relation[p, q], ~np.isnan(rho)
                number[s, w, p] += there
                want[s, w, p] += np.nan_to_num(np.abs(rho) if s == 2 else known.sign[p, q] * rho)
                size[p] += np.nan_to_num(np.abs(rho)) if window == 60 else 0.0
    assert np.array_equal(counts, number)
    assert np.allclose(sums, want, atol=1e-12)
    assert np.allclose(magnitudes, size, atol=1e-12)


def test_sums_of_correlations_do_not_depend_on_the_position() -> None:
    r, present = correlated_returns(5, 2_400)
    known = relations(("audusd", "eurjpy", "eurusd", "gbpusd", "usdcad"))
    whole = correlation_sums(r, present, known.relation, known.sign)
    for begin, end in ((311, 2_000), (1_100, 2_400)):
        part = correlation_sums(r[:, begin:end].copy(), present[:, begin:end].copy(), known.relation, known.sign)
        for a, b in zip(whole, part, strict=True):
            assert np.array_equal(a[..., begin + 119 : end], b[..., 119:])
