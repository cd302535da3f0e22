"""Series that several tables share: functions of a view, called through ``view.shared``."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.features.domain import BQX, RATE, Domain
from fxloom.features.pair_view import View
from fxloom.kernels.edge import bar_pairs, edge
from fxloom.kernels.flatness import rounding_size
from fxloom.kernels.moments import rolling_moments, rolling_std
from fxloom.kernels.regression import Parabola, rolling_parabola
from fxloom.kernels.tolerances import ZERO_CHANGE

EDGE_BARS = 60  # clock bars of the spread proxy
SPREAD_LOOKBACK = EDGE_BARS - 1  # of ``spread_bp``: that of the proxy; quoted spreads need none


def least_curvature(domain: Domain) -> float:
    """The size below which abs(a2) W^2 is rounding noise: index points in rate, m_W in bqx."""
    return 1e-9 if domain is RATE else 1e-11


def moments(view: View, window: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean, std, skewness and kurtosis of ``series(W)`` over W bars."""
    return rolling_moments(view.series(window), window)


def parabola(view: View, window: int) -> Parabola:
    """The quadratic regression of ``series(W)`` over W bars."""
    return rolling_parabola(view.series(window), window)


def rounding(view: View, window: int) -> Floats:
    """The size below which deviations of ``series(15)`` inside W bars are rounding; NaN where the window is flat."""
    return rounding_size(view.series(15), window, ZERO_CHANGE if view.domain is BQX else 0.0)


def volatility(view: View, window: int) -> Floats:
    """std_W(r)."""
    return rolling_std(view.r, window)


def move(view: View, window: int) -> Floats:
    """mom_W in bp: 10,000 ln(C[t] / C[t-W]) in rate, 10,000 m_W in bqx; NaN in the first W bars."""
    if view.domain is BQX:
        return 10_000.0 * view.momentum(window)
    close = view.close_index
    out = np.full(len(close), np.nan)
    change = (close[window:] - close[:-window]) / close[:-window]
    out[window:] = np.where(np.abs(change) < ZERO_CHANGE, 0.0, 10_000.0 * np.log1p(change))
    return out


def return_size(view: View) -> Floats:
    """abs(r)."""
    return np.abs(view.r)


def price_edge(view: View) -> Floats:
    """The EDGE spread of the pair's prices over 60 clock bars, a share of the price."""
    bars, start = view.frame.bars, view.start
    prices = bars.open[start:], bars.high[start:], bars.low[start:], bars.close[start:]
    return edge(*bar_pairs(*prices, 1, 0.0), EDGE_BARS, 1)


def spread_bp(view: View) -> Floats:
    """s: the quoted spread in bp of the close, or the magnitude of EDGE where the source has no quotes.

    It is the same in both domains: ask for it through ``shared_by_domains``.
    """
    quoted = view.quoted_spread
    if quoted is None:
        return 10_000.0 * view.shared_by_domains(price_edge)
    return 10_000.0 * quoted / view.price
