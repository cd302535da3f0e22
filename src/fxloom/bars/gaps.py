"""Gaps in the source: minutes and days of trading for which a pair has no bars, found from summaries of days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fxloom.bars.clock import CLOSURE, DAY
from fxloom.bars.days import DaySummary
from fxloom.bars.months import iso, month_of

CLOSED = ("12-25", "01-01")  # the market is closed on these dates, whatever the weekday
SHORT = 60  # a day with at most this many clock bars, such as the first hour of a Sunday, is not reported


@dataclass(frozen=True)
class Gap:
    """What is missing from one month of one pair.

    ``rows``: stored bars. ``filled``: minutes in gaps of at most an hour, which the clock fills. ``missing``: minutes
    in longer gaps while other stored pairs traded. ``days``: trading days (YYYY-MM-DD) without any bar.
    """

    pair: str
    month: str
    rows: int
    filled: int
    missing: int
    days: tuple[str, ...]

    def __str__(self) -> str:
        text = f"{self.missing:,} minutes without bars while other pairs traded" if self.missing else ""
        if self.days:
            more = " ..." if len(self.days) > 3 else ""
            text = f"{len(self.days)} trading days without bars ({', '.join(self.days[:3])}{more}), {text}".rstrip(", ")
        return text


def find_gaps(stored: Mapping[str, Mapping[str, Sequence[DaySummary]]]) -> list[Gap]:
    """One ``Gap`` per pair and month between the pair's first and last day, even if nothing is missing.

    ``stored``: the summaries of days by pair and month. A day without bars counts if another pair traded for more
    than an hour; if no pair has bars on it, it counts if it is a weekday other than a market-wide holiday.
    """
    most: dict[int, int] = defaultdict(int)
    for months in stored.values():
        for day in (d for days in months.values() for d in days):
            most[day.day] = max(most[day.day], day.clock)
    return [gap for pair, months in sorted(stored.items()) for gap in _of_pair(pair, months, most)]


def _of_pair(pair: str, months: Mapping[str, Sequence[DaySummary]], most: Mapping[int, int]) -> Iterator[Gap]:
    known = {d.day: d for days in months.values() for d in days}
    by_month: dict[str, list[int]] = defaultdict(list)
    for number in range(min(known, default=0), max(known, default=-1) + 1):
        by_month[month_of(number * DAY)].append(number)
    for month, numbers in by_month.items():
        there = [known[n] for n in numbers if n in known]
        behind = [(n, most.get(n, 0) - (known[n].clock if n in known else 0)) for n in numbers]
        missing = sum(minutes for _, minutes in behind if minutes > CLOSURE)
        days = tuple(_name(n) for n in numbers if n not in known and _traded(n, most))
        yield Gap(pair, month, sum(d.rows for d in there), sum(d.clock - d.rows for d in there), missing, days)


def _traded(number: int, most: Mapping[int, int]) -> bool:
    if number in most:
        return most[number] > SHORT
    weekday = (number + 3) % 7  # 0 is Monday; 1970-01-01 was a Thursday
    return weekday < 5 and _name(number)[5:] not in CLOSED


def _name(number: int) -> str:
    return iso(number * DAY)[:10]
