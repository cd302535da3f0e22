"""Comparing two computations of one feature, and what all comparisons of it add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from fxloom.bars import Floats, Ints
from fxloom.feature import Feature
from fxloom.months import iso

RECURSIVE = 1e-9  # x max(abs(value), the feature's deviation): the catalogue's tolerance for recursive indicators
FITTED = 1e-5  # relative, for fitted parameters on another machine


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
    """What was found of one feature: rows compared a kind of trial, rows that differ, the first of them."""

    feature: str
    compared: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    first: Mismatch | None = None
    worst: float = 0.0

    @property
    def holds(self) -> bool:
        return not self.differing

    def add(self, other: Verdict) -> None:
        self.compared += other.compared
        self.differing += other.differing
        self.first = self.first or other.first
        self.worst = max(self.worst, other.worst)


def added(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """Verdicts by feature, those of one feature added up."""
    found: dict[str, Verdict] = {}
    for verdict in verdicts:
        found.setdefault(verdict.feature, Verdict(verdict.feature)).add(verdict)
    return found


def compare(
    feature: Feature,
    trial: str,
    pair: str,
    ts: Ints,
    expected: Floats,
    got: Floats,
    exact: bool,
    extra: float = 0.0,
) -> Verdict:
    """Compare row by row: to the last bit if ``exact``, else recursive features within the catalogue's tolerance.

    ``extra`` is a further relative tolerance (one unit in the last place of a stored type, another machine). A value
    on one side and none on the other is a difference in any case.
    """
    kind = trial.partition(" ")[0]
    both = np.isnan(expected) & np.isnan(got)
    error = np.abs(np.where(both, 0.0, expected) - np.where(both, 0.0, got))
    differs = ~both & ~(error <= _tolerance(feature, expected, exact, extra))
    verdict = Verdict(feature.name, Counter({kind: len(ts)}))
    if len(error) and np.isfinite(error).any():
        verdict.worst = float(np.nanmax(error))
    if differs.any():
        verdict.differing[kind] = int(differs.sum())
        i = int(np.argmax(differs))
        verdict.first = Mismatch(trial, pair, iso(int(ts[i])), float(expected[i]), float(got[i]))
    return verdict


def _tolerance(feature: Feature, expected: Floats, exact: bool, extra: float) -> Floats:
    relative = extra + (RECURSIVE if feature.column.recursive and not exact else 0.0)
    if relative == 0.0:
        return np.zeros(len(expected))
    deviation = float(np.nanstd(expected)) if np.isfinite(expected).any() else 0.0
    scale = np.maximum(np.abs(np.nan_to_num(expected)), deviation if not exact else 0.0)
    return relative * scale
