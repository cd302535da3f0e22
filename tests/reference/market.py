"""Bars, the clock and the two domains by their definitions, in plain numpy.

Nothing here is shared with the package or with the families' own tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import bidask
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

NAN = float("nan")
Array = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(eq=False)
class Market:
    """One pair's bars on the clock: ``rows`` are the clock positions of the observed bars."""

    pair: str
    ts: Array
    prices: tuple[Array, Array, Array, Array]
    volume: Array | None
    spread: Array | None
    rows: Array
    memo: dict[Any, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ts)

    @cached_property
    def index(self) -> tuple[Array, ...]:
        """Open, high, low, close of the rate index."""
        first_close = self.prices[3][0]
        return tuple(100.0 * p / first_close for p in self.prices)

    @cached_property
    def v(self) -> Array:
        if self.volume is not None:
            return self.volume
        _, high, low, _ = self.prices
        pip = 0.01 if "jpy" in self.pair else 0.0001
        proxy = 1.0 + (high - low) / pip
        filled = np.ones(len(self), bool)
        filled[self.rows] = False
        proxy[filled] = 0.0
        return proxy

    @cached_property
    def s(self) -> Array:
        """Quoted spread in bp, else the absolute EDGE spread."""
        if self.spread is not None:
            return 10_000.0 * self.spread / self.prices[3]
        out = np.full(len(self), NAN)
        for t in range(59, len(self)):
            out[t] = 10_000.0 * bidask.edge(*(p[t - 59 : t + 1] for p in self.prices))
        return out

    def m(self, w: int) -> Array:
        """Backward momentum: sum of (C[t-i] - C[t]) / C[t]."""
        if ("m", w) not in self.memo:
            past = windows(self.index[3], w + 1)
            total = ((past[:, :-1] - past[:, -1:]) / past[:, -1:]).sum(axis=1)
            self.memo["m", w] = np.where(np.abs(total) < 1e-12, 0.0, total)
        return self.memo["m", w]


class InDomain:
    """Series of one domain, each computed once."""

    domain: str
    memo: dict[Any, Any]

    def memoised(self, name: Any, make: Any) -> Any:
        if name not in self.memo:
            self.memo[name] = make()
        return self.memo[name]

    @property
    def bqx(self) -> bool:
        return self.domain == "bqx"


@dataclass(eq=False)
class DomainView(InDomain):
    """A market seen in one domain."""

    market: Market
    domain: str
    memo: dict[Any, Any] = field(default_factory=dict)

    @property
    def step(self) -> int:
        return 5 if self.bqx else 1

    def series(self, w: int) -> Array:
        return self.market.m(w) if self.bqx else self.market.index[3]

    def level(self, w: int) -> Array:
        return 100.0 * (1.0 + self.market.m(w) / w) if self.bqx else self.market.index[3]

    @cached_property
    def x(self) -> Array:
        return self.level(15)

    @cached_property
    def r(self) -> Array:
        r = np.concatenate([[NAN], np.log(self.x[1:] / self.x[:-1])])
        return np.where(np.abs(r) < 1e-12, 0.0, r)

    @cached_property
    def bars(self) -> tuple[Array, ...]:
        if not self.bqx:
            return self.market.index
        five = windows(self.x, 5)
        known = ~np.isnan(five).any(axis=1)
        close = np.where(known, self.x, NAN)
        return five[:, 0], five.max(axis=1), five.min(axis=1), close

    def other(self) -> DomainView:
        name = "rate" if self.bqx else "bqx"
        return self.market.memo.setdefault(("domain_view", name), DomainView(self.market, name))


def build(pair: str, ts: Any, prices: Any, volume: Any, spread: Any) -> Market:
    """Put bars on the clock: missing minutes up to an hour become flat bars, longer gaps take no time."""
    clock: list[list[float]] = []
    observed = []
    for k in range(len(ts)):
        if k > 0 and ts[k] - ts[k - 1] <= 60:
            close, last = prices[3][k - 1], 0.0 if spread is None else spread[k - 1]
            clock += [[minute, close, close, close, close, 0.0, last] for minute in range(ts[k - 1] + 1, ts[k])]
        observed.append(len(clock))
        v, s = 0.0 if volume is None else volume[k], 0.0 if spread is None else spread[k]
        clock.append([ts[k], *(p[k] for p in prices), v, s])
    table = np.array(clock)
    has_volume = volume is not None and bool(np.any(volume > 0))
    return Market(
        pair,
        table[:, 0].astype(np.int64),
        tuple(table[:, i].copy() for i in (1, 2, 3, 4)),  # type: ignore[arg-type]
        table[:, 5].copy() if has_volume else None,
        table[:, 6].copy() if spread is not None else None,
        np.array(observed),
    )


# -- windows and their statistics ------------------------------------------------------------------------------------


def windows(y: Array, w: int) -> Array:
    """Row t holds y[t-w+1..t], NaN before the beginning."""
    return sliding_window_view(np.concatenate([np.full(w - 1, NAN), y]), w)


def window(y: Array, t: int, w: int) -> Array:
    """y[t-w+1..t], all NaN where it reaches before the beginning."""
    return y[t - w + 1 : t + 1] if t >= w - 1 else np.full(w, NAN)


def ago(y: Array, t: int, k: int) -> float:
    return float(y[t - k]) if t >= k else NAN


def lagged(y: Array, k: int) -> Array:
    return np.concatenate([np.full(k, NAN), y[:-k]])


def known(*values: Any) -> bool:
    return not any(np.isnan(v).any() for v in values)


def flat(y: Array) -> bool:
    return bool(np.ptp(y) <= 1e-13 * np.abs(y).max())


def std(y: Array) -> float:
    if not known(y):
        return NAN
    return 0.0 if flat(y) else float(np.std(y - y[-1], ddof=1))


def mean(y: Array) -> float:
    return float(y[-1] + np.mean(y - y[-1]))


def z(y: Array) -> float:
    return quotient(-float(np.mean(y - y[-1])), std(y))


def quotient(a: float, b: float) -> float:
    """a / b, missing where b is 0 or either is missing."""
    return float(a / b) if known(a, b) and b != 0.0 else NAN


def cov(x: Array, y: Array) -> float:
    if not known(x, y):
        return NAN
    return 0.0 if flat(x) or flat(y) else float(np.cov(x - x[-1], y - y[-1])[0, 1])


def corr(x: Array, y: Array) -> float:
    if not known(x, y) or flat(x) or flat(y):
        return NAN
    return float(np.corrcoef(x - x[-1], y - y[-1])[0, 1])


def slope(y: Array, x: Array | None = None) -> float:
    """Least squares with intercept."""
    x = np.arange(len(y), dtype=float) if x is None else x
    if not known(x, y) or flat(x):
        return NAN
    if flat(y):
        return 0.0
    design = np.column_stack([np.ones(len(y)), (x - x.mean()) / x.std()])
    return float(np.linalg.lstsq(design, y - y[-1], rcond=None)[0][1] / x.std())


def stds(y: Array, w: int) -> Array:
    """std of every window."""
    past = windows(y, w)
    with np.errstate(invalid="ignore"):
        out = (past - past[:, -1:]).std(axis=1, ddof=1)
        still = np.ptp(past, axis=1) <= 1e-13 * np.abs(past).max(axis=1)
    return np.where(still, 0.0, out)


def sums(y: Array, w: int) -> Array:
    return windows(y, w).sum(axis=1)


def sign(change: float, price: float) -> float:
    """-1, 0 or 1; a relative change below 1e-12 counts as 0."""
    if not known(change):
        return NAN
    return 0.0 if abs(change) < 1e-12 * price else float(np.sign(change))


def rank(values: Array, now: float) -> float:
    """Share below plus half of those equal (within 1e-9 relative)."""
    equal = np.abs(values - now) <= 1e-9 * abs(now)
    below = (values < now) & ~equal
    return float((below.sum() + 0.5 * equal.sum()) / len(values))


def above(now: float, limit: float) -> bool:
    """Strictly above, and not equal (within 1e-9 relative)."""
    return now > limit and abs(now - limit) > 1e-9 * max(abs(now), abs(limit))


def since_change(states: Array, cap: int) -> float:
    """``states`` are the last cap + 1; 0 at the bar that changed."""
    if len(states) < cap + 1 or not known(states):
        return NAN
    changed = np.flatnonzero(np.diff(states) != 0.0)
    return float(min(cap, cap - 1 - changed[-1])) if len(changed) else float(cap)


def flag(condition: bool, *inputs: Any) -> float:
    return float(condition) if known(*inputs) else NAN
