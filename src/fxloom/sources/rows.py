"""Parsed rows of one file: times, numbers, and the rule that each bad row breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.sources.records import Quarantined
from fxloom.sources.thinning import WEIGHT
from fxloom.sources.times import MISSING, Times

GOOD = 0
Faults = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows in the file's order: line, time (microseconds on the file's clock), stated offset, numbers by role.

    ``fault`` is 0 for a good row, otherwise an index into ``reasons``; ``raw`` returns a line's text. ``symbol`` is
    each row's index into ``symbols`` (-1: none), None if no column names the pair.
    """

    line: Ints
    local: Ints
    offset: Floats | None
    values: dict[str, Floats]
    fault: Faults
    reasons: tuple[str, ...]
    raw: Callable[[int], str]
    symbols: tuple[str, ...] = ()
    symbol: Ints | None = None

    def __len__(self) -> int:
        return len(self.line)

    def count(self, which: Flags | None = None) -> int:
        """How many rows of the file those at ``which`` (None: all) stand for, which is more if ticks were thinned."""
        weight = self.values.get(WEIGHT)
        if weight is None:
            return len(self) if which is None else int(which.sum())
        return int(weight.sum() if which is None else weight[which].sum())

    def take(self, keep: Any) -> Rows:
        """The rows at ``keep`` (a mask or positions)."""
        if isinstance(keep, np.ndarray) and keep.dtype == np.bool_ and keep.all():
            return self
        return replace(
            self,
            line=self.line[keep],
            local=self.local[keep],
            offset=None if self.offset is None else self.offset[keep],
            values={role: column[keep] for role, column in self.values.items()},
            fault=self.fault[keep],
            symbol=None if self.symbol is None else self.symbol[keep],
        )

    def flagged(self, bad: npt.NDArray[np.bool_], reason: str) -> Rows:
        """These rows, with ``reason`` added to the ``bad`` ones that do not have a reason yet."""
        if not bad.any():
            return self
        known = reason in self.reasons
        reasons = self.reasons if known else (*self.reasons, reason)
        fault = np.where(bad & (self.fault == GOOD), np.uint8(reasons.index(reason)), self.fault)
        return replace(self, fault=fault, reasons=reasons)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """The bad rows, each with its line, text and reason."""
        weight = self.values.get(WEIGHT)
        found = [(int(self.line[i]), self.reasons[self.fault[i]]) for i in np.flatnonzero(self.fault)]
        if weight is not None:  # a thinned tick stands for those on the lines after it
            sizes = np.maximum(weight[self.fault != GOOD], 1).astype(np.int64).tolist()
            found = list({line + i: why for (line, why), n in zip(found, sizes, strict=True) for i in range(n)}.items())
        return tuple(Quarantined(line, self.raw(line), why) for line, why in found)


def new_rows(line: Ints, times: Times, values: dict[str, Floats], raw: Callable[[int], str], **more: Any) -> Rows:
    """New rows; those without a time are flagged."""
    fault = np.zeros(len(line), np.uint8)
    rows = Rows(line, times.local, times.offset, values, fault, ("",), raw, **more)
    return rows.flagged(times.local == MISSING, "its time does not parse")


def coded(columns: list[pl.Series | None]) -> tuple[tuple[str, ...], Ints]:
    """The distinct symbols of a column given in chunks, and each row's index among them (-1: none)."""
    whole = pl.concat([column for column in columns if column is not None])
    symbols = tuple(whole.drop_nulls().unique().sort().to_list())
    places = whole.replace_strict(list(symbols), list(range(len(symbols))), default=-1, return_dtype=pl.Int64)
    return symbols, places.fill_null(-1).to_numpy()
