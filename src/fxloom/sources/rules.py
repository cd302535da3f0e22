"""The rules that every row must satisfy, and how violations are described."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Flags, Floats
from fxloom.sources.layout import ASK, BARS, BID, TICKS, Layout
from fxloom.sources.rows import Rows
from fxloom.sources.times import EARLIEST, LATEST, MISSING


def judged(rows: Rows, layout: Layout, low: float, high: float) -> Rows:
    """``rows``, flagging each one that breaks a rule; prices must lie between ``low`` and ``high``."""
    known = rows.local != MISSING
    rows = rows.flagged(
        known & ((rows.local < EARLIEST) | (rows.local > LATEST)), "its time is before 1971 or after 2100"
    )
    prices = np.stack([rows.values[role] for role in layout.prices])
    rows = rows.flagged(_any(np.isnan(prices)), "missing or non-numeric price")
    rows = rows.flagged(_any(np.isinf(prices)), "a price is not finite")
    rows = rows.flagged(_any(prices <= 0), "a price is zero or negative")
    out = (prices < low) | (prices > high)
    rows = rows.flagged(_any(out), f"a price is outside this pair's range ({low:g} to {high:g})")
    for sides in {"bars": (BARS,), "quoted bars": (BID, ASK)}.get(layout.what, ()):
        rows = _shaped(rows, sides)
    if layout.what in ("quoted bars", "ticks"):
        rows = rows.flagged(_crossed(rows.values, layout), "ask is below bid")
    for role in ("volume", "spread", "ticks"):
        if role in rows.values:
            rows = _counted(rows, role)
    return rows


def _any(prices: Flags) -> Flags:
    return np.asarray(prices.any(axis=0))


def _shaped(rows: Rows, roles: tuple[str, ...]) -> Rows:
    opened, high, low, close = (rows.values[role] for role in roles)
    rows = rows.flagged(high < low, "high is below low")
    rows = rows.flagged(high < np.maximum(opened, close), "high is below open or close")
    return rows.flagged(low > np.minimum(opened, close), "low is above open or close")


def _crossed(values: dict[str, Floats], layout: Layout) -> Flags:
    bids, asks = (BID, ASK) if layout.what == "quoted bars" else (TICKS[:1], TICKS[1:])
    return np.asarray(np.logical_or.reduce([values[ask] < values[bid] for bid, ask in zip(bids, asks, strict=True)]))


def _counted(rows: Rows, role: str) -> Rows:
    """Volumes and spreads: not negative, finite. A mostly empty column is dropped; isolated gaps are errors."""
    column = rows.values[role]
    rows = rows.flagged(column < 0, f"{role} is negative")
    rows = rows.flagged(np.isinf(column), f"{role} is not finite")
    absent = np.isnan(column)
    if 2 * absent.sum() >= len(column):
        return rows
    return rows.flagged(absent, f"{role} is missing")
