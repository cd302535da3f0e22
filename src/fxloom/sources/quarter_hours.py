"""Clocks that are off by a quarter, half or three quarters of an hour, as a file's weekly opens and closes show it.

Whatever its hours, a feed opens on a full hour of New York's clock, or a few minutes later, and closes on one, or a
few minutes earlier. A file in which week after week begins and ends as far from a full hour is on another clock. One
edge alone shows nothing: a feed may open a quarter of an hour late, or close half an hour early.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.clock import HOUR
from fxloom.sources.weeks import weeks_of
from fxloom.sources.zone import NEAR, edges_of

SHIFTS = np.array([0, 15, -15, 30, -30, 45, -45]) / 60  # hours, the least first
_LATE = 1  # minutes past a full hour at which a feed may close, or before one at which it may open
_REACH = 4 * HOUR  # a week's edge lies no farther than this from the market's
_WEEKS = 2  # opens and closes that have to agree
_MOST, _FEW = 0.75, 0.25  # the share of them that agrees with a shift, and at most with none


def quarter_hours_off(utc: Ints) -> Floats:
    """By how many hours sorted ``utc`` minutes may be ahead of UTC, multiples of a quarter, the likeliest first.

    Empty if nothing speaks against UTC. Several fit where the feed's week is shorter than the market's.
    """
    weeks = weeks_of(utc)
    edges = edges_of(weeks, SHIFTS)
    opens = _share_on_the_hour(edges.after, edges.starts & (np.abs(edges.after) <= _REACH))
    closes = _share_on_the_hour(edges.before, edges.stops & (np.abs(edges.before) <= _REACH))
    if max(opens[0], closes[0]) > _FEW:
        return SHIFTS[:0]
    fitting = (opens >= _MOST) & (closes >= _MOST)
    if not fitting.any():
        return SHIFTS[:0]
    missing = np.median(np.abs(edges.after) + np.abs(edges.before), axis=0)  # minutes of the market's week
    return np.asarray(SHIFTS[fitting & (missing <= missing[fitting].min() + NEAR)])


def _share_on_the_hour(distance: Floats, visible: Flags) -> Floats:
    """The share of visible edges, per shift, that lie on a full hour or a few minutes within it; 0 for too few."""
    phase = (distance + _LATE) % HOUR
    count = visible.sum(axis=0)
    share = (visible & (phase <= NEAR + _LATE)).sum(axis=0) / np.maximum(count, 1)
    return np.asarray(np.where(count >= _WEEKS, share, 0.0))
