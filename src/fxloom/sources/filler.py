"""Finds filler: copies of one bar throughout a weekend, which some exports write to avoid gaps."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.clock import DAY, HOUR, WEEK
from fxloom.sources.layout import BARS

_SATURDAY_NOON = 2 * DAY + 12 * HOUR  # days since the epoch, modulo 7 (1970-01-01 was a Thursday)
_LEAST = HOUR  # fewer copies in a weekend are strays, not filler
_SHUT = 21 * HOUR  # minutes from then to Sunday 09:00, when the market is closed under every offset


def shut(minutes: Ints) -> Flags:
    """Which local minutes lie in those hours of the weekend when the market is closed in every time zone."""
    return np.asarray((minutes - _SATURDAY_NOON) % WEEK < _SHUT)


def filler(minutes: Ints, values: dict[str, Floats]) -> Flags:
    """Which bars repeat the previous bar throughout a weekend.

    ``minutes``: sorted local minutes. A run of identical bars that reaches into the closed hours is filler,
    except its first bar if that one lies before the closed hours and is not itself a flat copy, without volume, of
    the last close.
    """
    if not len(minutes):
        return np.zeros(0, np.bool_)
    weekend = shut(minutes)
    if not weekend.any():
        return weekend
    columns = [column for column in values.values() if not np.isnan(column).all()]
    alike = np.logical_and.reduce([column[1:] == column[:-1] for column in columns])
    run = np.cumsum(np.append(True, ~alike)) - 1
    reaches = np.bincount(run, weekend)[run] > 0
    first = np.append(True, run[1:] != run[:-1])
    empty = _empty_copy(values)
    copies = np.bincount(run)[run] > 1
    found = reaches & np.where(copies, ~first | weekend | empty, weekend & empty)
    weeks = (minutes - _SATURDAY_NOON + WEEK // 2) // WEEK
    weeks -= weeks[0]
    return np.asarray(found & (np.bincount(weeks, found)[weeks] >= _LEAST))


def _empty_copy(values: dict[str, Floats]) -> Flags:
    """Flat bars at the previous bar's close, without volume."""
    opened, high, low, close = (values[role] for role in BARS)
    flat = (opened == high) & (high == low) & (low == close)
    flat[1:] &= close[1:] == close[:-1]
    flat[0] = False
    volume = values.get("volume")
    return np.asarray(flat if volume is None else flat & ~(volume > 0))
