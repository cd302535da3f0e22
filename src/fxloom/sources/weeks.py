"""The trading week: it opens on Sunday and closes on Friday at 17:00 in New York, daylight saving included."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from fxloom.bars.bars import Flags, Ints
from fxloom.bars.clock import DAY, HOUR, WEEK
from fxloom.bars.runs import run_starts

SPLIT = 2 * DAY + 18 * HOUR  # Saturday 18:00, counted from 1970-01-01, a Thursday: the market is closed in every zone
_NEW_YORK, _EUROPE = ZoneInfo("America/New_York"), ZoneInfo("Europe/Brussels")


@dataclass(frozen=True, eq=False)
class Weeks:
    """The weeks in which a file has bars, one entry per week in each array.

    ``start`` and ``stop`` bound the week's bars among ``minutes`` (local or UTC, sorted); ``opens`` and ``closes``
    are the market's open and close in UTC minutes. ``summer``: bit 0 is New York's summer time, bit 1 Europe's.
    """

    minutes: Ints
    number: Ints
    start: Ints
    stop: Ints
    opens: Ints
    closes: Ints
    summer: Ints

    def __len__(self) -> int:
        return len(self.number)


def week_of(minutes: Ints) -> Ints:
    """The number of the week (Saturday 18:00 to Saturday 18:00) that contains each minute."""
    return (minutes - SPLIT) // WEEK


def weeks_of(minutes: Ints) -> Weeks:
    """The weeks of sorted ``minutes``."""
    numbers = week_of(minutes)
    start = run_starts(numbers)
    marks = np.array([_marks(int(n)) for n in numbers[start]], np.int64).reshape(-1, 3)
    stop = np.append(start[1:], len(minutes)) if len(minutes) else start
    return Weeks(minutes, numbers[start], start, stop, marks[:, 0], marks[:, 1], marks[:, 2])


@cache
def _marks(number: int) -> tuple[int, int, int]:
    sunday = dt.date(1970, 1, 4) + dt.timedelta(weeks=number)
    friday = sunday + dt.timedelta(days=5)
    noon = dt.datetime.combine(sunday + dt.timedelta(days=1), dt.time(12))
    summers = [bool(noon.replace(tzinfo=zone).dst()) for zone in (_NEW_YORK, _EUROPE)]
    return _five_pm(sunday), _five_pm(friday), summers[0] + 2 * summers[1]


def _five_pm(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(17), _NEW_YORK).timestamp()) // HOUR


def in_weekend(utc: Ints) -> Flags:
    """Whether each UTC minute lies between New York's close on Friday and its open on Sunday.

    A bar of the closing minute itself does not count: it holds the ticks that close the week.
    """
    numbers = week_of(utc)
    starts = run_starts(numbers)
    marks = np.array([_marks(int(n)) for n in numbers[starts]], np.int64).reshape(-1, 3)
    opens, closes = np.repeat(marks[:, :2], np.diff(np.append(starts, len(utc))), axis=0).T
    return np.asarray((utc < opens) | (utc > closes))
