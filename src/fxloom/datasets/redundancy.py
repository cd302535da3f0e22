"""Finds redundant features of a pair: constants, exact and near duplicates, and what a modeller would drop.

Columns are correlated block by block, so that never more than two blocks of standardised columns are in memory
besides the matrix of correlations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import polars as pl

from fxloom.bars.bars import Flags, Floats
from fxloom.bars.months import month_bounds
from fxloom.features.catalogue import tables
from fxloom.features.feature import Feature
from fxloom.run.state import ready_settings
from fxloom.stores.base import Store, StoreError, check_months, check_pairs

Method = Literal["pearson", "spearman"]
EXACT = 1 - 1e-6  # absolute correlation from which two columns count as exact duplicates
BLOCK = 128  # columns correlated at a time
ENOUGH = 1_440  # rows with both values that a correlation requires


@dataclass(frozen=True)
class NearDuplicates:
    """Two features, and the correlation of their values over the rows at which both have one."""

    first: str
    second: str
    correlation: float

    @property
    def exact(self) -> bool:
        """Whether one is a linear function of the other up to rounding."""
        return abs(self.correlation) >= EXACT


@dataclass(frozen=True)
class Drop:
    """A feature that could be left out, the one of its group that stays, and why."""

    feature: str
    kept: str
    why: str


@dataclass
class Redundancy:
    """Redundant features over ``samples`` (a pair and month each); groups are connected by near duplicates.

    ``chosen``: the month was not requested, but is the one with the most values. A correlation is the weakest over
    all samples: two features are near duplicates only if they are in each sample.
    """

    pairs: tuple[str, ...]
    months: tuple[str, ...]
    method: Method
    chosen: bool = False
    samples: int = 0
    rows: int = 0
    features: int = 0
    constant: dict[str, float] = field(default_factory=dict)
    without_values: list[str] = field(default_factory=list)
    duplicates: list[NearDuplicates] = field(default_factory=list)
    groups: list[list[str]] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)


def redundancy(
    store: Store,
    pairs: Sequence[str],
    months: tuple[str, str] | None = None,
    threshold: float = 0.999,
    method: Method = "pearson",
) -> Redundancy:
    """Compare all stored features of ``pairs`` in ``months`` (first and last) with one another, pair by pair and month
    by month.

    Without ``months``, the month with the most values is used and ``chosen`` is set. Near duplicates have an absolute
    correlation of at least ``threshold`` in every pair and month in which both have enough values: Pearson's, or
    Spearman's (of ranks among a column's own values). A constant has the same value in all of them. NoBarsError for
    pairs or months without bars, StoreError if nothing is populated, ValueError for an invalid ``threshold`` or
    ``method``.
    """
    if not 0.0 < threshold <= 1.0:
        raise ValueError(f"invalid threshold {threshold:g}, expected above 0 and at most 1")
    if method not in get_args(Method):
        raise ValueError(f"unknown method {method!r}, expected one of {', '.join(get_args(Method))}")
    chosen = months is None
    check_pairs(store.url, pairs, ready_settings(store).pairs)
    stored = {pair: store.month_names(pair) for pair in pairs}
    if months:
        check_months(store.url, months, stored)
    wanted = _requested_months(stored, months or (_fullest(store, pairs),) * 2)
    found = Redundancy(tuple(pairs), tuple(wanted), method, chosen)
    compared = _Compared()
    for pair in pairs:
        for month in wanted:
            columns = dict(_columns(store, pair, month))
            if columns:
                compared.add({n: _ranks(c) for n, c in columns.items()} if method == "spearman" else columns, columns)
                found.samples += 1
                found.rows += len(next(iter(columns.values())))
    if not found.samples:
        span = wanted[0] if len(set(wanted)) == 1 else f"{wanted[0]} to {wanted[-1]}"
        raise StoreError(f"{', '.join(pairs)} {span} is not populated in {store.url}: run populate first")
    _judge(found, compared, threshold)
    return found


def _judge(found: Redundancy, compared: _Compared, threshold: float) -> None:
    names = list(compared.place)
    found.features = len(names)
    found.without_values = [n for n in names if n not in compared.values]
    found.constant = {n: low for n, (low, high) in compared.values.items() if low == high}
    kept = [n for n in names if n in compared.values and n not in found.constant]
    found.duplicates = list(compared.duplicates(kept, threshold))
    found.groups = groups_of(kept, found.duplicates)
    found.drops = list(_drops(found, [f for t in tables().values() for f in t.features if f.name in compared.place]))


class _Compared:
    """The weakest correlations of features over the samples added so far, and the range of each one's values."""

    def __init__(self) -> None:
        self.place: dict[str, int] = {}
        self.values: dict[str, tuple[float, float]] = {}
        self.weakest: Floats = np.zeros((0, 0))

    def add(self, compared: Mapping[str, Floats], columns: Mapping[str, Floats]) -> None:
        """Add a sample: ``columns`` as stored, and ``compared``, their values or ranks to correlate."""
        self._grow(columns)
        fit = []
        for name, column in columns.items():
            values = column[~np.isnan(column)]
            if len(values) < min(ENOUGH, len(column)):
                continue
            low, high = float(values.min()), float(values.max())
            known = self.values.get(name, (low, high))
            self.values[name] = (min(low, known[0]), max(high, known[1]))
            if low < high:
                fit.append(name)
        at = np.array([self.place[n] for n in fit], np.int64)
        found = correlations_of(fit, compared.__getitem__)
        before = self.weakest[np.ix_(at, at)]
        weaker = np.isnan(before) | (np.abs(found) < np.abs(before))
        opposed = np.sign(found) * np.sign(before) < 0
        merged = np.where(np.isnan(found), before, np.where(opposed, 0.0, np.where(weaker, found, before)))
        self.weakest[np.ix_(at, at)] = merged

    def _grow(self, names: Iterable[str]) -> None:
        for name in names:
            self.place.setdefault(name, len(self.place))
        grown = np.full((len(self.place),) * 2, np.nan)
        n = len(self.weakest)
        grown[:n, :n] = self.weakest
        self.weakest = grown

    def duplicates(self, names: Sequence[str], threshold: float) -> Iterator[NearDuplicates]:
        """Pairs of ``names`` whose weakest correlation is at least ``threshold`` in size."""
        at = np.array([self.place[n] for n in names], np.int64)
        found = self.weakest[np.ix_(at, at)]
        with np.errstate(invalid="ignore"):
            rows, cols = np.nonzero(np.triu(np.abs(found) >= threshold, 1))
        for r, c in zip(rows.tolist(), cols.tolist(), strict=True):
            yield NearDuplicates(names[r], names[c], float(found[r, c]))


def _requested_months(stored: Mapping[str, Iterable[str]], bounds: tuple[str, str]) -> list[str]:
    return sorted({m for months in stored.values() for m in months if bounds[0] <= m <= bounds[1]})


def _ranks(column: Floats) -> Floats:
    """The ranks of the values that are not missing; ties share their mean rank."""
    return pl.Series(column, nan_to_null=True).rank("average").cast(pl.Float64).fill_null(np.nan).to_numpy()


def _fullest(store: Store, pairs: Sequence[str]) -> str:
    values: dict[str, int] = {}
    inventory = store.inventory()
    for table in inventory.partitions["table"].unique():
        chosen = inventory.statistics(table).filter(pl.col("pair").is_in(list(pairs)))
        for month, finite in chosen.group_by("month").agg(pl.col("finite").sum()).iter_rows():
            values[month] = values.get(month, 0) + finite
    if not values:
        raise StoreError(f"no features of {', '.join(pairs)} in {store.url}: run populate first")
    return max(values, key=lambda month: (values[month], month))


def _columns(store: Store, pair: str, month: str) -> Iterator[tuple[str, Floats]]:
    """The stored columns in catalogue order, as float32, so that all 1,060 fit into memory."""
    first, end = month_bounds(month)
    for table in tables().values():
        frame = store.scan(table.name, [pair], first, end)
        if frame is None:
            continue
        rows = frame.sort("ts_utc").collect()
        for name in table.names:
            if rows.height and name in rows.columns:
                yield name, rows[name].cast(pl.Float32).fill_null(np.nan).to_numpy().copy()


def correlations_of(names: Sequence[str], column: Callable[[str], Floats]) -> Floats:
    """The correlations of columns with one another, block against block: (names, names), NaN for too few rows."""
    out = np.full((len(names), len(names)), np.nan)
    starts = range(0, len(names), BLOCK)
    for i in starts:
        a = _Block.of(names[i : i + BLOCK], column)
        for j in starts[i // BLOCK :]:
            b = a if j == i else _Block.of(names[j : j + BLOCK], column)
            found = a.correlations(b)
            out[i : i + BLOCK, j : j + BLOCK] = found
            out[j : j + BLOCK, i : i + BLOCK] = found.T
    return out


@dataclass(frozen=True)
class _Block:
    """Standardised columns with 0 for missing values, and flags of where there is a value: (columns, rows)."""

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
        """Pearson's, each over the rows at which both columns have a value; NaN if these are too few."""
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
    """Constants, and in every group the duplicates of a kept feature; the one with the shortest lookback is kept."""
    for name, value in found.constant.items():
        yield Drop(name, "", f"constant at {value:g} in all compared rows")
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
                    f"correlation {duplicate[1]:+.6f} with {duplicate[0]}, which has no longer lookback",
                )


def _between(correlations: Mapping[tuple[str, str], float], a: str, b: str) -> float | None:
    return correlations.get((a, b), correlations.get((b, a)))
