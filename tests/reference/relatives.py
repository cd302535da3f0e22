"""A pair against related pairs, by correlation and by cointegration, in plain numpy."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from tests.reference.market import NAN, Array, windows
from tests.reference.panel import (
    SISTERS,
    Panel,
    betas,
    corrs,
    deviations,
    lead,
    mean_of,
    views,
    zscores,
)

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


# -- error correction ------------------------------------------------------------------------------------------------


def system(pair: str, quoted: Collection[str]) -> list[str]:
    """The pair and, among the ``quoted`` pairs, one with a sister of each of its currencies."""
    x, y = pair[:3], pair[3:]
    z1 = next(c for c in SISTERS[x].split() if c != y)
    z2 = next(c for c in SISTERS[y].split() if c not in (x, z1))
    return [pair, *(a + b if a + b in quoted else b + a for a, b in ((x, z1), (y, z2)))]


def error_correction(p: Panel, pair: str, t: int) -> dict[str, float]:
    legs = system(pair, p.markets)
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
