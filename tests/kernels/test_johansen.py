"""Johansen's fit against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from fxloom.bars.pairs import PairInfo
from fxloom.families.error_correction import CRITICAL
from fxloom.features.domain import RATE
from fxloom.features.panel_view import PanelFrame
from fxloom.kernels.johansen import FIRST, MEANS, SECOND, VALUES, johansen_fits
from fxloom.series.siblings import system_of
from tests.conftest import real_bars


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
def test_fits_match_statsmodels(scale: float) -> None:
    rng = np.random.default_rng(7)
    walk = 1e-4 * rng.standard_normal((3, 1_700)).cumsum(axis=1)
    walk[1] = walk[0] + 1e-3 * rng.standard_normal(1_700)  # one cointegrated, one not
    agree(scale * (4.6 + walk), np.array([1_440, 1_500, 1_699]))


def test_critical_values_match_statsmodels() -> None:
    y = np.random.default_rng(1).standard_normal((200, 3)).cumsum(axis=0)
    assert coint_johansen(y, 0, 1).cvt[:, 1].tolist() == list(CRITICAL)


@pytest.mark.data
@pytest.mark.parametrize("pair", ["eurusd", "audjpy", "chfjpy"])
@pytest.mark.parametrize("bqx", [False, True], ids=["rate", "bqx"])
def test_fits_of_real_prices_match_statsmodels(pair: str, bqx: bool) -> None:
    legs = system_of(pair)
    bars = {p: real_bars(f"market28/{p}").take(slice(0, 6_000)) for p in legs}
    frame = PanelFrame(bars, {p: PairInfo(float(bars[p].close[0])) for p in legs})
    view = frame.view(RATE)
    y = view.momentum(75) if bqx else np.log(view.close_index)
    rows = [view.pairs.index(p) for p in legs]
    agree(np.ascontiguousarray(y[rows]), np.arange(1_600, 5_900, 600))


@pytest.mark.parametrize("spoil", ["flat", "copy", "noisy copy", "missing", "short"])
def test_singular_and_incomplete_windows_have_no_fit(spoil: str) -> None:
    y = 4.6 + 1e-4 * np.random.default_rng(7).standard_normal((3, 1_500)).cumsum(axis=1)
    if spoil == "flat":
        y[2] = 4.6
    if spoil == "copy":
        y[1] = y[0]
    if spoil == "noisy copy":
        y[1] = y[0] * (1 + 1e-13 * np.random.default_rng(1).standard_normal(1_500))
    if spoil == "missing":
        y[0, 700] = np.nan
    end = 1_439 if spoil == "short" else 1_480
    assert np.isnan(johansen_fits(y, np.array([end]), 1_440)).all()


def test_a_fit_depends_on_its_window_alone() -> None:
    y = 4.6 + 1e-4 * np.random.default_rng(7).standard_normal((3, 1_800)).cumsum(axis=1)
    whole = johansen_fits(y, np.array([1_600]), 1_440)
    assert np.array_equal(whole, johansen_fits(y[:, 160:1_601].copy(), np.array([1_440]), 1_440))
