"""Page 20: many pairs on one clock, read again in plain numpy.

Where the page leaves room: the correlation of a pair with a set has a value where the pair itself is present; both
correlations of a lead-lag use the pairs of bars at which all four values are there; rank stability is over the pairs
present now; the spread between two bars of a pair is that of the earlier one.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import scipy.stats
from pages.market import NAN, Array, Market, lagged, windows
from statsmodels.tsa.vector_ar.vecm import coint_johansen

MAJORS = ("eurusd", "gbpusd", "usdjpy", "usdchf", "audusd", "usdcad", "nzdusd", "eurgbp")
SISTERS = {
    "aud": "nzd cad usd", "nzd": "aud cad usd", "cad": "aud usd nzd", "usd": "cad eur jpy", "eur": "gbp chf usd",
    "gbp": "eur chf usd", "chf": "eur jpy gbp", "jpy": "chf usd eur",
}  # fmt: skip


class Panel:
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

    def once(self, name: Any, make: Any) -> Any:
        if name not in self.memo:
            self.memo[name] = make()
        return self.memo[name]

    @property
    def bqx(self) -> bool:
        return self.domain == "bqx"

    def m(self, pair: str, w: int) -> Array:
        def make() -> Array:
            past = windows(self.close[pair], w + 1)
            total = ((past[:, :-1] - past[:, -1:]) / past[:, -1:]).sum(axis=1)
            return np.where(np.abs(total) < 1e-12, 0.0, total)

        return self.once(("m", pair, w), make)  # type: ignore[no-any-return]

    def x(self, pair: str) -> Array:
        return 100.0 * (1.0 + self.m(pair, 15) / 15.0) if self.bqx else self.close[pair]

    def change(self, pair: str, w: int) -> Array:
        """ret_W, exactly 0 for an unchanged price."""
        x = self.x(pair)
        ret = np.log(x / lagged(x, w))
        return np.where(np.abs(ret) < 1e-12, 0.0, ret)

    def r(self, pair: str) -> Array:
        return self.once(("r", pair), lambda: self.change(pair, 1))  # type: ignore[no-any-return]

    def g(self, pair: str) -> Array:
        """What the correlation family takes for r."""
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
        """A row a pair, missing where the pair is not present."""
        rows = [np.where(self.present[p], v, NAN) for p, v in values.items()]
        return np.array(rows) if rows else np.full((1, len(self.ts)), NAN)


# -- windows over the values that are there --------------------------------------------------------------------------


def views(w: int, *series: Array) -> tuple[list[Array], Array]:
    """Windows of the series, NaN where any is, and which windows count."""
    hole = np.isnan(sum(series))
    past = [windows(np.where(hole, NAN, y), w) for y in series]
    enough = ~hole & (4 * (~np.isnan(past[0])).sum(axis=1) >= w) & (np.arange(len(hole)) >= w - 1)
    return past, enough


def flats(past: Array) -> Array:
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
    """Deviations from the means, their sums of products, and where there are such."""
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


# -- correlation -----------------------------------------------------------------------------------------------------


def correlation(p: Panel, pair: str) -> dict[str, Array]:
    own, sets, out = p.g(pair), p.siblings(pair), {}
    for name, members in sets.items():
        signed = {q: sign * p.g(q) for q, sign in members.items()}
        means = mean_of(p.stack(signed))
        for w in (15, 30, 60, 120):
            rho = {q: corrs(own, g, w) for q, g in signed.items()}
            rho = {q: np.abs(c) for q, c in rho.items()} if name == "cross" else rho
            out[f"corr_{name}_{w}"] = np.where(p.present[pair], mean_of(p.stack(rho)), NAN)
        for w in (15, 60):
            out[f"corr_{name}_z_{w}"] = zscores(out[f"corr_{name}_{w}"], 240)
        out[f"lead_lag_{name}"] = lead(own, means)
        out[f"coint_resid_{name}"] = cumulated(own, means)
        out[f"beta_{name}_60"] = np.clip(betas(own, means, 60), -20, 20)
        theirs = mean_of(p.stack({q: deviations(p.g(q), 60) for q in members}))
        out[f"vol_ratio_{name}"] = np.clip(np.where(theirs > 0, deviations(own, 60) / theirs, NAN), 0, 20)
        if name != "cross":
            power = {
                q: sign * over_window(p, q, 240) / (deviations(p.g(q), 240) * math.sqrt(240))
                for q, sign in members.items()
            }
            out[f"rel_strength_{name}"] = mean_of(
                p.stack({q: np.where(np.isfinite(v), v, NAN) for q, v in power.items()})
            )
            for w in (15, 60):
                out[f"divergence_{name}_{w}"] = divergence(p, pair, members, w)
    for a, b in ((15, 30), (15, 60), (15, 75), (30, 60), (30, 75), (60, 75)):
        mom = {w: p.m(pair, w) if p.bqx else p.change(pair, w) for w in (a, b)}
        out[f"corr_win_{a}_{b}"] = corrs(mom[a], mom[b], 240)
    return out | {f"corr_stability_{w}": deviations(out["corr_base_15"], w) for w in (15, 60, 240)}


def strength(p: Panel, pair: str) -> Array:
    v = over_window(p, pair, 240) / (deviations(p.g(pair), 240) * math.sqrt(240))
    return np.where(np.isfinite(v), v, NAN)


def lead(a: Array, b: Array) -> Array:
    """corr(a[t], b[t-1]) - corr(a[t-1], b[t]) over the pairs (t, t-1) of 120 at which all four are there."""
    hole = np.isnan(a + b + lagged(a, 1) + lagged(b, 1))
    a1, b1 = np.where(hole, NAN, lagged(a, 1)), np.where(hole, NAN, lagged(b, 1))
    return np.where(np.arange(len(a)) < 120, NAN, corrs(a, b1, 120) - corrs(a1, b, 120))


def over_window(p: Panel, pair: str, w: int) -> Array:
    return windows(p.g(pair), w).sum(axis=1) if p.bqx else p.change(pair, w)


def divergence(p: Panel, pair: str, members: dict[str, float], w: int) -> Array:
    rows = p.stack({q: sign * over_window(p, q, w) for q, sign in members.items()})
    spread = np.nanstd(rows, axis=0, ddof=1)
    ok = ((~np.isnan(rows)).sum(axis=0) >= 3) & (spread > 0)
    return np.where(ok, np.clip((over_window(p, pair, w) - np.nanmean(rows, axis=0)) / spread, -20, 20), NAN)


def cumulated(y: Array, x: Array) -> Array:
    """OLS of cumulated y on cumulated x over 240 bars, its residual at t over the residuals' std."""
    (py, px), ok = views(240, y, x)
    out = np.full(len(y), NAN)
    for t in np.flatnonzero(ok):
        here = ~np.isnan(px[t])
        a, b = np.cumsum(px[t][here]), np.cumsum(py[t][here])
        if np.ptp(a) <= 1e-13 * np.abs(a).max() or np.ptp(b) <= 1e-13 * np.abs(b).max():
            continue
        a, b = a - a.mean(), b - b.mean()
        e = b - (a @ b) / (a @ a) * a
        if e @ e > 1e-12 * (b @ b):
            out[t] = e[-1] / np.sqrt(e @ e / (len(e) - 1))
    return out


# -- cross-section ---------------------------------------------------------------------------------------------------


def shares_below(rows: Array, own: Array, least: int) -> Array:
    """Share of ``rows`` below, ties (1e-9 relative) half."""
    there = ~np.isnan(rows)
    equal = np.abs(rows - own) <= 1e-9 * np.abs(own)
    below = there & (rows < own) & ~equal
    n = there.sum(axis=0)
    return np.where((n >= least) & ~np.isnan(own), (below + 0.5 * (equal & there)).sum(axis=0) / n, NAN)


def cross_sectional_panel(p: Panel, pair: str) -> dict[str, Array]:
    pairs = list(p.markets)
    own = pairs.index(pair)
    others = [i for i in range(len(pairs)) if i != own]
    majors = [i for i in others if pairs[i] in MAJORS]
    rows = {f"momentum_{w}": {q: p.m(q, w) for q in pairs} for w in (15, 30, 45, 60)}
    rows |= {f"volatility_{w}": {q: deviations(p.r(q), w) for q in pairs} for w in (15, 30, 60)}
    data = {name: p.stack(values) for name, values in rows.items()} | {"spread": p.stack(p.spread)}
    crowd = {name: (~np.isnan(v)).sum(axis=0) >= 3 for name, v in data.items()}
    out = {}
    for name, v in data.items():
        out[f"rank_{name}"] = shares_below(v[majors], v[own], 3)
        out[f"pctile_{name}"] = np.where(crowd[name], shares_below(v[others], v[own], 2), NAN)
    for name in ("momentum_15", "momentum_30", "momentum_60", "volatility_15", "volatility_30", "volatility_60"):
        v = data[name]
        out[f"dispersion_{name}"] = np.where(crowd[name], np.nanstd(v, axis=0, ddof=1), NAN)
        middle = np.nanmedian(v, axis=0)
        mad = np.nanmedian(np.abs(v - middle), axis=0)
        out[f"divergence_{name}"] = np.where(
            crowd[name] & (mad > 0), np.clip((v[own] - middle) / (1.4826 * mad), -20, 20), NAN
        )
    for name in ("momentum", "volatility"):
        place = out[f"pctile_{name}_60"]
        out[f"extreme_high_{name}"] = np.where(np.isnan(place), NAN, place >= 0.9)
        out[f"extreme_low_{name}"] = np.where(np.isnan(place), NAN, place <= 0.1)
    size = {"momentum": np.abs(data["momentum_60"]), "volatility": data["volatility_60"], "spread": data["spread"]}
    for a, b in (("momentum", "volatility"), ("momentum", "spread"), ("volatility", "spread")):
        out[f"xs_corr_{a}_{b}"] = spearmen(size[a], size[b])
    return out | over_time(p, data, own)


def spearmen(a: Array, b: Array) -> Array:
    out = np.full(a.shape[1], NAN)
    for t in range(a.shape[1]):
        here = ~np.isnan(a[:, t] + b[:, t])
        x, y = a[here, t], b[here, t]
        if here.sum() >= 3 and np.ptp(x) > 0 and np.ptp(y) > 0:
            out[t] = scipy.stats.spearmanr(x, y)[0]
    return out


def over_time(p: Panel, data: dict[str, Array], own: int) -> dict[str, Array]:
    pairs = list(p.markets)
    m15, s15 = data["momentum_15"], data["volatility_15"]
    mean_m, mean_s = mean_of(m15, 3), mean_of(s15, 3)
    pair = pairs[own]
    own_m, own_s = p.m(pair, 15), deviations(p.r(pair), 15)  # its own series run through holes
    size = {q: np.abs(p.r(q)) for q in pairs}
    others = mean_of(p.stack({q: v for q, v in size.items() if q != pair}), 2)
    mine = size[pair]
    rho = {}
    for a, b in itertools.combinations(pairs, 2):
        size_of = p.once(("rho", a, b), lambda a=a, b=b: np.abs(corrs(p.r(a), p.r(b), 60)))
        rho[a, b] = np.where(p.present[a] & p.present[b], size_of, NAN)
    alone = mean_of(np.array([v for couple, v in rho.items() if pair in couple]), 2)
    dispersion = np.where(
        (~np.isnan(data["momentum_30"])).sum(axis=0) >= 3, np.nanstd(data["momentum_30"], axis=0, ddof=1), NAN
    )

    def ratio(y: Array, k: int) -> Array:
        before = lagged(y, k)
        return np.where(before > 0, np.clip(y / before - 1, -1, 20), NAN)

    return {
        "xs_beta_momentum": np.clip(betas(own_m, mean_m, 240), -20, 20),
        "xs_beta_volatility": np.clip(betas(own_s, mean_s, 240), -20, 20),
        "xs_idiosyncratic_shock": shocks(own_m, mean_m, 240),
        "panel_momentum_accel": ratio(mean_of(np.abs(m15), 3), 15),
        "panel_volatility_accel": ratio(mean_s, 15),
        "panel_dispersion_change": ratio(dispersion, 30),
        "panel_rank_stability": spearmen(data["momentum_60"], np.array([lagged(p.m(q, 60), 60) for q in pairs])),
        "panel_coherence": mean_of(np.array(list(rho.values())), 3),
        "panel_leadership": -lead(mine, others),
        "panel_contagion": np.clip(betas(mine, others, 120), -20, 20),
        "panel_isolation": 1.0 - alone,
    }


# -- strength and triangles ------------------------------------------------------------------------------------------


def strengths(p: Panel, w: int) -> dict[str, Array]:
    currencies = sorted({c for pair in p.markets for c in (pair[:3], pair[3:])})
    moves = {q: 1e4 * p.change(q, w) for q in p.markets}
    return {
        c: mean_of(p.stack({q: v if q[:3] == c else -v for q, v in moves.items() if c in (q[:3], q[3:])}))
        for c in currencies
    }


def currency_strength(p: Panel, pair: str) -> dict[str, Array]:
    hour, day = strengths(p, 60), strengths(p, 240)
    base, quote = pair[:3], pair[3:]
    rows = np.array(list(hour.values()))
    signed = {q: sign * p.r(q) for q, sign in p.siblings(pair)["base"].items()}
    r = p.stack(signed)
    past = np.array([windows(row, 60) for row in r])
    up, moved = (past > 0).sum(axis=(0, 2)), ((past != 0) & ~np.isnan(past)).sum(axis=(0, 2))

    ready = ~np.isnan(r).all(axis=0) & (np.arange(len(moved)) >= 59)

    def rank(c: str) -> Array:
        others, own = np.array([v for k, v in hour.items() if k != c]), hour[c]
        there, equal = ~np.isnan(others), np.abs(others - own) <= 1e-9
        share = ((others < own) & ~equal & there).sum(axis=0) + 0.5 * (equal & there).sum(axis=0)
        return np.where((there.sum(axis=0) >= 2) & ~np.isnan(own), share / there.sum(axis=0), NAN)

    return {
        "cs_base_60": hour[base], "cs_quote_60": hour[quote], "cs_base_240": day[base], "cs_quote_240": day[quote],
        "cs_base_rank": rank(base), "cs_quote_rank": rank(quote),
        "cs_dispersion_60": np.where((~np.isnan(rows)).sum(axis=0) >= 3, np.nanstd(rows, axis=0, ddof=1), NAN),
        "cs_breadth_60": np.where(ready & (moved > 0), up / moved, NAN),
    }  # fmt: skip


def arbitrage(p: Panel, pair: str) -> dict[str, Array]:
    x, y = pair[:3], pair[3:]

    def price(a: str, b: str) -> tuple[Array, Array] | None:
        """ln(A/B), and s; missing where the pair is not present."""
        name, sign = (a + b, 1.0) if a + b in p.markets else (b + a, -1.0)
        if name not in p.markets:
            return None
        quoted = p.close[name] / 100.0 * p.markets[name].prices[3][0]
        return np.where(p.present[name], sign * np.log(quoted), NAN), p.spread[name]

    gaps, profits = [], []
    for z in sorted({c for q in p.markets for c in (q[:3], q[3:])} - {x, y}):
        legs = [price(x, y), price(x, z), price(y, z)]
        if any(leg is None for leg in legs):
            continue
        (xy, s1), (xz, s2), (yz, s3) = legs  # type: ignore[misc]
        e = 1e4 * (xy - xz + yz)
        e = np.where(np.abs(e) < 1e-8, 0.0, e)
        gaps.append(e)
        profits.append(np.abs(e) - (s1 + s2 + s3) / 2)
    nothing = np.full((1, len(p.ts)), NAN)
    e, gain = np.array(gaps) if gaps else nothing, np.array(profits) if profits else nothing
    resid = mean_of(e)
    largest = np.argmax(np.where(np.isnan(e), -1.0, np.abs(e)), axis=0)
    extreme = np.take_along_axis(e, largest[None], axis=0)[0]
    return {
        "arb_resid": resid,
        "arb_resid_extreme": np.where((~np.isnan(e)).sum(axis=0) >= 2, extreme, NAN),
        "arb_profit": np.nanmax(gain, axis=0),
        "arb_z": zscores(resid, 240),
    }


# -- error correction ------------------------------------------------------------------------------------------------


def listed(p: Panel, a: str, b: str) -> str:
    return a + b if a + b in p.markets else b + a


def error_correction(p: Panel, pair: str, t: int) -> dict[str, float]:
    x, y = pair[:3], pair[3:]
    z1 = next(c for c in SISTERS[x].split() if c != y)
    z2 = next(c for c in SISTERS[y].split() if c not in (x, z1))
    legs = [pair, listed(p, x, z1), listed(p, y, z2)]
    names = (
        "ect", "ect2", "ect_z", "velocity", "accel", "half_life", "adjustment", "beta_1", "beta_2", "trace_ratio",
        "rank", "inbound",
    )  # fmt: skip
    out = dict.fromkeys((f"coint_{name}" for name in names), NAN)
    if not all(q in p.markets and p.present[q][t] for q in legs):
        return out
    series = np.column_stack([p.m(q, 75) if p.bqx else 1e4 * np.log(p.close[q]) for q in legs])
    a = int(np.searchsorted(p.ts, p.ts[t] // 60 * 60))
    past = series[max(a - 1440, 0) : a]
    if len(past) < 1440 or np.isnan(past).any():
        return out
    fit = coint_johansen(past, 0, 1)

    def vector(k: int) -> Array:
        v = fit.evec[:, k] / np.abs(fit.evec[:, k]).sum()
        return v * np.sign(v[0])

    v = vector(0)
    inside = past @ v
    e = series @ v - inside.mean()
    e2 = series @ vector(1) - (past @ vector(1)).mean()
    inside = inside - inside.mean()
    phi = np.polyfit(inside[:-1], inside[1:], 1)[0]
    life = 1440.0 if phi >= 1 else 0.0 if phi <= 0 else min(max(-math.log(2) / math.log(phi), 0.0), 1440.0)
    share = fit.eig / fit.eig.sum()
    rank = next((k for k in range(3) if fit.lr1[k] <= fit.cvt[k, 1]), 3)
    found = [
        e[t], e2[t], e[t] / inside.std(ddof=1), e[t] - e[t - 20], e[t] - 2 * e[t - 10] + e[t - 20], life,
        np.polyfit(inside[:-1], np.diff(past[:, 0]), 1)[0], v[1], v[2], fit.lr1[0] / fit.cvt[0, 1],
        math.exp(-(share * np.log(share)).sum()) if p.bqx else rank, float(e[t] * (e[t] - e[t - 20]) < 0),
    ]  # fmt: skip
    return {f"coint_{name}": float(value) for name, value in zip(names, found, strict=True)}
