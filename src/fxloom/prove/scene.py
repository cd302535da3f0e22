"""A month of one pair, or of all pairs, as a stage for trials: compute its tables from altered bars or other starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fxloom.bars import Bars, Ints
from fxloom.clock import on_clock
from fxloom.computing import Computed, Failure, Job, compute_pair, compute_panel
from fxloom.feature import Table
from fxloom.panel import panel_minutes
from fxloom.view import PairFrame, Traits

Results = dict[tuple[str, str], Computed]


@dataclass(frozen=True, eq=False)
class Scene:
    """``bars`` of one pair or of all, up to the month's end and back to the beginning of history (or years of it).

    ``starts`` are the minutes from which the partitions' own computations see the bars.
    """

    pair: str
    month: str
    first: int
    end: int
    bars: Mapping[str, Bars]
    traits: Mapping[str, Traits]
    tables: Sequence[Table]
    starts: Mapping[str, int]

    def base(self) -> Results:
        """The partitions as populate computes them."""
        return self.run(self.bars, self.starts, self.first)

    def run(self, bars: Mapping[str, Bars], starts: Mapping[str, int], first: int) -> Results:
        """Rows from minute ``first`` on, computed from ``bars``, each table from its start; ValueError on failure."""
        jobs = [Job(table, starts[table.name]) for table in self.tables]
        begin = min(starts.values())
        seen = {pair: b.between(begin, self.end) for pair, b in bars.items()}
        seen = {pair: b for pair, b in seen.items() if len(b)}
        if not seen:
            return {}
        if self.pair:
            frame = PairFrame(self.pair, on_clock(seen[self.pair]), self.traits[self.pair])
            results = list(compute_pair(frame, jobs, first))
        else:
            results = list(compute_panel(seen, self.traits_of(seen), jobs, first))
        for result in results:
            if isinstance(result, Failure):
                raise ValueError(f"{result.table} of {result.pair or 'all pairs'} cannot be computed: {result.why}")
        return {(r.table.name, r.pair): r for r in results if isinstance(r, Computed)}

    def traits_of(self, bars: Mapping[str, Bars]) -> dict[str, Traits]:
        return {pair: self.traits[pair] for pair in bars}

    def clock(self) -> Ints:
        """Open times of the clock bars of all of ``bars``."""
        if self.pair:
            return on_clock(self.bars[self.pair]).ts
        return panel_minutes([b.ts for b in self.bars.values()])

    def rows(self) -> Ints:
        """The observed minutes of the month."""
        observed = np.unique(np.concatenate([b.ts for b in self.bars.values()]))
        return observed[(observed >= self.first) & (observed < self.end)]

    def exact_starts(self, clock: Ints, minute: int) -> dict[str, int]:
        """For each table the minute of the clock bar that lies exactly its lookback before the one at ``minute``."""
        at = int(np.searchsorted(clock, minute))
        return {t.name: int(clock[max(at - t.lookback, 0)]) for t in self.tables}
