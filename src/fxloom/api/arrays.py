"""Features of bars in memory, without a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from fxloom.bars.bars import Bars
from fxloom.bars.pairs import PAIRS, PairInfo
from fxloom.engine.compute import Computed, Failure, Job, compute_tables
from fxloom.features.catalogue import select_tables
from fxloom.stores.frames import MICROSECONDS


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
    infos = {p: pair_info_of(b, baseline) for p, b in arrays.items()}
    start = min(int(b.ts[0]) for b in arrays.values())
    found: list[Computed | Failure] = []
    of_pair, of_panel = ([Job(t, start) for t in chosen if t.family.scope == scope] for scope in ("pair", "panel"))
    for p in arrays:
        found += compute_tables(p, arrays, infos, of_pair, start)
    if isinstance(bars, Mapping) or tables is not None:
        found += compute_tables("", arrays, infos, of_panel, start)
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


def pair_info_of(bars: Bars, baseline: float | None = None) -> PairInfo:
    """What would be settled about a pair if these bars were its first ingest."""
    has_volume = bars.volume is not None and bool(np.any(bars.volume > 0))
    return PairInfo(float(bars.close[0]) if baseline is None else baseline, has_volume, bars.spread is not None)
