"""One table computed on some bars, and how two such results differ, said in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from specimens import Specimen

from fxloom.bars import Flags, Floats, Ints
from fxloom.feature import Feature, Table, checked
from fxloom.months import iso
from fxloom.view import PairFrame, View

TOLERANCE = 1e-9  # of recursive features, times max(|value|, the feature's std)


@dataclass(frozen=True, eq=False)
class Trial:
    """The columns of a table on a view's clock, under their full names."""

    table: Table
    view: View
    columns: Mapping[str, Floats]

    @property
    def rows(self) -> Ints:
        """Where the observed bars lie in the columns, from the view's first row on."""
        positions = self.view.frame.bars.observed - self.view.start
        return positions[positions >= self.view.first]

    def reason_known(self, feature: Feature) -> Flags:
        """Where the family has said why the feature has no value."""
        known = np.zeros(len(self.view), np.bool_)
        for _, where, names in self.view.missing:
            if feature.key in names:
                known |= where
        return known


def run(table: Table, frame: PairFrame, start: int = 0, first: int = 0) -> Trial:
    """``table`` on ``frame`` from clock position ``start``; rows are wanted from ``first`` on."""
    view = frame.view(table.domain, start, first)
    return Trial(table, view, checked(table, table.family.compute(view)))


def try_out(table: Table, specimen: Specimen) -> Trial:
    """``table`` on all bars of ``specimen``, with nothing shared."""
    return run(table, specimen.frame())


@lru_cache(maxsize=4)
def _kept(table: Table, specimen: Specimen) -> Trial:
    return try_out(table, specimen)


def reference(table: Table, specimen: Specimen) -> Trial:
    """As ``try_out``, remembered for the laws of one table, which run one after the other."""
    return _kept(table, specimen)


def deviation(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.std()) if len(finite) else 0.0


def differences(
    features: Iterable[Feature],
    found: Mapping[str, Floats],
    expected: Mapping[str, Floats],
    ts: Ints,
    stds: Mapping[str, float],
) -> list[str]:
    """Where two results differ: to the last bit, or for recursive features beyond their tolerance."""
    told = []
    for f in features:
        a, b = found[f.name], expected[f.name]
        off = (a != b) & ~(np.isnan(a) & np.isnan(b))
        if f.column.recursive:
            off &= ~(np.abs(a - b) <= TOLERANCE * np.maximum(np.abs(b), stds[f.name]))
        told += told_at(f.name, off, ts, a, b)
    return told


def told_at(name: str, off: Flags, ts: Ints, found: Floats, expected: Floats | None = None) -> list[str]:
    """One line on the first row where ``off`` is true, none if there is no such row."""
    if not off.any():
        return []
    row = int(np.flatnonzero(off)[0])
    instead = "" if expected is None else f" instead of {float(expected[row])!r}"
    return [f"{name} at {iso(ts[row])}: {float(found[row])!r}{instead} ({int(off.sum())} of {len(off)} rows)"]
