"""Realized volatility against the formulas of its definition and of the papers."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.special import gamma

from fxloom.families.realized_volatility import FAMILY
from fxloom.features.domain import BOTH, RATE, Domain
from tests.families.naive import (
    NAMES,
    Formula,
    Market,
    Number,
    Reference,
    bars_since_change,
    check_against,
    market,
    quotient,
    std,
)


def bp(variance: Number) -> float:
    return 1e4 * math.sqrt(max(float(variance), 0.0))


def logs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """ln(a / b); below 1e-12 it is 0."""
    found = np.log(a / b)
    return np.where(np.abs(found) < 1e-12, 0.0, found)


def parkinson(m: Market, t: int) -> float:
    _, h, l, _ = m.last_bars(t, 20)
    return bp(np.mean(logs(h, l) ** 2) / (4 * math.log(2)))


def garman_klass(m: Market, t: int) -> float:
    o, h, l, c = m.last_bars(t, 20)
    return bp(np.mean(0.5 * logs(h, l) ** 2 - (2 * math.log(2) - 1) * logs(c, o) ** 2))


def rogers_satchell(m: Market, t: int) -> float:
    o, h, l, c = m.last_bars(t, 20)
    return bp(np.mean(logs(h, c) * logs(h, o) + logs(l, c) * logs(l, o)))


def yang_zhang(m: Market, t: int) -> float:
    o, _, _, c = m.last_bars(t, 21)
    overnight, body = logs(o[1:], c[:-1]), logs(c[1:], o[1:])
    k = 0.34 / (1.34 + 21 / 19)
    rest = (rogers_satchell(m, t) / 1e4) ** 2
    return bp(np.var(overnight, ddof=1) + k * np.var(body, ddof=1) + (1 - k) * rest)


def jump_z(m: Market, t: int) -> float:
    """Huang & Tauchen 2005, from their equations."""
    r = np.abs(m.window(m.r, t, 60))
    n, mu1, mu43 = 60, math.sqrt(2 / math.pi), 2 ** (2 / 3) * gamma(7 / 6) / gamma(1 / 2)
    bv = mu1**-2 * n / (n - 1) * np.sum(r[1:] * r[:-1])
    if bv == 0:
        return math.nan
    tq = n * mu43**-3 * n / (n - 2) * np.sum((r[2:] * r[1:-1] * r[:-2]) ** (4 / 3))
    nu = (math.pi / 2) ** 2 + math.pi - 5
    return (1 - bv / np.sum(r**2)) / math.sqrt(nu / n * max(1.0, tq / bv**2))


@cache
def parkinsons(m: Market) -> np.ndarray:
    first = m.domain.bars + 19 * m.step
    return np.array([parkinson(m, t) if t >= first else math.nan for t in range(len(m))])


@cache
def deviations(m: Market, w: int) -> np.ndarray:
    return np.array([std(m.window(m.r, t, w)) if t >= m.domain.r + w - 1 else math.nan for t in range(len(m))])


@cache
def regime(m: Market, t: int) -> float:
    last = deviations(m, 20)[t - 1439 : t + 1]
    return float(last[-1] > np.quantile(last, 0.8) * (1 + 1e-9)) if np.isfinite(last).all() else math.nan


def ewma_ratio(m: Market, t: int) -> float:
    squares = m.r[m.domain.r : t + 1] ** 2
    means = []
    for span in (5, 20):
        alpha, mean = 2 / (span + 1), squares[0]
        for y in squares[1:]:
            mean = (1 - alpha) * mean + alpha * y
        means.append(mean)
    return math.sqrt(means[0] / means[1]) if means[1] > 0 else math.nan


def on_returns(w: int, formula: Formula) -> Reference:
    return lambda m, t: formula(m.window(m.r, t, w))


def on_parkinson(w: int, formula: Formula) -> Reference:
    return lambda m, t: formula(m.window(parkinsons(m), t, w))


REFERENCES: dict[str, Reference] = {
    "rv_parkinson_20": parkinson,
    "rv_garman_klass_20": garman_klass,
    "rv_rogers_satchell_20": rogers_satchell,
    "rv_yang_zhang_20": yang_zhang,
    "rv_bipower_20": on_returns(20, lambda r: bp(math.pi / 2 * np.mean(np.abs(r[1:] * r[:-1])))),
    "rv_quarticity_20": on_returns(20, lambda r: 1e4 * (np.sum(r**4) / 60) ** 0.25),
    "rv_jump_z_60": jump_z,
    "rv_signed_jump_60": on_returns(
        60, lambda r: quotient(np.sum(r[r > 0] ** 2) - np.sum(r[r < 0] ** 2), np.dot(r, r))
    ),
    "rv_vol_of_vol_60": on_parkinson(60, lambda p: quotient(std(p), p.mean())),
    "rv_accel_20": on_parkinson(21, lambda p: p[20] - 2 * p[10] + p[0]),
    "rv_ewma_ratio_5_20": ewma_ratio,
    "rv_regime_high": regime,
    "rv_regime_duration": lambda m, t: bars_since_change(lambda i: regime(m, i), t, 1440),
    "rv_regime_switch_rate": lambda m, t: sum(regime(m, i) != regime(m, i - 1) for i in range(t - 1439, t + 1)) / 1440,
    "rv_skew_60": on_returns(60, lambda r: quotient(math.sqrt(60) * np.sum(r**3), (np.dot(r, r)) ** 1.5)),
}


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_columns_are_as_defined(name: str, domain: Domain) -> None:
    check_against(FAMILY, market(name, domain), REFERENCES)


def test_the_ewma_ratio_does_not_depend_on_its_start() -> None:
    """From its declared lookback on, the recursion has forgotten its seed."""
    frame = market("synthetic", RATE).frame
    back = {c.name: c.lookback for c in FAMILY.columns(RATE)}["rv_ewma_ratio_5_20"]
    whole = FAMILY.compute(frame.view(RATE))["rv_ewma_ratio_5_20"]
    for t in (back, 1_234, 2_050, 2_200, len(frame.bars) - 1):
        part = FAMILY.compute(frame.view(RATE, start=t - back))["rv_ewma_ratio_5_20"][back]
        assert part == pytest.approx(whole[t], rel=1e-12)
