"""Ticks of large files are thinned while they are read: the bars, counts and quarantine are those of all the rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from fxloom.sources import ReadOptions, SourceFile, read, rules, taking
from fxloom.sources.thinning import kept_ticks
from tests.sources.vendor_files import accepted, market_minutes

MINUTE = 60_000_000


def test_the_first_last_highest_and_lowest_of_a_run_are_kept() -> None:
    bid = np.array([1.1, 1.3, 1.2, 1.2, 1.3, 1.0, 1.2, 1.1]) / 100 + 1
    kept, weight = kept_ticks(np.arange(8), np.arange(8), None, bid, None, np.zeros(8, np.bool_))
    assert kept.tolist() == [0, 1, 5, 7]
    assert weight.tolist() == [8, 0, 0, 0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("line", 99),
        ("minute", 1),
        ("bad", True),
        ("bid", 1.1),
        ("bid", np.nan),
        ("bid", -1.0),
        ("ask", 0.5),
        ("ask", 1.2),
    ],
)
def test_what_may_break_a_rule_is_kept_with_all_of_its_run(field: str, value: float) -> None:
    """The row in the middle is odd; a jump keeps its whole minute, other faults split the run."""
    line, local, bad = np.arange(9), np.arange(9), np.zeros(9, np.bool_)
    bid, ask = np.full(9, 1.0), np.full(9, 1.0001)
    match field:
        case "line":
            line[4:] += 10
        case "minute":
            local[4:] += MINUTE
        case "bad":
            bad[4] = True
        case _:
            {"bid": bid, "ask": ask}[field][4] = value
            if field == "bid":
                ask[4] = value + 0.0001
    kept, weight = kept_ticks(line, local, None, bid, ask, bad)
    assert weight.sum() == 9
    assert {0, 3, 4, 8} <= set(kept.tolist())


def ticks(path: Path, odd: dict[int, str]) -> Path:
    """A file of ticks, ten a minute over two weeks of every fifth minute; ``odd`` replaces rows by their number."""
    rng = np.random.default_rng(3)
    times = [t + dt.timedelta(seconds=6 * i) for t in market_minutes(dt.date(2024, 1, 7), 2, 5) for i in range(10)]
    bid = 1.1 + np.cumsum(rng.integers(-3, 4, len(times))) * 1e-5
    rows = [f"{t:%Y-%m-%d %H:%M:%S},{b:.5f},{b + 2e-5:.5f}" for t, b in zip(times, bid, strict=True)]
    for place, row in odd.items():
        rows[place] = row
    path.write_text("\n".join(["ts_utc,bid,ask", *rows]))
    return path


STRAYS = {25_000 + i: f"2024-01-13 12:00:{i:02d},1.1,1.10002" for i in range(20)}
ODD: dict[str, dict[int, str]] = {
    "none": {},
    "spike": {22_005: "2024-01-11 06:00:30,1.4,1.40002"},
    "crossed": {12_005: "2024-01-10 02:00:30,1.1,1.05", 12_006: "2024-01-10 02:00:36,1.1,"},
    "blank": {100: "", 101: "x", 7: "2024-01-07 22:00:42,1.1"},
    "strays": STRAYS,
    "wide": {22_005: "2024-01-11 06:00:30,1.1,1.3"},
    "disorder": {24_000: "2024-01-08 12:00:30,1.1,1.10002", 24_001: "2024-01-08 12:00:31,1.1,1.10002"},
}


@pytest.mark.parametrize("odd", ODD)
def test_thinned_files_give_the_same_bars_and_the_same_quarantine(
    odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ticks(tmp_path / "eurusd.csv", ODD[odd])
    (whole,) = read(path, ReadOptions())
    for module in ("text", "delimited"):
        monkeypatch.setattr(f"fxloom.sources.{module}.BLOCK", 4_321)
    (thinned,) = read(path, ReadOptions())
    assert isinstance(whole, SourceFile)
    assert isinstance(thinned, SourceFile)
    for name in ("ts", "open", "high", "low", "close", "volume", "spread"):
        np.testing.assert_array_equal(getattr(thinned.bars, name), getattr(whole.bars, name))
    for name in ("rows", "quarantined", "notes", "digits", "kind", "price_side"):
        assert getattr(thinned, name) == getattr(whole, name)
    assert str(thinned.zone) == str(whole.zone)
    assert bool(whole.quarantined) == (odd not in ("none", "disorder"))


def test_a_thinned_file_of_ten_ticks_a_minute_holds_at_most_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    judged = rules.judged

    def counted(rows, *rest):  # type: ignore[no-untyped-def]
        seen.append((len(rows), rows.count()))
        return judged(rows, *rest)

    monkeypatch.setattr(taking, "judged", counted)
    for module in ("text", "delimited"):
        monkeypatch.setattr(f"fxloom.sources.{module}.BLOCK", 4_321)
    bars = accepted(ticks(tmp_path / "eurusd.csv", {})).bars
    ((held, rows),) = seen
    assert rows == 10 * len(bars)
    assert held <= 4.1 * len(bars)
