"""Quadratic regressions against statsmodels, prediction intervals included."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.families.reg import FAMILY, METRICS, leverage
from fxloom.features.domain import BOTH, BQX, RATE, Domain
from fxloom.features.pair_view import PairFrame
from tests.families.walks import check_declarations, computed, frame, sample, series_of
from tests.markets import START, flat_bars

NAMES = ["walk", pytest.param("market28/audnzd", marks=pytest.mark.data)]
WINDOWS = {"w15": 15, "w30": 30, "w45": 45, "w60": 60, "w75": 75, "agg": 90}
LEVELS = {"a2", "a1", "b", "rmse", "resid", "pred", "pred_lower", "pred_upper", "vertex_y", "forecast_error"}


def design(w: int, *extra: int) -> np.ndarray:
    u = np.r_[np.arange(1 - w, 1), extra].astype(float)
    return np.column_stack([np.ones_like(u), u, u * u])


def fit_of_statsmodels(y: np.ndarray, t: int, w: int, least: float) -> dict[str, float]:
    """All metrics at t from statsmodels; NaN where statsmodels divides by rounding noise."""
    model = sm.OLS(y[t - w + 1 : t + 1], design(w)).fit()
    b, a1, a2 = model.params
    e, now = model.resid, y[t]
    ahead = model.get_prediction(design(w, 1)[-1:])
    lower, upper = ahead.conf_int(obs=True, alpha=0.05)[0] - now
    before = sm.OLS(y[t - w : t], design(w)).fit() if t >= w and not np.isnan(y[t - w]) else None
    x = np.clip(-a1 / (2.0 * a2), -2.0 * w, 2.0 * w) if abs(a2) * w * w >= least else np.nan
    return {
        "a2": a2, "a1": a1, "b": b, "r2": model.rsquared, "rmse": np.sqrt(model.mse_resid), "resid": e[-1],
        "resid_z": e[-1] / np.sqrt(model.mse_resid), "resid_autocorr": np.sum(e[1:] * e[:-1]) / np.sum(e * e),
        "pred": ahead.predicted_mean[0] - now, "pred_lower": lower, "pred_upper": upper,
        "vertex_x": x, "vertex_y": b + a1 * x + a2 * x * x - now, "a2_tstat": np.clip(model.tvalues[2], -100, 100),
        "forecast_error": now - before.predict(design(w, 1)[-1:])[0] if before else np.nan,
    }  # fmt: skip


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_regressions_match_statsmodels(domain: Domain, name: str) -> None:
    out = computed(FAMILY, domain, name)
    least, tolerance = (1e-9, 1e-7) if domain is RATE else (1e-11, 1e-9)
    for key, w in WINDOWS.items():
        y = series_of(domain, w, name)
        for t in sample(domain.series(w) + w - 1, len(y), moving=name == "walk"):
            if np.ptp(y[t - w + 1 : t + 1]) <= 1e-13 * np.abs(y[t - w + 1 : t + 1]).max():
                continue
            for metric, expected in fit_of_statsmodels(y, t, w, least).items():
                got = out[f"reg_{metric}_{key}"][t]
                scale = np.nanstd(out[f"reg_{metric}_{key}"])
                if metric == "vertex_x" and abs(out[f"reg_a2_{key}"][t]) * w * w < 1e4 * least:
                    continue  # statsmodels' own rounding affects it
                if np.isnan(expected):
                    assert np.isnan(got), (metric, key, t)
                else:
                    assert abs(got - expected) <= tolerance * max(abs(expected), scale), (metric, key, t)


def test_a_high_level_does_not_cost_digits() -> None:
    """Shifting a parabola by 1e6 does not affect a fit of deviations."""
    bars = frame().bars
    out = computed(FAMILY, RATE)
    lifted = PairFrame("eurusd", bars, PairInfo(baseline=bars.close[0] / 1024.0)).view(RATE)
    again = FAMILY.compute(lifted)
    for metric in ("a2", "rmse", "resid", "pred_upper"):
        np.testing.assert_allclose(again[f"reg_{metric}_w30"] / 1024.0, out[f"reg_{metric}_w30"], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_flat_windows(domain: Domain) -> None:
    out, t = computed(FAMILY, domain), int(frame().bars.observed[1_290])
    for key, w in WINDOWS.items():
        for metric in METRICS:
            got = out[f"reg_{metric}_{key}"][t]
            if metric == "b":
                assert got == series_of(domain, w)[t]
            elif metric in LEVELS - {"vertex_y"}:
                assert got == 0.0
                assert not np.signbit(got)
            else:
                assert np.isnan(got), metric


def test_an_exact_fit_has_no_residuals() -> None:
    """A parabola in powers of two with a baseline of 100: every number is exact."""
    u = np.arange(200.0)
    price = 64.0 + u * u / 4096.0
    view = PairFrame("eurusd", on_clock(flat_bars(START + u, price)), PairInfo(100.0))
    out = FAMILY.compute(view.view(RATE))
    t = 150
    assert out["reg_rmse_w15"][t] == 0.0
    assert out["reg_resid_w15"][t] == 0.0
    assert out["reg_b_w15"][t] == price[t]
    assert out["reg_a2_w15"][t] == pytest.approx(1.0 / 4096.0, rel=1e-12)
    assert out["reg_pred_w15"][t] == pytest.approx((2 * t + 1) / 4096.0, rel=1e-12)
    assert out["reg_pred_lower_w15"][t] == out["reg_pred_upper_w15"][t] == out["reg_pred_w15"][t]
    assert out["reg_r2_w15"][t] == 1.0
    for ratio in ("resid_z", "resid_autocorr", "a2_tstat"):
        assert np.isnan(out[f"reg_{ratio}_w15"][t])


def test_a_straight_line_has_no_vertex() -> None:
    price = 64.0 + np.arange(200.0) / 1024.0
    ts = START + np.arange(200)
    out = FAMILY.compute(PairFrame("eurusd", on_clock(flat_bars(ts, price)), PairInfo(100.0)).view(RATE))
    assert np.isnan(out["reg_vertex_x_w30"]).all()
    assert np.isnan(out["reg_vertex_y_w30"]).all()
    np.testing.assert_allclose(out["reg_a1_w30"][29:], 1.0 / 1024.0, rtol=1e-12)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_columns_match_their_declarations(domain: Domain) -> None:
    check_declarations(FAMILY, domain)


def test_leverage_matches_the_design_matrix() -> None:
    for w in (15, 90):
        x = design(w, 1)
        inverse = np.linalg.inv(x[:-1].T @ x[:-1])
        assert leverage(w, 1) == pytest.approx(x[-1] @ inverse @ x[-1], rel=1e-8)
        assert leverage(w, 0) == pytest.approx(x[-2] @ inverse @ x[-2], rel=1e-8)


def test_units_and_domains_differ() -> None:
    assert [c.name for c in FAMILY.columns(RATE)] == [c.name for c in FAMILY.columns(BQX)]
    assert next(iter(FAMILY.columns(BQX))).warmup == 29
