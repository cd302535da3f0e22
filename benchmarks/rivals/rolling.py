"""Momentum, moments, bands, swings and lags with pandas' rolling windows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.rivals.script import Script

W = (15, 30, 45, 60, 75)


def bqx_momentum(s: Script) -> dict[str, pd.Series]:
    out, c = {}, s.close
    for w in (*W, 90):
        past = c.shift(1).rolling(w)
        name = f"w{w}" if w != 90 else "agg"
        mean = past.mean()
        out[f"{name}_bqx_return"] = s.momentum(w)
        out[f"{name}_bqx_max"] = 1e4 * (past.max() / c - 1)
        out[f"{name}_bqx_min"] = 1e4 * (past.min() / c - 1)
        out[f"{name}_bqx_avg"] = 1e4 * (mean / mean.shift(w) - 1)
        out[f"{name}_bqx_stdev"] = past.std()
        if w != 90:
            out[f"{name}_bqx_endpoint"] = (c.shift(w) - c) / c
        else:
            out["agg_bqx_range"] = past.max() - past.min()
            out["agg_bqx_volatility"] = 1e4 * s.r.rolling(w).std()
    return out


def statistics(s: Script) -> dict[str, pd.Series]:
    out = {}
    for w in (*W, 90):
        rolling = s.series(w).rolling(w)
        out[f"stat_mean_{w}"] = rolling.mean()
        out[f"stat_std_{w}"] = rolling.std()
        out[f"stat_skew_{w}"] = rolling.skew()
        out[f"stat_kurt_{w}"] = rolling.kurt()
    return out


def bollinger(s: Script) -> dict[str, pd.Series]:
    out = {}
    for w in W:
        y = s.index(w)
        mean, std = y.rolling(w).mean(), y.rolling(w).std(ddof=0)
        width = 4 * std / mean
        out[f"bb_width_{w}"] = width / width.rolling(240).mean()
        out[f"bb_percent_b_{w}"] = (y - mean + 2 * std) / (4 * std)
    return out


def fibonacci(s: Script) -> dict[str, pd.Series]:
    close = s.bars["close"]
    high, low = s.bars["high"].rolling(120), s.bars["low"].rolling(120)
    top, bottom = high.max(), low.min()
    since_high = high.apply(lambda a: a[::-1].argmax(), raw=True)
    since_low = low.apply(lambda a: a[::-1].argmin(), raw=True)
    span, up = top - bottom, since_high < since_low
    out = {
        "fib_position": (close - bottom) / span, "fib_range": 100 * span / close, "fib_bars_since_high": since_high,
        "fib_bars_since_low": since_low, "fib_direction": pd.Series(np.where(up, 1.0, -1.0)),
    }  # fmt: skip
    for q in (236, 382, 500, 618, 786):
        out[f"fib_{q}"] = close - np.where(up, top - q / 1000 * span, bottom + q / 1000 * span)
    return out


def lagged_cross_window(s: Script) -> dict[str, pd.Series]:
    out = {}
    moves = {w: 1e4 * (s.momentum(w) if s.bqx else np.log(s.close / s.close.shift(w))) for w in W}
    for w in W:
        move, before = moves[w], moves[w].shift(w)
        out[f"lag_prev_{w}"] = before
        out[f"lag_change_{w}"] = move - before
        out[f"lag_autocorr_{w}"] = move.rolling(240).corr(before)
        first, second = (moves[30], moves[15].shift(30)) if w == 15 else (moves[15], move.shift(15))
        out[f"lag_transfer_{w}"] = first.rolling(240).corr(second)
        same = (np.sign(move.round(8)) == np.sign(before.round(8))).astype(float).where(before.notna())
        out[f"lag_agree_{w}"] = same.rolling(w).mean()
    return out
