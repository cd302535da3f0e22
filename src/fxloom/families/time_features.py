"""The position of a minute in the day, week and year: sessions, fixes, month ends, holidays.

Everything follows from the bar's open time and the pair's two currencies. Sessions run in local time, daylight
saving included: Sydney 07-16, Tokyo 09-18, London 08-17, New York 08-17, Monday to Friday.
Public holidays, days on which they are observed included, hold on the local date of the currency's centre: Sydney,
Toronto, Zurich, Frankfurt, London, Tokyo, Auckland, New York.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.calendars import (
    LONDON,
    NEW_YORK,
    SUNDAY,
    SYDNEY,
    TOKYO,
    WORKDAYS,
    calendar_days,
    is_holiday,
    local_minutes,
    moments,
    since,
    until,
    until_after,
    weekday,
)
from fxloom.bars.clock import DAY, HOUR, WEEK
from fxloom.features.domain import RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.pair_view import View

SESSIONS = {  # zone, opening and closing hour on its clocks
    "sydney": (SYDNEY, 7, 16),
    "tokyo": (TOKYO, 9, 18),
    "london": (LONDON, 8, 17),
    "newyork": (NEW_YORK, 8, 17),
}
WEEKEND = 57 * HOUR  # the longest time from the last opening (closing) of a week to the first of the next
THREE_DAYS = 3 * DAY + HOUR  # Friday to Monday, and an hour where daylight saving ends


def columns(_: Domain) -> Iterable[Column]:
    yield from _cycles()
    for name, (_zone, opens, closes) in SESSIONS.items():
        yield _flag(f"session_{name}", f"1 in [{opens:02}:00, {closes:02}:00) {name} time, Monday to Friday")
    yield _flag("overlap_tokyo_london", "session_tokyo and session_london")
    yield _flag("overlap_london_newyork", "session_london and session_newyork")
    yield _minutes("minutes_since_session_open", "from the latest of the four openings", 0, WEEKEND - 1)
    yield _minutes("minutes_to_session_close", "to the next of the four closings, strictly after", 1, WEEKEND)
    yield _minutes("minutes_to_london_fix", "to the next weekday 16:00 London, 0 at it", 0, THREE_DAYS - 1)
    yield _minutes("minutes_to_newyork_close", "to the next weekday 17:00 New York, 0 at it", 0, THREE_DAYS - 1)
    yield _minutes("minutes_since_week_open", "from the latest Sunday 17:00 New York", 0, WEEK + HOUR - 1)
    formula = "days from Monday to Friday after the UTC date, in its month"
    yield Column("business_days_to_month_end", "days", formula, 0, low=0, high=22)
    for side in ("base", "quote"):
        yield _holiday(side)


def _cycles() -> Iterable[Column]:
    angles = {
        "minute": "2 pi (UTC minute of the day) / 1440",
        "week": "2 pi (minutes since Sunday 17:00 New York) / 10080",
        "year": "2 pi (day of the UTC year - 1) / days of the year",
    }
    for cycle, angle in angles.items():
        for wave in ("sin", "cos"):
            yield Column(f"time_{cycle}_{wave}", "", f"{wave}({angle})", 0, low=-1.0, high=1.0)


def _flag(name: str, formula: str) -> Column:
    return Column(name, "flag", formula, 0, low=0.0, high=1.0)


def _minutes(name: str, formula: str, low: int, high: int) -> Column:
    return Column(name, "minutes", f"minutes {formula}", 0, low=float(low), high=float(high))


def _holiday(side: str) -> Column:
    return Column(
        f"holiday_{side}",
        "flag",
        f"1 where the {side} currency's centre has a public holiday on its local date",
        0,
        low=0.0,
        high=1.0,
        source="the holidays package: AU-NSW, CA-ON, CH-ZH, ECB, GB-ENG, JP, NZ, US",
        may_be_constant="a month may have no holiday",
    )


def compute(view: View) -> Columns:
    ts = view.ts
    if len(ts) == 0:
        return {column.name: np.zeros(0) for column in columns(RATE)}
    week = since(moments(NEW_YORK, 17 * HOUR, SUNDAY, ts), ts)
    values: dict[str, Floats | Ints | Flags] = {
        **_circle("minute", ts % DAY, DAY),
        **_circle("week", week, WEEK),
        **_year(ts),
        **_sessions(ts),
        "minutes_to_london_fix": until(moments(LONDON, 16 * HOUR, WORKDAYS, ts), ts),
        "minutes_to_newyork_close": until(moments(NEW_YORK, 17 * HOUR, WORKDAYS, ts), ts),
        "minutes_since_week_open": week,
        "business_days_to_month_end": _business_days_left(ts),
        "holiday_base": is_holiday(view.pair[:3], ts),
        "holiday_quote": is_holiday(view.pair[3:], ts),
    }
    return {name: column.astype(np.float64) for name, column in values.items()}


def _circle(cycle: str, minute: Ints, period: int) -> Columns:
    """Sine and cosine from a table of all minutes, so that a minute has the same bits wherever it is in an array."""
    angles = 2.0 * np.pi * np.arange(period + HOUR + 1) / period
    return {f"time_{cycle}_sin": np.sin(angles)[minute], f"time_{cycle}_cos": np.cos(angles)[minute]}


def _year(ts: Ints) -> Columns:
    days, row = _days(ts)
    dates = calendar_days(days)
    year = dates.astype("datetime64[Y]")
    begin = year.astype("datetime64[D]")
    length = ((year + 1).astype("datetime64[D]") - begin).astype(np.int64)
    angles = [2.0 * np.pi * int(d) / int(n) for d, n in zip((dates - begin).astype(np.int64), length, strict=True)]
    return {
        "time_year_sin": np.array([np.sin(angle) for angle in angles])[row],
        "time_year_cos": np.array([np.cos(angle) for angle in angles])[row],
    }


def _sessions(ts: Ints) -> dict[str, Ints | Flags]:
    flags = {name: _in_session(ts, *session) for name, session in SESSIONS.items()}
    opens = [moments(zone, begin * HOUR, WORKDAYS, ts) for zone, begin, _ in SESSIONS.values()]
    closes = [moments(zone, end * HOUR, WORKDAYS, ts) for zone, _, end in SESSIONS.values()]
    return {
        **{f"session_{name}": flag for name, flag in flags.items()},
        "overlap_tokyo_london": flags["tokyo"] & flags["london"],
        "overlap_london_newyork": flags["london"] & flags["newyork"],
        "minutes_since_session_open": since(np.sort(np.concatenate(opens)), ts),
        "minutes_to_session_close": until_after(np.sort(np.concatenate(closes)), ts),
    }


def _in_session(ts: Ints, zone: str, opens: int, closes: int) -> Flags:
    local = local_minutes(zone, ts)
    minute = local % DAY
    return (weekday(local // DAY) <= 4) & (minute >= opens * HOUR) & (minute < closes * HOUR)


def _business_days_left(ts: Ints) -> Ints:
    days, row = _days(ts)
    dates = calendar_days(days)
    next_month = (dates.astype("datetime64[M]") + 1).astype("datetime64[D]")
    return np.busday_count(dates + 1, next_month).astype(np.int64)[row]


def _days(ts: Ints) -> tuple[Ints, Ints]:
    """All days (since 1970) from the first to the last of ``ts``, and the position of each ``ts`` among them."""
    day = ts // DAY
    return np.arange(day[0], day[-1] + 1), day - day[0]


FAMILY = Family("time_features", columns, compute, domains=(RATE,), dual=False)
