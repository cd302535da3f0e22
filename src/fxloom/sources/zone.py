"""The time zone of a file, told by its own weeks.

The market opens on Sunday and closes on Friday at 17:00 in New York, daylight saving included. Each week of a
file bounds its offset: no bar lies before the open or after the close, and an offset under which the first or
last bar touches that edge is likelier than one under which it does not. Clocks keep a rule (none, New York's or
Europe's daylight saving) unless the bars say otherwise, so that the offsets of all weeks are told together, as
the cheapest path through (offset in winter, rule).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.sources.records import OffsetPeriod, Refused

WEEK, DAY, HOUR = 10_080, 1_440, 60
SPLIT = 2 * DAY + 18 * HOUR  # Saturday 18:00 by the epoch's count: closed under every offset
_CURE = "say --zone utc, --zone +2 or --zone Europe/Athens"
NEAR = 10  # minutes between a weekly edge and the bar that touches it
NEAR_END = 3  # the same where that bar is the file's first or last
LATE = 5  # minutes that a last or first bar may lie in the weekend: some markets close on the minute's first tick
_WINTER = np.repeat(np.arange(-12.0, 15.0), 3)  # of every state: the offset in winter
_RULE = np.tile(np.arange(3), 27)  # 0 none, 1 New York, 2 Europe
_LATE_COST, _RULE_CHANGE, _OFFSET_CHANGE = 0.5, 4.0, 8.0  # in untouched edges
_MARGIN = 0.5
_SUNDAY, _MONDAY = 3 * DAY, 4 * DAY  # minutes of the week by the epoch's count, which begins on Thursday
_LONE = (
    (-5, 0, 2),
    (-4, 0, 3),
)  # in winter and in summer: HistData's, UTC, and brokers' as the market closes at midnight
_NEW_YORK, _EUROPE = ZoneInfo("America/New_York"), ZoneInfo("Europe/Brussels")


@dataclass(frozen=True, eq=False)
class Weeks:
    """A file's weeks: number, first and last bar (local minutes), New York's open and close (UTC minutes)."""

    number: Ints
    first: Ints
    last: Ints
    opens: Ints
    closes: Ints
    summer: Ints  # bit 0: New York's summer time in the week, bit 1: Europe's


def week_of(minutes: Ints) -> Ints:
    """The number of the week (from Saturday 18:00 to Saturday 18:00) that each local minute is in."""
    return (minutes - SPLIT) // WEEK


def weeks_of(minutes: Ints) -> Weeks:
    """The weeks of sorted local ``minutes`` of bar opens."""
    weeks = week_of(minutes)
    first = np.flatnonzero(np.append(True, weeks[1:] != weeks[:-1]))
    number, last = weeks[first], np.append(first[1:], len(minutes)) - 1
    marks = np.array([_marks(int(n)) for n in number])
    return Weeks(number, minutes[first], minutes[last], marks[:, 0], marks[:, 1], marks[:, 2])


@cache
def _marks(number: int) -> tuple[int, int, int]:
    sunday = dt.date(1970, 1, 4) + dt.timedelta(weeks=number)
    friday = sunday + dt.timedelta(days=5)
    noon = dt.datetime.combine(sunday + dt.timedelta(days=1), dt.time(12))
    summers = [bool(noon.replace(tzinfo=zone).dst()) for zone in (_NEW_YORK, _EUROPE)]
    return _five_pm(sunday), _five_pm(friday), summers[0] + 2 * summers[1]


def _five_pm(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(17), _NEW_YORK).timestamp()) // 60


@dataclass(frozen=True, eq=False)
class Offsets:
    """Hours from UTC of every week of a file, and why."""

    number: Ints
    hours: Floats
    why: str

    def at(self, minutes: Ints) -> Floats:
        """Hours from UTC of local ``minutes``."""
        place = np.searchsorted(self.number, week_of(minutes)).clip(0, len(self.number) - 1)
        return np.asarray(self.hours[place])


def told_by_weeks(minutes: Ints) -> Offsets:
    """The offsets that a file's own weekly opens and closes tell.

    ``minutes``: sorted local minutes of bar opens, filler left out. Raises ``Refused`` where they
    cannot tell, or where two offsets are as likely.
    """
    weeks = weeks_of(minutes)
    through = _cheapest_through(_costs(weeks))
    if not np.isfinite(through).any(axis=1).all():
        raise Refused(_never_open(weeks), _CURE)
    return _decided(weeks, through)


def _costs(weeks: Weeks) -> Floats:
    """(weeks, states): untouched edges of the week, infinite where bars lie more than ``LATE`` in the weekend."""
    summer = np.stack([np.zeros_like(weeks.summer), weeks.summer & 1, weeks.summer >> 1], axis=1)
    hours = _WINTER + summer[:, _RULE]
    before = 60 * hours - (weeks.last + 1 - weeks.closes)[:, None]  # minutes from the last bar's end to the close
    after = (weeks.first - weeks.opens)[:, None] - 60 * hours  # minutes from the open to the first bar
    near = np.full((len(hours), 2), NEAR)
    near[0, 0] = near[-1, 1] = NEAR_END
    opened, closed = _edge_costs(after, near[:, :1]), _edge_costs(before, near[:, 1:])
    if weeks.first[0] % WEEK >= _MONDAY or weeks.first[0] % WEEK < _SUNDAY:
        opened[0] = np.maximum(opened[0], 1.0)  # a file that begins on a weekday was cut there
    if weeks.last[-1] % DAY == DAY - 1:
        closed[-1] = np.maximum(closed[-1], 1.0)  # and so, perhaps, was one that ends at midnight
    unusual = (_RULE > 0) & ((_WINTER < -8) | (_WINTER > 3))  # no clock so far east or west has these rules
    return np.asarray(opened + closed + np.where(unusual, np.inf, 0.0))


def _edge_costs(distance: Floats, near: Ints) -> Floats:
    """0 for a touched edge, 1 for one out of reach, between them where bars lie a little in the weekend."""
    inside = np.where(distance < -LATE, np.inf, _LATE_COST)
    return np.where(distance < 0, inside, np.where(distance <= near, 0.0, 1.0))


def _cheapest_through(cost: Floats) -> Floats:
    """(weeks, states): the cost of the cheapest path over all weeks that passes through each state."""
    ahead, behind = cost.copy(), cost.copy()
    for week in range(1, len(cost)):
        ahead[week] += _after_change(ahead[week - 1])
    for week in range(len(cost) - 2, -1, -1):
        behind[week] += _after_change(behind[week + 1])
    known = np.isfinite(cost)
    return np.asarray(np.where(known, ahead + behind - np.where(known, cost, 0.0), np.inf))


def _after_change(cost: Floats) -> Floats:
    same_winter = np.repeat(cost.reshape(-1, 3).min(axis=1), 3)
    return np.asarray(np.minimum(np.minimum(cost, same_winter + _RULE_CHANGE), cost.min() + _OFFSET_CHANGE))


def _decided(weeks: Weeks, through: Floats) -> Offsets:
    hours = np.array([_offset_of(weeks, through[week], week) for week in range(len(through))])
    before = 60 * hours - (weeks.last + 1 - weeks.closes)
    after = weeks.first - weeks.opens - 60 * hours
    touched = int((before <= NEAR).sum() + (after <= NEAR).sum())
    _refuse_unbounded(weeks, hours, np.argmin(through, axis=1), before, after)
    why = f"{touched} weekly edges at New York 17:00"
    if touched == 1:
        why = "only one weekly edge at New York 17:00: say --zone if that is wrong"
    if ((before < 0) == (before <= NEAR)).all() and (before < 0).sum() > 1 and not (after == 0).any():
        why += "; the last bars begin as the market closes: are these times of bar closes (--stamp close)?"
    return Offsets(weeks.number, hours, why)


def _offset_of(weeks: Weeks, through: Floats, week: int) -> float:
    """The week's offset under the cheapest path. Raises ``Refused`` if another is about as cheap."""
    summer = int(weeks.summer[week])
    hours = _WINTER + np.array([0, summer & 1, summer >> 1])[_RULE]
    best = hours[np.argmin(through)]
    rivals = through[hours != best]
    if rivals.min() - through.min() < _MARGIN:
        raise Refused(f"no weekly open or close tells its time zone (in the week of {_day(weeks.first[week])})", _CURE)
    return float(best)


def _refuse_unbounded(weeks: Weeks, hours: Floats, state: Ints, before: Floats, after: Floats) -> None:
    """Refuses offsets that an hour more or less would suit as well, were it not for the edges that they touch.

    Markets that close earlier or open later than New York's hours have such weeks. Every stretch on one clock
    must be held from both sides; only where a file has no whole weekend at all is one side believed, for the
    offsets that vendors use.
    """
    weekends = (weeks.first[1:] - weeks.last[:-1])[np.diff(weeks.number) == 1]
    weekends = weekends[weekends < 3 * DAY]
    starts = np.flatnonzero(np.append(True, state[1:] != state[:-1]))
    slack = np.minimum.reduceat(before.clip(0), starts) + np.minimum.reduceat(after.clip(0), starts)
    short = len(weekends) > 0 and weekends.min() <= 49 * HOUR
    if (slack < (HOUR if short else HOUR - LATE)).all():
        return
    if len(weekends):
        shortest = f"{weekends.min() / HOUR:.3g} hours"
        raise Refused(f"its weekends last {shortest} or more, not 48, so that they do not tell its time zone", _CURE)
    if any(h not in _LONE[summer & 1] for h, summer in zip(hours, weeks.summer, strict=True)):
        raise Refused(f"begins or ends as if at UTC{hours[0]:+g}, which no vendor uses: cut there by chance?", _CURE)


def _never_open(weeks: Weeks) -> str:
    worst = int(np.argmax((weeks.last - weeks.closes) - (weeks.first - weeks.opens)))
    return f"has bars in the weekend under every offset from UTC (such as around {_day(weeks.last[worst])})"


def _day(minute: int) -> str:
    return dt.datetime.fromtimestamp(60 * int(minute), dt.UTC).strftime("%Y-%m-%d")


def in_weekend(utc: Ints) -> Flags:
    """Whether each UTC minute lies between New York's close on Friday and open on Sunday."""
    weeks = weeks_of(np.sort(utc))
    place = np.searchsorted(weeks.number, week_of(utc))
    return np.asarray((utc < weeks.opens[place]) | (utc >= weeks.closes[place]))


def offset_periods(utc: Ints, hours: Floats) -> tuple[OffsetPeriod, ...]:
    """The stretches on one offset: ``utc`` sorted minutes and the offset of each."""
    if not len(utc):
        return ()
    starts = np.flatnonzero(np.append(True, hours[1:] != hours[:-1]))
    ends = np.append(starts[1:], len(utc)) - 1
    return tuple(OffsetPeriod(int(utc[a]), int(utc[b]), float(hours[a])) for a, b in zip(starts, ends, strict=True))


def asked_zone(text: str) -> float | ZoneInfo | None:
    """``--zone`` as an offset in hours or a named zone; None for "auto". Raises ``ValueError`` if it is neither."""
    plain = text.strip()
    if plain.lower() == "auto":
        return None
    if plain.lower() in ("utc", "gmt", "z"):
        return 0.0
    found = re.fullmatch(r"(?i)(?:utc|gmt)?([+-]?)(\d{1,2})(?::?([0-5]\d))?", plain)
    if found:
        hours = int(found[2]) + int(found[3] or 0) / 60
        if hours <= 14:
            return -hours if found[1] == "-" else hours
    try:
        return ZoneInfo(plain)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"--zone {text!r} is no offset (+2, -05:00), no zone (Europe/Athens), not utc, not auto"
        ) from None
