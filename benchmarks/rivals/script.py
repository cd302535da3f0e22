"""The inputs of a script, computed with pandas: index, momentum, returns, bars, volume, spread."""

from __future__ import annotations

from functools import cached_property

import bidask
import numpy as np
import pandas as pd

from fxloom.bars.clock import ClockBars
from fxloom.bars.pairs import PairInfo


class Script:
    """One pair in one domain; series are computed on first use, within the measured time."""

    def __init__(self, pair: str, bars: ClockBars, info: PairInfo, domain: str) -> None:
        self.pair, self.info, self.domain = pair, info, domain
        self.ts = bars.ts
        self.prices = pd.DataFrame({"open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close})
        self.observed = np.isin(np.arange(len(bars)), bars.observed)
        self._volume, self._spread = bars.volume, bars.spread

    @property
    def bqx(self) -> bool:
        return self.domain == "bqx"

    def other(self, domain: str) -> Script:
        """The same bars in the other domain."""
        other = object.__new__(Script)
        kept = ("pair", "info", "ts", "prices", "observed", "_volume", "_spread")
        other.__dict__ = {name: self.__dict__[name] for name in kept} | {"domain": domain}
        return other

    @cached_property
    def close(self) -> pd.Series:
        return 100 * self.prices["close"] / self.info.baseline

    def momentum(self, window: int) -> pd.Series:
        return (self.close.shift(1).rolling(window).sum() - window * self.close) / self.close

    def series(self, window: int) -> pd.Series:
        return self.momentum(window) if self.bqx else self.close

    def index(self, window: int) -> pd.Series:
        return 100 * (1 + self.momentum(window) / window) if self.bqx else self.close

    @cached_property
    def x(self) -> pd.Series:
        return self.index(15)

    @cached_property
    def r(self) -> pd.Series:
        r = np.log(self.x).diff()
        return r.where(r.abs() >= 1e-12, 0.0).where(r.notna())

    @cached_property
    def bars(self) -> pd.DataFrame:
        """Open, high, low, close of the domain."""
        if not self.bqx:
            return 100 * self.prices / self.info.baseline
        five = self.x.rolling(5)
        return pd.DataFrame({"open": self.x.shift(4), "high": five.max(), "low": five.min(), "close": self.x})

    @cached_property
    def volume(self) -> pd.Series:
        if self.info.has_volume and self._volume is not None:
            return pd.Series(self._volume)
        pip = 0.01 if self.pair.endswith("jpy") else 0.0001
        return (1 + (self.prices["high"] - self.prices["low"]) / pip).where(self.observed, 0.0)

    @cached_property
    def spread(self) -> pd.Series:
        """Quoted spread in bp, else EDGE over 60 bars."""
        if self.info.has_quotes and self._spread is not None:
            return 10_000 * pd.Series(self._spread) / self.prices["close"]
        return 10_000 * bidask.edge_rolling(self.prices, window=60).abs()


def slope(y: pd.Series, window: int) -> pd.Series:
    """OLS slope per bar."""
    time = pd.Series(np.arange(len(y), dtype=float))
    return y.rolling(window).cov(time) / (window * (window + 1) / 12)


def zscore(y: pd.Series, window: int) -> pd.Series:
    rolling = y.rolling(window)
    return (y - rolling.mean()) / rolling.std()


def bars_since(state: pd.Series, cap: int) -> pd.Series:
    """Bars since ``state`` changed, at most ``cap``."""
    return state.groupby((state != state.shift()).cumsum()).cumcount().clip(upper=cap)


def windows(y: pd.Series, window: int) -> np.ndarray:
    """Every window of ``y``, one per row: (len(y) - window + 1, window)."""
    return np.lib.stride_tricks.sliding_window_view(y.to_numpy(), window)


def placed(values: np.ndarray, length: int) -> np.ndarray:
    """``values`` of the last bars, NaN before them."""
    out = np.full(length, np.nan)
    out[length - len(values) :] = values
    return out
