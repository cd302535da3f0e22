"""Volatility and trend with pandas' rolling windows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import gamma

from benchmarks.rivals.script import Script, bars_since


def every_fifth(s: Script, y: pd.Series, window: int, how: str) -> pd.Series:
    """A rolling statistic of the domain's bars: of every fifth one in bqx, phase by phase."""
    if not s.bqx:
        return getattr(y.rolling(window), how)()
    return pd.concat([getattr(y.iloc[p::5].rolling(window), how)() for p in range(5)]).sort_index()


def _parkinson(s: Script) -> pd.Series:
    square = np.log(s.bars["high"] / s.bars["low"]) ** 2 / (4 * np.log(2))
    return 1e4 * np.sqrt(every_fifth(s, square, 20, "mean"))


def _ranges(s: Script) -> dict[str, pd.Series]:
    o, h, low, c = (np.log(s.bars[name]) for name in ("open", "high", "low", "close"))
    n, close = 20, c.shift(5 if s.bqx else 1)
    klass = 0.5 * (h - low) ** 2 - (2 * np.log(2) - 1) * (c - o) ** 2
    satchell = every_fifth(s, (h - c) * (h - o) + (low - c) * (low - o), n, "mean")
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    zhang = every_fifth(s, o - close, n, "var") + k * every_fifth(s, c - o, n, "var") + (1 - k) * satchell
    variances = {"garman_klass": every_fifth(s, klass, n, "mean"), "rogers_satchell": satchell, "yang_zhang": zhang}
    return {f"rv_{name}_20": 1e4 * np.sqrt(v.clip(lower=0)) for name, v in variances.items()}


def _jump_z(r: pd.Series, n: int) -> pd.Series:
    a = r.abs()
    rv = (r**2).rolling(n).sum()
    bv = np.pi / 2 * n / (n - 1) * (a * a.shift(1)).rolling(n - 1).sum()
    mu = 2 ** (2 / 3) * gamma(7 / 6) / gamma(1 / 2)
    triple = (a * a.shift(1) * a.shift(2)) ** (4 / 3)
    tq = n * mu**-3 * n / (n - 2) * triple.rolling(n - 2).sum()
    spread = np.sqrt((np.pi**2 / 4 + np.pi - 5) / n * (tq / bv**2).clip(lower=1))
    return ((rv - bv) / rv / spread).where(bv > 0)


def realized_volatility(s: Script) -> dict[str, pd.Series]:
    r, p = s.r, _parkinson(s)
    a, square = r.abs(), r**2
    both = square.rolling(60).sum()
    std = r.rolling(20).std()
    high = (std > std.rolling(1440).quantile(0.8)).astype(float).where(std.rolling(1440).count() == 1440)
    flips = (high != high.shift()).astype(float).where(high.shift().notna())
    out = {
        "rv_parkinson_20": p, "rv_bipower_20": 1e4 * np.sqrt(np.pi / 2 * (a * a.shift(1)).rolling(19).mean()),
        "rv_quarticity_20": 1e4 * ((r**4).rolling(20).sum() / 60) ** 0.25, "rv_jump_z_60": _jump_z(r, 60),
        "rv_signed_jump_60": (np.sign(r) * square).rolling(60).sum() / both,
        "rv_vol_of_vol_60": p.rolling(60).std() / p.rolling(60).mean(),
        "rv_accel_20": p - 2 * p.shift(10) + p.shift(20),
        "rv_ewma_ratio_5_20": np.sqrt(_ema(square, 5) / _ema(square, 20)), "rv_regime_high": high,
        "rv_regime_duration": bars_since(high, 1440), "rv_regime_switch_rate": flips.rolling(1440).sum() / 1440,
        "rv_skew_60": np.sqrt(60) * (r**3).rolling(60).sum() / both**1.5,
    }  # fmt: skip
    return out | _ranges(s)


def _ema(y: pd.Series, n: int) -> pd.Series:
    return y.ewm(span=n, adjust=False).mean()


def market_regime(s: Script) -> dict[str, pd.Series]:
    x, r, bars = s.x, s.r, s.bars
    efficiency = (x - x.shift(60)).abs() / x.diff().abs().rolling(60).sum()
    t = _trend_t(x, 60)
    kind = np.sign(t) * np.where(efficiency >= (0.15 if s.bqx else 0.3) - 1e-9, 2, np.where(t.abs() >= 2, 1, 0))
    std = r.rolling(60).std()
    low, high = std.rolling(1440).quantile(1 / 3), std.rolling(1440).quantile(2 / 3)
    above = np.sign(x - x.rolling(20).mean())
    crossed = (above * above.shift(1) < 0).astype(float)
    bottom = bars["low"].rolling(240).min()
    bipower = np.pi / 2 * (r.abs() * r.abs().shift(1)).rolling(239).mean()
    return {
        "mr_efficiency_60": efficiency, "mr_hurst_240": _hurst(x), "mr_choppiness_60": _choppiness(s),
        "mr_trend_t_60": t, "mr_trend_class": kind, "mr_trend_duration": bars_since(kind, 1440),
        "mr_vol_class": ((std > low).astype(float) + (std > high)).where(high.notna()),
        "mr_crossing_rate_60": crossed.rolling(60).mean(),
        "mr_donchian_240": (x - bottom) / (bars["high"].rolling(240).max() - bottom),
        "mr_jump_count_60": (r.abs() > 4 * np.sqrt(bipower)).astype(float).rolling(60).sum(),
    }  # fmt: skip


def _trend_t(x: pd.Series, n: int) -> pd.Series:
    rho = x.rolling(n).corr(pd.Series(np.arange(len(x), dtype=float)))
    return (rho * np.sqrt((n - 2) / (1 - rho**2))).clip(-100, 100)


def _hurst(x: pd.Series) -> pd.Series:
    lags = np.array([1, 2, 4, 8, 16, 32])
    spreads = pd.concat([np.log((x - x.shift(k)).rolling(240 - k).std()) for k in lags], axis=1)
    weights = np.log(lags) - np.log(lags).mean()
    return pd.Series(spreads.to_numpy() @ (weights / (weights**2).sum()))


def _choppiness(s: Script) -> pd.Series:
    n, close = (12, s.bars["close"].shift(5)) if s.bqx else (60, s.bars["close"].shift(1))
    high, low = s.bars["high"], s.bars["low"]
    true_range = pd.concat([high, close], axis=1).max(axis=1) - pd.concat([low, close], axis=1).min(axis=1)
    span = every_fifth(s, high, n, "max") - every_fifth(s, low, n, "min")
    return 100 * np.log10(every_fifth(s, true_range, n, "sum") / span) / np.log10(n)
