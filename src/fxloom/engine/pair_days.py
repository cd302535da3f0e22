"""The days of pairs as a plan needs them: where a lookback begins, and digests of stretches, each hashed once."""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from fxloom.bars.days import DaySummary, History


def days_digest(days: Sequence[DaySummary], volume: bool, spread: bool) -> str:
    """The digest of consecutive days: their prices, and their volume and spread where those count; "" for none."""
    return _joined_digest([_text(day, volume, spread) for day in days])


def _text(day: DaySummary, volume: bool, spread: bool) -> str:
    return f"{day.day}{day.prices}{day.volume if volume else ''}{day.spread if spread else ''}"


def _joined_digest(texts: Sequence[str]) -> str:
    return hashlib.blake2b(" ".join(texts).encode(), digest_size=16).hexdigest() if texts else ""


class PairDays:
    """The days of one pair: ``history`` in order, and ``rows`` by month."""

    def __init__(self, months: Mapping[str, Sequence[DaySummary]]) -> None:
        self.history = History([day for month in sorted(months) for day in months[month]])
        self.rows = {month: sum(day.rows for day in days) for month, days in months.items()}
        self._texts: dict[tuple[bool, bool], list[str]] = {}
        self._digests: dict[tuple[int, int, bool, bool], str] = {}

    def digest(self, i: int, j: int, volume: bool, spread: bool) -> str:
        """``days_digest`` of the days with indices ``i <= index < j``."""
        found = self._digests.get((i, j, volume, spread))
        if found is None:
            texts = self._texts.get((volume, spread))
            if texts is None:
                texts = self._texts[volume, spread] = [_text(day, volume, spread) for day in self.history.days]
            found = self._digests[i, j, volume, spread] = _joined_digest(texts[i:j])
        return found

    def between(self, start: int, end: int, volume: bool, spread: bool) -> str:
        """``days_digest`` of the days with numbers ``start <= day < end``."""
        numbers = self.history.numbers
        return self.digest(bisect.bisect_left(numbers, start), bisect.bisect_left(numbers, end), volume, spread)


class PanelClock:
    """A lower bound of the bars that the clock of all pairs together has per day."""

    def __init__(self, pairs: Iterable[PairDays]) -> None:
        clock: dict[int, int] = defaultdict(int)
        for pair in pairs:
            for day in pair.history.days:
                clock[day.day] = max(clock[day.day], day.clock)
        self.numbers = sorted(clock)
        self.bars_before = [0, *itertools.accumulate(clock[number] for number in self.numbers)]

    def start_for(self, first: int, lookback: int) -> int:
        """The latest day from which there surely are ``lookback`` bars before day ``first``; else the first day."""
        at = bisect.bisect_left(self.numbers, first)
        if lookback <= 0 or at == 0:
            return first
        begin = bisect.bisect_right(self.bars_before, self.bars_before[at] - lookback, hi=at) - 1
        return self.numbers[max(begin, 0)]
