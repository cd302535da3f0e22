"""Gates and findings on planted columns."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.bars.bars import Flags, Floats
from fxloom.engine.quality import (
    JUMP_LIMIT,
    RUN_LIMIT,
    UNDEFINED_LIMIT,
    ColumnStats,
    PriceStats,
    column_stats,
    due_rows,
    findings,
    jumps,
    merge_stats,
    price_stats,
    refusals,
    stats_of,
)
from fxloom.features.feature import Column, Feature
from fxloom.features.missing import Reason

N, W = 10_000, 100
DUE = np.arange(N) >= W


def feature(**declared: object) -> Feature:
    fields = {"unit": "", "formula": "", "warmup": W, "low": -10.0, "high": 10.0, **declared}
    column = Column("y", **fields)  # type: ignore[arg-type]
    return Feature("y_rate", "planted", column)


def honest() -> Floats:
    y = np.clip(np.random.default_rng(5).standard_normal(N), -9, 9)
    y[:W] = np.nan
    return y


def judged(y: Floats, reasons: dict[Reason, Flags] | None = None, still: int = 5, **declared: object) -> ColumnStats:
    return column_stats(feature(**declared), y, DUE, reasons or {}, PriceStats(still, 1e-4))


def test_a_valid_column_passes_and_is_counted() -> None:
    y = honest()
    s = judged(y)
    assert refusals(feature(), s) == findings(feature(), s) == []
    assert (s.due, s.finite, s.possible, s.missing, s.early) == (N - W, N - W, N - W, 0, 0)
    assert (s.low, s.high) == (np.nanmin(y), np.nanmax(y))
    assert s.std == pytest.approx(np.nanstd(y), rel=1e-12)
    assert s.populated
    assert s.missing_share == 0.0


@pytest.mark.parametrize(
    ("at", "value", "reported"),
    [
        (500, np.inf, "1 infinite values"),
        (500, -np.inf, "1 infinite values"),
        (W - 1, 0.5, "1 values before its warm-up"),
        (500, 10.1, "10.1 is above its highest possible value 10"),
        (500, -10.1, "-10.1 is below its lowest possible value -10"),
        (N - 1, 1e308, "1e+308 is above its highest possible value 10"),
    ],
)
def test_one_invalid_value_fails_the_gate(at: int, value: float, reported: str) -> None:
    y = honest()
    y[at] = value
    assert refusals(feature(), judged(y)) == [reported]
    assert findings(feature(), judged(y)) == [reported]


def test_rounding_at_a_bound_is_accepted() -> None:
    y = honest()
    y[500] = 10.0 * (1 + 1e-9)
    assert not refusals(feature(), judged(y))


def test_an_unbounded_range_accepts_every_finite_value() -> None:
    y = honest()
    y[500] = 1e300
    assert not refusals(feature(high=np.inf), judged(y, high=np.inf))


def test_too_many_missing_values_fail_the_gate() -> None:
    y = honest()
    y[W : W + (N - W) // 100] = np.nan
    assert not refusals(feature(), judged(y))
    y[5000] = np.nan
    assert refusals(feature(), judged(y)) == ["100 of 9900 values missing without a reason"]


@pytest.mark.parametrize(
    ("reason", "counted"),
    [
        (Reason.ABSENT, "absent"),
        (Reason.GAP, "gap"),
        (Reason.FAILED_FIT, "failed"),
        (Reason.UNDEFINED, "undefined"),
    ],
)
def test_reasons_are_counted_separately(reason: Reason, counted: str) -> None:
    y, where = honest(), np.zeros(N, np.bool_)
    where[3000:6000] = True
    y[where] = np.nan
    s = judged(y, {reason: where})
    assert not refusals(feature(), s)
    assert {c: getattr(s, c) for c in ("absent", "gap", "failed", "undefined", "missing")} == {
        **dict.fromkeys(("absent", "gap", "failed", "undefined", "missing"), 0),
        counted: 3000,
    }
    assert s.populated


def test_a_row_missing_for_two_reasons_counts_once() -> None:
    y, where = honest(), np.zeros(N, np.bool_)
    where[3000:6000] = True
    y[where] = np.nan
    s = judged(y, {Reason.ABSENT: where, Reason.FAILED_FIT: where})
    assert (s.absent, s.failed, s.missing) == (3000, 0, 0)


def test_unexplained_missing_values_are_defects() -> None:
    y, where = honest(), np.zeros(N, np.bool_)
    where[3000:6000] = True
    y[2000:6000] = np.nan
    s = judged(y, {Reason.ABSENT: where})
    assert (s.absent, s.missing) == (3000, 1000)
    assert refusals(feature(), s)


def test_nothing_counts_as_missing_before_the_warm_up() -> None:
    y = np.full(N, np.nan)
    s = column_stats(feature(), y, np.zeros(N, np.bool_), {}, PriceStats(5))
    assert (s.due, s.missing, s.possible) == (0, 0, 0)
    assert findings(feature(), s) == []
    assert not s.populated


def test_an_undefined_column_is_a_finding_and_not_a_gate_failure() -> None:
    y = honest()
    y[W : W + int((N - W) * UNDEFINED_LIMIT) + 1] = np.nan
    s = judged(y, undefined="0/0")
    assert not refusals(feature(undefined="0/0"), s)
    assert findings(feature(undefined="0/0"), s) == ["4,951 of 9,900 values undefined by the formula"]


def test_a_constant_column_fails_unless_declared_or_the_price_is_still() -> None:
    y = np.where(DUE, 3.0, np.nan)
    assert refusals(feature(), judged(y)) == findings(feature(), judged(y)) == ["constant at 3"]
    assert refusals(feature(), judged(y, still=N)) == []
    assert findings(feature(may_be_constant="a quiet month"), judged(y)) == []


def test_runs_are_compared_with_those_of_the_price() -> None:
    y = honest()
    y[2000 : 2000 + RUN_LIMIT + 7] = y[2000]
    assert refusals(feature(), judged(y, still=5)) == [
        f"repeats one value for {RUN_LIMIT + 7} rows, the price for at most 5"
    ]
    assert findings(feature(), judged(y, still=7)) == []
    assert findings(feature(unit="flag"), judged(y, unit="flag")) == []
    assert findings(feature(anchor="week"), judged(y, anchor="week")) == []


def test_price_statistics() -> None:
    found = price_stats(np.array([1.0, 1.0, 2.0, 2.0, 2.0, 1.0]))
    assert found.still == 3
    assert found.scale == pytest.approx(np.log(2.0) * np.sqrt(2 / 5))
    assert price_stats(np.array([1.0])) == PriceStats(1, None)
    assert price_stats(np.zeros(0)) == PriceStats(0, None)


def test_a_scale_jump_is_compared_with_that_of_the_price() -> None:
    def month(std: float, scale: float | None = 1e-4, finite: int = 20_000) -> dict[str, ColumnStats]:
        return {"y": ColumnStats(finite, finite, std=std, scale=scale)}

    much = 1.01 * JUMP_LIMIT
    assert jumps(month(1.0), month(much)) == {"y": "standard deviation 1.01e+03, but 1 in the month before"}
    assert jumps(month(much), month(1.0)) == {"y": "standard deviation 1, but 1.01e+03 in the month before"}
    assert jumps(month(1.0), month(0.99 * JUMP_LIMIT)) == {}
    assert jumps(month(1.0, 1e-4), month(10 * JUMP_LIMIT, 2e-4)) == {}  # twice as volatile: up to 16,000
    assert jumps(month(1.0, 2e-4), month(17 * JUMP_LIMIT, 1e-4)) != {}
    assert jumps(month(1.0, None), month(much, None)) != {}
    assert jumps(month(1.0), month(much, finite=1_000)) == jumps({}, month(much)) == {}


def test_due_rows_of_anchored_features_count_bars_before_the_anchor() -> None:
    ts = np.arange(4_320 - 50, 4_320 + 20_000)  # 4,320 is the first Sunday 00:00
    week = Column("y", "", "", warmup=60, lookback=20_000, anchor="week")
    due = due_rows(week, ts, np.arange(len(ts)))
    assert np.flatnonzero(due)[0] == 50 + 10_080
    hour = Column("y", "", "", warmup=60, lookback=200, anchor="hour")
    assert np.flatnonzero(due_rows(hour, ts, np.arange(len(ts))))[0] == 50 + 60


def test_statistics_of_pairs_are_additive() -> None:
    y = honest()
    one = judged(y)
    shifted = judged(y * 2.0, low=-20.0, high=20.0)
    both = merge_stats([one, shifted])
    assert (both.due, both.finite, both.low, both.high) == (2 * one.due, 2 * one.finite, shifted.low, shifted.high)
    assert both.std == pytest.approx(np.sqrt((np.nanvar(y) + np.nanvar(2 * y)) / 2), rel=1e-9)


def test_statistics_survive_json() -> None:
    s = judged(honest())
    assert stats_of(s.plain()) == s
    assert stats_of(s.plain() | {"of another version": 1}) == s
