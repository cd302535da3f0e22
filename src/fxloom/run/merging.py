"""Merges the bars of one file with the stored bars of a month. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fxloom.bars.bars import Bars, Flags, Floats
from fxloom.bars.months import iso
from fxloom.stores.frames import joined

MIN_CONFLICTS = 10  # fewer differing bars than this are a vendor's revision, not another market
OPTIONAL = ("volume", "spread")


@dataclass(frozen=True)
class Merge:
    """A month of stored bars merged with a file's: the bars to store, and how many of the file's are of each kind.

    ``new``: not stored before; ``identical``: already stored; ``completed``: stored without the volume or spread that
    the file has; ``conflicting``: stored with other values, which are kept; ``replaced``: stored with other values,
    which the file's replace. ``examples`` describes some of the conflicts.
    """

    bars: Bars
    new: int
    identical: int
    completed: int = 0
    conflicting: int = 0
    replaced: int = 0
    examples: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the month has to be written."""
        return bool(self.new or self.completed or self.replaced)

    @property
    def overlapping(self) -> int:
        """How many of the file's bars were stored before."""
        return self.identical + self.completed + self.conflicting + self.replaced


def merged(stored: Bars, incoming: Bars, newer_wins: bool = False) -> Merge:
    """Merge ``incoming`` into ``stored``, both of one month; a stored bar wins a conflict unless ``newer_wins``."""
    at = np.searchsorted(stored.ts, incoming.ts)
    known = np.zeros(len(incoming), np.bool_)
    inside = at < len(stored)
    known[inside] = stored.ts[at[inside]] == incoming.ts[inside]
    before, again = stored.take(at[known]), incoming.take(known)
    same = np.zeros(len(incoming), np.bool_)
    same[known] = _equal(before, again)
    more = np.zeros(len(incoming), np.bool_)
    more[known] = same[known] & _lacks(before, again)
    conflicting = known & ~same
    take = ~known | more | (conflicting if newer_wins else False)
    keep = np.ones(len(stored), np.bool_)
    keep[at[known & take]] = False
    parts = [stored.take(keep), incoming.take(take & ~more)]
    if more.any():
        parts.append(_completed(stored.take(at[more]), incoming.take(more)))
    differing = int(conflicting.sum())
    return Merge(
        _in_order(parts), int((~known).sum()), int((same & ~more).sum()), int(more.sum()),
        0 if newer_wins else differing, differing if newer_wins else 0, _examples(stored, incoming, at, conflicting),
    )  # fmt: skip


def _examples(stored: Bars, incoming: Bars, at: np.ndarray, conflicting: Flags) -> tuple[str, ...]:
    return tuple(
        f"{iso(int(incoming.ts[i]))}: {_difference(stored, int(at[i]), incoming, int(i))}"
        for i in np.flatnonzero(conflicting)[:3]
    )


def _difference(stored: Bars, i: int, incoming: Bars, j: int) -> str:
    for name in ("close", "open", "high", "low", *OPTIONAL):
        left, right = getattr(stored, name), getattr(incoming, name)
        if left is not None and right is not None and left[i] != right[j]:
            return f"stored {name} {left[i]:g}, this file {right[j]:g}"
    return "they differ"


def _equal(a: Bars, b: Bars) -> Flags:
    """Where prices agree, and volume and spread where both have them."""
    same = np.ones(len(a), np.bool_)
    for name in ("open", "high", "low", "close", *OPTIONAL):
        left, right = getattr(a, name), getattr(b, name)
        if left is not None and right is not None:
            # a spread is a difference of quotes: its last bits depend on how the file writes them
            close = np.isclose(left, right, rtol=1e-9, atol=1e-12) if name == "spread" else left == right
            same &= close | np.isnan(left) | np.isnan(right) if name in OPTIONAL else close
    return same


def _missing(column: Floats | None, n: int) -> Flags:
    return np.ones(n, np.bool_) if column is None else np.isnan(column)


def _lacks(a: Bars, b: Bars) -> Flags:
    """Where ``a`` lacks a volume or spread that ``b`` has."""
    found = np.zeros(len(a), np.bool_)
    for name in OPTIONAL:
        found |= _missing(getattr(a, name), len(a)) & ~_missing(getattr(b, name), len(a))
    return found


def _completed(a: Bars, b: Bars) -> Bars:
    """``a`` with the volume and spread of ``b`` where it lacks them."""
    return replace(a, volume=_filled(a.volume, b.volume), spread=_filled(a.spread, b.spread))


def _filled(column: Floats | None, other: Floats | None) -> Floats | None:
    if column is None or other is None:
        return other if column is None else column
    return np.where(np.isnan(column), other, column)


def _in_order(parts: Sequence[Bars]) -> Bars:
    bars = joined(parts)
    return bars.take(np.argsort(bars.ts, kind="stable"))


def refusal_of(merges: Sequence[Merge]) -> str:
    """Why the whole file is refused: most of the stored bars that it covers differ; "" if it is not."""
    overlapping, conflicting = sum(m.overlapping for m in merges), sum(m.conflicting for m in merges)
    if conflicting < MIN_CONFLICTS or 2 * conflicting <= overlapping:
        return ""
    example = next(example for m in merges for example in m.examples)
    return (
        f"{conflicting:,} of {overlapping:,} stored bars differ in this file ({example}): check its time zone, feed "
        "and pair; keep it in a separate store, or pass --replace to let it win"
    )
