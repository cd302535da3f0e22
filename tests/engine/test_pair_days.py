"""Days of pairs: digests of stretches, and where the clock of all pairs has enough bars."""

from __future__ import annotations

import numpy as np

from fxloom.bars.days import DaySummary
from fxloom.engine.pair_days import PairDays, PanelClock, days_digest


def summary(day: int, clock: int = 100, tag: str = "") -> DaySummary:
    return DaySummary(day, 90, day * 1440, day * 1440 + clock - 1, clock, f"p{day}{tag}", f"v{day}", f"s{day}")


def test_a_stretch_has_the_digest_of_its_days() -> None:
    days = [summary(number) for number in (5, 6, 9, 40, 41)]
    pair = PairDays({"1970-01": days[:3], "1970-02": days[3:]})
    assert pair.rows == {"1970-01": 270, "1970-02": 180}
    for volume in (False, True):
        for spread in (False, True):
            assert pair.digest(1, 4, volume, spread) == days_digest(days[1:4], volume, spread)
            assert pair.between(6, 41, volume, spread) == days_digest(days[1:4], volume, spread)
    assert pair.digest(2, 2, False, False) == days_digest([], False, False) == ""


def test_a_digest_depends_on_each_day_and_the_relevant_inputs() -> None:
    days = [summary(5), summary(6)]
    found = {
        days_digest(days, False, False), days_digest(days, True, False), days_digest(days, False, True),
        days_digest(days, True, True), days_digest(days[:1], False, False), days_digest(days[1:], False, False),
        days_digest([days[0], summary(6, tag="x")], False, False), days_digest(days[::-1], False, False),
    }  # fmt: skip
    assert len(found) == 8


def test_the_panel_clock_starts_at_the_latest_day_with_enough_bars() -> None:
    """Against the definition: go back from the day before until the bars suffice."""
    rng = np.random.default_rng(3)
    pairs = [
        PairDays({"x": [summary(int(n), int(rng.integers(1, 1440))) for n in np.flatnonzero(rng.random(60) < 0.7)]})
        for _ in range(3)
    ]
    most: dict[int, int] = {}
    for day in (d for pair in pairs for d in pair.history.days):
        most[day.day] = max(most.get(day.day, 0), day.clock)
    clock = PanelClock(pairs)
    for first in range(-1, 62):
        for lookback in (0, 1, 500, 5_000, 10**9):
            total, start = 0, first
            for number in sorted((n for n in most if n < first), reverse=True):
                if total >= lookback:
                    break
                total, start = total + most[number], number
            assert clock.start_for(first, lookback) == start
