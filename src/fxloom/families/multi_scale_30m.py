"""The market on bars of 30 minutes.

The bars are UTC-aligned bins of 30 wall-clock minutes, made of the clock bars' closes (C, or G_15). A bin with one
clock bar counts; one in which the market was closed does not exist. A row sees the bins whose last minute is at or
before it.

A column of n of these bars begins once n x 30 clock bars of x exist, even if n bins are complete sooner, as around a
closure. Recursions are TA-Lib's; after 50 bins without a change RSI is 0.
"""

from __future__ import annotations

from collections.abc import Iterable

from fxloom.features.domain import BOTH, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.pair_view import View
from fxloom.series.multi_scale import scale_columns, scale_features


def columns(domain: Domain) -> Iterable[Column]:
    return scale_columns(domain, 30)


def compute(view: View) -> Columns:
    return scale_features(view, 30)


FAMILY = Family("multi_scale_30m", columns, compute, domains=BOTH)
