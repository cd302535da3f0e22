"""Weekly anchors: the times at which models are refitted, and the bars for which each fit is in force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fxloom.bars.bars import Ints
from fxloom.bars.clock import FIRST_SUNDAY, WEEK


@dataclass(frozen=True)
class Week:
    """The clock positions from ``begin`` to before ``end``, for which one anchor is in force."""

    begin: int
    end: int

    @property
    def bars(self) -> slice:
        """The bars of the week."""
        return slice(self.begin, self.end)

    def back(self, bars: int) -> slice:
        """From ``bars`` before the anchor to the end of the week."""
        return slice(self.begin - bars, self.end)

    def before(self, bars: int) -> slice:
        """The ``bars`` before the anchor."""
        return slice(self.begin - bars, self.begin)


def weeks(ts: Ints, first: int, warmup: int) -> Iterator[Week]:
    """The weeks of clock ``ts`` (minutes since 1970) with a bar at or after position ``first``.

    A week begins every Sunday 00:00 UTC, and counts if ``warmup`` clock bars lie before it. Weeks without bars are
    left out: a source may have gaps of years.

    >>> minutes = np.array([4318, 4319, 4320, 4321, 14400, 14401])
    >>> [(week.begin, week.end) for week in weeks(minutes, 0, 0)]
    [(0, 2), (2, 4), (4, 6)]
    >>> [(week.begin, week.end) for week in weeks(minutes, 3, 4)]
    [(4, 6)]
    """
    number = (ts - FIRST_SUNDAY) // WEEK
    for week in np.unique(number[first:]):
        begin, end = np.searchsorted(number, [week, week + 1])
        if begin >= warmup:
            yield Week(int(begin), int(end))
