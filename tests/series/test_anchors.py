"""Weekly anchors against the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from fxloom.bars.clock import WEEK
from fxloom.series.anchors import Week, weeks


def minute(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) // 60


def sunday_before(ts: int) -> int:
    """Sunday 00:00 UTC at or before a minute, from the calendar."""
    day = datetime.fromtimestamp(ts * 60, UTC).replace(hour=0, minute=0)
    return int((day - timedelta(days=(day.weekday() + 1) % 7)).timestamp()) // 60


def test_weeks_begin_on_sundays() -> None:
    rng = np.random.default_rng(3)
    ts = np.unique(rng.integers(minute(2018, 2, 1), minute(2018, 4, 1), 3_000))
    found = list(weeks(ts, 0, 0))
    assert found[0].begin == 0
    assert found[-1].end == len(ts)
    for week, following in pairwise(found):
        assert week.end == following.begin
    for week in found:
        assert len({sunday_before(int(t)) for t in ts[week.bars]}) == 1


def test_the_anchor_itself_is_in_force() -> None:
    ts = np.arange(minute(2018, 2, 3, 23, 58), minute(2018, 2, 4, 0, 3))
    assert list(weeks(ts, 0, 0)) == [Week(0, 2), Week(2, 5)]


def test_only_weeks_with_stored_rows_and_enough_history() -> None:
    ts = np.arange(minute(2018, 2, 1), minute(2018, 2, 25))
    found = list(weeks(ts, 10_000, 0))
    assert [week.begin for week in found] == [3 * 1440, 10 * 1440, 17 * 1440]
    assert [week.begin for week in weeks(ts, 10_000, 3 * 1440)] == [week.begin for week in found]
    assert [week.begin for week in weeks(ts, 10_000, 3 * 1440 + 1)] == [10 * 1440, 17 * 1440]
    assert list(weeks(ts, len(ts), 0)) == []


def test_days_years_apart_have_only_their_own_weeks() -> None:
    days = [minute(2011, 5, 3), minute(2014, 5, 5), minute(2018, 3, 7)]
    ts = np.concatenate([np.arange(day, day + 1_440) for day in days])
    assert [(week.begin, week.end) for week in weeks(ts, 0, 0)] == [(0, 1_440), (1_440, 2_880), (2_880, 4_320)]


def test_slices_of_a_week() -> None:
    week = Week(100, 150)
    assert (week.bars, week.back(20), week.before(30)) == (slice(100, 150), slice(80, 150), slice(70, 100))
    assert timedelta(minutes=WEEK) == timedelta(weeks=1)
