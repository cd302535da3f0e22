"""Which features of a pair say the same: constants, exact and near duplicates, and what a modeller would drop.

Correlations of all columns with one another come from blocks of columns, so that never more than two blocks of
standardised columns are in memory beside the table of pairs found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from fxloom.bars.bars import Flags, Floats
from fxloom.bars.months import month_bounds
from fxloom.features.catalogue import tables
from fxloom.features.feature import Feature
from fxloom.stores.base import Store, StoreError

EXACT = 1 - 1e-6  # absolute correlation from which two columns count as images of one another
BLOCK = 128  # columns correlated at a time
ENOUGH = 1_440  # rows with both values that a correlation needs


@dataclass(frozen=True)
class NearDuplicates:
    """Two features with the correlation of their values, over the rows at which both have one."""

    first: str
    second: str
    correlation: float

    @property
    def exact(self) -> bool:
        return abs(self.correlation) >= EXACT


@dataclass(frozen=True)
class Drop:
    """A feature that could be left out, the one of its group that stays, and why."""

    feature: str
    kept: str
    why: str


@dataclass
class Redundancy:
    """What a month of a pair says of its features; a group is what duplicates connect."""

    pair: str
    month: str
    rows: int
    features: int
    constant: dict[str, float] = field(default_factory=dict)
    without_values: list[str] = field(default_factory=list)
    duplicates: list[NearDuplicates] = field(default_factory=list)
    groups: list[list[str]] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)


def redundancy(store: Store, pair: str, month: str | None = None, threshold: float = 0.999) -> Redundancy:
    """Compare all stored features of ``pair`` in ``month`` (by default the one with most values) with one another.

    Near duplicates have an absolute correlation of ``threshold`` or more. StoreError if nothing is populated.
    """
    if not 0.0 < threshold <= 1.0:
        raise ValueError(f"the threshold must lie in (0, 1], not at {threshold:g}")
    month = month or _fullest(store, pair)
    known = {f.name: f for t in tables().values() for f in t.features}
    columns = dict(_columns(store, pair, month))
    if not columns:
        raise StoreError(f"{pair} {month} is not populated in {store.url}: run populate first")
    found = Redundancy(pair, month, len(next(iter(columns.values()))), len(columns))
    for name, column in columns.items():
        values = column[~np.isnan(column)]
        if len(values) < min(ENOUGH, len(column)):
            found.without_values.append(name)
        elif values.min() == values.max():
            found.constant[name] = float(values[0])
    compared = [n for n in columns if n not in found.constant and n not in found.without_values]
    found.duplicates = list(duplicates_of(compared, columns.__getitem__, threshold))
    found.groups = groups_of(compared, found.duplicates)
    found.drops = list(_drops(found, [known[n] for n in columns]))
    return found


def _fullest(store: Store, pair: str) -> str:
    values: dict[str, int] = {}
    for record in store.records():
        if record.key.pair == pair:
            finite = sum(int(survey.get("finite", 0)) for survey in record.quality.values())
            values[record.key.month] = values.get(record.key.month, 0) + finite
    if not values:
        raise StoreError(f"no features of {pair} in {store.url}: run populate first")
    return max(values, key=lambda month: (values[month], month))


def _columns(store: Store, pair: str, month: str) -> Iterator[tuple[str, Floats]]:
    """The stored columns in float32, which is what 1,060 of them fit into memory in, in catalogue order."""
    first, end = month_bounds(month)
    for table in tables().values():
        frame = store.scan(table.name, [pair], first, end)
        if frame is None:
            continue
        rows = frame.sort("ts_utc").collect()
        for name in table.names:
            if rows.height and name in rows.columns:
                yield name, rows[name].cast(pl.Float32).fill_null(np.nan).to_numpy().copy()


def duplicates_of(names: Sequence[str], column: Callable[[str], Floats], threshold: float) -> Iterator[NearDuplicates]:
    """Pairs of columns with an absolute correlation of ``threshold`` or more, block against block."""
    blocks = [names[i : i + BLOCK] for i in range(0, len(names), BLOCK)]
    for i, left in enumerate(blocks):
        a = _Block.of(left, column)
        for j, right in enumerate(blocks[i:], i):
            b = a if j == i else _Block.of(right, column)
            correlation = a.correlations(b)
            rows, cols = np.nonzero(np.abs(correlation) >= threshold)
            for r, c in zip(rows.tolist(), cols.tolist(), strict=True):
                if j > i or c > r:
                    yield NearDuplicates(left[r], right[c], float(correlation[r, c]))


@dataclass(frozen=True)
class _Block:
    """Standardised columns with 0 where a value is missing, and where there is a value."""

    values: Floats
    present: Floats

    @classmethod
    def of(cls, names: Sequence[str], column: Callable[[str], Floats]) -> _Block:
        stacked = np.stack([column(n).astype(np.float64) for n in names])
        there: Flags = ~np.isnan(stacked)
        mean = np.where(there, stacked, 0.0).sum(1) / there.sum(1)
        centred = np.where(there, stacked - mean[:, None], 0.0)
        std = np.sqrt((centred**2).sum(1) / there.sum(1))
        return cls(centred / std[:, None], there.astype(np.float64))

    def correlations(self, other: _Block) -> Floats:
        """Pearson's, each over the rows at which both columns have a value; NaN where these are few."""
        n = self.present @ other.present.T
        sx, sy = self.values @ other.present.T, self.present @ other.values.T
        sxx, syy = self.values**2 @ other.present.T, self.present @ (other.values**2).T
        with np.errstate(invalid="ignore", divide="ignore"):
            covariance = self.values @ other.values.T - sx * sy / n
            found: Floats = covariance / np.sqrt((sxx - sx**2 / n) * (syy - sy**2 / n))
        found[n < min(ENOUGH, self.values.shape[1])] = np.nan
        return np.clip(found, -1.0, 1.0)


def groups_of(names: Sequence[str], duplicates: Sequence[NearDuplicates]) -> list[list[str]]:
    """The connected components with more than one feature, largest first, features in the order of ``names``."""
    parent = {name: name for name in names}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = name = parent[parent[name]]
        return name

    for duplicate in duplicates:
        parent[root(duplicate.second)] = root(duplicate.first)
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(root(name), []).append(name)
    return sorted((g for g in groups.values() if len(g) > 1), key=lambda g: -len(g))


def _drops(found: Redundancy, features: Sequence[Feature]) -> Iterator[Drop]:
    """Constants, and of every group the duplicates of what is kept: simplest first, so the shortest lookback stays."""
    for name, value in found.constant.items():
        yield Drop(name, "", f"constant at {value:g} in this month")
    correlations = {(t.first, t.second): t.correlation for t in found.duplicates}
    rank = {f.name: (f.column.lookback, i) for i, f in enumerate(features)}
    for group in found.groups:
        kept: list[str] = []
        for name in sorted(group, key=rank.__getitem__):
            duplicate = next(((k, c) for k in kept if (c := _between(correlations, k, name)) is not None), None)
            if duplicate is None:
                kept.append(name)
            else:
                yield Drop(
                    name,
                    duplicate[0],
                    f"correlation {duplicate[1]:+.6f} with {duplicate[0]}, which looks back no farther",
                )


def _between(correlations: Mapping[tuple[str, str], float], a: str, b: str) -> float | None:
    return correlations.get((a, b), correlations.get((b, a)))
