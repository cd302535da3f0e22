"""A pair among all pairs, currencies by strength, and triangles, in plain numpy."""

from __future__ import annotations

import itertools

import numpy as np
import scipy.stats

from tests.reference.market import NAN, Array, lagged, windows
from tests.reference.panel import (
    MAJORS,
    Panel,
    betas,
    corrs,
    deviations,
    lead,
    mean_of,
    shocks,
    zscores,
)

# -- cross-section ---------------------------------------------------------------------------------------------------


def shares_below(rows: Array, own: Array, least: int) -> Array:
    """Share of ``rows`` below ``own``, counting ties (1e-9 relative) by half."""
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
        out[f"xs_corr_{a}_{b}"] = spearman_rows(size[a], size[b])
    return out | over_time(p, data, own)


def spearman_rows(a: Array, b: Array) -> Array:
    out = np.full(a.shape[1], NAN)
    for t in range(a.shape[1]):
        here = ~np.isnan(a[:, t] + b[:, t])
        x, y = a[here, t], b[here, t]
        if here.sum() >= 3 and np.ptp(x) > 0 and np.ptp(y) > 0:
            out[t] = scipy.stats.spearmanr(x, y)[0]
    return out


def lagged_rows(rows: Array, k: int) -> Array:
    return np.array([lagged(row, k) for row in rows])


def over_time(p: Panel, data: dict[str, Array], own: int) -> dict[str, Array]:
    pairs = list(p.markets)
    m15, s15 = data["momentum_15"], data["volatility_15"]
    mean_m, mean_s = mean_of(m15, 3), mean_of(s15, 3)
    pair = pairs[own]
    own_m, own_s = p.m(pair, 15), deviations(p.r(pair), 15)  # the pair's own series, also while it is absent
    size = {q: np.abs(p.r(q)) for q in pairs}
    others = mean_of(p.stack({q: v for q, v in size.items() if q != pair}), 2)
    mine = size[pair]
    rho = {}
    for a, b in itertools.combinations(pairs, 2):
        size_of = p.memoised(("rho", a, b), lambda a=a, b=b: np.abs(corrs(p.r(a), p.r(b), 60)))
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
        "panel_rank_stability": spearman_rows(data["momentum_60"], lagged_rows(data["momentum_60"], 60)),
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
