"""The volume features against the formulas of their definition."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy import stats

from fxloom.families.volume_features import FAMILY
from fxloom.features.domain import RATE, WINDOWS
from fxloom.features.pair_view import PairFrame
from tests.families.naive import (
    NAMES,
    Formula,
    Market,
    Reference,
    check_against,
    corr,
    market,
    quotient,
    slope,
    std,
    synthetic,
)


def references(w: int) -> dict[str, Reference]:
    def on_volume(formula: Formula) -> Reference:
        return lambda m, t: formula(m.window(m.v, t, w))

    def z(v: np.ndarray) -> float:
        return quotient(v[-1] - v.mean(), std(v))

    def entropy(v: np.ndarray) -> float:
        return stats.entropy(v[v > 0]) / math.log(w) if v.sum() > 0 else math.nan

    found: dict[str, Reference] = {
        "mean": on_volume(np.mean),
        "std": on_volume(std),
        "skew": on_volume(lambda v: stats.skew(v, bias=False) if std(v) > 0 else math.nan),
        "z": on_volume(z),
        "ratio": on_volume(lambda v: quotient(v[-1], v.mean())),
        "slope": on_volume(lambda v: quotient(slope(v), v.mean())),
        "vwap_dist": partial(vwap_distance, w),
        "absret_corr": lambda m, t: corr(m.window(m.v, t, w), np.abs(m.window(m.r, t, w))),
        "ret_corr": lambda m, t: corr(m.window(m.v, t, w), m.window(m.r, t, w)),
        "up_share": lambda m, t: quotient(
            m.window(m.v, t, w)[m.window(m.r, t, w) > 0].sum(), m.window(m.v, t, w).sum()
        ),
        "bvc_imbalance": partial(bulk_imbalance, w),
        "concentration": on_volume(lambda v: quotient(v.max(), v.sum())),
        "entropy": on_volume(entropy),
        "seasonal": partial(seasonal, w),
    }
    return {f"volume_{name}_{w}": reference for name, reference in found.items()}


def vwap_distance(w: int, m: Market, t: int) -> float:
    _, h, l, c = m.bars
    v = m.window(m.v, t, w)
    typical = m.window((h + l + c) / 3, t, w)
    return 1e4 * (c[t] / (np.sum(v * typical) / v.sum()) - 1) if v.sum() > 0 else math.nan


def bulk_imbalance(w: int, m: Market, t: int) -> float:
    v, r = m.window(m.v, t, w), m.window(m.r, t, w)
    if std(r) == 0:
        return math.nan
    return quotient(np.sum(v * (2 * stats.norm.cdf(r / std(r)) - 1)), v.sum())


def seasonal(w: int, m: Market, t: int) -> float:
    before = [m.window(m.v, t - 1440 * d, w).sum() for d in range(1, 6)]
    return quotient(m.window(m.v, t, w).sum(), np.mean(before))


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_as_defined(name: str) -> None:
    long = synthetic(7_800, seed=8) if name == "synthetic" else market(name, RATE).frame
    m = Market(long, RATE)
    every = {k: reference for w in WINDOWS for k, reference in references(w).items()}
    check_against(FAMILY, m, every)


def test_a_known_window() -> None:
    """Three bars of volume in fifteen minutes: shares 1/2, 1/4, 1/4."""
    whole = synthetic(2_100, seed=1)
    volume = np.zeros(len(whole.bars))
    volume[20:23] = 8.0, 4.0, 4.0
    m = Market(PairFrame("eurusd", replace(whole.bars, volume=volume), whole.info), RATE)
    got = FAMILY.compute(m.view)
    assert got["volume_entropy_15"][24] == pytest.approx(1.5 * math.log(2) / math.log(15), rel=1e-14)
    assert got["volume_concentration_15"][24] == 0.5
    assert got["volume_mean_15"][24] == 16 / 15
    assert np.isnan(got["volume_entropy_15"][17])


def test_the_proxy_counts_pips() -> None:
    m = market("synthetic without volume and quotes", RATE)
    bars = m.frame.bars
    at = bars.observed[500]
    pips = (bars.high[at] - bars.low[at]) * 1e4
    assert m.view.volume[at] == pytest.approx(1 + pips, rel=1e-12)
    filled = np.setdiff1d(np.arange(len(m)), bars.observed)
    assert len(filled) > 0
    assert (m.view.volume[filled] == 0.0).all()
