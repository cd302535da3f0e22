"""Correlations of all pairs with all, moments over sets, ranks across pairs, and Johansen's fit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import median_abs_deviation, spearmanr
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from fxloom.bars.pairs import PairInfo
from fxloom.families.error_correction import CRITICAL
from fxloom.features.domain import RATE
from fxloom.features.panel_view import PanelFrame
from fxloom.kernels.cross_section import robust_scores, share_below, spearman
from fxloom.kernels.johansen import FIRST, MEANS, SECOND, VALUES, johansen_fits
from fxloom.kernels.panel_correlations import NESTED, correlation_sums
from fxloom.kernels.present_moments import present_corr
from fxloom.kernels.set_moments import set_moments
from fxloom.series.siblings import relations, system_of
from tests.conftest import real_bars


def holed(rows: int, n: int, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    r = rng.standard_normal((rows, n)) + rng.standard_normal(n)
    r[0, :700] = np.nan
    r[2, 1_500:1_560] = np.nan
    r[3, 300:330] = 0.0
    present = rng.random((rows, n)) < 0.95
    return r, present


def test_sums_of_correlations_are_those_of_single_pairs() -> None:
    pairs = ("audusd", "eurjpy", "eurusd", "gbpusd", "usdcad")
    r, present = holed(5, 2_400)
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


def test_sums_of_correlations_do_not_depend_on_the_place() -> None:
    r, present = holed(5, 2_400)
    known = relations(("audusd", "eurjpy", "eurusd", "gbpusd", "usdcad"))
    whole = correlation_sums(r, present, known.relation, known.sign)
    for begin, end in ((311, 2_000), (1_100, 2_400)):
        part = correlation_sums(r[:, begin:end].copy(), present[:, begin:end].copy(), known.relation, known.sign)
        for a, b in zip(whole, part, strict=True):
            assert np.array_equal(a[..., begin + 119 : end], b[..., 119:])


def test_moments_over_a_set_are_numpy_s() -> None:
    r, present = holed(4, 800)
    members, signs = np.array([[1, 2, 3], [0, -1, -1]]), np.array([[1.0, -1.0, 1.0], [-1.0, 0.0, 0.0]])
    count, mean, std = set_moments(r, present, members, signs)
    for t in range(800):
        held = [s * r[m, t] for m, s in zip(members[0], signs[0], strict=True) if present[m, t] and r[m, t] == r[m, t]]
        assert count[0, t] == len(held)
        if held:
            assert mean[0, t] == pytest.approx(np.mean(held))
        if len(held) > 1:
            assert std[0, t] == pytest.approx(np.std(held, ddof=1))
    assert np.isnan(std[1]).all()
    assert (mean[1][count[1] == 1] == -r[0][count[1] == 1]).all()


def test_shares_count_ties_by_half() -> None:
    values = np.array([[1.0], [1.0 + 1e-12], [2.0], [np.nan], [0.5]])
    known, everyone = np.ones((5, 1), np.bool_), np.ones(5, np.bool_)
    share = share_below(values, known, everyone, 2, 1e-9, 0.0)[:, 0]
    assert share[:3].tolist() == [0.5, 0.5, 1.0]  # one below and one equal of three; three below of three
    assert np.isnan(share[3])
    assert share[4] == 0.0
    assert np.isnan(share_below(values, known, everyone, 4, 1e-9, 0.0)).all()
    majors = np.array([True, False, True, True, False])
    assert share_below(values, known, majors, 1, 1e-9, 0.0)[:, 0].tolist()[:3] == [0.0, 0.25, 1.0]


def test_robust_scores_and_rank_correlations_are_scipy_s() -> None:
    rng = np.random.default_rng(3)
    x, y = np.round(rng.standard_normal((2, 12, 200)), 1)
    known = rng.random((12, 200)) < 0.8
    scores, rho = robust_scores(x, known), spearman(x, y, known)
    for t in range(200):
        a, b = x[known[:, t], t], y[known[:, t], t]
        mad = median_abs_deviation(a)
        if mad > 0:
            assert np.allclose(scores[known[:, t], t], (a - np.median(a)) / (1.4826 * mad))
        else:
            assert np.isnan(scores[:, t]).all()
        assert rho[t] == pytest.approx(spearmanr(a, b).statistic)


# -- Johansen --------------------------------------------------------------------------------------------------------


def agree(y: np.ndarray, ends: np.ndarray, tolerance: float = 1e-6) -> None:
    fits = johansen_fits(y, ends, 1_440)
    for fit, end in zip(fits, ends, strict=True):
        window = y[:, end - 1_440 : end]
        want = coint_johansen(window.T, det_order=0, k_ar_diff=1)
        traces = [-1_438 * np.log1p(-fit[VALUES + i : VALUES + 3]).sum() for i in range(3)]
        assert np.allclose(traces, want.lr1, rtol=tolerance)
        assert np.allclose(fit[VALUES : VALUES + 3], want.eig, rtol=tolerance)
        assert np.array_equal(np.array(traces) > CRITICAL, want.lr1 > want.cvt[:, 1])
        for at, vector in ((FIRST, want.evec[:, 0]), (SECOND, want.evec[:, 1])):
            scaled = vector / np.abs(vector).sum() * np.sign(vector[0])
            assert np.allclose(fit[at : at + 3], scaled, rtol=tolerance, atol=1e-9)
        assert np.allclose(fit[MEANS : MEANS + 3], window.mean(axis=1), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_fits_are_those_of_statsmodels(scale: float) -> None:
    rng = np.random.default_rng(7)
    walk = 1e-4 * rng.standard_normal((3, 1_700)).cumsum(axis=1)
    walk[1] = walk[0] + 1e-3 * rng.standard_normal(1_700)  # one cointegrated, one not
    agree(scale * (4.6 + walk), np.array([1_440, 1_500, 1_699]))


def test_critical_values_are_those_of_statsmodels() -> None:
    y = np.random.default_rng(1).standard_normal((200, 3)).cumsum(axis=0)
    assert coint_johansen(y, 0, 1).cvt[:, 1].tolist() == list(CRITICAL)


@pytest.mark.data
@pytest.mark.parametrize("pair", ["eurusd", "audjpy", "chfjpy"])
@pytest.mark.parametrize("bqx", [False, True], ids=["rate", "bqx"])
def test_fits_of_real_prices_are_those_of_statsmodels(pair: str, bqx: bool) -> None:
    legs = system_of(pair)
    bars = {p: real_bars(f"market28/{p}").take(slice(0, 6_000)) for p in legs}
    frame = PanelFrame(bars, {p: PairInfo(float(bars[p].close[0])) for p in legs})
    view = frame.view(RATE)
    y = view.momentum(75) if bqx else np.log(view.close_index)
    rows = [view.pairs.index(p) for p in legs]
    agree(np.ascontiguousarray(y[rows]), np.arange(1_600, 5_900, 600))


@pytest.mark.parametrize("spoil", ["flat", "twin", "noisy twin", "missing", "short"])
def test_singular_and_incomplete_windows_have_no_fit(spoil: str) -> None:
    y = 4.6 + 1e-4 * np.random.default_rng(7).standard_normal((3, 1_500)).cumsum(axis=1)
    if spoil == "flat":
        y[2] = 4.6
    if spoil == "twin":
        y[1] = y[0]
    if spoil == "noisy twin":
        y[1] = y[0] * (1 + 1e-13 * np.random.default_rng(1).standard_normal(1_500))
    if spoil == "missing":
        y[0, 700] = np.nan
    end = 1_439 if spoil == "short" else 1_480
    assert np.isnan(johansen_fits(y, np.array([end]), 1_440)).all()


def test_a_fit_depends_on_its_window_alone() -> None:
    y = 4.6 + 1e-4 * np.random.default_rng(7).standard_normal((3, 1_800)).cumsum(axis=1)
    whole = johansen_fits(y, np.array([1_600]), 1_440)
    assert np.array_equal(whole, johansen_fits(y[:, 160:1_601].copy(), np.array([1_440]), 1_440))
