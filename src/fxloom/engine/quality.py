"""The gates a partition passes before it becomes visible, and the findings an audit lists. Pure.

Missing values are told apart: before warm-up they are not due; "absent" (pairs that are not stored), "gap" (pairs
that are stored but had no bars at the time) and "failed fit" are reported by the families; "undefined" is a formula
without a value where its record says that this can be; the rest is a defect.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.features.feature import Anchor, Column, Feature
from fxloom.kernels.column_stats import column_sums

WEEK, HOUR, SUNDAY = 10_080, 60, 3 * 1440  # minutes; 1970-01-04 was the first Sunday

# The limits, in one place; FEATURE_LIMITS holds the exceptions a feature.
MISSING_LIMIT = 0.01  # share of due rows without a value and without a known reason
UNDEFINED_LIMIT = 0.5  # share of due rows without a value for any reason: above it a column is as good as empty
LEAST_ROWS = 1_440  # values below which a column is not judged as constant, nor its scale compared
RUN_LIMIT = 2_880  # rows that a measured (not counted) column may stand still beyond the stillness of the price
JUMP_LIMIT = 1_000.0  # factor between the deviations of neighbouring months, if the price moved alike in both
JUMP_POWER = 4  # ... and by how high a power of a change in the price's own deviation it may be exceeded
FEATURE_LIMITS: Mapping[str, Mapping[str, float]] = {}
DISCRETE = {"flag", "category", "bars", "sign", "class", "count"}  # units of columns that stand still by nature
ROUNDING = 1e-6  # slack of a range, relative to its width or bound: one unit in the last place of float32 and more


@dataclass(frozen=True)
class ColumnStats:
    """What one column of a partition holds: rows due, with a value, and without one for each reason.

    ``run`` is the longest run of one value, ``still`` that of the closing price, in rows; ``scale`` is the deviation of
    the price's log changes from row to row.
    """

    due: int
    finite: int
    undefined: int = 0
    absent: int = 0
    gap: int = 0
    failed: int = 0
    missing: int = 0
    infinite: int = 0
    early: int = 0
    low: float | None = None
    high: float | None = None
    std: float | None = None
    run: int = 0
    still: int = 0
    scale: float | None = None

    @property
    def possible(self) -> int:
        """Rows at which the bars allow a value: due, every pair present, and a fit that did not fail."""
        return self.due - self.absent - self.gap - self.failed

    @property
    def populated(self) -> bool:
        """Finite in at least 99 % of the possible rows at which the formula has a value. All missing: never."""
        return self.finite > 0 and self.finite >= (1 - MISSING_LIMIT) * (self.possible - self.undefined)

    @property
    def missing_share(self) -> float:
        """Share of the possible rows without a value, whatever the formula's reason."""
        return 1 - self.finite / self.possible if self.possible > 0 else 0.0

    def plain(self) -> dict[str, object]:
        """The fields that say something, for JSON."""
        said = {name: getattr(self, name) for name in STATS_FIELDS}
        return {name: value for name, value in said.items() if value is not None}


NOTHING = ColumnStats(due=0, finite=0)
STATS_FIELDS = tuple(f.name for f in fields(ColumnStats))


def stats_of(plain: Mapping[str, Any]) -> ColumnStats:
    """A survey from what ``Survey.plain`` gave; fields that another version wrote are passed over."""
    return ColumnStats(**{name: plain[name] for name in STATS_FIELDS if name in plain})


def stats_by_feature(quality: Mapping[str, Mapping[str, Any]]) -> dict[str, ColumnStats]:
    """Those of a partition's columns, from what its record holds."""
    return {name: stats_of(plain) for name, plain in quality.items()}


def merge_stats(parts: Sequence[ColumnStats]) -> ColumnStats:
    """The survey of several pairs' rows of one feature, from those of each; deviations are about each one's mean."""
    lows = [p.low for p in parts if p.low is not None]
    highs = [p.high for p in parts if p.high is not None]
    squares = [(p.std**2, p.finite + p.early) for p in parts if p.std is not None]
    counted = ("due", "finite", "undefined", "absent", "gap", "failed", "missing", "infinite", "early")
    sums = {name: sum(getattr(p, name) for p in parts) for name in counted}
    return ColumnStats(
        **sums,
        low=min(lows, default=None),
        high=max(highs, default=None),
        std=math.sqrt(sum(v * n for v, n in squares) / sum(n for _, n in squares)) if squares else None,
        run=max(p.run for p in parts),
        still=max(p.still for p in parts),
        scale=max((p.scale for p in parts if p.scale is not None), default=None),
    )


def anchor_of(ts: Ints, anchor: Anchor) -> Ints:
    """The latest anchor at or before each minute: the full hour, or Sunday 00:00 UTC."""
    if anchor == "hour":
        return ts - ts % HOUR
    return ts - (ts - SUNDAY) % WEEK


def due_rows(column: Column, ts: Ints, rows: Ints) -> Flags:
    """Where of ``rows`` (positions in the clock ``ts``, which begins at the first bar or a lookback) it is due."""
    if column.anchor is None:
        return rows >= column.warmup
    before = np.searchsorted(ts, anchor_of(ts[rows], column.anchor))
    return before >= column.warmup


@dataclass(frozen=True)
class PriceStats:
    """How the price moved over the rows of a partition: what explains that a column stands still, or its scale."""

    still: int = 0  # rows of the longest run of equal closes
    scale: float | None = None  # deviation of the log changes; None of fewer than two rows


def price_stats(close: Floats) -> PriceStats:
    """The motion of the closes of a partition's rows."""
    if len(close) < 2:
        return PriceStats(len(close))
    edges = np.flatnonzero(np.diff(close) != 0)
    still = int(np.diff(np.concatenate([[-1], edges, [len(close) - 1]])).max())
    return PriceStats(still, float(np.std(np.diff(np.log(close)))))


def column_stats(
    feature: Feature, values: Floats, due: Flags, reasons: Mapping[str, Flags], price: PriceStats
) -> ColumnStats:
    """Survey one column of a partition (values of the stored rows); a row lost for two reasons counts for the first."""
    counts = column_sums(values, due)
    n_due, finite, infinite, early = (int(c) for c in counts[:4])
    low, high, total, squares, _, run = counts[4:]
    told = dict.fromkeys(("undefined", "absent", "gap", "failed fit"), 0)
    lost = due & np.isnan(values) if reasons else due
    for reason, where in reasons.items():
        told[reason] += int((lost & where).sum())
        lost = lost & ~where
    unknown = n_due - finite - infinite - sum(told.values())
    if feature.column.undefined:
        told["undefined"] += unknown
        unknown = 0
    n = finite + early
    return ColumnStats(
        due=n_due,
        finite=finite,
        undefined=told["undefined"],
        absent=told["absent"],
        gap=told["gap"],
        failed=told["failed fit"],
        missing=unknown,
        infinite=infinite,
        early=early,
        low=float(low) if n else None,
        high=float(high) if n else None,
        std=_deviation(float(squares), float(total), n),
        run=int(run),
        still=price.still,
        scale=price.scale,
    )


def _deviation(squares: float, total: float, n: int) -> float | None:
    """From the sums about the first value; None where there is none that a float can hold."""
    if n == 0 or abs(total) > 1e150:
        return None
    variance = squares / n - (total / n) ** 2
    return math.sqrt(max(variance, 0.0)) if math.isfinite(variance) else None


def refusals(feature: Feature, s: ColumnStats) -> list[str]:
    """The gates that a column fails: why its partition must not become visible."""
    column, found = feature.column, []
    if s.infinite:
        found.append(f"{s.infinite} infinite values")
    if s.early:
        found.append(f"{s.early} values before its warm-up")
    if s.low is not None and s.low < column.low - _slack(column.low):
        found.append(f"{s.low:.6g} is below its range, which begins at {column.low:.6g}")
    if s.high is not None and s.high > column.high + _slack(column.high):
        found.append(f"{s.high:.6g} is above its range, which ends at {column.high:.6g}")
    if s.missing > _limit(feature, "missing", MISSING_LIMIT) * s.due:
        found.append(f"{s.missing} of {s.due} values missing without a reason")
    if s.finite > LEAST_ROWS and s.low == s.high and s.still < s.finite and column.may_be_constant is None:
        found.append(f"constant at {s.low:.6g}")
    elif s.run > s.still + _limit(feature, "run", RUN_LIMIT) and not _stands_still(column):
        found.append(f"stands still for {s.run} rows, the price for at most {s.still}")
    return found


def jumps(before: Mapping[str, ColumnStats], now: Mapping[str, ColumnStats]) -> dict[str, str]:
    """Columns whose scale jumps from one month to the next, more than the price's explains: a gate, and a finding.

    Another unit or an error in the bars does that; the power lets squares of squares follow a market that breaks loose.
    """
    found = {}
    for name, new in now.items():
        old = before.get(name, NOTHING)
        if min(old.finite, new.finite) > LEAST_ROWS and old.std and new.std:
            calm = max(old.scale / new.scale, new.scale / old.scale) if old.scale and new.scale else 1.0
            limit = JUMP_LIMIT * calm**JUMP_POWER
            if not 1 / limit < new.std / old.std < limit:
                found[name] = f"deviation {new.std:.3g}, the month before {old.std:.3g}"
    return found


def findings(feature: Feature, s: ColumnStats) -> list[str]:
    """What is odd about a column, though it may be the data's doing; and the gates that it fails, if it was stored."""
    found = refusals(feature, s)
    if s.possible > 0 and s.finite < (1 - _limit(feature, "undefined", UNDEFINED_LIMIT)) * s.possible:
        found.append(f"{s.possible - s.finite:,} of {s.possible:,} values undefined by the formula")
    return found


def _limit(feature: Feature, name: str, usual: float) -> float:
    return FEATURE_LIMITS.get(feature.name, {}).get(name, usual)


def _stands_still(column: Column) -> bool:
    """Whether the column stands still by nature: counted, categorical, rarely changing or fitted weekly."""
    return column.unit in DISCRETE or column.may_be_constant is not None or column.anchor == "week"


def _slack(bound: float) -> float:
    return 0.0 if np.isinf(bound) else ROUNDING * max(abs(bound), 1.0)
