"""Series of every pair and of its sets of siblings, shared by several tables of many pairs."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.clock import on_clock
from fxloom.features.domain import RATE, Domain
from fxloom.features.pair_view import PairFrame
from fxloom.features.panel_view import CARRY, PanelFrame, PanelView
from fxloom.kernels.panel_correlations import correlation_sums
from fxloom.kernels.present_moments import present_moments, present_std
from fxloom.kernels.set_moments import set_moments
from fxloom.kernels.tolerances import ZERO_CHANGE
from fxloom.series.pair import SPREAD_LOOKBACK, spread_bp
from fxloom.series.siblings import members_of, relations

BP = 10_000.0
LEAST = 3  # pairs that a cross-sectional value requires, including the pair itself


def filled_at(first: int, window: int) -> int:
    """The clock position at which a window first has a value if its input begins at position ``first``.

    The window must lie inside the clock, and a quarter of its bars must have values.

    >>> filled_at(1, 120), filled_at(15, 15)
    (119, 18)
    """
    return max(window - 1, first + ceil(window / 4) - 1)


def flow_begins(domain: Domain) -> int:
    """The clock position at which ``flow`` begins: r in rate, the level of G_15 in bqx."""
    return 1 if domain is RATE else 15


def each(kernel: Callable[..., Floats], settings: tuple[Any, ...], *series: Floats) -> Floats:
    """``kernel(*rows, *settings)`` for each pair's rows of ``series``, all (pairs, n)."""
    out = np.full(series[0].shape, np.nan)
    for i in range(len(out)):
        out[i] = kernel(*(s[i] for s in series), *settings)
    return out


def across(view: PanelView, values: Floats, members: Ints, signs: Floats) -> tuple[Floats, Floats, Floats]:
    """Number, mean and standard deviation of signed ``values`` over the members of each set that are present."""
    present = np.ascontiguousarray(view.present)
    return set_moments(np.ascontiguousarray(values), present, members, signs)


def across_all(view: PanelView, values: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation across the pairs present (n), at least ``LEAST`` of them."""
    everyone = np.arange(len(view.pairs), dtype=np.int64)[None, :]
    count, mean, std = across(view, values, everyone, np.ones(everyone.shape))
    enough = count[0] >= LEAST
    return np.where(enough, mean[0], np.nan), np.where(enough, std[0], np.nan)


def lagged(values: Floats, bars: int) -> Floats:
    """``values[..., t - bars]``, NaN in the first ``bars``."""
    out = np.full(values.shape, np.nan)
    out[..., bars:] = values[..., :-bars]
    return out


def few_present(view: PanelView, which: int, least: int) -> Flags:
    """Where fewer than ``least`` siblings in set ``which`` are present (pairs, n)."""
    return view.shared_by_domains(siblings_present, which) < least


def limited(values: Floats, low: float, high: float) -> Floats:
    """``values`` clipped to ``low`` and ``high``, without negative zeros; NaN where they are not finite."""
    return np.where(np.isfinite(values), np.clip(values, low, high) + 0.0, np.nan)


# -- series ----------------------------------------------------------------------------------------------------------


def flow(view: PanelView) -> Floats:
    """The series that is correlated: r in rate, g = ln(G_15 / 100) in bqx (changes of G would repeat rate)."""
    return view.r if view.domain is RATE else view.g


def total_return(view: PanelView, window: int) -> Floats:
    """ret_W: ln(x[t] / x[t-W]) in rate, in bqx the sum of g over W bars, NaN unless all of them have values."""
    if view.domain is not RATE:
        return each(_full_sum, (window,), view.g)
    x, out = view.x, np.full(view.x.shape, np.nan)
    change = np.log(x[:, window:] / x[:, :-window])
    out[:, window:] = np.where(np.abs(change) < ZERO_CHANGE, 0.0, change)
    return out


def _full_sum(y: Floats, window: int) -> Floats:
    count, mean, _ = present_moments(y, window)
    return np.where(count == window, mean * window, np.nan)


def volatility(view: PanelView, window: int) -> Floats:
    """std_W of ``flow``."""
    return each(present_std, (window,), view.shared(flow))


def siblings_present(view: PanelView, which: int) -> Floats:
    """The number of siblings in set ``which`` that are present (pairs, n)."""
    members, signs = members_of(view.pairs, which)
    return across(view, np.zeros(view.price.shape), members, signs)[0]


def set_return(view: PanelView, which: int) -> Floats:
    """R_set: the mean signed ``flow`` of the siblings present at each bar (pairs, n)."""
    members, signs = members_of(view.pairs, which)
    return across(view, view.shared(flow), members, signs)[1]


def sibling_correlations(view: PanelView) -> tuple[Floats, Floats, Floats]:
    """Mean rho_W over each set (sets, windows, pairs, n), and each pair's sum and number of abs(rho_60) (pairs, n)."""
    known = relations(view.pairs)
    values, present = np.ascontiguousarray(view.shared(flow)), np.ascontiguousarray(view.present)
    sums, counts, magnitudes = correlation_sums(values, present, known.relation, known.sign)
    number = counts[:, 2].sum(axis=0)
    np.divide(sums, counts, out=sums, where=counts > 0)
    sums[counts == 0] = np.nan
    return sums, magnitudes, number


def own_spread(view: PanelView) -> Floats:
    """s in bp of every pair at its latest own bar (pairs, n).

    It exists where the pair is present and the window of the spread begins at most ``CARRY`` bars ago: an estimate
    reads 60 bars of the pair's own clock, which may lie far back on the panel clock if the pair has gaps. Without this
    bound the lookback would be unlimited.
    """
    out = np.full(view.price.shape, np.nan)
    for i, pair in enumerate(view.pairs):
        if len(view.frame.bars[pair]):
            out[i] = _placed_spread(view.frame, pair)[view.start :]
    return np.where(view.present, out, np.nan)


def _placed_spread(frame: PanelFrame, pair: str) -> Floats:
    own = PairFrame(pair, on_clock(frame.bars[pair]), frame.infos[pair])
    view = own.view(RATE)
    values: Floats = spread_bp(view)[own.bars.observed]
    begins = own.bars.observed - (SPREAD_LOOKBACK if view.quoted_spread is None else 0)
    begin_ts = own.bars.ts[np.maximum(begins, 0)]
    age = frame.positions[pair] - np.searchsorted(frame.ts, begin_ts)
    values = np.where((begins >= 0) & (age <= CARRY), values, np.nan)
    rows, last = frame.last_bar(pair)
    out = np.full(len(frame.ts), np.nan)
    out[rows] = values[last]
    return out
