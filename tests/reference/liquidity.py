"""Microstructure and liquidity."""

from __future__ import annotations

import math

import bidask
import numpy as np
import scipy.special

from tests.reference.market import (
    NAN,
    Array,
    DomainView,
    corr,
    cov,
    known,
    lagged,
    mean,
    quotient,
    rank,
    slope,
    std,
    stds,
    sums,
    window,
    z,
)
from tests.reference.regimes import last_bars


def signs(r: Array) -> Array:
    """A move below 0.02 bp counts as 0."""
    return np.where(np.abs(r) < 2e-6, 0.0, np.sign(r))


def amihud(s: DomainView, t: int, w: int) -> float:
    r, v = window(s.r, t, w), window(s.market.v, t, w)
    if not known(r, v) or not (v > 0).any():
        return NAN
    return float((np.abs(r[v > 0]) / v[v > 0]).mean())


def kyle(s: DomainView, t: int) -> float:
    r, v = window(s.r, t, 60), window(s.market.v, t, 60)
    return slope(1e4 * r, signs(r) * v / quotient(mean(v), 1.0)) if known(r, v) and v.sum() > 0 else NAN


def corwin_schultz(h: Array, l: Array) -> float:
    beta = np.log(h[1:] / l[1:]) ** 2 + np.log(h[:-1] / l[:-1]) ** 2
    gamma = np.log(np.maximum(h[1:], h[:-1]) / np.minimum(l[1:], l[:-1])) ** 2
    k = 3 - 2 * math.sqrt(2)
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / k - np.sqrt(gamma / k)
    spread = 2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha))
    return float(1e4 * np.maximum(spread, 0.0).mean())


def abdi_ranaldo(h: Array, l: Array, c: Array) -> float:
    middle, close = (np.log(h) + np.log(l)) / 2, np.log(c)
    squared = (4 * (close[:-1] - middle[:-1]) * (close[:-1] - middle[1:])).mean()
    return 1e4 * math.sqrt(max(0.0, squared)) if known(squared) else NAN


def vpins(s: DomainView) -> Array:
    sigma, v = stds(s.r, 240), s.market.v
    flow = v * (2 * scipy.special.ndtr(s.r / sigma) - 1)
    flow = np.where((sigma == 0) & (s.r == 0), 0.0, flow)
    bucket, total = np.abs(sums(flow, 5)), sums(v, 250)
    imbalance = sum(lagged(bucket, 5 * k) if k else bucket for k in range(50))
    return np.where(total > 0, imbalance / total, NAN)


def present_rank(y: Array, t: int) -> float:
    """Percentile among the values present in the last 1,440 bars; needs 720."""
    past = window(y, t, 1440)
    past = past[~np.isnan(past)]
    return rank(past, y[t]) if t >= 1439 and len(past) >= 720 and known(y[t]) else NAN


def long_moves(r: Array) -> Array:
    """The 56 five-bar moves within 60 returns."""
    return np.convolve(r, np.ones(5), "valid")


def tick_run(moves: Array) -> float:
    found = moves[moves != 0]
    if not known(moves) or len(found) == 0:
        return float(moves.sum())
    turned = np.flatnonzero(found != found[-1])
    return float(found[-1] * (len(found) - 1 - (turned[-1] if len(turned) else -1)))


def reversal(s: DomainView, t: int) -> float:
    r = 1e4 * window(s.r, t, 121)
    v = window(s.market.v, t, 121)
    if not known(r, v) or v[1:].sum() == 0:
        return NAN
    q = (signs(s.r[t - 120 : t + 1]) * v / v[1:].mean())[:-1]
    x = np.column_stack([r[:-1], q])
    d = x - x.mean(axis=0)
    s_xx, s_qq, s_xq = d[:, 0] @ d[:, 0], d[:, 1] @ d[:, 1], d[:, 0] @ d[:, 1]
    if s_xx * s_qq - s_xq**2 <= 1e-12 * s_xx * s_qq:
        return NAN
    scale = d.std(axis=0)
    fit = np.linalg.lstsq(np.column_stack([np.ones(120), d / scale]), r[1:], rcond=None)[0]
    return float(np.clip(fit[2] / scale[1], -100, 100))


def advanced_microstructure(s: DomainView, t: int) -> dict[str, float]:
    _, h, l, c, _ = last_bars(s, t, 60)
    o = last_bars(s, t, 60)[0]
    r, v, q = window(s.r, t, 60), window(s.market.v, t, 60), s.memoised("signs", lambda: signs(s.r))
    size, s_bp = np.abs(r), s.market.s
    moves, before = window(q, t, 60), window(lagged(q, 1), t, 60)
    long, vpin = long_moves(1e4 * r), s.memoised("vpin", lambda: vpins(s))
    rv5 = 60 / 56 * (long**2).sum() / 5
    ahead = 1e4 * sums(s.r, 5)
    traded = s.market.v * np.abs(s.r)
    volume = v.sum() > 0
    root = moves * np.sqrt(v / v.mean()) if volume else np.full(60, NAN)
    return {
        "micro_amihud_60": 1e6 * amihud(s, t, 60),
        "micro_kyle_60": kyle(s, t),
        "micro_hasbrouck_60": slope(1e4 * r, root),
        "micro_roll_60": 2e4 * math.sqrt(max(0.0, -rolled)) if known(rolled := lag_cov(s.r, t)) else NAN,
        "micro_corwin_schultz_60": corwin_schultz(h, l),
        "micro_abdi_ranaldo_60": abdi_ranaldo(h, l, c),
        "micro_edge_60": edge(s, t, (o, h, l, c)),
        "micro_vpin_50": vpin[t],
        "micro_toxicity": present_rank(vpin, t),
        "micro_clustering_60": corr(window(traded, t, 60), window(lagged(traded, 1), t, 60)),
        "micro_flow_60": quotient((moves * v).sum(), v.sum()),
        "micro_flow_persistence_60": corr(moves, before),
        "micro_tick_run": tick_run(window(q, t, 30)),
        "micro_zero_share_60": float((moves == 0).mean()) if known(moves) else NAN,
        "micro_cost_move_60": quotient(mean(window(s_bp, t, 60)), 1e4 * size.mean()),
        "micro_spread_signal_60": corr(window(lagged(s_bp, 1), t, 60), size),
        "micro_variance_ratio_60": quotient(float(np.var(long, ddof=1)), float(5 * np.var(1e4 * r, ddof=1))),
        "micro_adverse_60": float((window(lagged(q, 5), t, 60) * window(ahead, t, 60)).mean()),
        "micro_noise_60": math.sqrt(max(0.0, gap)) if known(gap := (((1e4 * r) ** 2).sum() - rv5) / 120) else NAN,
        "micro_reversal_120": reversal(s, t),
    }


def edge(s: DomainView, t: int, bars: tuple[Array, ...]) -> float:
    """From quoted prices where available: near 0, EDGE is the root of rounding noise."""
    if not known(*bars):
        return NAN
    return 1e4 * float(bidask.edge(*(merged(*bars) if s.bqx else [window(p, t, 60) for p in s.market.prices])))


def lag_cov(r: Array, t: int) -> float:
    return cov(window(r, t, 60), window(lagged(r, 1), t, 60))


def merged(*bars: Array) -> tuple[Array, ...]:
    """Merge prices within 1e-13 relative, so that EDGE's exact comparison finds them equal."""
    values = np.unique(np.concatenate(bars))
    group = np.cumsum(np.concatenate([[0], np.diff(values) > 1e-13 * values[1:]]))
    firsts = values[np.searchsorted(group, np.arange(group[-1] + 1))]
    return tuple(firsts[group[np.searchsorted(values, b)]] for b in bars)


def liquidity_metrics(s: DomainView, t: int) -> dict[str, float]:
    r, v, m = window(s.r, t, 60), window(s.market.v, t, 60), s.market
    size = np.abs(r)
    illiquid = s.memoised("amihud", lambda: np.array([amihud(s, i, 15) for i in range(len(m))]))
    trade = s.memoised("turnover", lambda: turnovers(s))
    r120 = np.abs(window(s.r, t, 120))
    q = s.memoised("signs", lambda: signs(s.r)) * m.v
    reach = (s.bars[1] - s.bars[2]) / s.x
    depth = quotient(v.sum(), window(np.where(reach < 1e-12, 0.0, reach), t, 60).sum())
    lambdas = s.memoised("kyle", dict)
    for i in range(t - 59, t + 1):
        lambdas.setdefault(i, kyle(s, i))
    k = np.array([lambdas[i] for i in range(t - 59, t + 1)])
    moving = size[size >= 2e-6]
    past = window(illiquid, t, 1440)
    past = past[~np.isnan(past)]
    ready = t >= 1439 and len(past) >= 720 and known(illiquid[t])
    stress = [z(window(m.s, t, 240)), z(window(np.abs(s.r), t, 240)), -z(window(m.v, t, 240))]
    stress = [value for value in stress if known(value)]
    return {
        "liq_amihud_z": quotient(illiquid[t] - past.mean(), std(past)) if ready else NAN,
        "liq_turnover_60": trade[t],
        "liq_volume_elasticity_120": slope(np.log(1 + window(m.v, t, 120)), r120 / std(window(s.r, t, 120))),
        "liq_spread_elasticity_120": slope(window(m.s, t, 120), 1e4 * r120),
        "liq_pressure_15": quotient(window(q, t, 15).sum(), mean(window(m.v, t, 240))),
        "liq_depth_60": math.log(depth) if depth > 0 else NAN,
        "liq_memory_60": corr(size, window(np.abs(lagged(s.r, 5)), t, 60)),
        "liq_tail_share_60": tails(size, moving),
        "liq_kyle_instability": quotient(std(k), float(np.abs(k).mean())),
        "liq_stress": float(np.mean(stress)) if stress and known(window(s.r, t, 240)) else NAN,
        "liq_score": present_rank(trade, t),
    }


def tails(size: Array, moving: Array) -> float:
    if not known(size) or len(moving) == 0:
        return NAN
    limit = 3 * np.median(moving)
    return float(np.mean((size > limit) & (np.abs(size - limit) > 1e-9 * limit)))


def turnovers(s: DomainView) -> Array:
    volume, path = sums(s.market.v, 60), sums(np.abs(s.r), 60)
    return np.where((path > 0) & (volume > 0), np.log(volume / path), NAN)
