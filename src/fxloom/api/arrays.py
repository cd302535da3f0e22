"""Features of bars in memory, without a store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import polars as pl

from fxloom.bars.bars import Bars, Ints
from fxloom.bars.clock import clock_positions
from fxloom.bars.months import MICROSECONDS_PER_MINUTE, iso
from fxloom.bars.pairs import PAIRS, PairInfo
from fxloom.engine.compute import Computed, Failure, Job, compute_tables
from fxloom.features.catalogue import select_features, select_tables
from fxloom.features.catalogue import tables as all_tables
from fxloom.features.feature import Feature, Table
from fxloom.features.panel_view import panel_minutes

if TYPE_CHECKING:
    from fxloom.api.store import OpenStore

Frame: TypeAlias = Any  # Bars, or a polars or pandas frame
FIRST_CLOSE: Literal["first close"] = "first close"
PRICES = ("open", "high", "low", "close")


def compute(
    bars: Frame | Mapping[str, Frame],
    pair: str | None = None,
    *,
    baseline: float | Mapping[str, float] | OpenStore | Literal["first close"],
    tables: str | Sequence[str] | None = None,
    features: str | Sequence[str] | None = None,
    last: int | None = None,
    complete: bool = False,
) -> dict[str, pl.DataFrame]:
    """Compute features of bars in memory: one frame per table, one row per observed bar.

    ``bars``: those of one ``pair``, or a mapping from pairs to bars, which also allows panel tables. A polars or pandas
    frame has ``ts_utc`` (or ``time``, or a DatetimeIndex; UTC unless it has a zone), open, high, low, close, and
    optionally volume and spread.
    ``baseline``: the price at which a pair's rate index is 100: a number, a mapping from pairs to numbers, an open
    store that has the pair, or "first close". A store also determines whether the pair has volume and quotes.
    ``tables`` and ``features`` select what to compute (default: all that the bars allow). ``last``: only this many rows
    per pair, computed from the shortest sufficient history.
    ``complete``: the frame begins where the pair's history begins, so features exist from their warm-up on, as in a
    store. Otherwise a value exists only where the frame contains the feature's whole lookback, so that it does not
    depend on where the frame begins.

    Columns: ``ts_utc``, ``known_at``, ``pair``, and the features; a missing value is null. KeyError for an unknown
    name; ValueError for bars that break a rule, or if a table would have no row with enough history (the message says
    how many bars that takes).

    >>> fxloom.compute(frame, "eurusd", baseline=1.1, features="bb_width_15_rate", last=1)      # doctest: +SKIP
    """
    if last is not None and last < 1:
        raise ValueError(f"invalid last={last}, expected 1 or more rows")
    arrays = _arrays(bars, pair)
    wanted = _wanted(tables, features, panel=isinstance(bars, Mapping))
    together = sorted({f.table for f in wanted if all_tables()[f.table].family.scope == "panel"})
    if together and not isinstance(bars, Mapping):
        raise ValueError(f"{', '.join(together)} need several pairs: pass a mapping from pairs to bars")
    chosen = [t for t in all_tables().values() if t.name in {f.table for f in wanted}]
    infos = {p: _info(p, b, baseline) for p, b in arrays.items()}
    found: list[Computed | Failure] = []
    for p in arrays:
        found += _computed(p, {p: arrays[p]}, infos, [t for t in chosen if t.family.scope == "pair"], last, complete)
    found += _computed("", arrays, infos, [t for t in chosen if t.family.scope == "panel"], last, complete)
    return _frames(found, wanted, arrays, last, complete)


def _arrays(bars: Frame | Mapping[str, Frame], pair: str | None) -> dict[str, Bars]:
    if isinstance(bars, Mapping):
        by_pair = {str(p).lower(): b for p, b in bars.items()}
    elif pair is None:
        raise ValueError('the pair is missing: compute(bars, pair="eurusd", ...)')
    else:
        by_pair = {pair.lower(): bars}
    for p in by_pair:
        if p not in PAIRS:
            raise ValueError(f"{p!r} is not one of the 28 pairs: {' '.join(PAIRS)}")
    return {p: as_bars(b, p) for p, b in by_pair.items()}


def _wanted(tables: str | Sequence[str] | None, features: str | Sequence[str] | None, panel: bool) -> list[Feature]:
    """The features that ``tables`` and ``features`` name; by default all, of the panel only if ``panel``."""
    if tables is None and features is None:
        return [f for t in all_tables().values() if panel or t.family.scope == "pair" for f in t.features]
    named = [f for t in select_tables(_words(tables)) for f in t.features] if tables is not None else []
    named += select_features(_words(features)) if features is not None else []
    return list({f.name: f for f in named}.values())


def _words(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _info(pair: str, bars: Bars, baseline: Any) -> PairInfo:
    """The pair's baseline as given, and whether it has volume and quotes, according to the store or else the bars."""
    if baseline == FIRST_CLOSE:
        return pair_info_of(bars)
    if isinstance(baseline, Mapping):
        if pair not in {str(p).lower() for p in baseline}:
            raise ValueError(f"baseline has no price for {pair}")
        baseline = next(v for p, v in baseline.items() if str(p).lower() == pair)
    elif not isinstance(baseline, int | float):
        return _stored_info(pair, bars, baseline)
    if not (np.isfinite(baseline) and baseline > 0):
        raise ValueError(f"invalid baseline {baseline!r} for {pair}, expected a price above 0")
    return pair_info_of(bars, float(baseline))


def _stored_info(pair: str, bars: Bars, store: OpenStore) -> PairInfo:
    info = store.pair_info(pair)
    lacks = [name for name, has, column in
             (("volume", info.has_volume, bars.volume), ("spread", info.has_quotes, bars.spread))
             if has and column is None]  # fmt: skip
    if lacks:
        raise ValueError(f"{pair} has {' and '.join(lacks)} in {store.url}, but these bars do not: add the column")
    return info


def _computed(
    pair: str,
    bars: Mapping[str, Bars],
    infos: Mapping[str, PairInfo],
    chosen: Sequence[Table],
    last: int | None,
    complete: bool,
) -> Iterator[Computed | Failure]:
    """Compute the tables of one pair, or ("") of the panel; with ``last``, from the latest sufficient bar on."""
    begin = min(int(b.ts[0]) for b in bars.values())
    if last is None or complete:
        yield from compute_tables(pair, bars, infos, [Job(t, begin) for t in chosen], begin)
        return
    first = min(int(b.ts[max(len(b) - last, 0)]) for b in bars.values())
    for table in chosen:
        cut = _cut(bars, first, table.lookback)
        seen = {p: b.between(cut, int(b.ts[-1]) + 1) for p, b in bars.items()}
        yield from compute_tables(pair, seen, infos, [Job(table, cut)], first)


def _cut(bars: Mapping[str, Bars], first: int, lookback: int) -> int:
    """The latest observed minute with ``lookback`` clock bars between it and minute ``first``."""
    minutes = np.unique(np.concatenate([b.ts for b in bars.values()]))
    positions = clock_positions(minutes)
    wanted = positions[np.searchsorted(minutes, first)] - lookback
    return int(minutes[max(int(np.searchsorted(positions, wanted, side="right")) - 1, 0)])


def _frames(
    found: Sequence[Computed | Failure],
    wanted: Sequence[Feature],
    arrays: Mapping[str, Bars],
    last: int | None,
    complete: bool,
) -> dict[str, pl.DataFrame]:
    by_table: dict[str, list[Feature]] = {}
    for feature in wanted:
        by_table.setdefault(feature.table, []).append(feature)
    parts: dict[str, list[pl.DataFrame]] = {}
    for result in found:
        if isinstance(result, Failure):
            raise ValueError(f"{result.table} of {result.pair or 'all pairs'} cannot be computed: {result.why}")
        before = np.full(len(result.ts), np.iinfo(np.int64).max) if complete else _bars_before(result, arrays)
        parts.setdefault(result.table.name, []).append(_frame(result, by_table[result.table.name], before))
    if not complete:
        _check_history(found, by_table, arrays)
    frames = {name: pl.concat(parts[name]) for name in by_table if name in parts}
    return (
        frames
        if last is None
        else {name: f.filter(pl.int_range(pl.len(), 0, -1).over("pair") <= last) for name, f in frames.items()}
    )


def _bars_before(result: Computed, arrays: Mapping[str, Bars]) -> Ints:
    """How many of the given clock bars lie before each row."""
    if result.table.family.scope == "pair":
        ts = arrays[result.pair].ts
        return clock_positions(ts)[np.searchsorted(ts, result.ts)]
    return np.searchsorted(panel_minutes([b.ts for b in arrays.values()]), result.ts).astype(np.int64)


def _frame(result: Computed, features: Sequence[Feature], before: Ints) -> pl.DataFrame:
    pairs = pl.Series("pair", [result.pair] * len(result.ts) if result.pairs is None else list(result.pairs), pl.String)
    times = pl.Series("ts_utc", result.ts * MICROSECONDS_PER_MINUTE).cast(pl.Datetime("us", "UTC"))
    known = times.dt.offset_by("1m").alias("known_at")
    columns = [
        pl.Series(f.name, np.where(before >= f.column.lookback, result.columns[f.name], np.nan), nan_to_null=True)
        for f in features
    ]
    return pl.DataFrame([times, known, pairs, *columns])


def _check_history(
    found: Sequence[Computed | Failure], by_table: Mapping[str, Sequence[Feature]], arrays: Mapping[str, Bars]
) -> None:
    """ValueError if no row of a table has the lookback of all its features before it."""
    short = []
    for result in found:
        if isinstance(result, Computed) and len(result.ts):
            need = max(f.column.lookback for f in by_table[result.table.name])
            have = int(_bars_before(result, arrays).max())
            if have < need:
                short.append(
                    f"{result.table.name} of {result.pair or 'all pairs'} needs {need:,}, but there are {have:,}"
                )
    if short:
        listed = "; ".join(short[:5]) + (" ..." if short[5:] else "")
        raise ValueError(
            f"too little history before the last bar, in clock bars: {listed}. Pass more bars, or complete=True if "
            "the pair's history begins with this frame"
        )


# -- frames to bars --------------------------------------------------------------------------------------------------


def as_bars(frame: Any, pair: str = "") -> Bars:
    """Bars from a polars or pandas frame; ValueError, naming the first offending bar, if they break a rule.

    Times must be whole, strictly increasing minutes; prices finite and above 0, with open and close between low and
    high; volume and spread finite and not negative, unless missing.
    """
    if isinstance(frame, Bars):
        return _checked(frame, pair)
    table = _polars(frame)
    names = {name.lower(): name for name in table.columns}
    time = next((names[n] for n in ("ts_utc", "time") if n in names), None)
    absent = [n for n in PRICES if n not in names] + ([] if time else ["ts_utc"])
    if time is None or absent:
        raise ValueError(
            f"the bars of {pair or 'the pair'} lack {', '.join(absent)}; they have {', '.join(table.columns)}"
        )
    column = table[time]
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone not in (None, "UTC"):
        column = column.dt.convert_time_zone("UTC")
    micros = column.cast(pl.Datetime("us")).to_physical()
    if micros.null_count():
        raise ValueError(f"{time}: {micros.null_count()} times are missing")
    ts = micros.to_numpy() // MICROSECONDS_PER_MINUTE
    if np.any(micros.to_numpy() % MICROSECONDS_PER_MINUTE):
        raise ValueError(
            f"{time}: times must be whole minutes; `fxloom ingest` turns ticks and seconds into minute bars"
        )

    def values(name: str) -> Any:
        return table[names[name]].cast(pl.Float64).fill_null(np.nan).to_numpy().copy() if name in names else None

    return _checked(Bars(ts, *(values(n) for n in (*PRICES, "volume", "spread"))), pair)


def _polars(frame: Any) -> pl.DataFrame:
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, pl.DataFrame):
        return frame
    if type(frame).__module__.partition(".")[0] == "pandas":
        named = {str(c).lower() for c in frame.columns}
        if not named & {"ts_utc", "time"}:  # the times are the index
            frame = frame.rename_axis("ts_utc").reset_index()
        return pl.from_pandas(frame)
    raise ValueError(f"expected bars as a polars or pandas frame, not {type(frame).__name__}")


def _checked(bars: Bars, pair: str) -> Bars:
    """``bars`` without an empty volume or spread; ValueError, naming the first bar that breaks a rule."""
    who = f" of {pair}" if pair else ""
    if len(bars) == 0:
        raise ValueError(f"there are no bars{who}")
    disorder = np.flatnonzero(np.diff(bars.ts) <= 0)
    if len(disorder):
        where = iso(int(bars.ts[disorder[0] + 1]))
        raise ValueError(
            f"times{who} must increase: {where} comes after {iso(int(bars.ts[disorder[0]]))}; sort the bars"
        )
    prices = np.stack([bars.open, bars.high, bars.low, bars.close])
    extra = {n: c for n, c in (("volume", bars.volume), ("spread", bars.spread)) if c is not None}
    rules = [
        ("a price that is missing, infinite or not above 0", ~(np.isfinite(prices) & (prices > 0)).all(axis=0)),
        ("a high below or a low above another price", (bars.high < prices.max(0)) | (bars.low > prices.min(0))),
        *((f"a {n} that is negative or infinite", (c < 0) | np.isinf(c)) for n, c in extra.items()),
    ]
    for what, broken in rules:
        if broken.any():
            raise ValueError(f"the bar{who} at {iso(int(bars.ts[np.argmax(broken)]))} has {what}")
    volume, spread = (None if c is None or np.isnan(c).all() else c for c in (bars.volume, bars.spread))
    return replace(bars, volume=volume, spread=spread)


def pair_info_of(bars: Bars, baseline: float | None = None) -> PairInfo:
    """What would be settled about a pair if these bars were its first ingest."""
    has_volume = bars.volume is not None and bool(np.any(bars.volume > 0))
    return PairInfo(float(bars.close[0]) if baseline is None else baseline, has_volume, bars.spread is not None)
