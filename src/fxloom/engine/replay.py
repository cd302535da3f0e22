"""Recomputes a month of one pair, or of the panel, for trials: from altered bars or from other starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fxloom.bars.bars import Bars, Ints
from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.engine.compute import Computed, Failure, Job, compute_tables
from fxloom.features.feature import Table
from fxloom.features.panel_view import panel_minutes

Results = dict[tuple[str, str], Computed]


@dataclass(frozen=True, eq=False)
class Replay:
    """The ``bars`` of one pair, or of all (``pair`` ""), up to the month's end and at least as far back as ``starts``.

    ``first``, ``end``: the month's bounds; ``starts``: from where populate computes each table; minutes since 1970.
    """

    pair: str
    month: str
    first: int
    end: int
    bars: Mapping[str, Bars]
    infos: Mapping[str, PairInfo]
    tables: Sequence[Table]
    starts: Mapping[str, int]

    def base(self) -> Results:
        """The partitions as populate computes them."""
        return self.run(self.bars, self.starts, self.first)

    def run(self, bars: Mapping[str, Bars], starts: Mapping[str, int], first: int, bridged: bool = False) -> Results:
        """Compute the tables in ``starts``, each from its start, sharing work; keep rows from minute ``first`` on.

        ``bridged``: a start may be a filled minute, which needs the bar before it. ValueError if a table cannot be
        computed.
        """
        jobs = [Job(table, starts[table.name]) for table in self.tables if table.name in starts]
        seen = {pair: self._seen(b, min(starts.values()), bridged) for pair, b in bars.items()}
        seen = {pair: b for pair, b in seen.items() if len(b)}
        if not seen:
            return {}
        results = list(compute_tables(self.pair, seen, self.infos, jobs, first))
        for result in results:
            if isinstance(result, Failure):
                raise ValueError(f"{result.table} of {result.pair or 'all pairs'} cannot be computed: {result.why}")
        return {(r.table.name, r.pair): r for r in results if isinstance(r, Computed)}

    def run_apart(self, bars: Mapping[str, Bars], starts: Mapping[str, int], first: int) -> Results:
        """Like ``run``, but table by table, so that none uses shared work computed from a longer history."""
        results: Results = {}
        for name, start in starts.items():
            results |= self.run(bars, {name: start}, first, bridged=True)
        return results

    def _seen(self, bars: Bars, begin: int, bridged: bool) -> Bars:
        low, high = np.searchsorted(bars.ts, [begin, self.end])
        if bridged and self.pair and low > 0 and (low == len(bars) or bars.ts[low] > begin):
            low -= 1
        return bars.take(slice(low, high))

    def clock(self) -> Ints:
        """Open times of the clock bars of all of ``bars``."""
        if self.pair:
            return on_clock(self.bars[self.pair]).ts
        return panel_minutes([b.ts for b in self.bars.values()])

    def rows(self) -> Ints:
        """The observed minutes of the month."""
        observed = np.unique(np.concatenate([b.ts for b in self.bars.values()]))
        return observed[(observed >= self.first) & (observed < self.end)]

    def up_to(self, minute: int) -> dict[str, Bars]:
        """The bars at or before ``minute``."""
        return {pair: b.between(-(1 << 40), minute + 1) for pair, b in self.bars.items()}


def back_from(clock: Ints, minute: int, bars: int) -> int:
    """The open time of the clock bar ``bars`` before the one at or after ``minute``, or of the first clock bar."""
    at = int(np.searchsorted(clock, minute))
    return int(clock[max(at - bars, 0)])
