"""How much was traded, when, and on which side: windows of the volume per minute, or of its proxy, the range.

Where the source has no volume, V is 1 + (high - low) / pip, the pip being 0.01 for yen pairs and 0.0001 otherwise,
and 0 in a filled minute.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, sqrt
from math import log as ln

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.bars.clock import DAY
from fxloom.features.domain import RATE, WINDOWS, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import NO_VOLUME
from fxloom.features.pair_view import View
from fxloom.kernels.comoments import rolling_corr
from fxloom.kernels.extremes import rolling_max
from fxloom.kernels.moments import rolling_moments
from fxloom.kernels.order_flow import bulk_imbalance
from fxloom.kernels.ratio import log, ratio
from fxloom.kernels.regression import rolling_slope
from fxloom.kernels.states import shift
from fxloom.kernels.tolerances import ZERO_CHANGE
from fxloom.kernels.tree import tree_sum
from fxloom.series.pair import return_size, volatility

DAYS = 5  # of the seasonal mean
CONSTANT_VOLUME = "the window's volume is constant"
STILL_OR_EMPTY = f"{NO_VOLUME}, or its price does not move"
UNCORRELATED = f"{CONSTANT_VOLUME}, or its price does not move"
BULK = "bulk volume classification: Easley, Lopez de Prado & O'Hara (2012)"
Row = tuple[str, str, str, float, float, str | None]  # name without the window, unit, formula, low, high, undefined


def columns(domain: Domain) -> Iterable[Column]:
    for w in WINDOWS:
        for name, unit, formula, low, high, undefined in _of_volume(w):
            yield Column(f"volume_{name}_{w}", unit, formula, w - 1, low=low, high=high, undefined=undefined)
        for name, unit, formula, low, high, undefined in _of_returns(w):
            source = BULK if name == "bvc_imbalance" else ""
            first = w - 1 + domain.r
            yield Column(
                f"volume_{name}_{w}", unit, formula, first, low=low, high=high, source=source, undefined=undefined
            )
        for name, unit, formula, low, high, undefined in _of_shares(w):
            yield Column(f"volume_{name}_{w}", unit, formula, w - 1, low=low, high=high, undefined=undefined)
        yield Column(
            f"volume_seasonal_{w}",
            "ratio",
            f"S / mean(S[t - 1440 d], d = 1..{DAYS}), S = sum_{w}(V)",
            w - 1 + DAYS * DAY,
            low=0,
            undefined="no volume in the same minutes of the last five days",
        )


def _of_volume(w: int) -> Iterable[Row]:
    edge, skewed = (w - 1) / sqrt(w), w**0.5
    steep = 6.0 / (w + 1)  # all volume in the newest bar, or in the oldest
    vwap = f"VWAP = sum_{w}(V (H + L + C) / 3) / sum_{w}(V)"
    yield "mean", "volume", f"mean_{w}(V)", 0, inf, None
    yield "std", "volume", f"std_{w}(V)", 0, inf, None
    yield "skew", "ratio", f"unbiased skewness of V over {w}", -skewed, skewed, CONSTANT_VOLUME
    yield "z", "std", f"(V - mean_{w}(V)) / std_{w}(V)", -edge, edge, CONSTANT_VOLUME
    yield "ratio", "ratio", f"V / mean_{w}(V)", 0, w, NO_VOLUME
    yield "slope", "1/minute", f"slope(V, {w}) / mean_{w}(V)", -steep, steep, NO_VOLUME
    yield "vwap_dist", "bp", f"10000 (C / VWAP - 1), {vwap}", -10_000, inf, NO_VOLUME


def _of_returns(w: int) -> Iterable[Row]:
    bulk = f"sum_{w}(V (2 Phi(r / std_{w}(r)[t]) - 1)) / sum_{w}(V)"
    yield "absret_corr", "corr", f"corr_{w}(V, abs(r))", -1, 1, UNCORRELATED
    yield "ret_corr", "corr", f"corr_{w}(V, r)", -1, 1, UNCORRELATED
    yield "up_share", "share", f"sum_{w}(V where r > 0) / sum_{w}(V)", 0, 1, NO_VOLUME
    yield "bvc_imbalance", "share", bulk, -1, 1, STILL_OR_EMPTY


def _of_shares(w: int) -> Iterable[Row]:
    entropy = f"-sum_{w}(p ln p) / ln {w}, p = V / sum_{w}(V), 0 ln 0 = 0"
    yield "concentration", "share", f"max_{w}(V) / sum_{w}(V)", 1 / w, 1, NO_VOLUME
    yield "entropy", "share", entropy, 0, 1, NO_VOLUME


def compute(view: View) -> Columns:
    volume, r = view.volume, view.r
    size = view.shared(return_size)
    _, high, low, close = view.ohlc
    money = volume * ((high + low + close) / 3.0)
    upward = np.where(np.isnan(r), np.nan, np.where(r > 0.0, volume, 0.0))
    surprise = volume * log(np.maximum(volume, 1e-300))  # 0 ln 0 = 0
    found: Columns = {}
    for w in WINDOWS:
        mean, std, skew, _ = rolling_moments(volume, w)
        total = tree_sum(volume, w)
        imbalance = bulk_imbalance(volume, r, view.shared(volatility, w), w)
        found |= {
            f"volume_mean_{w}": mean,
            f"volume_std_{w}": std,
            f"volume_skew_{w}": skew,
            f"volume_z_{w}": ratio(volume - mean, std),
            f"volume_ratio_{w}": ratio(volume, mean),
            f"volume_slope_{w}": ratio(rolling_slope(volume, w), mean),
            f"volume_vwap_dist_{w}": vwap_distance(close, ratio(tree_sum(money, w), total)),
            f"volume_absret_corr_{w}": rolling_corr(volume, size, w),
            f"volume_ret_corr_{w}": rolling_corr(volume, r, w),
            f"volume_up_share_{w}": ratio(tree_sum(upward, w), total),
            f"volume_bvc_imbalance_{w}": ratio(imbalance, total),
            f"volume_concentration_{w}": ratio(rolling_max(volume, w), total),
            f"volume_entropy_{w}": entropy(total, tree_sum(surprise, w), w),
            f"volume_seasonal_{w}": seasonal_ratio(total),
        }
    return found


def vwap_distance(close: Floats, vwap: Floats) -> Floats:
    """10,000 (C / VWAP - 1); a relative distance below 1e-12 is rounding, hence 0."""
    distance = (close - vwap) / vwap
    return np.where(np.abs(distance) < ZERO_CHANGE, 0.0, 10_000.0 * distance)


def entropy(total: Floats, surprise: Floats, window: int) -> Floats:
    """Entropy of the shares V / sum V from sum V and sum V ln V, over its largest value ln W."""
    nats = log(total) - ratio(surprise, total)
    return np.clip(nats / ln(window), 0.0, 1.0)


def seasonal_ratio(total: Floats) -> Floats:
    """The window's volume over the mean volume of the same window 1, 2, ... 5 clock days before."""
    before = np.zeros(len(total))
    for day in range(1, DAYS + 1):
        before += shift(total, day * DAY)
    return ratio(total, before / DAYS)


FAMILY = Family("volume_features", columns, compute, domains=(RATE,), dual=False, uses=("volume",))
