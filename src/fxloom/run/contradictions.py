"""Checks the prices of a file against those of other stored pairs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from fxloom.bars.bars import Bars
from fxloom.bars.months import month_bounds, months_of
from fxloom.engine.triangles import Triangle, triangles
from fxloom.sources.records import SourceFile
from fxloom.stores.base import CorruptError, Store
from fxloom.stores.frames import joined

MAX_OFF = 0.5  # share of the compared minutes above which a triangle contradicts the file
NOTED = 0.01  # ... and above which it is noted
COMPARED = 2  # triangles; one cannot show which of its three pairs is wrong, two that agree can


def contradiction(store: Store, file: SourceFile) -> tuple[str, list[str]]:
    """Why the file must be refused ("" if it need not be), and notes about its prices.

    Its first, middle and last month are compared with the stored bars of those months. It is refused if the triangles
    contradict it in most of the minutes that they share.
    """
    months = months_of(file.bars.ts)
    chosen = sorted({months[0], months[len(months) // 2], months[-1]}) if months else []
    bars = joined([file.bars.between(*month_bounds(month)) for month in chosen])
    found = list(islice(triangles(file.pair, bars, lambda pair: _stored(store, pair, chosen)), COMPARED))
    if found and all(t.off > MAX_OFF for t in found):
        worst = max(found, key=lambda t: t.compared)
        return (
            f"its prices are {worst.factor:.4g} times what the stored {' and '.join(worst.others)} imply: one of the "
            "three is in the wrong unit or is another instrument; pass --trust-prices to accept the file"
        ), []
    return "", [_note(t) for t in found if t.off > NOTED]


def _note(triangle: Triangle) -> str:
    others = " and ".join(triangle.others)
    return f"in {triangle.off:.0%} of the minutes compared, its prices contradict those of {others}"


def _stored(store: Store, pair: str, months: Sequence[str]) -> Bars:
    """The stored bars of ``pair`` in ``months``; none if they are corrupt, which is not this file's fault."""
    try:
        return joined([store.read_bars(pair, *month_bounds(month)) for month in months])
    except CorruptError:
        return joined([])
