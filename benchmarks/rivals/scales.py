"""Slower clocks with pandas' resample and TA-Lib."""

from __future__ import annotations

import numpy as np
import pandas as pd
import talib

from benchmarks.rivals.script import Script, slope


def half_hour(s: Script) -> dict[str, pd.Series]:
    return _scale(s, 30)


def hour(s: Script) -> dict[str, pd.Series]:
    return _scale(s, 60)


def _scale(s: Script, k: int) -> dict[str, pd.Series]:
    stamps = pd.DatetimeIndex(s.ts.astype("datetime64[m]"))
    slow = pd.Series(s.x.to_numpy(), stamps).resample(f"{k}min").ohlc().dropna()
    c, h, low = slow["close"], slow["high"], slow["low"]

    def seen(values: object) -> pd.Series:
        """K-bar values at the minutes that can see them: from the bin's last minute on."""
        known = pd.Series(np.asarray(values), c.index + pd.Timedelta(minutes=k - 1))
        return pd.Series(known.reindex(stamps, method="ffill").to_numpy())

    x, std = s.x, s.r.rolling(20).std()
    vol = 1e4 * np.log(c).diff().rolling(20).std()
    mean, deviation = c.rolling(20).mean(), c.rolling(20).std(ddof=0)
    change, wild = c - c.shift(5), std > std.rolling(1440).median()
    slow_vol, trend = seen(vol), seen(slope(c.reset_index(drop=True), 10))
    out = {
        "sma_10": 1e4 * (x / seen(c.rolling(10).mean()) - 1), "ema_20": 1e4 * (x / seen(talib.EMA(c, 20)) - 1),
        "vol_20": slow_vol, "mom_5": seen(1e4 * np.log(c / c.shift(5))),
        "range_20": 1e4 * seen(h.rolling(20).max() - low.rolling(20).min()) / x, "rsi_14": seen(talib.RSI(c, 14)),
        "macd": 1e4 * seen(talib.EMA(c, 12) - talib.EMA(c, 26)) / x, "atr_14": 1e4 * seen(talib.ATR(h, low, c, 14)) / x,
        "bb_width_20": seen(4 * deviation / mean),
        "sma_ratio": 1e4 * (x.rolling(10).mean() / seen(c.rolling(10).mean()) - 1),
        "vol_ratio": (1e4 * std * np.sqrt(k) / slow_vol).clip(0, 100),
        "trend_agree": (np.sign(slope(x, 20)) == np.sign(trend)).astype(float),
        "regime_agree": (wild == (slow_vol > seen(vol.rolling(48).median()))).astype(float),
        "dominance": seen(_r2(c.reset_index(drop=True), 10)) - _r2(x, 20),
        "divergence": ((x - x.shift(20)) * seen(change) < 0).astype(float),
    }  # fmt: skip
    return {f"ms{k}_{name}": values for name, values in out.items()}


def _r2(y: pd.Series, n: int) -> pd.Series:
    return y.rolling(n).corr(pd.Series(np.arange(len(y), dtype=float))) ** 2
