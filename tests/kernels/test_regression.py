"""Lines and parabolas against exact normal equations in rationals, scipy and statsmodels."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from fxloom.kernels.regression import rolling_line, rolling_parabola, rolling_slope

RNG = np.random.default_rng(5)
WALK = 100.0 + np.cumsum(RNG.normal(0.0, 0.01, 300))


def solve(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """Gauss-Jordan in rationals."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i in range(len(rows)):
        rows[i] = [v / rows[i][i] for v in rows[i]]
        for j in range(len(rows)):
            if j != i:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[-1] for row in rows]


def exact_fit(window: np.ndarray, degree: int) -> tuple[list[Fraction], list[Fraction], Fraction]:
    """Coefficients of 1, u, u^2, ..., the residuals and SST, by the normal equations."""
    w = len(window)
    y = [Fraction(float(v)) for v in window]
    design = [[Fraction(u) ** k for k in range(degree + 1)] for u in range(1 - w, 1)]
    zero = Fraction(0)
    normal = [[sum((r[i] * r[j] for r in design), zero) for j in range(degree + 1)] for i in range(degree + 1)]
    right = [sum((r[i] * v for r, v in zip(design, y, strict=True)), zero) for i in range(degree + 1)]
    beta = solve(normal, right)
    residuals = [v - sum(b * x for b, x in zip(beta, r, strict=True)) for v, r in zip(y, design, strict=True)]
    mean = sum(y, zero) / w
    return beta, residuals, sum(((v - mean) ** 2 for v in y), zero)


@pytest.mark.parametrize("w", [4, 15, 90])
@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_parabola_is_exact(w: int, scale: float) -> None:
    y = scale * (WALK - 100.0) if scale < 1.0 else WALK
    fit = rolling_parabola(y, w)
    for t in (w - 1, 150, 299):
        (b, a1, a2), e, sst = exact_fit(y[t - w + 1 : t + 1], 2)
        sse = sum(v * v for v in e)
        noise = 1e-13 * scale
        assert fit.a2[t] == pytest.approx(float(a2), rel=1e-9, abs=noise)
        assert fit.a1[t] == pytest.approx(float(a1), rel=1e-9, abs=noise)
        assert fit.b[t] == pytest.approx(float(b), rel=1e-14)
        assert fit.resid[t] == pytest.approx(float(e[-1]), rel=1e-9, abs=noise)
        assert fit.rmse[t] == pytest.approx(sqrt(sse / (w - 3)), rel=1e-9)
        assert fit.r2[t] == pytest.approx(float(1 - sse / sst), rel=1e-10)
        lagged = sum(p * q for p, q in zip(e[1:], e[:-1], strict=True))
        assert fit.autocorr[t] == pytest.approx(float(lagged / sse), abs=1e-9)
        assert fit.pred[t] == pytest.approx(float(b + a1 + a2 - Fraction(float(y[t]))), rel=1e-9, abs=noise)


def test_parabola_matches_statsmodels() -> None:
    w, u = 60, np.arange(-59.0, 1.0)
    fit = rolling_parabola(WALK, w)
    for t in (59, 200, 299):
        model = sm.OLS(WALK[t - w + 1 : t + 1], np.column_stack([np.ones(w), u, u * u])).fit()
        assert fit.tstat[t] == pytest.approx(np.clip(model.tvalues[2], -100.0, 100.0), rel=1e-7)
        assert fit.rmse[t] == pytest.approx(sqrt(model.mse_resid), rel=1e-8)
        assert fit.r2[t] == pytest.approx(model.rsquared, rel=1e-8)


@pytest.mark.parametrize("level", [0.0, 100.0, -1e-5])
def test_a_flat_window_has_a_fit_but_no_ratios(level: float) -> None:
    y = np.full(40, level)
    y[20:] *= 1.0 + 4e-14
    fit = rolling_parabola(y, 15)
    for zero in (fit.a2, fit.a1, fit.rmse, fit.resid, fit.pred):
        assert (zero[14:] == 0.0).all()
    assert (fit.b[14:] == y[14:]).all()
    slope, tstat, r2 = rolling_line(y, 15)
    assert (slope[14:] == 0.0).all()
    assert (rolling_slope(y, 15)[14:] == 0.0).all()
    for ratio in (fit.r2, fit.autocorr, fit.tstat, tstat, r2):
        assert np.isnan(ratio).all()


def test_an_exact_fit_leaves_no_residuals() -> None:
    u = np.arange(40.0)
    y = 3.0 + 2.0 * u - 0.5 * u * u
    fit = rolling_parabola(y, 15)
    np.testing.assert_allclose(fit.a2[14:], -0.5, rtol=1e-12)
    np.testing.assert_allclose(fit.a1[14:], 2.0 - u[14:], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(fit.pred[14:], 2.0 - 0.5 * (2 * u[14:] + 1.0), rtol=1e-12, atol=1e-12)
    assert (fit.rmse[14:] == 0.0).all()
    assert (fit.resid[14:] == 0.0).all()
    assert (fit.b[14:] == y[14:]).all()
    assert (fit.r2[14:] == 1.0).all()
    assert np.isnan(fit.autocorr).all()
    assert np.isnan(fit.tstat).all()


@pytest.mark.parametrize("w", [3, 20, 60])
def test_line_is_exact(w: int) -> None:
    slope, tstat, r2 = rolling_line(WALK, w)
    np.testing.assert_allclose(rolling_slope(WALK, w), slope, rtol=1e-12)
    for t in (w - 1, 150, 299):
        (_, a1), e, sst = exact_fit(WALK[t - w + 1 : t + 1], 1)
        sse = sum(v * v for v in e)
        assert slope[t] == pytest.approx(float(a1), rel=1e-10, abs=1e-13)
        assert r2[t] == pytest.approx(float(1 - sse / sst), rel=1e-9, abs=1e-12)
        model = stats.linregress(np.arange(w), WALK[t - w + 1 : t + 1])
        assert tstat[t] == pytest.approx(model.slope / model.stderr, rel=1e-6)


def test_an_exact_line_has_no_t_statistic() -> None:
    slope, tstat, r2 = rolling_line(0.25 * np.arange(40.0), 15)
    assert (slope[14:] == 0.25).all()
    assert (r2[14:] == 1.0).all()
    assert np.isnan(tstat).all()
