"""Momentum against the momentum of the window before it: level, change, correlation, agreement of signs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.features.domain import BOTH, RATE, WINDOWS, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.pair_view import View
from fxloom.kernels.comoments import rolling_corr
from fxloom.kernels.moments import rolling_sum
from fxloom.kernels.states import shift
from fxloom.series.pair import move

SPAN = 240  # bars of the correlations
CONSTANT_MOMENTUM = f"a momentum is constant over {SPAN} bars"


def transfer(w: int) -> tuple[int, int, int]:
    """Windows of the momentum now and of the earlier one, and the bars between them."""
    return (30, 15, 30) if w == 15 else (15, w, 15)


def columns(domain: Domain) -> Iterable[Column]:
    for w in WINDOWS:
        mom = f"mom_{w}" + (f" = 10000 ln(C[t] / C[t-{w}])" if domain is RATE else f" = 10000 m_{w}")
        late, early, lag = transfer(w)
        reach = max(late, early + lag) + SPAN - 1
        yield Column(f"lag_prev_{w}", "bp", f"mom_{w}[t-{w}], {mom}", 2 * w)
        yield Column(f"lag_change_{w}", "bp", f"mom_{w}[t] - mom_{w}[t-{w}], {mom}", 2 * w)
        auto = f"corr over {SPAN} bars of mom_{w}[t] and mom_{w}[t-{w}], {mom}"
        yield Column(
            f"lag_autocorr_{w}", "ratio", auto, 2 * w + SPAN - 1, low=-1.0, high=1.0, undefined=CONSTANT_MOMENTUM
        )
        cross = f"corr over {SPAN} bars of mom_{late}[t] and mom_{early}[t-{lag}], {mom}"
        yield Column(f"lag_transfer_{w}", "ratio", cross, reach, low=-1.0, high=1.0, undefined=CONSTANT_MOMENTUM)
        agree = f"share of {w} bars with mom_{w}[t] and mom_{w}[t-{w}] of the same sign (0 and 0 agree), {mom}"
        yield Column(f"lag_agree_{w}", "share", agree, 3 * w - 1, low=0.0, high=1.0)


def compute(view: View) -> Columns:
    out: Columns = {}
    for w in WINDOWS:
        now = view.shared(move, w)
        before = shift(now, w)
        late, early, lag = transfer(w)
        out[f"lag_prev_{w}"] = before
        out[f"lag_change_{w}"] = now - before
        out[f"lag_autocorr_{w}"] = rolling_corr(now, before, SPAN)
        out[f"lag_transfer_{w}"] = rolling_corr(view.shared(move, late), shift(view.shared(move, early), lag), SPAN)
        out[f"lag_agree_{w}"] = rolling_sum(agreement(now, before), w) / w
    return out


def agreement(now: Floats, before: Floats) -> Floats:
    """1 where the signs agree, 0 where they differ, NaN where either value is missing."""
    return np.where(np.isnan(before) | np.isnan(now), np.nan, np.where(np.sign(now) == np.sign(before), 1.0, 0.0))


FAMILY = Family("lagged_cross_window", columns, compute, domains=BOTH)
