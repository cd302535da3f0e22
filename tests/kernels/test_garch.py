"""GARCH(1,1) against arch, against finite differences, and against the conditions of a maximum."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from arch import arch_model
from arch.univariate.base import ARCHModelFixedResult

from fxloom.kernels.garch import backcast, climb, cost, derivatives, fit_garch, garch_variances

EDGE = 1e-12


def simulated(alpha: float, beta: float, n: int = 7_200, seed: int = 3, tails: float = 6.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    omega, h, e, out = max(1.0 - alpha - beta, 0.01), 1.0, 0.0, []
    for _ in range(n):
        h = omega + alpha * e * e + beta * h
        e = np.sqrt(h) * rng.standard_t(tails) * np.sqrt((tails - 2.0) / tails)
        out.append(0.02 + e)
    return np.array(out)


def windows() -> dict[str, np.ndarray]:
    """Returns in bp whose best fit is inside the bounds, on each bound, or in a corner."""
    rng = np.random.default_rng(4)
    noise = rng.standard_normal(7_200)
    return {
        "inside": simulated(0.08, 0.9),
        "reacting": simulated(0.4, 0.3),
        "integrated": simulated(0.2, 0.8, seed=8),
        "drifting": np.linspace(0.05, 5.0, 7_200) * noise,
        "arch": simulated(0.95, 0.0, tails=50.0),
        "plain": noise,
        "sparse": np.where(rng.random(7_200) < 0.03, noise, 0.0),
        "outlier": np.where(np.arange(7_200) == 5_000, 1e3, noise),
        "outliers": np.where(rng.random(7_200) < 0.001, 1e3, 1.0) * noise,
        "waking": np.where(np.arange(7_200) < 3_600, 0.0, noise),
        "sleeping": np.where(np.arange(7_200) < 3_600, noise, 0.0),
    }


WINDOWS = windows()


@pytest.fixture(params=list(WINDOWS))
def r(request: pytest.FixtureRequest) -> np.ndarray:
    return WINDOWS[request.param]


def reference(r: np.ndarray, fixed: np.ndarray | None = None) -> ARCHModelFixedResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = arch_model(r, mean="Constant", vol="GARCH", p=1, q=1, rescale=False)
        return model.fit(disp="off", show_warning=False) if fixed is None else model.fix(fixed)


def standardised(r: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, std = r.mean(), r.std(ddof=1)
    return (r - mean) / std, np.array([(x[0] - mean) / std, x[1] / std**2, x[2], x[3]])


def slopes(r: np.ndarray, x: np.ndarray) -> np.ndarray:
    z, point = standardised(r, x)
    g = np.empty(4)
    derivatives(z, point, backcast(z), g, np.empty((4, 4)), np.empty((4, 4)))
    return g


@pytest.mark.parametrize("name", ["inside", "reacting", "integrated", "plain", "sparse", "waking"])
def test_likelihood_matches_arch(name: str) -> None:
    x, likelihood, before = fit_garch(WINDOWS[name])
    same = reference(WINDOWS[name], x)
    assert likelihood == pytest.approx(same.loglikelihood, abs=1e-7)
    h = garch_variances(WINDOWS[name], x, before)
    np.testing.assert_allclose(np.sqrt(h[:-1]), same.conditional_volatility, rtol=1e-10)


@pytest.mark.parametrize("name", ["inside", "reacting", "integrated", "drifting", "arch", "plain"])
def test_no_worse_than_arch_unless_arch_breaks_the_bound(name: str) -> None:
    _, likelihood, _ = fit_garch(WINDOWS[name])
    other = reference(WINDOWS[name])
    if other.params["alpha[1]"] + other.params["beta[1]"] <= 1.0:
        assert likelihood >= other.loglikelihood - 1e-3


def test_bounds_hold_and_the_slope_is_zero_or_outward(r: np.ndarray) -> None:
    x, likelihood, _ = fit_garch(r)
    assert np.isfinite(likelihood)
    floor = 1e-8 * r.var(ddof=1)
    assert x[1] >= floor * (1.0 - EDGE)
    assert x[2] >= 0.0
    assert x[3] >= 0.0
    assert x[2] + x[3] <= 1.0
    g = slopes(r, x)
    tolerance = 2e-9  # the point is converted to bp and back
    assert abs(g[0]) < tolerance
    assert abs(g[1]) < tolerance * 100 or (x[1] <= floor * (1.0 + 1e-9) and g[1] > 0.0)
    rise = 0.0 if x[2] + x[3] < 1.0 - EDGE else max(0.0, *(-g[i + 2] for i in range(2) if x[i + 2] > EDGE))
    for i in (2, 3):  # stationary given the multiplier of alpha + beta = 1, or on its own bound
        assert abs(g[i] + rise) < tolerance * 100 or (x[i] <= EDGE and g[i] + rise > 0.0)


@pytest.mark.parametrize("name", ["inside", "reacting", "integrated", "drifting", "arch", "plain", "waking"])
def test_no_random_start_finds_better(name: str) -> None:
    """Returns without clustering have many optima, and the four documented starts need not find the best."""
    r = WINDOWS[name]
    _, likelihood, _ = fit_garch(r)
    rng = np.random.default_rng(9)
    z, _ = standardised(r, np.zeros(4))
    for _ in range(6):
        alpha = rng.uniform(0.01, 0.9)
        x = np.array([rng.normal(0.0, 0.05), rng.uniform(0.001, 1.0), alpha, rng.uniform(0.0, 1.0 - alpha)])
        value = climb(z, backcast(z), 1e-8, x)
        other = -len(r) * (value + 0.5 * np.log(2.0 * np.pi) + np.log(r.std(ddof=1)))
        assert likelihood >= other - 1e-3


def test_derivatives_match_finite_differences() -> None:
    z, _ = standardised(WINDOWS["inside"], np.zeros(4))
    x, before, step = np.array([0.01, 0.05, 0.12, 0.8]), backcast(z), 1e-5
    g, hessian, scoring = np.empty(4), np.empty((4, 4)), np.empty((4, 4))
    derivatives(z, x, before, g, hessian, scoring)
    for i in range(4):
        near = [x + sign * step * np.eye(4)[i] for sign in (1, -1)]
        assert g[i] == pytest.approx((cost(z, near[0], before) - cost(z, near[1], before)) / (2 * step), abs=1e-7)
        around = [np.empty(4), np.empty(4)]
        for point, out in zip(near, around, strict=True):
            derivatives(z, point, before, out, np.empty((4, 4)), np.empty((4, 4)))
        np.testing.assert_allclose(hessian[i], (around[0] - around[1]) / (2 * step), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(hessian, hessian.T)
    assert np.linalg.eigvalsh(scoring).min() > 0.0


def test_the_scoring_matrix_is_the_expected_hessian() -> None:
    """On data from the model itself, the two agree to the accuracy of 200,000 bars."""
    x = np.array([0.02, 0.1, 0.1, 0.8])
    z = simulated(0.1, 0.8, 200_000, tails=200.0)
    hessian, scoring = np.empty((4, 4)), np.empty((4, 4))
    derivatives(z, x, 1.0, np.empty(4), hessian, scoring)
    size = np.sqrt(np.diag(scoring))
    np.testing.assert_allclose(hessian / np.outer(size, size), scoring / np.outer(size, size), atol=0.05)


def test_backcast_matches_its_formula() -> None:
    e = WINDOWS["inside"]
    weights = 0.94 ** np.arange(75)
    assert backcast(e) == pytest.approx(float((weights * e[:75] ** 2).sum() / weights.sum()), rel=1e-13)
    assert backcast(np.array([3.0, 1.0])) == pytest.approx((9.0 + 0.94) / 1.94, rel=1e-13)


def test_variances_match_their_recursion() -> None:
    r, x = WINDOWS["inside"][:50], (0.1, 0.2, 0.3, 0.6)
    h = [0.2 + 0.9 * 1.7]
    for value in r:
        h.append(0.2 + 0.3 * (value - 0.1) ** 2 + 0.6 * h[-1])
    np.testing.assert_allclose(garch_variances(r, np.array(x), 1.7), h, rtol=1e-13)


def test_the_scale_of_returns_does_not_matter() -> None:
    x, likelihood, before = fit_garch(WINDOWS["inside"])
    for factor in (1e-6, 1e4):
        y, other, start = fit_garch(factor * WINDOWS["inside"])
        scale = np.array([factor, factor**2, 1.0, 1.0])
        np.testing.assert_allclose(y, x * scale, rtol=1e-6)
        assert other == pytest.approx(likelihood - 7_200 * np.log(factor), rel=1e-9)
        assert start == pytest.approx(before * factor**2, rel=1e-9)


@pytest.mark.parametrize("value", [0.0, 1.5, -3e-7])
def test_a_constant_window_fails(value: float) -> None:
    x, likelihood, before = fit_garch(np.full(7_200, value))
    assert np.isnan([*x, likelihood, before]).all()


def test_a_missing_return_fails() -> None:
    r = WINDOWS["inside"].copy()
    r[17] = np.nan
    assert np.isnan(fit_garch(r)[1])
