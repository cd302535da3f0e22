"""Local time, recurring moments and public holidays of the currencies' centres, on arrays of UTC minutes.

Daylight saving comes from the time-zone data (``zoneinfo``), public holidays from the ``holidays`` package, which
no other module may import. It is imported when a holiday is first looked up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from fxloom.bars.bars import Flags, Ints
from fxloom.bars.clock import DAY

EPOCH = date(1970, 1, 1)
WORKDAYS = (0, 1, 2, 3, 4)  # Monday is 0
SUNDAY = (6,)
SYDNEY, TOKYO, LONDON, NEW_YORK = "Australia/Sydney", "Asia/Tokyo", "Europe/London", "America/New_York"


@dataclass(frozen=True)
class Centre:
    """Where a currency's public holidays come from: a zone for the local date, and the package's market or country."""

    zone: str
    country: str
    subdivision: str | None = None


CENTRES = {
    "aud": Centre(SYDNEY, "AU", "NSW"),
    "cad": Centre("America/Toronto", "CA", "ON"),
    "chf": Centre("Europe/Zurich", "CH", "ZH"),
    "eur": Centre("Europe/Berlin", "ECB"),
    "gbp": Centre(LONDON, "GB", "ENG"),
    "jpy": Centre(TOKYO, "JP"),
    "nzd": Centre("Pacific/Auckland", "NZ"),
    "usd": Centre(NEW_YORK, "US"),
}


# -- local time ------------------------------------------------------------------------------------------------------


def utc_offset(zone: str, ts: Ints) -> Ints:
    """Minutes by which local time in ``zone`` is ahead of UTC at the UTC minutes ``ts`` (int64, in any order)."""
    if len(ts) == 0:
        return np.zeros(0, np.int64)
    first, last = _year_of(int(ts.min())), _year_of(int(ts.max()))
    pieces = [piece for year in range(first, last + 1) for piece in _offsets_of(zone, year)]
    starts = np.array([start for start, _ in pieces], np.int64)
    offsets = np.array([offset for _, offset in pieces], np.int64)
    return offsets[np.searchsorted(starts, ts, side="right") - 1]


def local_minutes(zone: str, ts: Ints) -> Ints:
    """Minutes since 1970-01-01 00:00 on the clocks of ``zone`` at the UTC minutes ``ts``."""
    return ts + utc_offset(zone, ts)


def weekday(days: Ints) -> Ints:
    """Day of the week of days since 1970-01-01: Monday is 0, Sunday 6."""
    return (days + 3) % 7


@cache
def _offsets_of(zone: str, year: int) -> tuple[tuple[int, int], ...]:
    """(first UTC minute, offset) of every period with one offset in a UTC year."""
    begin, end = _minute_of_year(year), _minute_of_year(year + 1)
    pieces = [(begin, _offset_at(zone, begin))]
    for day in range(begin, end, DAY):
        after = min(day + DAY, end - 1)
        if _offset_at(zone, after) != pieces[-1][1]:
            change = _first_change(zone, day, after)
            pieces.append((change, _offset_at(zone, change)))
    return tuple(pieces)


def _first_change(zone: str, before: int, after: int) -> int:
    """The first minute in (before, after] whose offset is that of ``after``, by bisection."""
    target = _offset_at(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset_at(zone, middle) == target:
            after = middle
        else:
            before = middle
    return after


def _offset_at(zone: str, minute: int) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    return round(offset.total_seconds() / 60)


def _year_of(minute: int) -> int:
    return (EPOCH + timedelta(days=minute // DAY)).year


def _minute_of_year(year: int) -> int:
    return (date(year, 1, 1) - EPOCH).days * DAY


# -- recurring moments -----------------------------------------------------------------------------------------------


def moments(zone: str, minute_of_day: int, weekdays: Iterable[int], around: Ints, margin: int = 8) -> Ints:
    """UTC minutes at which clocks in ``zone`` show ``minute_of_day`` on ``weekdays``, increasing.

    They cover the minutes ``around`` with ``margin`` days on both sides. The time of day must be some hours away
    from the zone's changes of daylight saving (all current uses lie between 07:00 and 18:00).
    """
    if len(around) == 0:
        return np.zeros(0, np.int64)
    days = np.arange(int(around.min()) // DAY - margin, int(around.max()) // DAY + margin + 1, dtype=np.int64)
    local = days[np.isin(weekday(days), tuple(weekdays))] * DAY + minute_of_day
    near = local - utc_offset(zone, local)  # wrong by an hour at most, around a change
    return local - utc_offset(zone, near)


def since(events: Ints, ts: Ints) -> Ints:
    """Minutes from the latest of ``events`` at or before each ``ts``."""
    return ts - events[np.searchsorted(events, ts, side="right") - 1]


def until(events: Ints, ts: Ints) -> Ints:
    """Minutes to the first of ``events`` at or after each ``ts``: 0 at the moment itself."""
    return events[np.searchsorted(events, ts, side="left")] - ts


def until_after(events: Ints, ts: Ints) -> Ints:
    """Minutes to the first of ``events`` strictly after each ``ts``."""
    return events[np.searchsorted(events, ts, side="right")] - ts


# -- dates and holidays ----------------------------------------------------------------------------------------------


def calendar_days(days: Ints) -> npt.NDArray[np.datetime64]:
    """Days since 1970-01-01 as dates (datetime64[D])."""
    return days.astype("datetime64[D]")


def is_holiday(currency: str, ts: Ints) -> Flags:
    """Whether the currency's centre has a public holiday on its local date at the UTC minutes ``ts``.

    Source: the ``holidays`` package (AU-NSW, CA-ON, CH-ZH, ECB, GB-ENG, JP, NZ, US), observed days included.
    """
    if len(ts) == 0:
        return np.zeros(0, np.bool_)
    days = local_minutes(CENTRES[currency].zone, ts) // DAY
    first, last = int(days.min()), int(days.max())
    years = range(_year_of(first * DAY), _year_of(last * DAY) + 1)
    closed = np.zeros(last - first + 1, np.bool_)
    for day in (day for year in years for day in holidays_of(currency, year) if first <= day <= last):
        closed[day - first] = True
    return closed[days - first]


@cache
def holidays_of(currency: str, year: int) -> tuple[int, ...]:
    """The public holidays of the currency's centre in a year, as days since 1970-01-01, increasing."""
    import holidays  # takes 0.1 s, so import it only when needed

    centre = CENTRES[currency]
    if centre.country == "ECB":
        found = holidays.financial_holidays("ECB", years=year)
    else:
        found = holidays.country_holidays(centre.country, subdiv=centre.subdivision, years=year)
    return tuple(sorted((day - EPOCH).days for day in found if day.year == year))
