"""Many pairs on one clock, and windows over the values present, in plain numpy.

Where the definitions leave room: the correlation of a pair with a set has a value where the pair itself is present;
both correlations of a lead-lag use the pairs of bars at which all four values are present; the spread between two
bars of a pair is that of the earlier one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.reference.market import NAN, Array, Flags, InDomain, Market, lagged, windows

MAJORS = ("eurusd", "gbpusd", "usdjpy", "usdchf", "audusd", "usdcad", "nzdusd", "eurgbp")
SISTERS = {
    "aud": "nzd cad usd", "nzd": "aud cad usd", "cad": "aud usd nzd", "usd": "cad eur jpy", "eur": "gbp chf usd",
    "gbp": "eur chf usd", "chf": "eur jpy gbp", "jpy": "chf usd eur",
}  # fmt: skip


class Panel(InDomain):
    """Closes, presence and spreads of all pairs on the panel clock, in one domain."""

    def __init__(self, markets: dict[str, Market], domain: str) -> None:
        self.markets, self.domain = markets, domain
        observed = sorted(set().union(*({int(x) for x in m.ts[m.rows]} for m in markets.values())))
        clock: list[int] = []
        for minute in observed:
            if clock and minute - clock[-1] <= 60:
                clock += range(clock[-1] + 1, minute)
            clock.append(minute)
        self.ts = np.array(clock)
        self.close, self.present, self.spread = {}, {}, {}
        for pair, m in markets.items():
            last = np.searchsorted(m.ts[m.rows], self.ts, side="right") - 1
            begun, row = last >= 0, m.rows[np.maximum(last, 0)]
            at = np.searchsorted(self.ts, m.ts[row])
            carried = begun & (np.arange(len(self.ts)) - at <= 7200)
            self.close[pair] = np.where(carried, m.index[3][row], NAN)
            self.present[pair] = begun & (self.ts - m.ts[row] <= 60)
            self.spread[pair] = np.where(self.present[pair], m.s[row], NAN)  # of its latest bar
        self.memo: dict[Any, Any] = {}

    def m(self, pair: str, w: int) -> Array:
        def make() -> Array:
            past = windows(self.close[pair], w + 1)
            total = ((past[:, :-1] - past[:, -1:]) / past[:, -1:]).sum(axis=1)
            return np.where(np.abs(total) < 1e-12, 0.0, total)

        return self.memoised(("m", pair, w), make)

    def x(self, pair: str) -> Array:
        return 100.0 * (1.0 + self.m(pair, 15) / 15.0) if self.bqx else self.close[pair]

    def change(self, pair: str, w: int) -> Array:
        """ret_W, exactly 0 for an unchanged price."""
        x = self.x(pair)
        ret = np.log(x / lagged(x, w))
        return np.where(np.abs(ret) < 1e-12, 0.0, ret)

    def r(self, pair: str) -> Array:
        return self.memoised(("r", pair), lambda: self.change(pair, 1))

    def g(self, pair: str) -> Array:
        """The series that the correlation family uses as r."""
        if not self.bqx:
            return self.r(pair)
        g = np.log(self.x(pair) / 100.0)
        return np.where(np.abs(g) < 1e-12, 0.0, g)

    def siblings(self, pair: str) -> dict[str, dict[str, float]]:
        """The sets of a pair, with signs."""
        x, y = pair[:3], pair[3:]
        others = [p for p in self.markets if p != pair]
        return {
            "base": {p: 1.0 if p[:3] == x else -1.0 for p in others if x in (p[:3], p[3:])},
            "quote": {p: 1.0 if p[3:] == y else -1.0 for p in others if y in (p[:3], p[3:])},
            "cross": {p: 1.0 for p in others if x not in p and y not in p},
        }

    def stack(self, values: dict[str, Array]) -> Array:
        """One row per pair, missing where the pair is not present."""
        rows = [np.where(self.present[p], v, NAN) for p, v in values.items()]
        return np.array(rows) if rows else np.full((1, len(self.ts)), NAN)


# -- windows over the values present ---------------------------------------------------------------------------------


def views(w: int, *series: Array) -> tuple[list[Array], Flags]:
    """Windows of the series, NaN where any series is, and which windows are valid."""
    missing = np.isnan(sum(series))
    past = [windows(np.where(missing, NAN, y), w) for y in series]
    enough = ~missing & (4 * (~np.isnan(past[0])).sum(axis=1) >= w) & (np.arange(len(missing)) >= w - 1)
    return past, enough


def flats(past: Array) -> Flags:
    high, low = np.nanmax(past, axis=1), np.nanmin(past, axis=1)
    return high - low <= 1e-13 * np.maximum(np.abs(high), np.abs(low))


def deviations(y: Array, w: int) -> Array:
    (past,), ok = views(w, y)
    return np.where(ok, np.where(flats(past), 0.0, np.nanstd(past - past[:, -1:], axis=1, ddof=1)), NAN)


def zscores(y: Array, w: int) -> Array:
    (past,), ok = views(w, y)
    d = past - past[:, -1:]
    return np.where(ok & ~flats(past), -np.nanmean(d, axis=1) / np.nanstd(d, axis=1, ddof=1), NAN)


def moments(x: Array, y: Array, w: int) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Deviations from the means, their sums of products, and where they are defined."""
    (px, py), ok = views(w, x, y)
    dx, dy = px - np.nanmean(px, axis=1, keepdims=True), py - np.nanmean(py, axis=1, keepdims=True)
    xx, xy, yy = np.nansum(dx * dx, axis=1), np.nansum(dx * dy, axis=1), np.nansum(dy * dy, axis=1)
    xx, yy = np.where(flats(px), 0.0, xx), np.where(flats(py), 0.0, yy)
    return (
        np.where(ok, xx, NAN),
        np.where((xx == 0) | (yy == 0), 0.0, xy),
        yy,
        dx[:, -1],
        dy[:, -1],
        (~np.isnan(px)).sum(axis=1),
    )


def corrs(x: Array, y: Array, w: int) -> Array:
    xx, xy, yy, *_ = moments(x, y, w)
    return np.where((xx > 0) & (yy > 0), xy / np.sqrt(xx * yy), NAN)


def betas(y: Array, x: Array, w: int) -> Array:
    xx, xy, *_ = moments(x, y, w)
    return np.where(xx > 0, xy / xx, NAN)


def shocks(y: Array, x: Array, w: int) -> Array:
    """Residual of y on x at t over the residuals' std."""
    xx, xy, yy, dx, dy, n = moments(x, y, w)
    b = xy / xx
    sse = yy - b * xy
    return np.where((xx > 0) & (sse > 1e-12 * yy), (dy - b * dx) / np.sqrt(sse / (n - 1)), NAN)


def mean_of(rows: Array, least: int = 1) -> Array:
    return np.where((~np.isnan(rows)).sum(axis=0) >= least, np.nanmean(rows, axis=0), NAN)


def lead(a: Array, b: Array) -> Array:
    """corr(a[t], b[t-1]) - corr(a[t-1], b[t]) over the pairs (t, t-1) of 120 at which all four are present."""
    missing = np.isnan(a + b + lagged(a, 1) + lagged(b, 1))
    a1, b1 = np.where(missing, NAN, lagged(a, 1)), np.where(missing, NAN, lagged(b, 1))
    return np.where(np.arange(len(a)) < 120, NAN, corrs(a, b1, 120) - corrs(a1, b, 120))
