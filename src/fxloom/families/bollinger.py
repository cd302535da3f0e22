"""Bollinger bands of two population deviations: their width against its recent mean, and where the price is in them."""

from __future__ import annotations

from collections.abc import Iterable

from fxloom.bars.bars import Floats
from fxloom.features.domain import BOTH, BQX, RATE, WINDOWS, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import CONSTANT_WINDOW
from fxloom.features.pair_view import View
from fxloom.kernels.moments import rolling_mean
from fxloom.kernels.ratio import ratio
from fxloom.series.pair import moments

SPAN = 240  # bars of the mean with which the width is compared
SOURCE = "J. Bollinger, Bollinger on Bollinger Bands (2001); TA-Lib BBANDS"
NO_WIDTH = f"the bands have had no width for {SPAN} bars"


def columns(domain: Domain) -> Iterable[Column]:
    for w in WINDOWS:
        warmup, y = domain.series(w) + w - 1, "C" if domain is RATE else f"G_{w}"
        bands = f"bands mean_{w} +- 2 population std_{w} of {y}"
        width = f"(upper - lower) / middle over its mean_{SPAN}, {bands}"
        place, reach = f"({y} - lower) / (upper - lower), {bands}", 0.25 * (w - 1) ** 0.5
        rows = (
            (f"bb_width_{w}", width, warmup + SPAN - 1, 0.0, SPAN, NO_WIDTH),
            (f"bb_percent_b_{w}", place, warmup, 0.5 - reach, 0.5 + reach, CONSTANT_WINDOW),
        )
        for name, formula, first, low, high, undefined in rows:
            yield Column(name, "ratio", formula, first, low=low, high=high, source=SOURCE, undefined=undefined)


def compute(view: View) -> Columns:
    out: Columns = {}
    for w in WINDOWS:
        middle, deviation = view.shared(bands, w)
        width = 4.0 * deviation / middle
        out[f"bb_width_{w}"] = ratio(width, rolling_mean(width, SPAN))
        out[f"bb_percent_b_{w}"] = 0.5 + 0.25 * ratio(view.index(w) - middle, deviation)
    return out


def bands(view: View, window: int) -> tuple[Floats, Floats]:
    """Mean and population deviation of ``index(W)`` over W bars, from the moments of ``series(W)``."""
    mean, std, _, _ = view.shared(moments, window)
    deviation = std * ((window - 1) / window) ** 0.5
    if view.domain is BQX:  # G_W = 100 (1 + m_W / W)
        return 100.0 * (1.0 + mean / window), deviation * (100.0 / window)
    return mean, deviation


FAMILY = Family("bollinger", columns, compute, domains=BOTH)
