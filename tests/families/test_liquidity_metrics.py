"""Liquidity against the formulas of its definition."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from fxloom.families.liquidity_metrics import FAMILY
from fxloom.features.domain import BOTH, Domain
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


def size(m: Market, t: int, w: int) -> np.ndarray:
    return np.abs(m.window(m.r, t, w))


@cache
def impact(m: Market, t: int) -> float:
    """15-bar mean of abs(r) / V over bars with volume."""
    if t < m.domain.r + 14:
        return math.nan
    r, v = size(m, t, 15), m.window(m.v, t, 15)
    return np.mean(r[v > 0] / v[v > 0]) if (v > 0).any() else math.nan


def amihud_z(m: Market, t: int) -> float:
    past = np.array([impact(m, i) for i in range(t - 1439, t + 1)])
    present = past[np.isfinite(past)]
    return quotient(past[-1] - present.mean(), std(present)) if len(present) >= 720 else math.nan


@cache
def turnover(m: Market, t: int) -> float:
    if t < m.domain.r + 59:
        return math.nan
    volume, way = m.window(m.v, t, 60).sum(), size(m, t, 60).sum()
    return math.log(volume / way) if volume > 0 and way > 0 else math.nan


def score(m: Market, t: int) -> float:
    past = np.array([turnover(m, i) for i in range(t - 1439, t + 1)])
    present = past[np.isfinite(past)]
    return percentile_rank(present, past[-1]) if len(present) >= 720 and np.isfinite(past[-1]) else math.nan


def volume_elasticity(m: Market, t: int) -> float:
    sigma = std(m.window(m.r, t, 120))
    return slope(np.log1p(m.window(m.v, t, 120)), size(m, t, 120) / sigma) if sigma > 0 else math.nan


def spread_elasticity(m: Market, t: int) -> float:
    s = m.window(m.s, t, 120)
    return math.nan if np.isnan(s).any() else slope(s, 1e4 * size(m, t, 120))


def pressure(m: Market, t: int) -> float:
    return quotient(np.sum(sign(m.window(m.r, t, 15)) * m.window(m.v, t, 15)), m.window(m.v, t, 240).mean())


def depth(m: Market, t: int) -> float:
    _, h, l, _ = m.bars
    way = m.window((h - l) / m.x, t, 60)
    volume = m.window(m.v, t, 60).sum()
    return math.log(volume / way.sum()) if volume > 0 and way.max() > 1e-12 else math.nan


def tail_share(m: Market, t: int) -> float:
    r = size(m, t, 60)
    moves = r[r >= 2e-6]
    return np.mean(r > 3 * np.median(moves) * (1 + 1e-9)) if len(moves) else math.nan


@cache
def kyle(m: Market, t: int) -> float:
    r, v = m.window(m.r, t, 60), m.window(m.v, t, 60)
    return slope(1e4 * r, sign(r) * v / v.mean()) if v.sum() > 0 else math.nan


def kyle_instability(m: Market, t: int) -> float:
    past = np.array([kyle(m, i) for i in range(t - 59, t + 1)])
    return math.nan if np.isnan(past).any() else quotient(std(past), np.abs(past).mean())


def stress(m: Market, t: int) -> float:
    def z(y: np.ndarray) -> float:
        w = m.window(y, t, 240)
        return quotient(w[-1] - w.mean(), std(w))

    scores = np.array([z(m.s), z(np.abs(m.r)), -z(m.v)])
    return np.mean(scores[np.isfinite(scores)]) if np.isfinite(scores).any() else math.nan


REFERENCES: dict[str, Reference] = {
    "liq_amihud_z": amihud_z,
    "liq_turnover_60": turnover,
    "liq_volume_elasticity_120": volume_elasticity,
    "liq_spread_elasticity_120": spread_elasticity,
    "liq_pressure_15": pressure,
    "liq_depth_60": depth,
    "liq_memory_60": lambda m, t: corr(size(m, t, 60), size(m, t - 5, 60)),
    "liq_tail_share_60": tail_share,
    "liq_kyle_instability": kyle_instability,
    "liq_stress": stress,
    "liq_score": score,
}


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_columns_are_as_defined(name: str, domain: Domain) -> None:
    check_against(FAMILY, market(name, domain), REFERENCES, 1e-8)
