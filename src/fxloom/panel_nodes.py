"""Series of every pair and of its sets of siblings that several tables of many pairs share."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np

from fxloom.bars import Floats
from fxloom.domain import RATE, Domain
from fxloom.kernels.momentum import STILL
from fxloom.kernels.present_moments import present_moments, present_std
from fxloom.panel import PanelView

BP = 10_000.0


def filled_at(first: int, window: int) -> int:
    """The clock position at which a window first has a value, if its input has its first at ``first``.

    It must lie inside the clock and hold a quarter of its bars.

    >>> filled_at(1, 120), filled_at(15, 15)
    (119, 18)
    """
    return max(window - 1, first + ceil(window / 4) - 1)


def flow_begins(domain: Domain) -> int:
    """The clock position at which ``flow`` begins: r in rate, the level of G_15 in bqx."""
    return 1 if domain is RATE else 15


def each(kernel: Callable[..., Floats], *series: Floats, **settings: Any) -> Floats:
    """``kernel`` of the rows of ``series`` (pairs, n), pair by pair."""
    rows = [kernel(*row, *settings.values()) for row in zip(*series, strict=True)]
    return np.stack(rows) if rows else np.empty(series[0].shape)


# -- nodes -----------------------------------------------------------------------------------------------------------


def flow(view: PanelView) -> Floats:
    """What correlations are taken of: r in rate, g = ln(G_15 / 100) in bqx (changes of G would repeat rate)."""
    return view.r if view.domain is RATE else view.g


def total_return(view: PanelView, window: int) -> Floats:
    """ret_W: ln(x[t] / x[t-W]) in rate, the sum of g over W in bqx; needs every bar of its own."""
    if view.domain is not RATE:
        return np.stack([_full_sum(row, window) for row in view.g]) if len(view.pairs) else view.g
    x, out = view.x, np.full(view.x.shape, np.nan)
    change = np.log(x[:, window:] / x[:, :-window])
    out[:, window:] = np.where(np.abs(change) < STILL, 0.0, change)
    return out


def _full_sum(y: Floats, window: int) -> Floats:
    count, mean, _ = present_moments(y, window)
    return np.where(count == window, mean * window, np.nan)


def volatility(view: PanelView, window: int) -> Floats:
    """std_W of ``flow``."""
    return _by_pair(present_std, view.shared(flow), window)


def _by_pair(kernel: Callable[..., Floats], series: Floats, window: int) -> Floats:
    out = np.full(series.shape, np.nan)
    for i in range(len(series)):
        out[i] = kernel(series[i], window)
    return out
