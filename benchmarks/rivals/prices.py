"""Quadratic regressions with numpy's polyfit, row by row."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from scipy.stats import t as student

from benchmarks.rivals.script import Script, placed, windows, zscore

W = (15, 30, 45, 60, 75, 90)


def _fit(y: np.ndarray) -> dict[str, float]:
    """The quadratic fit of one window."""
    w = len(y)
    u = np.arange(-w + 1.0, 1.0)
    a2, a1, b = np.polyfit(u, y, 2)
    residuals = y - ((a2 * u + a1) * u + b)
    sse = (residuals**2).sum()
    rmse = np.sqrt(sse / (w - 3))
    return {
        "a2": a2, "a1": a1, "b": b, "r2": 1 - sse / ((y - y.mean()) ** 2).sum(), "rmse": rmse, "resid": residuals[-1],
        "resid_z": residuals[-1] / rmse, "resid_autocorr": (residuals[1:] * residuals[:-1]).sum() / sse,
    }  # fmt: skip


@cache
def _constants(w: int) -> tuple[float, float]:
    """Constants of the window: the leverage factors of the forecast and of a2."""
    u = np.arange(-w + 1.0, 1.0)
    inverse = np.linalg.inv(np.vander(u, 3).T @ np.vander(u, 3))
    return student.ppf(0.975, w - 3) * np.sqrt(1 + inverse.sum()), np.sqrt(inverse[0, 0])


def _full_fit(y: np.ndarray) -> dict[str, float]:
    """The same with prediction and vertex."""
    w, fit = len(y), _fit(y)
    interval, error = _constants(w)
    a2, a1, b, half = fit["a2"], fit["a1"], fit["b"], interval * fit["rmse"]
    pred = a2 + a1 + b - y[-1]
    vertex = min(max(-a1 / (2 * a2), -2.0 * w), 2.0 * w)
    return fit | {
        "pred": pred, "pred_lower": pred - half, "pred_upper": pred + half, "vertex_x": vertex,
        "vertex_y": a2 * vertex**2 + a1 * vertex + b - y[-1],
        "a2_tstat": min(max(a2 / (fit["rmse"] * error), -100.0), 100.0),
    }  # fmt: skip


def _fits(y: pd.Series, window: int, fit=_fit) -> dict[str, np.ndarray]:  # type: ignore[no-untyped-def]
    """The fit of every window, by metric."""
    with np.errstate(all="ignore"):
        rows = [fit(row) for row in windows(y.dropna(), window)]
    return {name: placed(np.array([row[name] for row in rows]), len(y)) for name in rows[0]}


def reg(s: Script) -> dict[str, np.ndarray]:
    out: dict[str, np.ndarray] = {}
    for w in W:
        y = s.series(w)
        fits = _fits(y, w, _full_fit)
        name = f"w{w}" if w != 90 else "agg"
        out |= {f"reg_{metric}_{name}": values for metric, values in fits.items()}
        out[f"reg_forecast_error_{name}"] = y.to_numpy() - (fits["pred"] + y.to_numpy())[np.r_[0, : len(y) - 1]]
    return out


def term_covariance(s: Script) -> dict[str, pd.Series]:
    fits = _fits(s.series(60), 60)
    terms = {"quad": 59**2 * fits["a2"], "lin": -59 * fits["a1"], "resid": fits["resid"]}
    series = {name: pd.Series(values) for name, values in terms.items()}
    out = {}
    for a, b in (("quad", "lin"), ("resid", "quad"), ("resid", "lin")):
        out[f"tc_cov_{a}_{b}"] = series[a].rolling(60).cov(series[b])
        out[f"tc_corr_{a}_{b}"] = series[a].rolling(60).corr(series[b])
    return out


def parabolic_comparison(s: Script) -> dict[str, pd.Series]:
    fits = {w: pd.DataFrame(_fits(s.series(w), w)) for w in W}
    out = _curves({w: fits[w]["a2"] * w**2 for w in W}, {w: fits[w]["a1"] * w for w in W}, fits)
    out |= _levels(fits, s.series(60))
    return out if s.bqx else out | _between_domains(fits, s)


def _curves(a2: dict[int, pd.Series], a1: dict[int, pd.Series], fits: dict[int, pd.DataFrame]) -> dict[str, pd.Series]:
    out = {}
    for name, a in (("a2", a2), ("a1", a1)):
        for first, second in ((15, 60), (30, 75), (45, 90)):
            out[f"par_{name}_ratio_{first}_{second}"] = (a[first] / a[second]).clip(-10, 10)
        out[f"par_{name}_dispersion"] = pd.DataFrame(a).std(axis=1, skipna=False)
    number = np.arange(1, 7) - 3.5
    weights = np.array([1 / w for w in W])
    out["par_a2_trend"] = pd.DataFrame(a2) @ (number / (number**2).sum())
    out["par_a2_flip"] = (a2[15] * a2[60] < 0).astype(float)
    out["par_a1_accel"] = fits[15]["a1"] - fits[15]["a1"].shift(15)
    out["par_a1_momentum"] = pd.DataFrame(a1) @ (weights / weights.sum())
    return out


def _levels(fits: dict[int, pd.DataFrame], y: pd.Series) -> dict[str, pd.Series]:
    b60, r2 = fits[60]["b"], pd.DataFrame({w: fits[w]["r2"] for w in W})
    falls = (r2[15] < r2[60]) & (r2[15] < r2[15].shift(15))
    return {
        "par_b_gap_15_45": fits[15]["b"] - fits[45]["b"], "par_b_gap_30_60": fits[30]["b"] - b60,
        "par_b_drift": (b60 - b60.shift(15)) / 15, "par_b_reversion": (y - b60).shift(1).rolling(60).corr(y.diff()),
        "par_r2_spread_30_90": r2[30] - r2[90], "par_r2_consistency": 1 - r2.std(axis=1),
        "par_rmse_ratio_15_60": (fits[15]["rmse"] / fits[60]["rmse"]).clip(0, 10),
        "par_quality_drop": falls.astype(float),
    }  # fmt: skip


def _between_domains(fits: dict[int, pd.DataFrame], s: Script) -> dict[str, pd.Series]:
    near_duplicate_of = s.other("bqx")
    other = {w: pd.DataFrame(_fits(near_duplicate_of.series(w), w)) for w in (30, 60)}
    out = {f"par_{a}_domain_corr": fits[30][a].rolling(60).corr(other[30][a]) for a in ("a2", "a1")}
    out["par_b_domain_gap"] = zscore(fits[60]["b"], 240) - zscore(other[60]["b"], 240)
    out["par_quality_domain_gap"] = fits[60]["r2"] - other[60]["r2"]
    return out
