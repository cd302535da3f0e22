"""Months and days in UTC, written "2018-02", and minutes since 1970."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np

from fxloom.bars.bars import Ints
from fxloom.bars.runs import in_order

MICROSECONDS_PER_MINUTE = 60_000_000


def month_of(minute: int) -> str:
    """The month of a minute since 1970.

    >>> month_of(25_300_000)
    '2018-02'
    """
    return str(np.datetime64(int(minute), "m").astype("datetime64[M]"))


def month_bounds(month: str) -> tuple[int, int]:
    """The first minutes (since 1970) of ``month`` and of the next; ValueError if it is not written "YYYY-MM"."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise ValueError(f"invalid month {month!r}, expected YYYY-MM")
    first = np.datetime64(month, "M")
    return int(first.astype("datetime64[m]").astype(np.int64)), int(
        (first + 1).astype("datetime64[m]").astype(np.int64)
    )


def months_of(ts: Ints) -> list[str]:
    """The months of the minutes ``ts``, ascending."""
    if not len(ts):
        return []
    ts = in_order(ts)
    first, last = ts[[0, -1]].astype("datetime64[m]").astype("datetime64[M]")
    months = np.arange(first, last + 1)
    at = np.searchsorted(ts, np.append(months, last + 1).astype("datetime64[m]").astype(np.int64))
    return [str(month) for month in months[np.diff(at) > 0]]


def month_range(text: str) -> tuple[str, str]:
    """First and last month of "2018-02:2018-05" or "2018-02"; an open end ("2018-02:") is 0001-01 or 9999-12.

    ValueError if a month is not written "YYYY-MM", or if the last is before the first.
    """
    first, colon, last = text.partition(":")
    bounds = (first or "0001-01", (last or "9999-12") if colon else first)
    for month in bounds:
        month_bounds(month)
    if bounds[1] < bounds[0]:
        raise ValueError(f"invalid months {text!r}: {bounds[1]} is before {bounds[0]}")
    return bounds


def minute_of(moment: str | dt.date | dt.datetime | np.datetime64) -> int:
    """Minutes since 1970 of a date, a UTC time, or text in ISO form; an aware datetime is converted to UTC.

    ValueError if text is not in ISO form.
    """
    if isinstance(moment, str):
        try:
            moment = dt.datetime.fromisoformat(moment)
        except ValueError:
            raise ValueError(f"invalid time {moment!r}, expected YYYY-MM-DD or YYYY-MM-DD HH:MM") from None
    if isinstance(moment, dt.datetime) and moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return int(np.datetime64(moment).astype("datetime64[m]").astype(np.int64))


def iso(minute: int) -> str:
    """A minute since 1970 in the form "2018-02-05 10:36"."""
    return str(np.datetime64(int(minute), "m")).replace("T", " ")
