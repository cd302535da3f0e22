"""One table computed on some bars, pair by pair, and descriptions of how two results differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.months import iso
from fxloom.engine.quality import due_rows
from fxloom.features.feature import Feature, Table, checked
from fxloom.features.pair_view import PairFrame
from fxloom.features.panel_view import PanelFrame, PanelView
from tests.laws.specimens import Specimen

TOLERANCE = 1e-9  # for recursive features, times max(|value|, the feature's std)


@dataclass(frozen=True, eq=False)
class Trial:
    """The columns of a table for one pair, from the pair's first bar (or the view's start) on.

    ``rows`` holds the positions of the observed bars that would be stored; ``missing`` what the family reported;
    ``clock`` the minutes of the view, which begin earlier where other pairs do.
    """

    table: Table
    pair: str
    ts: Ints
    rows: Ints
    columns: Mapping[str, Floats]
    missing: Sequence[tuple[str, Flags, tuple[str, ...]]]
    clock: Ints

    def due(self, feature: Feature) -> Flags:
        """Where the pair's own history is long enough for the feature, so that a value is due."""
        return due_rows(feature.column, self.ts, np.arange(len(self.ts)))

    def early(self, feature: Feature) -> Flags:
        """Where even the history of all pairs is too short for the feature to have a value."""
        rows = np.arange(len(self.ts)) + len(self.clock) - len(self.ts)
        return ~due_rows(feature.column, self.clock, rows)

    @property
    def stored(self) -> Flags:
        flags = np.zeros(len(self.ts), np.bool_)
        flags[self.rows] = True
        return flags

    def reason_known(self, feature: Feature) -> Flags:
        """Where the family has reported a reason for the feature's missing value."""
        known = np.zeros(len(self.ts), np.bool_)
        for _, where, names in self.missing:
            if feature.key in names:
                known |= where
        return known


Trials = Mapping[str, Trial]


def run(table: Table, frame: PairFrame | PanelFrame, start: int = 0, first: int = 0) -> Trials:
    """Compute ``table`` on ``frame`` from clock position ``start``, for rows from ``first`` on."""
    view = frame.view(table.domain, start, first)
    columns = checked(table, table.family.compute(view))
    if isinstance(view, PanelView):
        return {
            pair: _of_pair(table, view, columns, i) for i, pair in enumerate(view.pairs) if len(view.observed(pair))
        }
    rows = view.frame.bars.observed - view.start
    return {view.pair: Trial(table, view.pair, view.ts, rows[rows >= view.first], columns, view.missing, view.ts)}


def _of_pair(table: Table, view: PanelView, columns: Mapping[str, Floats], i: int) -> Trial:
    pair = view.pairs[i]
    begin = max(int(view.frame.positions[pair][0]) - view.start, 0)
    own = {name: column[i, begin:] for name, column in columns.items()}
    missing = [m._replace(where=m.where[i, begin:]) for m in view.missing]
    return Trial(table, pair, view.ts[begin:], view.observed(pair) - begin, own, missing, view.ts)


def compute_on(table: Table, specimen: Specimen) -> Trials:
    """Compute ``table`` on all bars of ``specimen`` without shared work."""
    return run(table, specimen.frame(table.family.scope))


@lru_cache(maxsize=4)
def reference(table: Table, specimen: Specimen) -> Trials:
    """``compute_on``, cached for the laws of one table, which run one after another."""
    return compute_on(table, specimen)


def deviations(trials: Trials) -> dict[tuple[str, str], float]:
    """The std of every feature, by pair and name."""
    return {(pair, name): _deviation(c) for pair, trial in trials.items() for name, c in trial.columns.items()}


def _deviation(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.std()) if len(finite) else 0.0


def differences(
    features: Iterable[Feature],
    found: Trials,
    expected: Trials,
    span: tuple[int, int],
    stds: Mapping[tuple[str, str], float],
) -> list[str]:
    """Descriptions of where two results differ in the stored rows within ``span``.

    Bit for bit, or beyond the tolerance for recursive features if ``stds`` has them.
    """
    reported = []
    for pair, trial in expected.items():
        (rows, ts), (others, other_ts) = _stored(trial, span), _stored(found.get(pair), span)
        if not np.array_equal(ts, other_ts):
            reported.append(f"{pair}: {len(other_ts)} rows instead of {len(ts)}")
            continue
        for f in features if len(ts) else ():
            a, b = found[pair].columns[f.name][others], trial.columns[f.name][rows]
            off = (a != b) & ~(np.isnan(a) & np.isnan(b))
            if f.column.recursive and stds:
                off &= ~(np.abs(a - b) <= TOLERANCE * np.maximum(np.abs(b), stds[pair, f.name]))
            reported += describe_first(f"{f.name} of {pair}", off, ts, a, b)
    return reported


def _stored(trial: Trial | None, span: tuple[int, int]) -> tuple[Ints, Ints]:
    """The rows of a trial within ``span``, and their minutes."""
    if trial is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    ts = trial.ts[trial.rows]
    inside = (ts >= span[0]) & (ts < span[1])
    return trial.rows[inside], ts[inside]


def describe_first(name: str, off: Flags, ts: Ints, found: Floats, expected: Floats | None = None) -> list[str]:
    """One line about the first row where ``off`` is true; empty if there is none."""
    if not off.any():
        return []
    row = int(np.flatnonzero(off)[0])
    instead = "" if expected is None else f" instead of {float(expected[row])!r}"
    return [f"{name} at {iso(ts[row])}: {float(found[row])!r}{instead} ({int(off.sum())} of {len(off)} rows)"]
