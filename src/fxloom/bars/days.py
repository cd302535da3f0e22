"""Summaries of stored bars, one per UTC day: what a plan needs to know without reading the bars.

A partition depends on whole days: its lookback, counted in clock bars, is rounded up to the beginning of a day, so
that a fingerprint over the days' digests covers exactly the bars that the computation sees.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fxloom.bars.bars import Bars, Floats
from fxloom.bars.clock import CLOSURE, DAY, clock_positions
from fxloom.bars.runs import run_starts


@dataclass(frozen=True)
class DaySummary:
    """One UTC day (since 1970) of one pair: its bars, first and last minute, clock bars between them, and digests."""

    day: int
    rows: int
    first: int
    last: int
    clock: int
    prices: str
    volume: str
    spread: str


def summarise_days(bars: Bars) -> list[DaySummary]:
    """A summary of every UTC day that ``bars`` touch."""
    edges = [*run_starts(bars.ts // DAY).tolist(), len(bars)]
    clock = clock_positions(bars.ts)
    prices = [_same_nan(c) for c in (bars.ts.astype(np.float64), bars.open, bars.high, bars.low, bars.close)]
    volume, spread = _same_nan(bars.volume), _same_nan(bars.spread)

    def summary(first: int, end: int) -> DaySummary:
        start, last = int(bars.ts[first]), int(bars.ts[end - 1])
        return DaySummary(
            start // DAY, end - first, start, last, int(clock[end - 1] - clock[first]) + 1,
            _digest(*(column[first:end] for column in prices if column is not None)),
            _optional_digest(volume, first, end), _optional_digest(spread, first, end),
        )  # fmt: skip

    return [summary(first, end) for first, end in itertools.pairwise(edges)]


def _same_nan(column: Floats | None) -> Floats | None:
    """``column``, contiguous and with one bit pattern for all NaNs, so that digests depend on values only."""
    if column is None:
        return None
    missing = np.isnan(column)
    return np.ascontiguousarray(np.where(missing, np.nan, column) if missing.any() else column)


def _digest(*columns: Floats | None) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for column in columns:
        digest.update(b"-" if column is None else column.data)
    return digest.hexdigest()


NO_COLUMN = _digest(None)


def _optional_digest(column: Floats | None, first: int, end: int) -> str:
    """The digest of a day's volume or spread; a day without any value has the same digest as a missing column."""
    return NO_COLUMN if column is None or np.isnan(column[first:end]).all() else _digest(column[first:end])


def has_column(digest: str) -> bool:
    """Whether a day has any volume or spread, by its digest."""
    return digest != NO_COLUMN


class History:
    """The days of one pair in order, with the clock position of each day's first bar."""

    def __init__(self, days: Sequence[DaySummary]) -> None:
        self.days = list(days)
        self.numbers = [d.day for d in self.days]
        self.positions: list[int] = []
        position, previous = 0, None
        for d in self.days:
            if previous is not None:
                gap = d.first - previous.last
                position += previous.clock - 1 + (gap if gap <= CLOSURE else 1)
            self.positions.append(position)
            previous = d

    def index_of(self, minute: int) -> int:
        """The index of the first day at or after the day of ``minute`` (since 1970)."""
        return bisect.bisect_left(self.numbers, minute // DAY)

    def start_for(self, index: int, lookback: int) -> int:
        """The index of the latest day with ``lookback`` or more clock bars between its first bar and day ``index``."""
        wanted = self.positions[index] - lookback
        return max(bisect.bisect_right(self.positions, wanted, hi=index + 1) - 1, 0)
