"""The trials: what is changed, and what must stay the same.

Causal: later bars are removed, or replaced by noise or absurd values; every row up to the cut must not change by a
bit. Invariant: rows are computed from only the declared lookback, from the beginning of history, in odd chunks, and
minute by minute. Reproducible: the partition's file holds what is computed now (see ``units``).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from fxloom.bars.bars import Bars, Floats, Ints
from fxloom.bars.clock import CLOSURE
from fxloom.bars.months import iso
from fxloom.engine.compute import Computed
from fxloom.engine.quality import anchor_of
from fxloom.engine.replay import Replay, Results, back_from
from fxloom.features.feature import Feature
from fxloom.verify.verdict import EXACT, TrialContext, Verdict, compare, here

AFTER = 2_880  # minutes of altered bars that are kept after a cut
Alteration: TypeAlias = Callable[[Bars, int, np.random.Generator], Bars]
Verdicts: TypeAlias = Iterator[Verdict]


# -- what is changed -------------------------------------------------------------------------------------------------


def removed(bars: Bars, cut: int, _generator: np.random.Generator) -> Bars:
    """Remove all bars after ``cut`` (a minute since 1970)."""
    return bars.between(-(1 << 40), cut + 1)


def noise(bars: Bars, cut: int, generator: np.random.Generator) -> Bars:
    """Replace later bars by a random walk with a hundred times the volatility, and random volumes and spreads."""
    kept, later = _split(bars, cut)
    if not len(later) or not len(kept):
        return bars
    walk = kept.close[-1] * np.exp(np.cumsum(generator.normal(0.0, 0.01, len(later))))
    spread = np.abs(generator.normal(0.0, 0.005, len(later)))
    return _replaced(bars, cut, walk, walk * (1 + spread), walk * (1 - spread), generator.uniform(0, 1e4, len(later)))


def absurd(bars: Bars, cut: int, _generator: np.random.Generator) -> Bars:
    """Replace later bars by prices that alternate between a million times and a millionth of the first close."""
    later = _split(bars, cut)[1]
    prices = np.where(np.arange(len(later)) % 2 == 0, 1e6, 1e-6) * bars.close[0]
    return _replaced(bars, cut, prices, prices * 1.5, prices * 0.5, np.full(len(later), 1e12))


ALTERATIONS: Mapping[str, Alteration] = {"removed": removed, "replaced by noise": noise, "made absurd": absurd}


def _split(bars: Bars, cut: int) -> tuple[Bars, Bars]:
    return bars.between(-(1 << 40), cut + 1), bars.between(cut + 1, cut + 1 + AFTER)


def _replaced(bars: Bars, cut: int, close: Floats, high: Floats, low: Floats, volume: Floats) -> Bars:
    kept, later = _split(bars, cut)
    join = np.concatenate
    ticks = None if kept.volume is None else join([kept.volume, volume])
    spread = None if kept.spread is None else join([kept.spread, np.abs(high - low)])
    opened = join([kept.open, close])
    ts = join([kept.ts, later.ts])
    return Bars(ts, opened, join([kept.high, high]), join([kept.low, low]), join([kept.close, close]), ticks, spread)


# -- where it is changed ---------------------------------------------------------------------------------------------


def moments(replay: Replay, count: int, generator: np.random.Generator) -> list[tuple[str, int]]:
    """``count`` observed minutes to cut after: a random one, then week opens, anchors, closures, month edges in turn.

    The second kind is drawn at random, so that a few moments per unit cover all kinds over many units.
    """
    rows = replay.rows()
    if len(rows) < 2:
        return [("month edge", int(rows[0]))] if len(rows) else []
    places = _places(rows)
    others = [kind for kind, at in places.items() if len(at) and kind != "random"]
    shift = int(generator.integers(len(others)))
    kinds = ["random", *others[shift:], *others[:shift]]
    return [
        (kind, int(rows[generator.choice(places[kind])])) for kind in itertools.islice(itertools.cycle(kinds), count)
    ]


def _places(rows: Ints) -> dict[str, Ints]:
    gaps = np.flatnonzero(np.diff(rows) > CLOSURE)
    long = np.flatnonzero(np.diff(rows) > 1440)
    weeks = np.flatnonzero(np.diff(anchor_of(rows, "week")) > 0)
    hours = np.flatnonzero(np.diff(anchor_of(rows, "hour")) > 0)
    return {
        "random": np.arange(len(rows)),
        "week open": np.concatenate([long + 1, np.minimum(long + 30, len(rows) - 1)]),
        "anchor": np.concatenate([weeks, weeks + 1, hours]),
        "closure": np.concatenate([gaps, gaps + 1]),
        "month edge": np.array([0, 1, len(rows) - 2]),
    }


# -- the trials ------------------------------------------------------------------------------------------------------


def causal(replay: Replay, base: Results, kind: str, cut: int, generator: np.random.Generator) -> Verdicts:
    """Alter the bars after ``cut`` in three ways; every row up to it must be identical to the last bit."""
    for name, alter in ALTERATIONS.items():
        bars = {pair: alter(b, cut, generator) for pair, b in replay.bars.items()}
        got = replay.run(bars, replay.starts, replay.first)
        words = f"causal (later bars {name}; cut after {iso(cut)}, {kind})"
        yield from _compare_all(base, got, "causal", words, (replay.first, cut + 1), exact=True)


def from_lookback(replay: Replay, base: Results, clock: Ints, rows: int, generator: np.random.Generator) -> Verdicts:
    """Compute the month from exactly each table's lookback, and ``rows`` single rows from each feature's own."""
    starts = {t.name: back_from(clock, replay.first, t.lookback) for t in replay.tables}
    got = replay.run_apart(replay.bars, starts, replay.first)
    words = "invariant (from the declared lookback)"
    yield from _compare_all(base, got, "lookback", words, (replay.first, replay.end))
    for minute in np.sort(generator.choice(replay.rows(), min(rows, len(replay.rows())), replace=False)).tolist():
        bars = replay.up_to(minute)
        for lookback in sorted({f.column.lookback for t in replay.tables for f in t.features}):
            starts = {
                t.name: back_from(clock, minute, lookback)
                for t in replay.tables
                if any(f.column.lookback == lookback for f in t.features)
            }
            got = replay.run_apart(bars, starts, minute)
            words = f"invariant (from its own lookback, {lookback} bars)"
            yield from _compare_all(base, got, "lookback", words, (minute, minute + 1), lookback=lookback)


def from_beginning(replay: Replay, base: Results, clock: Ints) -> Verdicts:
    """Compute the month with all history before it; that is the base itself if all tables start there."""
    starts = dict.fromkeys(replay.starts, int(clock[0]))
    later = int(clock[0]) < max(replay.starts.values())
    got = replay.run(replay.bars, starts, replay.first) if later else base
    words = "invariant (from the beginning of history)"
    yield from _compare_all(base, got, "beginning", words, (replay.first, replay.end))


def in_chunks(replay: Replay, base: Results, clock: Ints, generator: np.random.Generator) -> Verdicts:
    """Compute the month in three chunks of random lengths, each from its own lookback, without later bars."""
    rows = replay.rows()
    cuts = np.sort(generator.choice(rows, min(2, len(rows)), replace=False)).tolist()
    for begin, end in zip([replay.first, *cuts], [*cuts, replay.end], strict=True):
        if begin < end:
            starts = {t.name: back_from(clock, begin, t.lookback) for t in replay.tables}
            got = replay.run(replay.up_to(end - 1), starts, begin, bridged=True)
            yield from _compare_all(base, got, "chunks", "invariant (in odd chunks)", (begin, end))


def minute_by_minute(
    replay: Replay, base: Results, clock: Ints, stretch: int, generator: np.random.Generator
) -> Verdicts:
    """Compute ``stretch`` consecutive minutes one by one, each as if it were the latest."""
    rows = replay.rows()
    begin = int(generator.integers(0, max(len(rows) - stretch, 1)))
    for minute in rows[begin : begin + stretch].tolist():
        starts = {t.name: back_from(clock, minute, t.lookback) for t in replay.tables}
        got = replay.run(replay.up_to(minute), starts, minute, bridged=True)
        yield from _compare_all(base, got, "minutes", "invariant (minute by minute)", (minute, minute + 1))


def _compare_all(
    base: Results,
    got: Results,
    trial: str,
    words: str,
    bounds: tuple[int, int],
    exact: bool = False,
    lookback: int | None = None,
) -> Verdicts:
    """Compare the rows in ``bounds`` of every feature, or of those with the given lookback."""
    for key, expected in base.items():
        rows = slice(*np.searchsorted(expected.ts, bounds).tolist())
        if rows.start == rows.stop:
            continue
        context = TrialContext(trial, words, key[1] or "all pairs")
        for feature in expected.table.features:
            if lookback in (None, feature.column.lookback):
                want = expected.columns[feature.name][rows]
                have = _rows_of(got.get(key), feature, bounds)
                tolerance = EXACT if exact else here(feature, expected.stats[feature.name].std)
                yield compare(feature, context, expected.ts[rows], want, have, tolerance)


def _rows_of(computed: Computed | None, feature: Feature, bounds: tuple[int, int]) -> Floats:
    if computed is None:
        return np.zeros(0)
    begin, end = np.searchsorted(computed.ts, bounds)
    return computed.columns[feature.name][begin:end]
