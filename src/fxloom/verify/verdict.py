"""Compares two computations of a feature, and sums up such comparisons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.months import iso
from fxloom.engine.quality import DISCRETE
from fxloom.features.feature import Feature

RECURSIVE = 1e-9  # x max(abs(value), the feature's standard deviation): the tolerance for recursive indicators
FITTED = 1e-5  # the same for fitted parameters on another machine
FLIPPED = 1e-3  # share of rows in which a flag, class or count may differ on another machine
TRIALS = ("causal", "lookback", "beginning", "chunks", "minutes", "file")
KINDS = {"causal": TRIALS[:1], "invariant": TRIALS[1:5], "reproducible": TRIALS[5:]}


@dataclass(frozen=True)
class Mismatch:
    """The first row at which two computations of a feature differ."""

    trial: str
    pair: str
    moment: str
    expected: float
    got: float

    def __str__(self) -> str:
        return f"{self.trial}: {self.pair} {self.moment}: {self.expected!r} became {self.got!r}"


@dataclass
class Verdict:
    """One feature's comparisons by trial: rows compared, how many of them have a value, how many differ."""

    feature: str
    compared: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    first: Mismatch | None = None
    worst: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether nothing differs; see ``untried`` for what was not compared at all."""
        return not self.differing

    @property
    def untried(self) -> list[str]:
        """The trials in which no row was compared."""
        return [trial for trial in TRIALS if not self.compared[trial]]

    @property
    def empty(self) -> bool:
        """Whether no row that was compared has a value."""
        return not any(self.values.values())

    def rows(self, kind: str) -> int:
        """Rows with a value that were compared in the trials of ``kind``."""
        return sum(self.values[trial] for trial in KINDS[kind])

    def add(self, other: Verdict) -> None:
        """Add the counts of ``other``, a verdict on the same feature."""
        self.compared += other.compared
        self.values += other.values
        self.differing += other.differing
        self.first = self.first or other.first
        self.worst = max(self.worst, other.worst)


def added(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """Verdicts by feature, summed over those of the same feature."""
    found: dict[str, Verdict] = {}
    for verdict in verdicts:
        found.setdefault(verdict.feature, Verdict(verdict.feature)).add(verdict)
    return found


@dataclass(frozen=True)
class Tolerance:
    """How far apart two values may be: ``relative`` x max(abs(value), ``deviation``); 0 means identical bits.

    ``flipped``: for a flag, class or count, the share of rows that may differ.
    """

    relative: float = 0.0
    deviation: float = 0.0
    flipped: float = 0.0


EXACT = Tolerance()


def here(feature: Feature, deviation: float | None) -> Tolerance:
    """The tolerance for computing from another start on the same machine: none, except for recursive features."""
    return Tolerance(RECURSIVE, deviation or 0.0) if feature.column.recursive else EXACT


def elsewhere(feature: Feature, deviation: float | None, unit: float) -> Tolerance:
    """The tolerance for another machine or other libraries; ``unit``: the relative precision of the stored type."""
    if feature.column.unit in DISCRETE:
        return Tolerance(flipped=FLIPPED)
    return Tolerance(unit + (FITTED if feature.column.anchor == "week" else RECURSIVE), deviation or 0.0)


@dataclass(frozen=True)
class TrialContext:
    """What is compared: the kind of trial, its circumstances in words, and the pair."""

    trial: str
    words: str
    pair: str


def compare(
    feature: Feature, context: TrialContext, ts: Ints, expected: Floats, got: Floats, tolerance: Tolerance = EXACT
) -> Verdict:
    """Compare row by row (all arrays: n). A value on one side only is a difference, whatever the tolerance."""
    trial = context.trial
    verdict = Verdict(feature.name, Counter({trial: len(ts)}))
    verdict.values[trial] = int(np.count_nonzero(expected == expected))
    if len(expected) != len(got):  # rows are missing or extra
        got = np.full(len(expected), np.inf)
    same = _same_bits(expected, got)
    if same.all():
        return verdict
    differs, verdict.worst = _differences(expected, got, same, tolerance)
    if differs.sum() > tolerance.flipped * len(ts):
        verdict.differing[trial] = int(differs.sum())
        i = int(np.argmax(differs))
        verdict.first = Mismatch(context.words, context.pair, iso(int(ts[i])), float(expected[i]), float(got[i]))
    return verdict


def _same_bits(a: Floats, b: Floats) -> Flags:
    left, right = np.ascontiguousarray(a, np.float64), np.ascontiguousarray(b, np.float64)
    same: Flags = left.view(np.int64) == right.view(np.int64)
    return same if same.all() else same | (np.isnan(left) & np.isnan(right))


def _differences(a: Floats, b: Floats, same: Flags, tolerance: Tolerance) -> tuple[Flags, float]:
    """Where the rows differ beyond the tolerance, and the largest finite distance."""
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.where(same, 0.0, np.abs(a - b))
        allowed = tolerance.relative * np.maximum(np.abs(a), tolerance.deviation)
        near = (error <= allowed) if tolerance.relative else np.zeros(len(a), np.bool_)
    finite = error[np.isfinite(error)]
    return ~same & ~near, float(finite.max(initial=0.0))
