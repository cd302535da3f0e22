"""Converts a file's times to UTC, by the stated zone if it is credible, otherwise by the zone its weeks imply."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.runs import distinct, first_of_each, is_sorted
from fxloom.sources.belief import (
    STRAY,
    Claim,
    doubt_about,
    few_strays,
    stamps_of,
    stray_notes,
    too_many_strays,
    trusted_note,
    weekend_bars,
)
from fxloom.sources.filler import filler
from fxloom.sources.layout import Layout
from fxloom.sources.local import placed
from fxloom.sources.minutes import mid_values, open_minutes
from fxloom.sources.options import ReadOptions
from fxloom.sources.records import Refused, Zone
from fxloom.sources.rows import GOOD, Rows
from fxloom.sources.times import MINUTE
from fxloom.sources.zone import offset_periods, offsets_from_weeks


@dataclass(frozen=True, eq=False)
class Timed:
    """Valid rows sorted by time: ``utc`` (microseconds), ``ts`` (minutes), offsets in hours, which are filler, why."""

    rows: Rows
    utc: Ints
    ts: Ints
    hours: Floats
    filler: Flags
    why: str
    notes: tuple[str, ...]

    @property
    def zone(self) -> Zone:
        kept = (self.rows.fault == GOOD) & ~self.filler
        kept = kept if kept.any() else ~self.filler
        return Zone(offset_periods(self.ts[kept], self.hours[kept]), self.why)

    def claim(self, by_user: bool = False) -> Claim:
        """The minutes without filler, at the offsets that were stated or inferred."""
        ts, hours = self.ts[~self.filler], self.hours[~self.filler]
        first = first_of_each(ts)
        return Claim(ts[first], hours[first], self.why, by_user)


def timed_rows(good: Rows, layout: Layout, options: ReadOptions, step: int, problems: list[Refused]) -> Timed | None:
    """``good`` in UTC; an unknown or implausible zone is added to ``problems``."""
    place = placed(good, layout, options.offset)
    notes = _shuffled(good.local)
    micro = good.local if place is None else place.utc
    rows, hours = (good, None) if place is None else (place.rows, place.hours)
    if not is_sorted(micro):
        order = np.argsort(micro, kind="stable")
        rows, micro, hours = rows.take(order), micro[order], None if hours is None else hours[order]
    closes = options.stamp == "close" and not layout.are_ticks
    clock = open_minutes(micro, closes=closes)
    copies = np.zeros(len(rows), np.bool_) if layout.are_ticks else filler(clock, mid_values(rows.values, layout))
    if place is not None and hours is not None:
        timed = Timed(rows, micro, clock, hours, copies, place.why, (*notes, *place.notes))
        return timed if step > 60 else _believed(timed, options, problems)
    if step > 60 or not len(rows) or (problems and not (good.fault == GOOD).all()):
        return None
    try:
        offsets = offsets_from_weeks(distinct(clock[~copies]))
    except Refused as unknown:
        problems.append(unknown)
        return None
    hours = offsets.at(clock)
    shift = np.rint(hours * 60).astype(np.int64)
    timed = Timed(rows, micro - shift * MINUTE, clock - shift, hours, copies, offsets.why, notes)
    if few_strays((claim := timed.claim()).utc):
        return _without_strays(timed)
    problems.append(too_many_strays(claim))
    return None


def _believed(timed: Timed, options: ReadOptions, problems: list[Refused]) -> Timed | None:
    """``timed`` if its weeks allow the stated zone, or the user trusts it regardless."""
    claim = timed.claim(by_user=options.offset is not None)
    doubt = doubt_about(claim) if len(claim.utc) else None
    if doubt is None:
        return _without_strays(timed)
    if options.trust_zone:
        return replace(timed, notes=(*timed.notes, trusted_note(claim, doubt)))
    problems.append(doubt)
    return None


def _without_strays(timed: Timed) -> Timed:
    minutes = distinct(timed.ts[~timed.filler])
    outside = np.isin(timed.ts, minutes[weekend_bars(minutes)]) & ~timed.filler
    return replace(timed, rows=timed.rows.flagged(outside, STRAY), notes=(*timed.notes, *stray_notes(minutes)))


def opened(timed: Timed, layout: Layout, options: ReadOptions) -> Timed:
    """``timed``, moved back by a minute if its times are evidently the bars' closes."""
    if options.stamp != "auto" or layout.are_ticks:
        return timed
    stamps = stamps_of(distinct(timed.ts[(timed.rows.fault == GOOD) & ~timed.filler]))
    if stamps == "open":
        return timed
    if stamps == "close?":
        note = "its weeks end with bars at 17:00 New York time: if its times are the bars' closes, pass --stamp close"
        return replace(timed, notes=(*timed.notes, note))
    note = "its times are the bars' closes (weeks end at 17:00 and begin at 17:01, New York): moved back by a minute"
    return replace(timed, utc=timed.utc - 1, ts=open_minutes(timed.utc, closes=True), notes=(*timed.notes, note))


def _shuffled(local: Ints) -> tuple[str, ...]:
    back = int((np.diff(local) < 0).sum())
    return (f"not sorted by time (steps back {back:,} times): sorted",) if back else ()
