"""A clock that is off by a part of an hour shows at both ends of every week; a feed that opens late shows at one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from fxloom.bars.bars import Ints
from fxloom.sources.quarter_hours import quarter_hours_off
from tests.conftest import DATA, real_bars
from tests.sources.vendor_files import (
    accepted,
    assert_bars,
    market_minutes,
    minutes_of,
    mt4,
    prices,
    refused,
    write_rows,
)

WEEKS = minutes_of(market_minutes(dt.date(2018, 1, 7), 3))


def hours(opens_late: int, closes_early: int) -> Ints:
    """Minutes of a feed that is open for less than the market's week, which begins on Sundays at 22:00 UTC."""
    minute = (WEEKS - WEEKS[0]) % 10_080
    return WEEKS[(minute >= opens_late) & (minute < 7200 - closes_early)]


def rows_of(utc: Ints) -> list[str]:
    start = dt.datetime(1970, 1, 1)
    return [mt4(start + dt.timedelta(minutes=int(t)), p) for t, p in zip(utc, prices(len(utc)), strict=True)]


@pytest.mark.parametrize("ahead", [15, 30, 45, -15, -30, -45])
def test_a_whole_week_shows_by_how_much_its_clock_is_off(ahead: int) -> None:
    assert quarter_hours_off(WEEKS + ahead).tolist() == [ahead / 60]


@pytest.mark.parametrize(("ahead", "implied"), [(15, [0.25, -0.75]), (30, [0.5, -0.5]), (-15, [-0.25, 0.75])])
def test_a_shorter_week_allows_two_offsets(ahead: int, implied: list[float]) -> None:
    """Open from 19:00 to 16:00, New York: an hour more or less would fit as well."""
    assert quarter_hours_off(hours(120, 60) + ahead).tolist() == implied


@pytest.mark.parametrize(
    ("late", "early"),
    [(0, 0), (5, 0), (15, 0), (30, 0), (0, 15), (0, 30), (5, 5), (15, 15), (15, 5), (120, 60), (130, 70), (65, 55)],
)
def test_a_feed_may_open_late_and_close_early(late: int, early: int) -> None:
    assert quarter_hours_off(hours(late, early)).tolist() == []


def test_one_week_shows_nothing() -> None:
    assert quarter_hours_off(WEEKS[:7200] + 15).tolist() == []


@pytest.mark.parametrize("ahead", [15, 30, -15, -30])
@pytest.mark.parametrize(("late", "early"), [(0, 0), (120, 60)])
def test_a_named_zone_that_is_off_by_a_part_of_an_hour_is_refused_with_both_offsets(
    ahead: int, late: int, early: int, tmp_path: Path
) -> None:
    utc = hours(late, early)
    path = write_rows(tmp_path / "EURUSD1.csv", rows_of(utc + ahead))
    refusal = refused(path, zone="utc")
    offset = f"{'+' if ahead > 0 else '-'}0:{abs(ahead)}"
    assert f"its weeks begin and end {abs(ahead)} minutes off the full hour at UTC+0" in refusal.reason
    assert f"UTC{offset}" in refusal.reason.partition("they imply")[2]
    assert f"--zone {offset}" in refusal.advice
    assert "or --trust-zone to keep UTC+0" in refusal.advice
    found = accepted(path, zone=offset)
    assert_bars(found.bars, [dt.datetime.fromtimestamp(60 * int(t), dt.UTC) for t in utc], prices(len(utc)))
    assert "although its weeks begin and end" in " ".join(accepted(path, zone="utc", trust_zone=True).notes)


def test_offsets_written_in_the_times_are_held_to_the_same(tmp_path: Path) -> None:
    utc = hours(120, 60) + 30
    rows = [row.replace(".", "-", 2).replace(",", " ", 1).replace(",", "+00:00,", 1) for row in rows_of(utc)]
    path = write_rows(tmp_path / "EURUSD.csv", rows, header="time,open,high,low,close,volume")
    refusal = refused(path)
    assert "they imply UTC+0:30 or UTC-0:30" in refusal.reason


@pytest.mark.parametrize("ahead", [15, 30, -15, -30])
@pytest.mark.parametrize(("late", "early"), [(0, 0), (120, 60)])
def test_such_a_clock_is_not_guessed_from_the_weeks(ahead: int, late: int, early: int, tmp_path: Path) -> None:
    refusal = refused(write_rows(tmp_path / "EURUSD1.csv", rows_of(hours(late, early) + ahead)))
    assert refusal.zone is None


@pytest.mark.data
@pytest.mark.parametrize("ahead", [0, 15, 30, -15, -30, 60])
def test_every_real_market(ahead: int) -> None:
    """Four brokers, of which three open two hours late and close one hour early."""
    names = [f"{p.parent.name}/{p.stem}" for f in ("long9", "panel15", "market28") for p in DATA.glob(f"{f}/*.parquet")]
    assert len(names) == 52
    wanted: set[float] = set() if ahead in (0, 60) else {ahead / 60}
    for name in names:
        found = set(quarter_hours_off(np.unique(real_bars(name).ts) + ahead).tolist())
        assert found >= wanted if wanted else not found, (name, found)
