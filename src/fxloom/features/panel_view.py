"""The panel: all pairs on one clock, and what a family of the panel sees.

The panel clock applies the rule of a pair's clock to the union of all pairs' observed minutes. On it, each pair's close
is carried from its first bar on, over at most ``CARRY`` clock bars, and a pair is present for ``PRESENT`` wall-clock
minutes after its last bar.

**Lookback.** The lookback of a panel column counts panel-clock bars and includes the carry. An example:
``corr_base_z_15_rate`` is a z-score over 240 bars of a correlation over 15 bars of returns, so its row t reads closes
back to t - 239 - 14 - 1. The close at the earliest of these may be carried from a bar up to 7,200 clock bars before.
A bar further back cannot matter: whether or not it is in the slice, its close is no longer carried. So the lookback is
254 + 7,200 bars: a frame of the bars from there on has the same values as one of the whole history, and a view may
begin ``lookback - CARRY`` bars before its first row: carrying is the frame's work, not the view's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from fxloom.bars.bars import Bars, Flags, Floats, Ints
from fxloom.bars.clock import CLOSURE, clock_positions
from fxloom.bars.pairs import PairInfo
from fxloom.features.base_view import BaseView
from fxloom.features.domain import RATE, Domain
from fxloom.features.shared_work import SharedWork
from fxloom.kernels.momentum import backward_momentum, log_changes

CARRY = 7_200  # clock bars over which a close is carried
PRESENT = 60  # wall-clock minutes after its last bar for which a pair is present


def panel_minutes(minutes: Iterable[Ints]) -> Ints:
    """The open times of the panel clock's bars, from the observed minutes of every pair (all int64, sorted)."""
    union = np.unique(np.concatenate([np.empty(0, np.int64), *minutes]))
    observed = clock_positions(union)
    steps = np.ones(int(observed[-1]) + 1 if len(union) else 0, np.int64)
    steps[observed[1:]] = np.where(np.diff(union) <= CLOSURE, 1, np.diff(union))
    if len(steps):
        steps[0] = union[0]
    return np.cumsum(steps)


@dataclass(eq=False)
class PanelFrame:
    """The bars of all stored pairs that a task needs, on the panel clock, and the work that its tables share.

    ``bars`` and ``infos`` are by pair; a pair without bars in the slice is never present. ``ts``: open times of the
    clock bars (n); ``positions``: of each pair's observed bars on the clock; ``price``: closes as quoted, carried
    (pairs, n); ``present``: (pairs, n).
    """

    bars: Mapping[str, Bars]
    infos: Mapping[str, PairInfo]
    work: SharedWork = field(default_factory=SharedWork)
    pairs: tuple[str, ...] = field(init=False)
    ts: Ints = field(init=False)
    positions: dict[str, Ints] = field(init=False)
    price: Floats = field(init=False)
    present: Flags = field(init=False)

    def __post_init__(self) -> None:
        self.pairs = tuple(sorted(self.bars))
        self.ts = panel_minutes([self.bars[p].ts for p in self.pairs])
        self.positions = {p: np.searchsorted(self.ts, self.bars[p].ts).astype(np.int64) for p in self.pairs}
        self.price = np.full((len(self.pairs), len(self.ts)), np.nan)
        self.present = np.zeros(self.price.shape, np.bool_)
        for i, pair in enumerate(self.pairs):
            if len(self.bars[pair]):
                self._carry(i, pair)

    def _carry(self, i: int, pair: str) -> None:
        rows, last = self.last_bar(pair)
        age = np.arange(rows.start, rows.stop) - self.positions[pair][last]
        bars = self.bars[pair]
        self.price[i, rows] = np.where(age <= CARRY, bars.close[last], np.nan)
        self.present[i, rows] = self.ts[rows] - bars.ts[last] <= PRESENT

    def last_bar(self, pair: str) -> tuple[slice, Ints]:
        """The clock bars from the pair's first on, and for each the index of the pair's latest bar."""
        positions, n = self.positions[pair], len(self.ts)
        begin = int(positions[0]) if len(positions) else n
        marks = np.zeros(n - begin, np.int64)
        marks[positions - begin] = 1
        return slice(begin, n), np.cumsum(marks) - 1

    def view(self, domain: Domain, start: int = 0, first: int = 0) -> PanelView:
        """The frame from clock position ``start`` on; rows are wanted from position ``first`` on."""
        return PanelView(self, domain, start, max(first, start))


class PanelView(BaseView[PanelFrame]):
    """One domain of all pairs from a start on. Arrays are float64, C-contiguous, of shape (pairs, clock bars).

    ``first`` is the position in these arrays of the first row to store; the rows before it are lookback (near the start
    they may hold values from a longer history). Never write to the arrays.
    """

    def __len__(self) -> int:
        return len(self.frame.ts) - self.start

    @property
    def pairs(self) -> tuple[str, ...]:
        """The stored pairs, in alphabetical order: the first axis of every array."""
        return self.frame.pairs

    @property
    def ts(self) -> Ints:
        """Open times of the panel-clock bars, minutes since 1970 (int64)."""
        return self.frame.ts[self.start :]

    @property
    def present(self) -> Flags:
        """True where the pair was observed at most 60 wall-clock minutes before."""
        return self.frame.present[:, self.start :]

    def observed(self, pair: str) -> Ints:
        """The positions, in the view, of the pair's observed bars to store."""
        positions = self.frame.positions[pair] - self.start
        return positions[positions >= self.first]

    @property
    def price(self) -> Floats:
        """Closes as quoted, carried through gaps."""
        return self.frame.price[:, self.start :]

    @property
    def close_index(self) -> Floats:
        """C, the rate index of the carried close, in both domains."""
        return self.shared_by_domains(rate_index)

    def momentum(self, window: int) -> Floats:
        """m_W of the rate index, NaN in the first W bars of a pair."""
        return self.shared_by_domains(momentum, window)

    @property
    def x(self) -> Floats:
        """C in rate, G_15 in bqx."""
        return self.close_index if self.domain is RATE else self.shared_by_domains(momentum_index)

    @property
    def r(self) -> Floats:
        """ln(x[t] / x[t-1]) on the panel clock: 0 inside a gap, the whole move at the first bar after it."""
        return self.shared(log_change)

    @property
    def g(self) -> Floats:
        """ln(G_15 / 100), which the correlation family uses as r in bqx."""
        return self.shared_by_domains(momentum_level)


# -- series that tables share ----------------------------------------------------------------------------------------


def rate_index(view: PanelView) -> Floats:
    """100 * price / baseline."""
    baselines = np.array([view.frame.infos[p].baseline for p in view.pairs])
    index: Floats = 100.0 * view.price / baselines[:, None]
    return index


def momentum(view: PanelView, window: int) -> Floats:
    """m_W of the rate index."""
    close = view.close_index
    return _stacked([backward_momentum(c, window) for c in close], close)


def momentum_index(view: PanelView) -> Floats:
    """G_W = 100 (1 + m_W / W)."""
    return 100.0 * (1.0 + view.momentum(15) / 15)


def momentum_level(view: PanelView) -> Floats:
    """g = ln(G_15 / 100)."""
    return np.log(1.0 + view.momentum(15) / 15) + 0.0


def log_change(view: PanelView) -> Floats:
    """The log changes of x."""
    return _stacked([log_changes(row) for row in np.ascontiguousarray(view.x)], view.x)


def _stacked(rows: list[Floats], like: Floats) -> Floats:
    return np.stack(rows) if rows else np.empty(like.shape)
