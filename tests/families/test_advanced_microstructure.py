"""Microstructure against the formulas of its definition, the papers and the authors' own EDGE."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import bidask
import numpy as np
import pytest
from scipy import stats

from fxloom.families.advanced_microstructure import FAMILY
from fxloom.features.domain import BOTH, BQX, RATE, Domain
from tests.families.naive import (
    NAMES,
    Market,
    Reference,
    check_against,
    corr,
    market,
    percentile_rank,
    quotient,
    slope,
    std,
)


def sign(r: np.ndarray) -> np.ndarray:
    """A move of less than 0.02 bp is none."""
    return np.where(np.abs(r) < 2e-6, 0.0, np.sign(r))


def last(m: Market, t: int, w: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """r and V of the last w bars."""
    return m.window(m.r, t, w), m.window(m.v, t, w)


def amihud(m: Market, t: int) -> float:
    r, v = last(m, t)
    return 1e6 * np.mean(np.abs(r[v > 0]) / v[v > 0]) if (v > 0).any() else math.nan


def kyle(m: Market, t: int) -> float:
    r, v = last(m, t)
    return slope(1e4 * r, sign(r) * v / v.mean()) if v.sum() > 0 else math.nan


def hasbrouck(m: Market, t: int) -> float:
    r, v = last(m, t)
    return slope(1e4 * r, sign(r) * np.sqrt(v / v.mean())) if v.sum() > 0 else math.nan


def roll(m: Market, t: int) -> float:
    now, before = m.window(m.r, t, 60), m.window(m.r, t - 1, 60)
    return 2e4 * math.sqrt(max(0.0, -np.cov(now, before)[0, 1]))


def corwin_schultz(m: Market, t: int) -> float:
    _, h, l, _ = m.last_bars(t, 60)
    k, found = 3 - 2 * math.sqrt(2), []
    for i in range(1, 60):
        beta = math.log(h[i] / l[i]) ** 2 + math.log(h[i - 1] / l[i - 1]) ** 2
        gamma = math.log(max(h[i], h[i - 1]) / min(l[i], l[i - 1])) ** 2
        alpha = (math.sqrt(2 * beta) - math.sqrt(beta)) / k - math.sqrt(gamma / k)
        found.append(max(0.0, 2 * (math.exp(alpha) - 1) / (1 + math.exp(alpha))))
    return 1e4 * float(np.mean(found))


def abdi_ranaldo(m: Market, t: int) -> float:
    _, h, l, c = (np.log(column) for column in m.last_bars(t, 60))
    middle = (h + l) / 2
    return 1e4 * math.sqrt(max(0.0, np.mean(4 * (c[:-1] - middle[:-1]) * (c[:-1] - middle[1:]))))


def edge(m: Market, t: int) -> float:
    if m.domain is BQX:
        o, h, l, c = equal_within(m.last_bars(t, 60))
    else:
        b = m.frame.bars
        o, h, l, c = (m.window(p, t, 60) for p in (b.open, b.high, b.low, b.close))
    return 1e4 * bidask.edge(o, h, l, c)


def equal_within(bars: tuple[np.ndarray, ...], tolerance: float = 1e-13) -> np.ndarray:
    """Prices within 1e-13 of one another made one price, for a package that compares exactly."""
    prices = np.array(bars)
    values = np.sort(np.unique(prices))
    groups = np.cumsum(np.concatenate([[0], np.diff(values) > tolerance * values[1:]]))
    first = values[np.searchsorted(groups, groups)]
    return first[np.searchsorted(values, prices)]


@cache
def bulk_flows(m: Market) -> np.ndarray:
    """V (2 Phi(r / std_240) - 1) of each minute."""
    found = np.full(len(m), np.nan)
    for t in range(m.domain.r + 239, len(m)):
        sigma = std(m.window(m.r, t, 240))
        found[t] = m.v[t] * (2 * stats.norm.cdf(m.r[t] / sigma) - 1) if m.r[t] != 0 else 0.0
    return found


@cache
def vpin(m: Market, t: int) -> float:
    flow = bulk_flows(m)
    buckets = [abs(np.sum(flow[t - 5 * k - 4 : t - 5 * k + 1])) for k in range(50)]
    return quotient(sum(buckets), m.window(m.v, t, 250).sum())


def toxicity(m: Market, t: int) -> float:
    past = np.array([vpin(m, i) for i in range(max(t - 1439, m.domain.r + 488), t + 1)])
    present = past[np.isfinite(past)]
    return percentile_rank(present, past[-1]) if len(present) >= 720 and np.isfinite(past[-1]) else math.nan


def lagged(series: Callable[[Market], np.ndarray]) -> Reference:
    """corr_60 of the series and of itself a bar before."""
    return lambda m, t: corr(m.window(series(m), t, 60), m.window(series(m), t - 1, 60))


def flow(m: Market, t: int) -> float:
    r, v = last(m, t)
    return quotient(np.sum(sign(r) * v), v.sum())


def tick_run(m: Market, t: int) -> float:
    moves = [s for s in sign(m.window(m.r, t, 30)) if s != 0]
    run = 0.0
    while moves and moves[-1] * run >= 0:
        run += moves.pop()
    return run


def five_bar_moves(m: Market, t: int) -> np.ndarray:
    """bp, the 56 inside the last 60 bars."""
    r = 1e4 * m.window(m.r, t, 60)
    return np.array([r[i - 4 : i + 1].sum() for i in range(4, 60)])


def adverse(m: Market, t: int) -> float:
    return np.mean([sign(m.r[i - 5]) * 1e4 * m.r[i - 4 : i + 1].sum() for i in range(t - 59, t + 1)])


def noise(m: Market, t: int) -> float:
    fine = np.sum((1e4 * m.window(m.r, t, 60)) ** 2)
    coarse = 60 / 56 * np.sum(five_bar_moves(m, t) ** 2) / 5
    return math.sqrt(max(0.0, (fine - coarse) / 120))


def reversal(m: Market, t: int) -> float:
    mean = m.window(m.v, t, 120).mean()
    if mean == 0:
        return math.nan
    after, before = 1e4 * m.window(m.r, t, 120), 1e4 * m.window(m.r, t - 1, 120)
    q = sign(m.window(m.r, t - 1, 120)) * m.window(m.v, t - 1, 120) / mean
    if std(before) == 0 or std(q) == 0:
        return math.nan
    design = np.column_stack([np.ones(120), before, q])
    return float(np.clip(np.linalg.lstsq(design, after, rcond=None)[0][2], -100, 100))


REFERENCES: dict[str, Reference] = {
    "micro_amihud_60": amihud,
    "micro_kyle_60": kyle,
    "micro_hasbrouck_60": hasbrouck,
    "micro_roll_60": roll,
    "micro_corwin_schultz_60": corwin_schultz,
    "micro_abdi_ranaldo_60": abdi_ranaldo,
    "micro_edge_60": edge,
    "micro_vpin_50": vpin,
    "micro_toxicity": toxicity,
    "micro_clustering_60": lagged(lambda m: m.v * np.abs(m.r)),
    "micro_flow_60": flow,
    "micro_flow_persistence_60": lagged(lambda m: sign(m.r)),
    "micro_tick_run": tick_run,
    "micro_zero_share_60": lambda m, t: np.mean(sign(m.window(m.r, t, 60)) == 0),
    "micro_cost_move_60": lambda m, t: quotient(m.window(m.s, t, 60).mean(), 1e4 * np.abs(m.window(m.r, t, 60)).mean()),
    "micro_spread_signal_60": lambda m, t: corr(m.window(m.s, t - 1, 60), np.abs(m.window(m.r, t, 60))),
    "micro_variance_ratio_60": lambda m, t: quotient(
        np.var(five_bar_moves(m, t), ddof=1), 5 * std(1e4 * m.window(m.r, t, 60)) ** 2
    ),
    "micro_adverse_60": adverse,
    "micro_noise_60": noise,
    "micro_reversal_120": reversal,
}


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_columns_are_as_defined(name: str, domain: Domain) -> None:
    check_against(FAMILY, market(name, domain), REFERENCES, 1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_edge_agrees_with_its_authors_package(name: str) -> None:
    m = market(name, RATE)
    got = FAMILY.compute(m.view)["micro_edge_60"]
    rows = np.arange(59, len(m), 3)
    got, want = got[rows], np.array([edge(m, int(t)) for t in rows])
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10 * np.nanstd(want))


def test_a_frozen_price_has_no_flow() -> None:
    m = market("synthetic", RATE)
    got = FAMILY.compute(m.view)
    still = [t for t in range(300, len(m)) if not m.window(m.r, t, 60).any()]
    assert len(still) > 100
    for name in ("micro_flow_60", "micro_roll_60", "micro_noise_60", "micro_adverse_60", "micro_corwin_schultz_60"):
        assert (got[name][still[5:]] == 0.0).all(), name
    for name in ("micro_kyle_60", "micro_edge_60", "micro_cost_move_60", "micro_variance_ratio_60"):
        assert np.isnan(got[name][still]).all(), name
    assert (got["micro_zero_share_60"][still] == 1.0).all()
