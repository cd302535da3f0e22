"""The gates that a partition passes before it becomes visible, and the findings that an audit lists. Pure.

Missing values are counted by reason. No value is due before the warm-up. Families report absent pairs, gaps and failed
fits; the remaining ones are undefined if the feature's declaration allows for that, and a defect if not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.clock import FIRST_SUNDAY, HOUR, WEEK
from fxloom.features.feature import Anchor, Column, Feature
from fxloom.features.missing import Reason
from fxloom.kernels.column_stats import column_sums

# The limits, in one place; FEATURE_LIMITS holds the exceptions per feature.
MISSING_LIMIT = 0.01  # share of due rows without a value and without a known reason
UNDEFINED_LIMIT = 0.5  # share of possible rows without a value above which a column counts as nearly empty
MIN_ROWS = 1_440  # a column with fewer values is not checked for being constant or for a jump of its scale
RUN_LIMIT = 2_880  # rows by which a run of equal values in a measured (not counted) column may outlast the price's
JUMP_LIMIT = 1_000.0  # factor between standard deviations of successive months, if the price's is equal in both
JUMP_POWER = 4  # that factor grows with this power of the change in the price's own standard deviation
FEATURE_LIMITS: Mapping[str, Mapping[str, float]] = {}
DISCRETE = {"flag", "category", "bars", "sign", "class", "count"}  # units of columns that repeat values by nature
ROUNDING = 1e-6  # slack of a range, relative to its bound: a few units in the last place of float32


@dataclass(frozen=True)
class ColumnStats:
    """Statistics of one column of a partition: rows due, with a value, and without one by reason.

    ``run`` is the longest run of one value, ``still`` that of the closing price, in rows; ``scale`` is the standard
    deviation of the price's log changes from row to row.
    """

    due: int
    finite: int
    undefined: int = 0
    absent: int = 0
    gap: int = 0
    no_input: int = 0
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
        """``possible_rows`` of this column."""
        return int(possible_rows(self))

    @property
    def populated(self) -> bool:
        """``is_populated`` of this column."""
        return bool(is_populated(self))

    @property
    def missing_share(self) -> float:
        """Share (0 to 1) of the possible rows without a value, including those where the formula is undefined."""
        return 1 - self.finite / self.possible if self.possible > 0 else 0.0

    def plain(self) -> dict[str, object]:
        """The fields that are not None, for JSON."""
        values = {name: getattr(self, name) for name in STATS_FIELDS}
        return {name: value for name, value in values.items() if value is not None}


def possible_rows(s: Any) -> Any:
    """Rows at which the bars allow a value: due, every pair and input present, and a fit that did not fail.

    ``s`` has the fields of ColumnStats: numbers or column expressions, as in ``broken_rules``.
    """
    return s.due - s.absent - s.gap - s.no_input - s.failed


def is_populated(s: Any) -> Any:
    """Whether a column has values in at least 99 % of the possible rows at which its formula has one; ``s`` as above.

    A column without any value is not populated.
    """
    return (s.finite > 0) & (s.finite >= (1 - MISSING_LIMIT) * (s.possible - s.undefined))


NOTHING = ColumnStats(due=0, finite=0)
STATS_FIELDS = tuple(f.name for f in fields(ColumnStats))


def stats_of(plain: Mapping[str, Any]) -> ColumnStats:
    """The inverse of ``ColumnStats.plain``; fields that only another version knows are ignored."""
    return ColumnStats(**{name: plain[name] for name in STATS_FIELDS if name in plain})


def stats_by_feature(quality: Mapping[str, Mapping[str, Any]]) -> dict[str, ColumnStats]:
    """The statistics of a partition's columns by feature, from its record."""
    return {name: stats_of(plain) for name, plain in quality.items()}


def merge_stats(parts: Sequence[ColumnStats]) -> ColumnStats:
    """The statistics of one feature over several pairs; ``std`` pools deviations from each pair's own mean."""
    lows = [p.low for p in parts if p.low is not None]
    highs = [p.high for p in parts if p.high is not None]
    squares = [(p.std**2, p.finite + p.early) for p in parts if p.std is not None]
    counted = ("due", "finite", "undefined", "absent", "gap", "no_input", "failed", "missing", "infinite", "early")
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
    """The latest anchor (full hour, or Sunday 00:00 UTC) at or before each of ``ts``, in minutes since 1970."""
    if anchor == "hour":
        return ts - ts % HOUR
    return ts - (ts - FIRST_SUNDAY) % WEEK


def due_rows(column: Column, ts: Ints, rows: Ints) -> Flags:
    """Which of ``rows`` (positions in ``ts``) are due: flags of the shape of ``rows``.

    ``ts`` (minutes since 1970) begins at the pair's first bar, or one lookback before the first of ``rows``.
    """
    if column.anchor is None:
        return rows >= column.warmup
    before = np.searchsorted(ts, anchor_of(ts[rows], column.anchor))
    return before >= column.warmup


@dataclass(frozen=True)
class PriceStats:
    """Statistics of the price over the rows of a partition, with which runs and scales of columns are compared."""

    still: int = 0  # rows of the longest run of equal closes
    scale: float | None = None  # standard deviation of the log changes; None with fewer than two rows


def price_stats(close: Floats) -> PriceStats:
    """The statistics of ``close`` (n prices), the rows of one partition."""
    if len(close) < 2:
        return PriceStats(len(close))
    edges = np.flatnonzero(np.diff(close) != 0)
    still = int(np.diff(np.concatenate([[-1], edges, [len(close) - 1]])).max())
    return PriceStats(still, float(np.std(np.diff(np.log(close)))))


def column_stats(
    feature: Feature, values: Floats, due: Flags, reasons: Mapping[Reason, Flags], price: PriceStats
) -> ColumnStats:
    """The statistics of one column of a partition; all arrays have one entry per row.

    ``due``: where a value is required. ``reasons``: where there is none, by reason; a row with two reasons counts for
    the first.
    """
    sums = column_sums(values, due)
    missing = dict.fromkeys(Reason, 0)
    unexplained = due & np.isnan(values) if reasons else due
    for reason, where in reasons.items():
        missing[reason] += int((unexplained & where).sum())
        unexplained = unexplained & ~where
    unknown = sums.due - sums.finite - sums.infinite - sum(missing.values())
    if feature.column.undefined:
        missing[Reason.UNDEFINED] += unknown
        unknown = 0
    n = sums.finite + sums.early
    return ColumnStats(
        due=sums.due,
        finite=sums.finite,
        undefined=missing[Reason.UNDEFINED],
        absent=missing[Reason.ABSENT],
        gap=missing[Reason.GAP],
        no_input=missing[Reason.NO_INPUT],
        failed=missing[Reason.FAILED_FIT],
        missing=unknown,
        infinite=sums.infinite,
        early=sums.early,
        low=float(sums.low) if n else None,
        high=float(sums.high) if n else None,
        std=_deviation(sums.squares, sums.total, n),
        run=sums.longest_run,
        still=price.still,
        scale=price.scale,
    )


def _deviation(squares: float, total: float, n: int) -> float | None:
    """The standard deviation (ddof 0) from sums about the first value; None without values or on overflow."""
    if n == 0 or abs(total) > 1e150:
        return None
    variance = squares / n - (total / n) ** 2
    return math.sqrt(max(variance, 0.0)) if math.isfinite(variance) else None


@dataclass(frozen=True)
class Limits:
    """What a feature's column may hold, with the slack of its bounds: see ``broken_rules``."""

    low: float
    high: float
    missing: float
    run: float
    defined: float
    varies: bool
    measured: bool


def limits_of(feature: Feature) -> Limits:
    """The limits of a feature from its declaration."""
    c = feature.column
    repeats = c.unit in DISCRETE or c.may_be_constant is not None or c.anchor == "week"
    return Limits(
        c.low - _slack(c.low), c.high + _slack(c.high), _limit(feature, "missing", MISSING_LIMIT),
        _limit(feature, "run", RUN_LIMIT), 1 - _limit(feature, "undefined", UNDEFINED_LIMIT),
        c.may_be_constant is None, not repeats,
    )  # fmt: skip


def broken_rules(s: Any, c: Any) -> dict[str, Any]:
    """Which rules a column breaks, by name; ``s`` has the fields of ColumnStats, ``c`` those of Limits.

    The rules are written once for all: the fields may be numbers, arrays or column expressions of a data frame, NaN
    or null where there is no value.
    """
    constant = (s.finite > MIN_ROWS) & (s.low == s.high) & (s.still < s.finite) & c.varies
    return {
        "infinite": s.infinite > 0,
        "early": s.early > 0,
        "low": s.low < c.low,
        "high": s.high > c.high,
        "missing": s.missing > c.missing * s.due,
        "constant": constant,
        "run": (s.run > s.still + c.run) & c.measured & (constant ^ True),
        "undefined": (s.possible > 0) & (s.finite < c.defined * s.possible),
    }


NO_GATE = {"undefined"}  # suspicious, but the data may explain it


def texts_of(names: Iterable[str], feature: Feature, s: ColumnStats) -> list[str]:
    """What is wrong with a column that breaks the rules ``names``."""
    column = feature.column
    texts: dict[str, Callable[[], str]] = {
        "infinite": lambda: f"{s.infinite} infinite values",
        "early": lambda: f"{s.early} values before its warm-up",
        "low": lambda: f"{s.low:.6g} is below its lowest possible value {column.low:.6g}",
        "high": lambda: f"{s.high:.6g} is above its highest possible value {column.high:.6g}",
        "missing": lambda: f"{s.missing} of {s.due} values missing without a reason",
        "constant": lambda: f"constant at {s.low:.6g}",
        "run": lambda: f"repeats one value for {s.run} rows, the price for at most {s.still}",
        "undefined": lambda: f"{s.possible - s.finite:,} of {s.possible:,} values undefined by the formula",
    }
    return [texts[name]() for name in names]


def refusals(feature: Feature, s: ColumnStats) -> list[str]:
    """Why a partition with this column must not be published: one line per gate that the column fails."""
    return texts_of((name for name in _broken(feature, s) if name not in NO_GATE), feature, s)


def findings(feature: Feature, s: ColumnStats) -> list[str]:
    """What is suspicious about a stored column: failed gates, or mostly undefined, which the data may explain."""
    return texts_of(_broken(feature, s), feature, s)


def _broken(feature: Feature, s: ColumnStats) -> list[str]:
    numbers = s if s.low is not None and s.high is not None else replace(s, low=math.nan, high=math.nan)
    return [name for name, broken in broken_rules(numbers, limits_of(feature)).items() if broken]


def scale_jumps(old: Any, new: Any, price_ratio: Any) -> Any:
    """Whether a column's scale jumps between successive months by more than the price's own change explains.

    ``old`` and ``new`` have the fields of ColumnStats, ``price_ratio`` is the ratio of their price scales (1 if it is
    unknown); numbers or column expressions, as in ``broken_rules``. The cause is usually another unit or an error in
    the bars. ``JUMP_POWER`` lets fourth-order features follow a market that becomes much more volatile.
    """
    up, down = JUMP_LIMIT * price_ratio**JUMP_POWER, JUMP_LIMIT / price_ratio**JUMP_POWER
    ratio = new.std / old.std
    return (
        (old.finite > MIN_ROWS) & (new.finite > MIN_ROWS)
        & (((ratio >= up) & (ratio >= down)) | ((1 / ratio >= up) & (1 / ratio >= down)))
    )  # fmt: skip


def jump_text(old_std: float, new_std: float) -> str:
    """What a jump in scale is reported as."""
    return f"standard deviation {new_std:.3g}, but {old_std:.3g} in the month before"


def jumps(before: Mapping[str, ColumnStats], now: Mapping[str, ColumnStats]) -> dict[str, str]:
    """Columns whose scale jumps from ``before`` to ``now``, and how: see ``scale_jumps``."""
    found = {}
    for name, new in now.items():
        old = before.get(name, NOTHING)
        if old.std and new.std:
            price_ratio = old.scale / new.scale if old.scale and new.scale else 1.0
            if scale_jumps(old, new, price_ratio):
                found[name] = jump_text(old.std, new.std)
    return found


def _limit(feature: Feature, name: str, usual: float) -> float:
    return FEATURE_LIMITS.get(feature.name, {}).get(name, usual)


def _slack(bound: float) -> float:
    return 0.0 if np.isinf(bound) else ROUNDING * max(abs(bound), 1.0)
