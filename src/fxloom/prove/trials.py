"""The trials: what is changed, what must stay the same.

Causal: later bars are removed, replaced by noise, or by absurd values; every row up to the cut stays as it was, bit
for bit. Invariant: the rows are computed from the declared lookback alone, from the beginning of history, in odd
chunks, and minute by minute. Reproducible: the partition's file holds what is computed now (see ``work``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from fxloom.bars import Bars, Floats, Ints
from fxloom.clock import CLOSURE
from fxloom.feature import Table
from fxloom.prove.scene import Results, Scene
from fxloom.prove.verdict import Verdict, compare
from fxloom.quality import anchor_of

AFTER = 2_880  # minutes of altered bars that are kept after a cut
Alteration = Callable[[Bars, int, np.random.Generator], Bars]


# -- what is changed -------------------------------------------------------------------------------------------------


def removed(bars: Bars, cut: int, _generator: np.random.Generator) -> Bars:
    """No bar after ``cut`` (a minute)."""
    return bars.between(-(1 << 40), cut + 1)


def noise(bars: Bars, cut: int, generator: np.random.Generator) -> Bars:
    """Later bars walk on at random, a hundred times as wildly, with volumes and spreads of their own."""
    kept, later = _split(bars, cut)
    if not len(later) or not len(kept):
        return bars
    walk = kept.close[-1] * np.exp(np.cumsum(generator.normal(0.0, 0.01, len(later))))
    spread = np.abs(generator.normal(0.0, 0.005, len(later)))
    return _replaced(bars, cut, walk, walk * (1 + spread), walk * (1 - spread), generator.uniform(0, 1e4, len(later)))


def absurd(bars: Bars, cut: int, _generator: np.random.Generator) -> Bars:
    """Later bars a million times as high, and falling to a millionth."""
    later = _split(bars, cut)[1]
    prices = np.where(np.arange(len(later)) % 2 == 0, 1e6, 1e-6) * bars.close[0]
    return _replaced(bars, cut, prices, prices * 1.5, prices * 0.5, np.full(len(later), 1e12))


ALTERATIONS: Mapping[str, Alteration] = {"removed": removed, "noise": noise, "absurd": absurd}


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


def moments(scene: Scene, count: int, generator: np.random.Generator) -> list[tuple[str, int]]:
    """``count`` observed minutes to cut after: month edges, anchors, closures, week opens, and random ones, in turn."""
    rows = scene.rows()
    if len(rows) < 2:
        return [("edge", int(rows[0]))] if len(rows) else []
    gaps = np.flatnonzero(np.diff(rows) > CLOSURE)
    weeks = np.flatnonzero(np.diff(anchor_of(rows, "week")) > 0)
    hours = np.flatnonzero(np.diff(anchor_of(rows, "hour")) > 0)
    long = np.flatnonzero(np.diff(rows) > 1440)
    places: dict[str, Ints] = {
        "random": np.arange(len(rows)),
        "week open": np.concatenate([long + 1, np.minimum(long + 30, len(rows) - 1)]),
        "anchor": np.concatenate([weeks, weeks + 1, hours]),
        "closure": np.concatenate([gaps, gaps + 1]),
        "month edge": np.array([0, 1, len(rows) - 2]),
    }
    kinds = [kind for kind, at in places.items() if len(at)]
    chosen = (kinds[i % len(kinds)] for i in range(count))
    return [(kind, int(rows[generator.choice(places[kind])])) for kind in chosen]


# -- the trials ------------------------------------------------------------------------------------------------------


def causal(scene: Scene, base: Results, kind: str, cut: int, generator: np.random.Generator) -> Iterator[Verdict]:
    """Alter what comes after ``cut`` in three ways; every row up to it must be the same to the last bit."""
    for name, alter in ALTERATIONS.items():
        bars = {pair: alter(b, cut, generator) for pair, b in scene.bars.items()}
        got = scene.run(bars, scene.starts, scene.first)
        yield from _compare_all(scene, base, got, f"causal ({name} after {kind})", scene.first, cut + 1, exact=True)


def from_lookback(scene: Scene, base: Results, clock: Ints) -> Iterator[Verdict]:
    """The month from exactly the declared lookback on."""
    got = scene.run(scene.bars, scene.exact_starts(clock, scene.first), scene.first)
    yield from _compare_all(scene, base, got, "invariant (declared lookback alone)", scene.first, scene.end)


def from_beginning(scene: Scene, base: Results, clock: Ints) -> Iterator[Verdict]:
    """The month with all history before it."""
    starts = dict.fromkeys(scene.starts, int(clock[0]))
    got = scene.run(scene.bars, starts, scene.first)
    yield from _compare_all(scene, base, got, "invariant (from the beginning)", scene.first, scene.end)


def in_chunks(scene: Scene, base: Results, clock: Ints, generator: np.random.Generator) -> Iterator[Verdict]:
    """The month in three pieces of odd lengths, each from its own lookback on."""
    rows = scene.rows()
    cuts = np.sort(generator.choice(rows, min(2, len(rows)), replace=False)).tolist()
    for begin, end in zip([scene.first, *cuts], [*cuts, scene.end], strict=True):
        if begin < end:
            bars = {pair: b.between(-(1 << 40), end) for pair, b in scene.bars.items()}
            got = scene.run(bars, scene.exact_starts(clock, begin), begin)
            yield from _compare_all(scene, base, got, "invariant (odd chunks)", begin, end)


def minute_by_minute(
    scene: Scene, base: Results, clock: Ints, stretch: int, generator: np.random.Generator
) -> Iterator[Verdict]:
    """``stretch`` consecutive minutes, each computed alone as if it were the last there is."""
    rows = scene.rows()
    begin = int(generator.integers(0, max(len(rows) - stretch, 1)))
    for minute in rows[begin : begin + stretch].tolist():
        bars = {pair: b.between(-(1 << 40), minute + 1) for pair, b in scene.bars.items()}
        got = scene.run(bars, scene.exact_starts(clock, minute), minute)
        yield from _compare_all(scene, base, got, "invariant (minute by minute)", minute, minute + 1)


def _compare_all(
    scene: Scene, base: Results, got: Results, trial: str, start: int, end: int, exact: bool = False
) -> Iterator[Verdict]:
    for key, expected in base.items():
        rows = (expected.ts >= start) & (expected.ts < end)
        ts = expected.ts[rows]
        if not len(ts):
            continue
        other = got.get(key)
        for feature in expected.table.features:
            want = expected.columns[feature.name][rows]
            have = np.full(len(ts), np.nan) if other is None else _at(other.ts, other.columns[feature.name], start, end)
            if len(have) != len(want):  # rows are lost or made up
                have = np.full(len(ts), np.inf)
            yield compare(feature, trial, _whose(expected.table, scene.pair, key[1]), ts, want, have, exact)


def _at(ts: Ints, column: Floats, start: int, end: int) -> Floats:
    return column[(ts >= start) & (ts < end)]


def _whose(table: Table, scene_pair: str, pair: str) -> str:
    return scene_pair or pair or f"{table.name} of all pairs"
