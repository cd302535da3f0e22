"""What Python users see: a store to read, populate and audit; features of arrays without any store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from fxloom.audit import Audit, audit
from fxloom.bars import PAIRS, Bars
from fxloom.catalogue import select_features, select_tables
from fxloom.clock import on_clock
from fxloom.computing import Computed, Failure, Job, compute_pair, compute_panel
from fxloom.holes import find_holes
from fxloom.matrix import Missing, matrix_frame
from fxloom.months import minute_of, month_range
from fxloom.plan import Plan, Task
from fxloom.populate import Summary, plan_for, populate, ready_settings
from fxloom.reading import known_at, read_features
from fxloom.run.outcome import Outcome
from fxloom.stores import open_backend
from fxloom.stores.base import Store
from fxloom.stores.frames import MICROSECONDS, bars_frame
from fxloom.view import PairFrame, Traits

Moment = str | dt.date | dt.datetime


def open_store(path: str | Path) -> OpenStore:
    """The feature store at ``path`` (a folder, or a postgresql:// URL); nothing is made or read yet."""
    return OpenStore(open_backend(path))


class OpenStore:
    """A feature store: bars and features of pairs by month."""

    def __init__(self, backend: Store) -> None:
        self.backend = backend

    @property
    def pairs(self) -> list[str]:
        """The pairs that have bars."""
        return sorted(ready_settings(self.backend).pairs)

    def read(
        self,
        what: str | Sequence[str],
        pairs: Sequence[str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> pl.LazyFrame:
        """Features of any tables, joined on time and pair, as a lazy frame.

        ``what``: features, tables, families, domains ("rate", "bqx") or patterns; ``start <= ts_utc < end``.
        Columns: ``ts_utc``, ``known_at`` (when the bar is complete: one minute later), ``pair``, the features in
        catalogue order. KeyError if a name is unknown, StoreError if the store has no bars.
        """
        features = select_features([what] if isinstance(what, str) else what)
        pairs = list(pairs) if pairs is not None else self.pairs
        return read_features(self.backend, features, pairs, _minute(start), _minute(end))

    def bars(self, pair: str, start: Moment | None = None, end: Moment | None = None) -> pl.DataFrame:
        """The stored bars of ``pair``, with ``known_at``."""
        first, last = _minute(start), _minute(end)
        bars = self.backend.read_bars(pair, -(1 << 40) if first is None else first, (1 << 40) if last is None else last)
        return bars_frame(bars, pair).with_columns(known_at())

    def matrix(
        self,
        features: str | Sequence[str],
        pairs: Sequence[str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        missing: Missing = "keep",
    ) -> Iterator[pl.DataFrame]:
        """The joined features month by month, for training: see ``fxloom.matrix.matrix_frame``."""
        chosen = select_features([features] if isinstance(features, str) else features)
        pairs = list(pairs) if pairs is not None else self.pairs
        return matrix_frame(self.backend, chosen, pairs, _minute(start), _minute(end), missing)

    def plan(self, pairs: Sequence[str] | None = None, months: str | None = None) -> Plan:
        """What a populate would do."""
        return plan_for(self.backend, pairs, month_range(months) if months else None)

    def populate(
        self,
        pairs: Sequence[str] | None = None,
        months: str | None = None,
        tables: Sequence[str] | None = None,
        workers: int | None = None,
        force: bool = False,
        on_task: Callable[[Task, list[Outcome]], None] = lambda _, __: None,
    ) -> Summary:
        """Compute what is missing or stale; ``months`` as "2018-02:2018-03". Failures are in the summary."""
        bounds = month_range(months) if months else None
        return populate(self.backend, pairs, bounds, tables, workers, force, on_task=on_task)

    def audit(self, whole: bool = False) -> Audit:
        """What the store holds, table by table; ``whole``: every stored value is read and held to its checksum."""
        damages = self.backend.damages() + (self.backend.verify() if whole else [])
        days = {pair: self.backend.bar_months(pair) for pair in self.pairs}
        return audit(self.backend.records(), plan_for(self.backend), damages, find_holes(days))


def compute(
    bars: Bars | pl.DataFrame | Mapping[str, Bars | pl.DataFrame],
    pair: str = "eurusd",
    tables: Sequence[str] | None = None,
    baseline: float | None = None,
) -> dict[str, pl.DataFrame]:
    """Features of bars in memory, without a store: one frame a table, a row an observed bar.

    ``bars`` of one pair gives the tables of one pair; a mapping of pairs gives all of them, with a ``pair``
    column. A frame needs ``ts_utc`` (or ``time``), open, high, low, close, and may have volume and spread.
    ``baseline`` is the price that the rate index counts as 100, by default the first close. ValueError if a table
    cannot be computed.
    """
    by_pair = dict(bars) if isinstance(bars, Mapping) else {pair: bars}
    arrays = {p: as_bars(b) for p, b in by_pair.items()}
    for p, b in arrays.items():
        if p not in PAIRS or len(b) == 0:
            raise ValueError(f"{p!r} has no bars or is none of the 28 pairs")
    chosen = select_tables(tables)
    traits = {p: traits_of(b, baseline) for p, b in arrays.items()}
    start = min(int(b.ts[0]) for b in arrays.values())
    found: list[Computed | Failure] = []
    for p, b in arrays.items():
        jobs = [Job(t, start) for t in chosen if t.family.scope == "pair"]
        found += compute_pair(PairFrame(p, on_clock(b), traits[p]), jobs, start)
    if isinstance(bars, Mapping) or tables is not None:
        found += compute_panel(arrays, traits, [Job(t, start) for t in chosen if t.family.scope == "panel"], start)
    return _frames(found, [t.name for t in chosen])


def _frames(found: Sequence[Computed | Failure], order: Sequence[str]) -> dict[str, pl.DataFrame]:
    parts: dict[str, list[pl.DataFrame]] = {}
    for result in found:
        if isinstance(result, Failure):
            raise ValueError(f"{result.table} of {result.pair}: {result.why}")
        pairs = pl.Series("pair", [result.pair] * len(result.ts) if result.pairs is None else list(result.pairs))
        times = pl.Series("ts_utc", result.ts * MICROSECONDS).cast(pl.Datetime("us", "UTC"))
        frame = pl.DataFrame([times, pairs, *(pl.Series(n, c) for n, c in result.columns.items())])
        parts.setdefault(result.table.name, []).append(frame)
    return {name: pl.concat(parts[name]) for name in order if name in parts}


def as_bars(frame: Bars | pl.DataFrame) -> Bars:
    """Bars from a polars frame; ValueError if its times are not whole, increasing minutes."""
    if isinstance(frame, Bars):
        return frame
    name = "ts_utc" if "ts_utc" in frame.columns else "time"
    micros = frame[name].cast(pl.Datetime("us")).to_physical().to_numpy()
    ts = micros // MICROSECONDS
    if np.any(micros % MICROSECONDS) or np.any(np.diff(ts) <= 0):
        raise ValueError(f"{name}: times must be whole minutes, strictly increasing; `fxloom ingest` mends such files")
    optional = (frame[c].cast(pl.Float64).to_numpy() if c in frame.columns else None for c in ("volume", "spread"))
    prices = (frame[c].cast(pl.Float64).to_numpy() for c in ("open", "high", "low", "close"))
    return Bars(ts, *prices, *optional)


def traits_of(bars: Bars, baseline: float | None = None) -> Traits:
    """What would be settled about a pair if these bars were its first ingest."""
    has_volume = bars.volume is not None and bool(np.any(bars.volume > 0))
    return Traits(float(bars.close[0]) if baseline is None else baseline, has_volume, bars.spread is not None)


def _minute(moment: Moment | None) -> int | None:
    return None if moment is None else minute_of(moment)
