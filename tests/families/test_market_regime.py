"""Market regimes against the formulas of their definition."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats

from fxloom.families.market_regime import FAMILY
from fxloom.features.domain import BOTH, BQX, Domain
from tests.families.naive import (
    NAMES,
    Market,
    Reference,
    bars_since_change,
    check_against,
    market,
    quotient,
    slope,
    std,
)


def changes(x: np.ndarray, k: int) -> np.ndarray:
    """Over k bars; below 1e-12 of the value they are 0."""
    found = x[k:] - x[:-k]
    return np.where(np.abs(found) < 1e-12 * x[k:], 0.0, found)


@cache
def efficiency(m: Market, t: int) -> float:
    x = m.window(m.x, t, 61)
    return quotient(abs(changes(x, 60)[0]), np.abs(changes(x, 1)).sum())


def hurst(m: Market, t: int) -> float:
    x, scales = m.window(m.x, t, 240), [1, 2, 4, 8, 16, 32]
    stds = [std(changes(x, k)) for k in scales]
    return slope(np.log(stds), np.log(scales)) if min(stds) > 0 else math.nan


def choppiness(m: Market, t: int) -> float:
    n = 60 // m.step
    _, h, l, c = m.last_bars(t, n + 1)
    path = np.sum(np.maximum(h[1:], c[:-1]) - np.minimum(l[1:], c[:-1]))
    reach = h[1:].max() - l[1:].min()
    return 100 * math.log10(path / reach) / math.log10(n) if reach > 1e-12 * h.max() else math.nan


@cache
def t_statistic(m: Market, t: int) -> float:
    x = m.window(m.x, t, 60)
    if std(x) == 0:
        return math.nan
    line = stats.linregress(np.arange(60.0), x - x[-1])
    return float(np.clip(line.slope / line.stderr, -100, 100))


def trend_class(m: Market, t: int) -> float:
    e, tstat = efficiency(m, t), t_statistic(m, t)
    if math.isnan(e) or math.isnan(tstat):
        return math.nan
    limit = 0.15 if m.domain is BQX else 0.3
    return math.copysign(2 if e >= limit - 1e-9 else 1 if abs(tstat) >= 2 else 0, tstat) + 0.0


@cache
def deviation(m: Market, t: int) -> float:
    return std(m.window(m.r, t, 60))


def vol_class(m: Market, t: int) -> float:
    last = np.array([deviation(m, i) for i in range(t - 1439, t + 1)])
    return float(np.sum(last[-1] > np.quantile(last, [1 / 3, 2 / 3]) * (1 + 1e-9)))


def crossing_rate(m: Market, t: int) -> float:
    sides = []
    for i in range(t - 60, t + 1):
        gap = m.x[i] - m.window(m.x, i, 20).mean()
        sides.append(0.0 if abs(gap) < 1e-12 * m.x[i] else math.copysign(1.0, gap))
    return sum(a * b < 0 for a, b in zip(sides[1:], sides[:-1], strict=True)) / 60


def donchian(m: Market, t: int) -> float:
    _, h, l, _ = (m.window(column, t, 240) for column in m.bars)
    return quotient(m.x[t] - l.min(), h.max() - l.min())


def jump_count(m: Market, t: int) -> float:
    found = 0
    for i in range(t - 59, t + 1):
        r = np.abs(m.window(m.r, i, 240))
        found += r[-1] > 4 * math.sqrt(math.pi / 2 * np.mean(r[1:] * r[:-1])) * (1 + 1e-9)
    return found


REFERENCES: dict[str, Reference] = {
    "mr_efficiency_60": efficiency,
    "mr_hurst_240": hurst,
    "mr_choppiness_60": choppiness,
    "mr_trend_t_60": t_statistic,
    "mr_trend_class": trend_class,
    "mr_trend_duration": lambda m, t: bars_since_change(lambda i: trend_class(m, i), t, 1440),
    "mr_vol_class": vol_class,
    "mr_crossing_rate_60": crossing_rate,
    "mr_donchian_240": donchian,
    "mr_jump_count_60": jump_count,
}


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_columns_are_as_defined(name: str, domain: Domain) -> None:
    check_against(FAMILY, market(name, domain), REFERENCES)
