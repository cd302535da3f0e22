"""A stated zone is checked against the file's own weeks: refused with both offsets, or trusted with a note."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from fxloom.cli import main
from tests.sources.vendor_files import accepted, assert_bars, market_minutes, mt4, prices, refused, write_rows

WEEKS = market_minutes(dt.date(2018, 1, 7), 2)
PRICES = prices(len(WEEKS))
HEADER = "time,open,high,low,close"


def labelled(path: Path, times: list[dt.datetime], label: str, header: str = HEADER) -> Path:
    """A file of local ``times`` labelled ``label``."""
    table = prices(len(times))
    numbers = (",".join(f"{x:.5f}" for x in p) for p in table)
    return write_rows(
        path, [f"{t:%Y-%m-%d %H:%M:%S}{label},{n}" for t, n in zip(times, numbers, strict=True)], header=header
    )


def moved(hours: float, times: list[dt.datetime] = WEEKS) -> list[dt.datetime]:
    return [t + dt.timedelta(hours=hours) for t in times]


def test_new_york_times_labelled_utc_are_refused_with_both_offsets(tmp_path: Path) -> None:
    refusal = refused(labelled(tmp_path / "eurusd.csv", moved(-5), "+00:00"))
    assert "UTC-5" in refusal.reason
    assert "UTC+0" in refusal.reason
    assert "--zone -5" in refusal.advice
    assert "--trust-zone" in refusal.advice
    assert refusal.zone is None


def test_a_column_named_utc_is_checked_against_the_weeks(tmp_path: Path) -> None:
    refusal = refused(labelled(tmp_path / "eurusd.csv", moved(3), "", "ts_utc,open,high,low,close"))
    assert "its weeks imply UTC+3" in refusal.reason
    assert "names UTC" in refusal.reason


@pytest.mark.parametrize("zone", ["utc", "+2", "+2:30", "+4", "America/New_York", "Asia/Tokyo"])
def test_a_user_zone_is_checked_against_the_weeks(zone: str, tmp_path: Path) -> None:
    rows = [mt4(t, p) for t, p in zip(moved(3), PRICES, strict=True)]
    refusal = refused(write_rows(tmp_path / "EURUSD1.csv", rows), zone=zone)
    assert "UTC+3" in refusal.reason
    assert "as given by --zone" in refusal.reason
    assert "omit --zone" in refusal.advice
    assert accepted(tmp_path / "EURUSD1.csv", zone="+3").zone.hours == (3.0,)


def test_the_wrong_daylight_saving_rule_is_refused(tmp_path: Path) -> None:
    """New York's and Europe's summer time differ for two weeks in March: 120 of 36,000 bars, 0.3 %."""
    times = market_minutes(dt.date(2018, 2, 25), 5)
    local = [t.astimezone(ZoneInfo("Europe/Athens")).replace(tzinfo=None) for t in times]
    rows = [mt4(t, p) for t, p in zip(local, prices(len(times)), strict=True)]
    path = write_rows(tmp_path / "EURUSD1.csv", rows)
    assert_bars(accepted(path, zone="Europe/Athens").bars, times, prices(len(times)))
    shifted = [t.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None) + dt.timedelta(hours=7) for t in times]
    rows = [mt4(t, p) for t, p in zip(shifted, prices(len(times)), strict=True)]
    refusal = refused(write_rows(tmp_path / "EURUSD2.csv", rows), zone="Europe/Athens", pair="eurusd")
    assert "its weeks imply UTC+2 and UTC+3" in refusal.reason


def test_half_a_day_at_the_wrong_offset_is_refused(tmp_path: Path) -> None:
    """A Friday at UTC+8 labelled UTC: no whole weekend decides, but half of its bars lie in one."""
    friday = WEEKS[7200 - 600 : 7200]
    refusal = refused(labelled(tmp_path / "eurusd.csv", moved(8, friday), "+00:00"))
    assert "479 of 600 bars lie in the weekend (such as 2018-01-12 22:01" in refusal.reason
    assert "fit UTC+8" in refusal.reason
    assert "--zone +8" in refusal.advice


def test_the_users_zone_overrules_a_label_with_a_note(tmp_path: Path) -> None:
    path = labelled(tmp_path / "eurusd.csv", moved(-5), "+00:00")
    outcome = accepted(path, zone="-05:00")
    assert outcome.zone.hours == (-5.0,)
    assert outcome.notes == ("--zone (UTC-5) overrides the UTC+0 of the file (offsets written in the times)",)
    assert_bars(outcome.bars, WEEKS, PRICES)
    named = labelled(tmp_path / "gbpusd.csv", moved(2), "", "ts_utc,open,high,low,close")
    assert "overrides the UTC+0 of the file" in accepted(named, zone="+2").notes[0]


def test_a_trusted_zone_is_kept_with_a_note(tmp_path: Path) -> None:
    path = labelled(tmp_path / "eurusd.csv", moved(-5), "+00:00")
    outcome = accepted(path, trust_zone=True)
    assert outcome.zone.hours == (0.0,)
    assert_bars(outcome.bars, [t - dt.timedelta(hours=5) for t in WEEKS], PRICES)
    assert outcome.notes[0].startswith("--trust-zone: kept at UTC+0, although its weeks imply UTC-5")
    assert accepted(labelled(tmp_path / "gbpusd.csv", WEEKS, "Z"), trust_zone=True).notes == ()


def with_strays(number: int) -> list[dt.datetime]:
    """Two whole weeks and ``number`` bars on the Saturday between them."""
    saturday = dt.datetime(2018, 1, 13, 3, tzinfo=dt.UTC)
    return sorted([*WEEKS, *(saturday + dt.timedelta(minutes=17 * i) for i in range(number))])


@pytest.mark.parametrize(("label", "zone"), [("", "auto"), ("", "+2"), ("+02:00", "auto")])
def test_a_few_strays_in_a_weekend_are_quarantined(label: str, zone: str, tmp_path: Path) -> None:
    times = with_strays(70)  # of 14,470 bars
    outcome = accepted(labelled(tmp_path / "eurusd.csv", moved(2, times), label), zone=zone)
    assert outcome.zone.hours == (2.0,)
    assert len(outcome.quarantined) == 70
    assert outcome.quarantined[0].reason == "lies in the weekend (Friday to Sunday 17:00, New York)"
    assert outcome.quarantined[0].raw.startswith("2018-01-13 05:00:00")
    assert outcome.notes == (
        "70 of 14,470 bars lie in the weekend "
        "(such as 2018-01-13 03:00, 2018-01-13 03:17, 2018-01-13 03:34 UTC): quarantined",
    )
    market = set(WEEKS)
    strays = np.array([t not in market for t in times])
    assert_bars(outcome.bars, WEEKS, prices(len(times))[~strays])


@pytest.mark.parametrize(("label", "zone"), [("", "auto"), ("", "+2"), ("+02:00", "auto")])
def test_more_than_half_a_per_cent_in_a_weekend_is_refused(label: str, zone: str, tmp_path: Path) -> None:
    refusal = refused(labelled(tmp_path / "eurusd.csv", moved(2, with_strays(75)), label), zone=zone)
    assert "weekend" in refusal.reason


def test_a_source_that_opens_early_is_accepted_with_a_note(tmp_path: Path) -> None:
    """Two hours of bars before each Sunday 17:00, and closes on Friday at 17:00."""
    early = [WEEKS[7200 * w] - dt.timedelta(minutes=m) for w in range(2) for m in range(1, 121)]
    times = sorted([*WEEKS, *early])
    outcome = accepted(labelled(tmp_path / "eurusd.csv", times, "Z"))
    assert_bars(outcome.bars, times, prices(len(times)))
    assert "240 of 14,640 bars lie shortly before the week" in outcome.notes[0]
    without_close = [t for t in times if t.weekday() != 4]
    assert "weekend" in refused(labelled(tmp_path / "gbpusd.csv", without_close, "Z")).reason


@pytest.mark.parametrize("offset", ["-05:00", "-3:30", "-4"])
def test_negative_offsets_on_the_command_line(offset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hours = {"-05:00": -5, "-3:30": -3.5, "-4": -4}[offset]
    rows = [mt4(t, p) for t, p in zip(moved(hours, WEEKS[3000:3100]), PRICES, strict=False)]
    path = write_rows(tmp_path / "EURUSD1.csv", rows)
    assert main(["ingest", "--store", str(tmp_path / "lake"), str(path), "--zone", offset]) == 0
    assert f"zone: UTC-{offset[1:].removeprefix('0').removesuffix(':00')} " in capsys.readouterr().out


def test_trust_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = labelled(tmp_path / "eurusd.csv", moved(-5), "+00:00")
    command = ["ingest", "--store", str(tmp_path / "lake"), str(path)]
    assert main(command) == 1
    assert "--trust-zone" in capsys.readouterr().out
    assert main([*command, "--trust-zone"]) == 0
    assert "--trust-zone: kept at UTC+0" in capsys.readouterr().out
