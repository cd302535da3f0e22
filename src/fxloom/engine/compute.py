"""Computes the columns of partitions from bars: each table from its own lookback on, shared series only once."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fxloom.bars.bars import Bars, Flags, Floats, Ints
from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.engine.quality import ColumnStats, PriceStats, column_stats, due_rows, merge_stats, price_stats, refusals
from fxloom.features.base_view import Frame, MissingRows
from fxloom.features.feature import Columns, Feature, Table, checked
from fxloom.features.missing import Reason
from fxloom.features.pair_view import PairFrame, View
from fxloom.features.panel_view import PanelFrame, PanelView


@dataclass(frozen=True, eq=False)
class Computed:
    """One partition as it will be stored: observed rows only, float64 columns in catalogue order."""

    table: Table
    pair: str
    ts: Ints
    columns: dict[str, Floats]
    stats: dict[str, ColumnStats]
    pairs: Sequence[str] | None = None

    @property
    def refusals(self) -> list[str]:
        """Why the partition must not be published: one line per feature and gate that it fails."""
        features = {f.name: f for f in self.table.features}
        return [f"{name}: {why}" for name, s in self.stats.items() for why in refusals(features[name], s)]


@dataclass(frozen=True)
class Failure:
    """A table that could not be computed, and why."""

    table: str
    pair: str
    why: str


@dataclass(frozen=True)
class Job:
    """A table to compute, and the minute (since 1970) from which it sees bars."""

    table: Table
    start: int


def compute_tables(
    pair: str, bars: Mapping[str, Bars], infos: Mapping[str, PairInfo], jobs: Sequence[Job], first: int
) -> Iterator[Computed | Failure]:
    """Compute the partitions of ``pair``, or of the panel if it is "", from minute ``first`` (since 1970) on.

    ``bars`` (observed, by pair) begin at the earliest start of ``jobs``; pairs without bars are left out. A table that
    cannot be computed yields a ``Failure`` and does not stop the others.
    """
    if pair:
        return compute_pair(PairFrame(pair, on_clock(bars[pair]), infos[pair]), jobs, first)
    seen = {p: b for p, b in bars.items() if len(b)}
    return compute_panel(seen, {p: infos[p] for p in seen}, jobs, first)


def compute_pair(frame: PairFrame, jobs: Iterable[Job], first: int) -> Iterator[Computed | Failure]:
    """Compute the partitions of one pair from minute ``first`` to the frame's end; a failure does not stop the others.

    Tables with the longest lookback come first: the series that they share then cover what later tables need.
    """
    ts = frame.bars.ts
    first_row = int(np.searchsorted(ts, first))
    for job in sorted(jobs, key=lambda j: (j.start, j.table.name)):
        start = int(np.searchsorted(ts, job.start))
        try:
            yield compute_table(frame.view(job.table.domain, start, first_row), job.table)
        except Exception as error:  # noqa: BLE001 - reported with its cause; the other tables go on
            yield _failure(job.table.name, frame.pair, error)


def compute_table(view: View, table: Table) -> Computed:
    """Compute one table of one pair: columns at the observed rows from the view's first row on, and statistics."""
    columns = checked(table, table.family.compute(view))
    rows = observed_rows(view)
    stored = {name: np.ascontiguousarray(column[_span(rows)]) for name, column in columns.items()}
    reasons, without_input = _reasons(view.missing, rows), _WithoutInput(view, table, rows)
    price = _price_stats(view.frame, view.pair, view.price, rows)
    due = _DueRows(view.ts, rows)
    stats = {
        f.name: column_stats(f, stored[f.name], due.of(f), reasons.get(f.key, {}) | without_input.of(f), price)
        for f in table.features
    }
    return Computed(table, view.pair, view.ts[rows], stored, stats)


def observed_rows(view: View) -> Ints:
    """The positions, in the view's arrays, of the observed bars to store."""
    positions = view.frame.bars.observed - view.start
    return positions[positions >= view.first]


def _span(rows: Ints) -> Ints | slice:
    """``rows`` as a slice if they are consecutive: indexing with it then copies nothing."""
    whole = len(rows) > 0 and int(rows[-1]) - int(rows[0]) + 1 == len(rows)
    return slice(int(rows[0]), int(rows[-1]) + 1) if whole else rows


def _price_stats(frame: Frame, pair: str, price: Floats, rows: Ints) -> PriceStats:
    """Statistics of the pair's price, computed once per task, since all its tables store the same rows."""
    return frame.work.result((price_stats, pair, len(rows)), lambda: price_stats(price[rows]))


class _DueRows:
    """Due rows, computed once for all features of one warm-up and anchor."""

    def __init__(self, ts: Ints, rows: Ints) -> None:
        self.ts, self.rows = ts, rows
        self.known: dict[tuple[int, str | None], Flags] = {}

    def of(self, feature: Feature) -> Flags:
        column = feature.column
        key = (column.warmup, column.anchor)
        if key not in self.known:
            self.known[key] = due_rows(column, self.ts, self.rows)
        return self.known[key]


class _WithoutInput:
    """Rows whose values need bars without the volume or quotes that the pair has elsewhere."""

    def __init__(self, view: View, table: Table, rows: Ints) -> None:
        lacking = view.lacks(table.family.uses)
        self.age: Ints | None = None  # bars since the latest one without an input
        if lacking.any():
            places = np.arange(len(lacking))
            latest = np.maximum.accumulate(np.where(lacking, places, -len(lacking)))
            self.age = (places - latest)[rows]

    def of(self, feature: Feature) -> dict[Reason, Flags]:
        """Where the lookback of ``feature`` includes such a bar; empty if there is none."""
        if self.age is None:
            return {}
        return {Reason.NO_INPUT: self.age <= feature.column.lookback}


def _reasons(missing: Iterable[MissingRows], rows: Ints) -> dict[str, dict[Reason, Flags]]:
    """Which of ``rows`` have no value, by column and reason."""
    found: dict[str, dict[Reason, Flags]] = {}
    for part in missing:
        where = part.where[_span(rows)]
        for name in part.columns:
            known = found.setdefault(name, {})
            known[part.reason] = known[part.reason] | where if part.reason in known else where
    return found


def _failure(table: str, pair: str, error: Exception) -> Failure:
    """What the error of a table is reported as; KeyboardInterrupt if a kernel has turned one into it.

    Numba's dispatcher returns its result although Ctrl-C came meanwhile, and Python makes a SystemError of that.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        cause = cause.__cause__
    return Failure(table, pair, f"{error} ({_place(error)})")


def _place(error: Exception) -> str:
    """Where the error was raised: its type, the function, file and line."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, {frame.filename.rpartition('/')[2]}:{frame.lineno}"


def proxies_of(table: Table, info: PairInfo) -> tuple[str, ...]:
    """The inputs of the table ("volume", "spread") for which this pair has only a proxy."""
    lacking = {"volume": not info.has_volume, "spread": not info.has_quotes}
    return tuple(name for name in table.family.uses if lacking[name])


def compute_panel(
    bars: Mapping[str, Bars], infos: Mapping[str, PairInfo], jobs: Sequence[Job], first: int
) -> Iterator[Computed | Failure]:
    """Compute the partitions of panel tables from minute ``first`` on: one per pair, or one for all pairs."""
    if not jobs:
        return
    frame = PanelFrame(bars, infos)
    first_row = int(np.searchsorted(frame.ts, first))
    for job in sorted(jobs, key=lambda j: (j.start, j.table.name)):
        view = frame.view(job.table.domain, int(np.searchsorted(frame.ts, job.start)), first_row)
        try:
            columns = checked(job.table, job.table.family.compute(view))
            parts = (_panel_part(view, job.table, columns, i) for i in range(len(view.pairs)))
            stored = [part for part in parts if len(part.ts)]
            yield from [_by_time_and_pair(stored)] if job.table.holds_all_pairs and stored else stored
        except Exception as error:  # noqa: BLE001 - reported with its cause; the other tables go on
            yield _failure(job.table.name, "", error)


def _panel_part(view: PanelView, table: Table, columns: Columns, i: int) -> Computed:
    """The rows of one pair in a panel table."""
    pair = view.pairs[i]
    rows = view.observed(pair)
    stored = {name: np.ascontiguousarray(column[i, _span(rows)]) for name, column in columns.items()}
    if len(rows) == 0:
        return Computed(table, pair, view.ts[rows], stored, {})
    due = _panel_due(view, pair, rows)
    missing = [part for m in view.missing for part in _absences_and_gaps(m._replace(where=m.where[i]))]
    reasons = _reasons(missing, rows)
    price = _price_stats(view.frame, pair, view.price[i], rows)
    stats = {
        f.name: column_stats(f, stored[f.name], due(f, stored[f.name]), reasons.get(f.key, {}), price)
        for f in table.features
    }
    return Computed(table, pair, view.ts[rows], stored, stats)


def _panel_due(view: PanelView, pair: str, rows: Ints) -> Callable[[Feature, Floats], Flags]:
    """The due rows of a pair in a panel table.

    A value is due once the pair's own history is as long as the warm-up. Pairs with a longer history may provide a
    value sooner; that is too early only if it comes before the warm-up on the panel clock.
    """
    begin = max(int(view.frame.positions[pair][0]) - view.start, 0)
    own, clock = _DueRows(view.ts[begin:], rows - begin), _DueRows(view.ts, rows)
    return lambda feature, values: own.of(feature) | (clock.of(feature) & np.isfinite(values))


def _absences_and_gaps(missing: MissingRows) -> list[MissingRows]:
    """Rows without a needed pair: absent until all needed pairs have had a bar, a gap in the source from then on."""
    if missing.reason is not Reason.ABSENT:
        return [missing]
    where, columns = missing.where, missing.columns
    begun = np.logical_or.accumulate(~where)
    return [
        MissingRows(Reason.ABSENT, where & ~begun, columns),
        MissingRows(Reason.GAP, where & begun, columns),
    ]


def _by_time_and_pair(parts: Sequence[Computed]) -> Computed:
    """The pairs' partitions as one, sorted by time and pair."""
    ts = np.concatenate([part.ts for part in parts])
    pairs = np.repeat([part.pair for part in parts], [len(part.ts) for part in parts])
    order = np.lexsort((pairs, ts))
    table = parts[0].table
    columns = {name: np.concatenate([part.columns[name] for part in parts])[order] for name in table.names}
    stats = {name: merge_stats([part.stats[name] for part in parts]) for name in table.names}
    return Computed(table, "", ts[order], columns, stats, pairs[order].tolist())
