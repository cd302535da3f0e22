"""Volume, spreads, order flow and liquidity with pandas' rolling windows, scipy and bidask."""

from __future__ import annotations

import bidask
import numpy as np
import pandas as pd
from scipy.stats import norm

from benchmarks.rivals.script import Script, placed, slope, windows, zscore

W = (15, 30, 45, 60, 75)


def volume_features(s: Script) -> dict[str, object]:
    out: dict[str, object] = {}
    v, r, x = s.volume, s.r, s.close
    typical = (s.bars["high"] + s.bars["low"] + s.bars["close"]) / 3
    for w in W:
        rolling, total = v.rolling(w), v.rolling(w).sum()
        mean, std = rolling.mean(), r.rolling(w).std()
        daily = pd.concat([total.shift(1440 * d) for d in range(1, 6)], axis=1).mean(axis=1, skipna=False)
        metrics = {
            "mean": mean, "std": rolling.std(), "skew": rolling.skew(), "z": zscore(v, w), "ratio": v / mean,
            "slope": slope(v, w) / mean, "vwap_dist": 1e4 * (x / ((typical * v).rolling(w).sum() / total) - 1),
            "absret_corr": v.rolling(w).corr(r.abs()), "ret_corr": v.rolling(w).corr(r),
            "up_share": v.where(r > 0, 0).rolling(w).sum() / total,
            "bvc_imbalance": _bulk(v, r, std, total, w), "concentration": rolling.max() / total,
            "entropy": _entropy(v, w), "seasonal": total / daily,
        }  # fmt: skip
        out |= {f"volume_{name}_{w}": values for name, values in metrics.items()}
    return out


def _bulk(v: pd.Series, r: pd.Series, std: pd.Series, total: pd.Series, w: int) -> np.ndarray:
    """Bulk volume classification with one standard deviation per window."""
    with np.errstate(all="ignore"):
        signed = windows(v, w) * (2 * norm.cdf(windows(r, w) / std.to_numpy()[w - 1 :, None]) - 1)
    return placed(signed.sum(axis=1), len(v)) / total.to_numpy()


def _entropy(v: pd.Series, w: int) -> np.ndarray:
    share = windows(v, w) / windows(v, w).sum(axis=1, keepdims=True)
    return placed(-np.where(share > 0, share * np.log(np.maximum(share, 1e-300)), 0).sum(axis=1) / np.log(w), len(v))


def spread_features(s: Script) -> dict[str, pd.Series]:
    out: dict[str, pd.Series] = {}
    spread = s.spread
    for w in W:
        rolling = spread.rolling(w)
        metrics = {
            "mean": rolling.mean(), "std": rolling.std(), "z": zscore(spread, w), "slope": slope(spread, w),
            "max_ratio": rolling.max() / rolling.mean(), "pctrank": rolling.rank(pct=True) - 0.5 / w,
            "to_vol": (rolling.mean() / (1e4 * s.r.rolling(w).std())).clip(0, 1000),
        }  # fmt: skip
        out |= {f"spread_{name}_{w}": values for name, values in metrics.items()}
    return out


def percentile(y: pd.Series) -> pd.Series:
    """Share of the last 1,440 values below, plus half of those equal."""
    rolling = y.rolling(1440, min_periods=720)
    return rolling.rank(pct=True) - 0.5 / rolling.count()


def _moves(s: Script) -> pd.Series:
    """Signs of moves of at least 0.02 bp."""
    return np.sign(s.r.where(s.r.abs() >= 2e-6, 0)).where(s.r.notna())


def _slope_on(y: pd.Series, x: pd.Series, n: int) -> pd.Series:
    return y.rolling(n).cov(x) / x.rolling(n).var()


def advanced_microstructure(s: Script) -> dict[str, object]:
    r, v, n = s.r, s.volume, 60
    sign, bp = _moves(s), 1e4 * s.r
    q = sign * v
    kyle, hasbrouck = _impacts(bp, sign, v, n)
    zero = (sign == 0).astype(float).where(r.notna())
    five = np.log(s.x / s.x.shift(5))
    toxicity = _vpin(s)
    out: dict[str, object] = {
        "amihud_60": 1e6 * (r.abs() / v.where(v > 0)).rolling(n, min_periods=1).mean().where(r.rolling(n).count() == n),
        "kyle_60": kyle, "hasbrouck_60": hasbrouck,
        "roll_60": 2 * np.sqrt((-bp.rolling(n).cov(bp.shift(1))).clip(lower=0)),
        "vpin_50": toxicity, "toxicity": percentile(toxicity),
        "clustering_60": (v * r.abs()).rolling(n).corr((v * r.abs()).shift(1)),
        "flow_60": q.rolling(n).sum() / v.rolling(n).sum(), "flow_persistence_60": sign.rolling(n).corr(sign.shift(1)),
        "tick_run": sign.rolling(30).apply(_run, raw=True), "zero_share_60": zero.rolling(n).mean(),
        "cost_move_60": s.spread.rolling(n).mean() / bp.abs().rolling(n).mean(),
        "spread_signal_60": s.spread.shift(1).rolling(n).corr(r.abs()),
        "variance_ratio_60": five.rolling(56).var() / (5 * r.rolling(n).var()),
        "adverse_60": (sign.shift(5) * 1e4 * five).rolling(n).mean(),
        "noise_60": _noise(r, five, n), "reversal_120": _reversal(bp, q, v),
    }  # fmt: skip
    out |= _bar_spreads(s)
    return {f"micro_{name}": values for name, values in out.items()}


def _impacts(bp: pd.Series, sign: pd.Series, v: pd.Series, n: int) -> tuple[pd.Series, pd.Series]:
    mean = v.rolling(n).mean()
    return _slope_on(bp, sign * v, n) * mean, _slope_on(bp, sign * np.sqrt(v), n) * np.sqrt(mean)


def _noise(r: pd.Series, five: pd.Series, n: int) -> pd.Series:
    coarse = 60 / 56 * (five**2).rolling(56).sum() / 5
    return 1e4 * np.sqrt((((r**2).rolling(n).sum() - coarse) / 120).clip(lower=0))


def _run(signs: np.ndarray) -> float:
    """The latest moves in one direction, signed."""
    moves = signs[signs != 0][::-1]
    return float(np.cumprod(moves == moves[0]).sum() * moves[0]) if len(moves) else 0.0


def _vpin(s: Script) -> pd.Series:
    v, r = s.volume, s.r
    buy = v * norm.cdf(r / r.rolling(240).std())
    imbalance = (2 * buy - v).rolling(5).sum().abs()
    total = v.rolling(5).sum()
    phases = [(imbalance.iloc[p::5].rolling(50).sum() / total.iloc[p::5].rolling(50).sum()) for p in range(5)]
    return pd.concat(phases).sort_index()


def _reversal(bp: pd.Series, q: pd.Series, v: pd.Series) -> pd.Series:
    n, y = 120, bp
    a, b = bp.shift(1), q.shift(1)
    aa, bb, ab = a.rolling(n).var(), b.rolling(n).var(), a.rolling(n).cov(b)
    gamma = (aa * y.rolling(n).cov(b) - ab * y.rolling(n).cov(a)) / (aa * bb - ab**2)
    return (gamma * v.rolling(n).mean()).clip(-100, 100)


def _bar_spreads(s: Script) -> dict[str, pd.Series]:
    """Spreads from highs and lows; in bqx of every fifth bar."""
    step = 5 if s.bqx else 1
    phases = [_spreads(s.bars.iloc[p::step], 60) for p in range(step)]
    return dict(pd.concat(phases).sort_index().items())


def _spreads(bars: pd.DataFrame, n: int) -> pd.DataFrame:
    h, low, c = (np.log(bars[name]) for name in ("high", "low", "close"))
    k = 3 - 2 * np.sqrt(2)
    beta = (h - low) ** 2 + (h.shift(1) - low.shift(1)) ** 2
    gamma = (h.combine(h.shift(1), np.fmax) - low.combine(low.shift(1), np.fmin)) ** 2
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / k - np.sqrt(gamma / k)
    corwin = (2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha))).clip(lower=0)
    middle = (h + low) / 2
    abdi = 4 * (c.shift(1) - middle.shift(1)) * (c.shift(1) - middle)
    found = {
        "corwin_schultz_60": 1e4 * corwin.rolling(n - 1).mean(),
        "abdi_ranaldo_60": 1e4 * np.sqrt(abdi.rolling(n - 1).mean().clip(lower=0)),
        "edge_60": 1e4 * bidask.edge_rolling(bars, window=n).abs(),
    }
    return pd.DataFrame(found)


def liquidity_metrics(s: Script) -> dict[str, object]:
    r, v, spread = s.r, s.volume, s.spread
    a, sign, bars = r.abs(), _moves(s), s.bars
    amihud = (a / v.where(v > 0)).rolling(15, min_periods=1).mean().where(a.rolling(15).count() == 15)
    present = amihud.rolling(1440, min_periods=720)
    turnover = np.log(v.rolling(60).sum() / a.rolling(60).sum())
    kyle, _ = _impacts(1e4 * r, sign, v, 60)
    parts = pd.concat([zscore(spread, 240), zscore(a, 240), -zscore(v, 240)], axis=1)
    moving = a.where(sign != 0)
    median = moving.rolling(60, min_periods=1).median()
    return {
        "liq_amihud_z": (amihud - present.mean()) / present.std(), "liq_turnover_60": turnover,
        "liq_volume_elasticity_120": _slope_on(np.log1p(v), a, 120) * r.rolling(120).std(),
        "liq_spread_elasticity_120": _slope_on(spread, 1e4 * a, 120),
        "liq_pressure_15": (sign * v).rolling(15).sum() / v.rolling(240).mean(),
        "liq_depth_60": np.log(v.rolling(60).sum() / ((bars["high"] - bars["low"]) / s.x).rolling(60).sum()),
        "liq_memory_60": a.rolling(60).corr(a.shift(5)), "liq_tail_share_60": _tail(a, median),
        "liq_kyle_instability": kyle.rolling(60).std() / kyle.abs().rolling(60).mean(),
        "liq_stress": parts.mean(axis=1), "liq_score": percentile(turnover),
    }  # fmt: skip


def _tail(a: pd.Series, median: pd.Series) -> np.ndarray:
    """Share of the window's moves above three times its median."""
    above = windows(a, 60) > 3 * median.to_numpy()[59:, None]
    return placed(above.mean(axis=1), len(a))
