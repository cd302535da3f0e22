"""Time features against a reference that asks `datetime` and `zoneinfo` about one minute at a time."""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pytest

from fxloom.bars.calendars import holidays_of, is_holiday, utc_offset
from fxloom.bars.clock import ClockBars
from fxloom.bars.pairs import CURRENCIES, PairInfo
from fxloom.families.time_features import FAMILY
from fxloom.features.domain import RATE
from fxloom.features.pair_view import PairFrame

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CITIES = {
    "sydney": ("Australia/Sydney", 7, 16),
    "tokyo": ("Asia/Tokyo", 9, 18),
    "london": ("Europe/London", 8, 17),
    "newyork": ("America/New_York", 8, 17),
}
PUBLIC: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "aud": ("Australia/Sydney", lambda y: holidays.country_holidays("AU", subdiv="NSW", years=y)),
    "cad": ("America/Toronto", lambda y: holidays.country_holidays("CA", subdiv="ON", years=y)),
    "chf": ("Europe/Zurich", lambda y: holidays.country_holidays("CH", subdiv="ZH", years=y)),
    "eur": ("Europe/Berlin", lambda y: holidays.financial_holidays("ECB", years=y)),
    "gbp": ("Europe/London", lambda y: holidays.country_holidays("GB", subdiv="ENG", years=y)),
    "jpy": ("Asia/Tokyo", lambda y: holidays.country_holidays("JP", years=y)),
    "nzd": ("Pacific/Auckland", lambda y: holidays.country_holidays("NZ", years=y)),
    "usd": ("America/New_York", lambda y: holidays.country_holidays("US", years=y)),
}


def minute_of(moment: datetime) -> int:
    return (moment - EPOCH) // MINUTE


def times(zone: str, hour: int, weekdays: set[int], around: datetime) -> list[datetime]:
    """The UTC times at which it is ``hour`` o'clock on ``weekdays``, within nine days."""
    day = around.astimezone(ZoneInfo(zone)).date()
    dates = [day + timedelta(days=k) for k in range(-9, 10)]
    local = [datetime.combine(d, time(hour), ZoneInfo(zone)) for d in dates if d.weekday() in weekdays]
    return [moment.astimezone(UTC) for moment in local]


def minutes(later: datetime, earlier: datetime) -> float:
    return float((later - earlier) // MINUTE)


def reference(t: datetime, pair: str) -> dict[str, float]:
    """The definition, for one minute."""
    working = set(range(5))
    day_angle = 2 * math.pi * (t.hour * 60 + t.minute) / 1440
    week_open = max(m for m in times("America/New_York", 17, {6}, t) if m <= t)
    week_angle = 2 * math.pi * minutes(t, week_open) / 10080
    length = date(t.year, 12, 31).timetuple().tm_yday
    year_angle = 2 * math.pi * (t.timetuple().tm_yday - 1) / length
    out = {}
    for name, angle in (("minute", day_angle), ("week", week_angle), ("year", year_angle)):
        out[f"time_{name}_sin"], out[f"time_{name}_cos"] = math.sin(angle), math.cos(angle)
    for city, (zone, opens, closes) in CITIES.items():
        local = t.astimezone(ZoneInfo(zone))
        out[f"session_{city}"] = float(local.weekday() < 5 and opens <= local.hour < closes)
    out["overlap_tokyo_london"] = out["session_tokyo"] * out["session_london"]
    out["overlap_london_newyork"] = out["session_london"] * out["session_newyork"]
    opened = [m for zone, hour, _ in CITIES.values() for m in times(zone, hour, working, t) if m <= t]
    closing = [m for zone, _, hour in CITIES.values() for m in times(zone, hour, working, t) if m > t]
    out["minutes_since_session_open"] = minutes(t, max(opened))
    out["minutes_to_session_close"] = minutes(min(closing), t)
    out["minutes_to_london_fix"] = minutes(min(m for m in times("Europe/London", 16, working, t) if m >= t), t)
    out["minutes_to_newyork_close"] = minutes(min(m for m in times("America/New_York", 17, working, t) if m >= t), t)
    out["minutes_since_week_open"] = minutes(t, week_open)
    rest = range(t.day + 1, monthrange(t.year, t.month)[1] + 1)
    out["business_days_to_month_end"] = float(sum(date(t.year, t.month, d).weekday() < 5 for d in rest))
    for side, currency in (("base", pair[:3]), ("quote", pair[3:])):
        zone, public = PUBLIC[currency]
        local_date = t.astimezone(ZoneInfo(zone)).date()
        out[f"holiday_{side}"] = float(local_date in public(local_date.year))
    return out


def computed(moments: list[datetime], pair: str) -> dict[str, np.ndarray]:
    ts = np.array([minute_of(m) for m in moments], np.int64)
    one = np.ones(len(ts))
    bars = ClockBars(ts, one, one, one, one, None, None, np.arange(len(ts)))
    return FAMILY.compute(PairFrame(pair, bars, PairInfo(1.0)).view(RATE))


def assert_alike(moments: list[datetime], pair: str) -> None:
    found = computed(moments, pair)
    for row, moment in enumerate(moments):
        for name, expected in reference(moment, pair).items():
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
        marks = [m for zone, a, b in CITIES.values() for h in (a, b, 16) for m in times(zone, h, {2, 4, 6}, day)]
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
    zone, public = PUBLIC[currency]
    moments = every(timedelta(hours=5), datetime(2018, 1, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC))
    flags = is_holiday(currency, np.array([minute_of(m) for m in moments]))
    table = public(range(2017, 2024))
    assert flags.tolist() == [m.astimezone(ZoneInfo(zone)).date() in table for m in moments]
    assert 100 < flags.sum() < 600
    assert len(holidays_of(currency, 2018)) == len(set(holidays_of(currency, 2018))) >= 6


def test_well_known_holidays() -> None:
    noon = {d: np.array([minute_of(datetime(*d, 12, tzinfo=UTC))]) for d in ((2018, 7, 4), (2018, 2, 6), (2018, 5, 1))}
    assert is_holiday("usd", noon[2018, 7, 4])[0]
    assert not is_holiday("gbp", noon[2018, 7, 4])[0]
    assert not is_holiday("nzd", noon[2018, 2, 6])[0]  # already the seventh in Auckland
    assert is_holiday("nzd", noon[2018, 2, 6] - 13 * 60)[0]
    assert is_holiday("eur", noon[2018, 5, 1])[0]


@pytest.mark.parametrize("zone", [c[0] for c in CITIES.values()])
def test_offsets_match_zoneinfo_in_any_order(zone: str) -> None:
    moments = every(timedelta(minutes=611), datetime(2009, 1, 1, tzinfo=UTC), datetime(2012, 1, 1, tzinfo=UTC))
    moments = moments[::2] + moments[1::2][::-1]
    offsets = utc_offset(zone, np.array([minute_of(m) for m in moments]))
    expected = [(m.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)) // MINUTE for m in moments]
    assert offsets.tolist() == expected


def test_no_bars_no_values() -> None:
    assert {len(column) for column in computed([], "eurusd").values()} == {0}
