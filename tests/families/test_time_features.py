"""Time features at the minutes that samples of prices lack: years, daylight saving, year ends, holidays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from fxloom.bars.calendars import holidays_of, is_holiday, utc_offset
from fxloom.bars.clock import ClockBars
from fxloom.bars.pairs import CURRENCIES, PairInfo
from fxloom.families.time_features import FAMILY
from fxloom.features.domain import RATE
from fxloom.features.pair_view import PairFrame
from tests.reference import flows

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def minute_of(moment: datetime) -> int:
    return (moment - EPOCH) // MINUTE


def computed(moments: list[datetime], pair: str) -> dict[str, np.ndarray]:
    ts = np.array([minute_of(m) for m in moments], np.int64)
    one = np.ones(len(ts))
    bars = ClockBars(ts, one, one, one, one, None, None, np.arange(len(ts)))
    return FAMILY.compute(PairFrame(pair, bars, PairInfo(1.0)).view(RATE))


def assert_alike(moments: list[datetime], pair: str) -> None:
    """Compare every feature at ``moments`` with the reference, which reads nothing but the time and the pair."""
    found = computed(moments, pair)
    view: Any = SimpleNamespace(market=SimpleNamespace(pair=pair, ts=[minute_of(m) for m in moments]))
    for row, moment in enumerate(moments):
        expectations = flows.time_features(view, row)
        assert set(expectations) == set(found)
        for name, expected in expectations.items():
            value = found[name][row]
            assert value == pytest.approx(expected, abs=1e-14), f"{name} of {pair} at {moment}: {value}, not {expected}"


def every(step: timedelta, begin: datetime, end: datetime) -> list[datetime]:
    return [begin + k * step for k in range((end - begin) // step)]


@pytest.mark.parametrize("pair", ["audusd", "eurchf", "gbpjpy", "nzdcad"])
def test_sampled_minutes_of_several_years(pair: str) -> None:
    """A step of 1999 minutes covers all times of day and all weekdays, weekends included."""
    assert_alike(
        every(timedelta(minutes=1999), datetime(2017, 12, 28, tzinfo=UTC), datetime(2020, 3, 3, tzinfo=UTC)), pair
    )


@pytest.mark.parametrize(
    "change",
    [
        datetime(2018, 3, 11, 7, tzinfo=UTC),  # New York, spring
        datetime(2018, 11, 4, 6, tzinfo=UTC),  # New York, autumn
        datetime(2019, 3, 31, 1, tzinfo=UTC),  # London, spring
        datetime(2019, 10, 27, 1, tzinfo=UTC),  # London, autumn
        datetime(2018, 3, 31, 16, tzinfo=UTC),  # Sydney, autumn
        datetime(2018, 10, 6, 16, tzinfo=UTC),  # Sydney, spring
    ],
)
def test_changes_of_daylight_saving(change: datetime) -> None:
    near = every(MINUTE, change - 3 * MINUTE, change + 3 * MINUTE)
    wide = every(timedelta(minutes=47), change - timedelta(days=3), change + timedelta(days=3))
    assert_alike(sorted({*near, *wide}), "audusd")


@pytest.mark.parametrize("year", [2015, 2018, 2019, 2020])
def test_year_ends(year: int) -> None:
    end = datetime(year, 12, 31, tzinfo=UTC)
    assert_alike(every(timedelta(minutes=31), end - timedelta(days=1), end + timedelta(days=2)), "nzdjpy")


def test_exact_session_and_fix_times() -> None:
    """Openings, closings and the fix, with the minutes before and after, in summer and in winter."""
    for day in (datetime(2019, 1, 16, tzinfo=UTC), datetime(2019, 7, 17, tzinfo=UTC)):
        marks = [
            m
            for zone, a, b in flows.SESSIONS.values()
            for h in (a, b, 16)
            for m in flows.moments_near(day, zone, h, range(2, 7, 2))
        ]
        assert_alike(sorted({m + k * MINUTE for m in marks for k in (-1, 0, 1)}), "eurusd")


def test_friday_evening_counts_to_monday() -> None:
    found = computed([datetime(2018, 2, 9, 22, 1, tzinfo=UTC), datetime(2018, 2, 9, 22, 0, tzinfo=UTC)][::-1], "eurusd")
    assert found["minutes_to_newyork_close"].tolist() == [0.0, 3 * 1440 - 1.0]
    assert found["minutes_since_week_open"].tolist() == [7200.0, 7201.0]


def test_every_value_is_in_its_declared_range_over_forty_years() -> None:
    moments = every(timedelta(minutes=1009), datetime(1995, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    found = computed(moments, "audusd")
    for column in FAMILY.columns(RATE):
        values = found[column.name]
        assert np.isfinite(values).all()
        assert values.min() >= column.low
        assert values.max() <= column.high


@pytest.mark.parametrize("currency", CURRENCIES)
def test_holidays_match_the_holidays_package_on_local_dates(currency: str) -> None:
    moments = every(timedelta(hours=5), datetime(2018, 1, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC))
    flags = is_holiday(currency, np.array([minute_of(m) for m in moments]))
    assert flags.tolist() == [flows.is_holiday(currency, m) for m in moments]
    assert 100 < flags.sum() < 600
    assert len(holidays_of(currency, 2018)) == len(set(holidays_of(currency, 2018))) >= 6


def test_well_known_holidays() -> None:
    noon = {d: np.array([minute_of(datetime(*d, 12, tzinfo=UTC))]) for d in ((2018, 7, 4), (2018, 2, 6), (2018, 5, 1))}
    assert is_holiday("usd", noon[2018, 7, 4])[0]
    assert not is_holiday("gbp", noon[2018, 7, 4])[0]
    assert not is_holiday("nzd", noon[2018, 2, 6])[0]  # already the seventh in Auckland
    assert is_holiday("nzd", noon[2018, 2, 6] - 13 * 60)[0]
    assert is_holiday("eur", noon[2018, 5, 1])[0]


@pytest.mark.parametrize("zone", [zone for zone, _, _ in flows.SESSIONS.values()])
def test_offsets_match_zoneinfo_in_any_order(zone: str) -> None:
    moments = every(timedelta(minutes=611), datetime(2009, 1, 1, tzinfo=UTC), datetime(2012, 1, 1, tzinfo=UTC))
    moments = moments[::2] + moments[1::2][::-1]
    offsets = utc_offset(zone, np.array([minute_of(m) for m in moments]))
    expected = [(m.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)) // MINUTE for m in moments]
    assert offsets.tolist() == expected


@pytest.mark.parametrize(
    ("zone", "change", "offsets"),
    [
        ("America/New_York", datetime(2018, 3, 11, 7, tzinfo=UTC), [-300, -240]),
        ("Europe/London", datetime(2019, 10, 27, 1, tzinfo=UTC), [60, 0]),
        ("Australia/Sydney", datetime(2018, 3, 31, 16, tzinfo=UTC), [660, 600]),
    ],
)
def test_offsets_change_at_the_exact_minute(zone: str, change: datetime, offsets: list[int]) -> None:
    assert utc_offset(zone, np.array([minute_of(change - MINUTE), minute_of(change)])).tolist() == offsets


def test_no_bars_no_values() -> None:
    assert {len(column) for column in computed([], "eurusd").values()} == {0}
