"""Zones inferred from synthetic weeks: rules, change dates, gaps, files cut anywhere; and stated zones."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxloom.sources import Refused
from fxloom.sources.zone import offsets_from_weeks, parse_zone
from tests.sources.vendor_files import accepted, assert_bars, market_minutes, minutes_of, mt4, prices, write_rows

YEAR = market_minutes(dt.date(2017, 1, 1), 104, step=7)
UTC = minutes_of(YEAR)


def summer(utc: np.ndarray, zone: str) -> np.ndarray:
    """1 where ``zone`` has summer time, from the standard library one minute at a time."""
    there = ZoneInfo(zone)
    days = {day: bool(dt.datetime.fromtimestamp(day * 86400 + 43200, there).dst()) for day in np.unique(utc // 1440)}
    return np.array([days[day] for day in utc // 1440])


SUMMERS = {
    "none": np.zeros(len(UTC)),
    "New York": summer(UTC, "America/New_York"),
    "Europe": summer(UTC, "Europe/Paris"),
}
CLOCKS = [
    *(("none", winter) for winter in (5.5, 5.75, 3.5)),
    ("New York", -3.5),
    *(("New York", winter) for winter in (-8, -5, 2)),
    *(("Europe", winter) for winter in (-5, 1, 2)),
    *(("none", winter) for winter in (-5, 0, 2, 3, 8, 9)),
]


def local(rule: str, winter: float) -> tuple[np.ndarray, np.ndarray]:
    """Local minutes of a clock, and its offset at each."""
    hours = winter + SUMMERS[rule]
    return UTC + (60 * hours).astype(np.int64), hours


@pytest.mark.parametrize(("rule", "winter"), CLOCKS)
def test_two_years_of_every_clock(rule: str, winter: float) -> None:
    minutes, hours = local(rule, winter)
    np.testing.assert_array_equal(offsets_from_weeks(minutes).at(minutes), hours)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CLOCKS), st.integers(0, 700), st.integers(10, 90), st.data())
def test_any_stretch_of_ten_days_or_more_is_inferred_correctly(
    clock: tuple[str, float], day: int, days: int, data: st.DataObject
) -> None:
    minutes, hours = local(*clock)
    start = UTC[0] + 1440 * day + data.draw(st.integers(0, 1439))
    kept = (start <= UTC) & (start + 1440 * days > UTC)
    try:
        reported = offsets_from_weeks(minutes[kept])
    except Refused:  # a partial week between two change dates may be ambiguous
        return
    np.testing.assert_array_equal(reported.at(minutes[kept]), hours[kept])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CLOCKS), st.integers(0, 700), st.integers(1, 6), st.data())
def test_a_few_days_are_never_inferred_wrongly(
    clock: tuple[str, float], day: int, days: int, data: st.DataObject
) -> None:
    minutes, hours = local(*clock)
    start = UTC[0] + 1440 * day + data.draw(st.integers(0, 1439))
    kept = np.flatnonzero((start <= UTC) & (start + 1440 * days > UTC))
    if not len(kept) or minutes[kept[-1]] % 10_080 // 60 in range(24, 54):
        return  # cut on a Friday: the minute before a full hour could be any vendor's close
    if 0 < (UTC[kept[0]] - UTC[0]) % 10_080 < 1560:
        return  # cut in a week's first hours: a full hour could be any vendor's open
    try:
        reported = offsets_from_weeks(minutes[kept])
    except Refused:
        return
    np.testing.assert_array_equal(reported.at(minutes[kept]), hours[kept])


def test_gaps_at_the_edges_are_bridged() -> None:
    """Some weeks close an hour or two early, others open late; one close and one open are exact."""
    weeks = market_minutes(dt.date(2023, 6, 4), 4)
    minutes = minutes_of(weeks)
    place = (minutes - minutes[0]) % 10_080
    week = (minutes - minutes[0]) // 10_080
    end = 7200
    keep = (place < end - np.array([60, 0, 120, 60])[week]) & (place >= np.array([60, 60, 0, 120])[week])
    assert set(offsets_from_weeks(minutes[keep] - 240).hours) == {-4.0}


def test_a_gap_of_months_keeps_the_clock() -> None:
    minutes, hours = local("Europe", 2)
    kept = (UTC[0] + 45 * 1440 > UTC) | (UTC[0] + 400 * 1440 < UTC)
    np.testing.assert_array_equal(offsets_from_weeks(minutes[kept]).at(minutes[kept]), hours[kept])


def test_a_change_of_broker_within_a_file() -> None:
    """The first year on HistData's fixed New York offset, the second on a European MetaTrader server."""
    (one, first), (two, second) = local("New York", -5), local("Europe", 2)
    later = (UTC - UTC[0]) // 10_080 >= 52
    minutes, hours = np.where(later, two, one), np.where(later, second, first)
    np.testing.assert_array_equal(offsets_from_weeks(minutes).at(minutes), hours)


def test_a_change_of_daylight_saving_rule_within_a_file() -> None:
    (one, first), (two, second) = local("New York", -5), local("Europe", -5)
    later = (UTC - UTC[0]) // 10_080 >= 52
    minutes, hours = np.where(later, two, one), np.where(later, second, first)
    np.testing.assert_array_equal(offsets_from_weeks(minutes).at(minutes), hours)


def test_overlong_weekends_allow_no_inference() -> None:
    """A market open from Monday 00:00 to Friday 21:00 UTC all year looks like another clock's open."""
    utc = minutes_of(market_minutes(dt.date(2018, 1, 7), 6))
    place = utc % 10_080  # of a week that begins on Thursday
    kept = (place >= 4 * 1440) | (place < 1440 + 21 * 60)
    with pytest.raises(Refused, match="weekends last 51 hours"):
        offsets_from_weeks(utc[kept] + 120)


def test_a_market_that_never_closes_allows_no_inference() -> None:
    with pytest.raises(Refused, match="weekend under every offset"):
        offsets_from_weeks(np.arange(25_000_000, 25_060_000))


def test_one_bar_or_one_day_allows_no_inference() -> None:
    for count in (1, 300):
        with pytest.raises(Refused, match="shows its time zone"):
            offsets_from_weeks(np.arange(count) + 25_304_000)


def test_periods_and_bars_of_a_file_across_both_changes(tmp_path: Path) -> None:
    """A MetaTrader server with Europe's dates, from before New York's change to after Europe's."""
    every = market_minutes(dt.date(2018, 2, 25), 6)
    shifted = [t + dt.timedelta(hours=3 if t >= dt.datetime(2018, 3, 25, 1, tzinfo=dt.UTC) else 2) for t in every]
    rows = [mt4(t, p) for t, p in zip(shifted, prices(len(every)), strict=True)]
    outcome = accepted(write_rows(tmp_path / "EURUSD1.csv", rows))
    assert outcome.zone.hours == (2.0, 3.0)
    assert_bars(outcome.bars, every, prices(len(every)))
    assert "UTC+3 2018-03-25" in str(outcome.zone)


def test_close_timestamps_are_recognised(tmp_path: Path) -> None:
    times = market_minutes(dt.date(2018, 1, 7), 3)
    rows = [mt4(t + dt.timedelta(hours=2, minutes=1), p) for t, p in zip(times, prices(len(times)), strict=True)]
    path = write_rows(tmp_path / "EURUSD1.csv", rows)
    for zone in ("auto", "+2"):
        outcome = accepted(path, zone=zone)
        assert "the bars' closes" in outcome.notes[0]
        assert_bars(outcome.bars, times, prices(len(times)))
    outcome = accepted(path, stamp="close")
    assert not any("closes" in note for note in outcome.notes)
    assert_bars(outcome.bars, times, prices(len(times)))
    as_written = accepted(path, stamp="open")
    assert_bars(as_written.bars, [t + dt.timedelta(minutes=1) for t in times], prices(len(times)))


@pytest.mark.parametrize("late", [0, 1])
def test_a_bar_at_the_closing_minute_does_not_mean_close_timestamps(late: int, tmp_path: Path) -> None:
    """Weeks that end with a bar at 17:00 and also start at 17:00 are stamped with the open."""
    times = market_minutes(dt.date(2018, 1, 7), 3)
    times = sorted([*times, *(times[7200 * w + 7199] + dt.timedelta(minutes=1) for w in range(3))])
    times = times[late:]
    rows = [mt4(t + dt.timedelta(hours=2), p) for t, p in zip(times, prices(len(times)), strict=True)]
    assert_bars(accepted(write_rows(tmp_path / "EURUSD1.csv", rows)).bars, times, prices(len(times)))


def test_a_named_zone_that_repeats_an_hour(tmp_path: Path) -> None:
    """In Cairo clocks go back on a Thursday night: 23:00 to 24:00 occurs twice on 26 October 2023."""
    start = dt.datetime(2023, 10, 26, 18, tzinfo=dt.UTC)
    times = [start + dt.timedelta(minutes=m) for m in range(360)]
    cairo = [t.astimezone(ZoneInfo("Africa/Cairo")) for t in times]
    rows = [mt4(t, p) for t, p in zip(cairo, prices(360), strict=True)]
    assert len({r[:16] for r in rows}) == 300
    outcome = accepted(write_rows(tmp_path / "EURUSD1.csv", rows), zone="Africa/Cairo")
    assert outcome.zone.hours == (3.0, 2.0)
    assert_bars(outcome.bars, times, prices(360))
    once = [r for i, r in enumerate(rows) if r[:16] not in {q[:16] for q in rows[:i]}]
    outcome = accepted(write_rows(tmp_path / "EURUSD1.csv", once), zone="Africa/Cairo")
    assert len(outcome.quarantined) == 60
    assert "occurs twice" in outcome.quarantined[0].reason
    assert outcome.quarantined[0].line == 121


def test_a_named_zone_that_skips_an_hour(tmp_path: Path) -> None:
    rows = [mt4(dt.datetime(2023, 4, 28, 0, m), p) for m, p in zip(range(50, 60), prices(10), strict=True)]
    rows += [mt4(dt.datetime(2023, 4, 28, 1, m), p) for m, p in zip(range(10), prices(10), strict=True)]
    outcome = accepted(write_rows(tmp_path / "EURUSD1.csv", rows), zone="Africa/Cairo")
    assert len(outcome.bars) == 10
    assert "no such time" in outcome.quarantined[0].reason


def test_repeated_hours_of_a_fixed_offset_are_quarantined(tmp_path: Path) -> None:
    """The same local hour twice at one fixed offset: the second contradicts the first and is quarantined."""
    times = [dt.datetime(2018, 2, 5, 10, m) for m in range(60)]
    rows = [mt4(t, p) for t, p in zip(times * 2, prices(120), strict=True)]
    outcome = accepted(write_rows(tmp_path / "EURUSD1.csv", rows), zone="+2")
    assert len(outcome.bars) == 60
    assert len(outcome.quarantined) + outcome.identical == 60
    assert {q.line for q in outcome.quarantined} <= set(range(61, 121))


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        ("utc", 0),
        ("UTC", 0),
        ("+2", 2),
        ("2", 2),
        ("-05:00", -5),
        ("-3:30", -3.5),
        ("+0530", 5.5),
        ("UTC+3", 3),
        ("gmt-4", -4),
        ("auto", None),
    ],
)
def test_zone_options(said: str, hours: float | None) -> None:
    assert parse_zone(said) == hours


@pytest.mark.parametrize("said", ["", "+25", "Mars/Olympus", "../etc/passwd", "two", "+2:75"])
def test_invalid_zone_options(said: str) -> None:
    with pytest.raises(ValueError, match="--zone"):
        parse_zone(said)


def test_a_clock_that_jumps_in_mid_season_is_a_change_of_offset_not_of_rule() -> None:
    """New York's summer time begins on 11 March; a week later the server moves one hour ahead.

    Taking the first two weeks for a clock without summer time leaves only the close of 9 March an hour early.
    """
    spans = [
        ("2018-03-05T19:00", "2018-03-06T03:00"), ("2018-03-09T09:00", "2018-03-09T17:00"),
        ("2018-03-11T17:00", "2018-03-12T01:00"), ("2018-03-16T09:00", "2018-03-16T17:00"),
        ("2018-03-18T18:00", "2018-03-19T02:00"), ("2018-03-23T10:00", "2018-03-23T18:00"),
        ("2018-03-25T18:00", "2018-03-26T02:00"), ("2018-03-26T13:00", "2018-03-26T21:00"),
    ]  # fmt: skip
    edges = [[int(np.datetime64(moment, "m").astype(np.int64)) for moment in span] for span in spans]
    found = offsets_from_weeks(np.concatenate([np.arange(*span) for span in edges]))
    assert found.hours.tolist() == [-5.0, -4.0, -3.0, -3.0]
