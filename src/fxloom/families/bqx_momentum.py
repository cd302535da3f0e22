"""The backward momentum itself: where the price of the last W minutes was, relative to the current close.

P_W = C[t-W..t-1] are the W rate-index closes before the current one, so that their deviation is that of
``stat_std_W_rate`` one bar earlier. A relative change below 1e-12 is exactly 0.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.features.domain import AGG, RATE, WINDOWS, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.pair_view import View
from fxloom.kernels.extremes import rolling_max, rolling_min
from fxloom.kernels.states import shift
from fxloom.kernels.tolerances import FLAT_RANGE, ZERO_CHANGE
from fxloom.series.pair import moments, volatility

BP = 10_000.0


def columns(_: Domain) -> Iterable[Column]:
    for w in WINDOWS:
        yield from windowed(f"w{w}", w)
        endpoint = f"(C[t-{w}] - C[t]) / C[t]"
        yield Column(f"w{w}_bqx_endpoint", "relative change", endpoint, w, low=-1.0)
    yield from windowed("agg", AGG)
    span = f"max(P) - min(P), P = C[t-{AGG}..t-1]"
    yield Column("agg_bqx_range", "index points", span, AGG, low=0.0)
    yield Column("agg_bqx_volatility", "bp per bar", f"10000 std_{AGG}(r), r = ln(C[t] / C[t-1])", AGG, low=0.0)


def windowed(prefix: str, w: int) -> Iterable[Column]:
    """Declarations of the five columns that every window has."""
    p = f"P = C[t-{w}..t-1]"
    total = f"sum(C[t-i] - C[t], i = 1..{w}) / C[t]"
    yield Column(f"{prefix}_bqx_return", "sum of relative changes", total, w, low=-w)
    yield Column(f"{prefix}_bqx_max", "bp", f"10000 (max(P) / C[t] - 1), {p}", w, low=-BP)
    yield Column(f"{prefix}_bqx_min", "bp", f"10000 (min(P) / C[t] - 1), {p}", w, low=-BP)
    ratio = f"10000 (mean(P) / mean(C[t-{2 * w}..t-{w + 1}]) - 1), {p}"
    yield Column(f"{prefix}_bqx_avg", "bp", ratio, 2 * w, low=-BP)
    yield Column(
        f"{prefix}_bqx_stdev", "index points", f"std(P), {p}", w, low=0.0, near_duplicate_of=f"stat_std_{w}_rate"
    )


def compute(view: View) -> Columns:
    close = view.close_index
    out = {name: column for w in WINDOWS for name, column in momenta(view, f"w{w}", w).items()}
    out |= {f"w{w}_bqx_endpoint": relative(shift(close, w), close) for w in WINDOWS}
    out |= momenta(view, "agg", AGG)
    high, low = rolling_max(close, AGG), rolling_min(close, AGG)
    out["agg_bqx_range"] = shift(np.where(high - low <= FLAT_RANGE * high, 0.0, high - low), 1)
    out["agg_bqx_volatility"] = BP * view.shared(volatility, AGG)
    return out


def momenta(view: View, prefix: str, w: int) -> Columns:
    """The five columns that every window has."""
    close = view.close_index
    mean, std, _, _ = view.shared(moments, w)
    return {
        f"{prefix}_bqx_return": view.momentum(w),
        f"{prefix}_bqx_max": BP * relative(shift(rolling_max(close, w), 1), close),
        f"{prefix}_bqx_min": BP * relative(shift(rolling_min(close, w), 1), close),
        f"{prefix}_bqx_avg": BP * relative(shift(mean, 1), shift(mean, w + 1)),
        f"{prefix}_bqx_stdev": shift(std, 1),
    }


def relative(value: Floats, base: Floats) -> Floats:
    """value / base - 1, exactly 0 where it is rounding noise."""
    change = (value - base) / base
    return np.where(np.abs(change) < ZERO_CHANGE, 0.0, change)


FAMILY = Family("bqx_momentum", columns, compute, domains=(RATE,), dual=False)
