"""Converts local times to UTC if the user, offsets in the rows, the format or a column's name state the time zone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from fxloom.bars.bars import Floats, Ints
from fxloom.sources.layout import Layout
from fxloom.sources.records import offset_text
from fxloom.sources.rows import Rows
from fxloom.sources.times import MINUTE

MICROSECONDS_PER_HOUR = 60 * MINUTE


@dataclass(frozen=True, eq=False)
class Placed:
    """Rows with their times in UTC (microseconds), their offsets (hours), who states those, and notes for the user."""

    rows: Rows
    utc: Ints
    hours: Floats
    why: str
    notes: tuple[str, ...] = ()


def placed(rows: Rows, layout: Layout, zone: float | ZoneInfo | None) -> Placed | None:
    """Valid ``rows``, in the file's order, in UTC; None if the zone must be inferred from the file's weeks.

    The user's zone takes precedence over offsets written in the times, and those over a column's name.
    """
    own = _own_place(rows, layout)
    if zone is None:
        return own
    place = _at(rows, zone, "as given by --zone" + (f" {zone.key}" if isinstance(zone, ZoneInfo) else ""))
    return place if own is None else replace(place, notes=_overruled(place, own))


def _own_place(rows: Rows, layout: Layout) -> Placed | None:
    """The zone that the file itself states."""
    if rows.offset is not None:
        hours = np.nan_to_num(rows.offset)
        labelled = rows.flagged(np.isnan(rows.offset), "its time has no offset, but others have one")
        return Placed(labelled, rows.local - _micro(hours), hours, "offsets written in the times")
    if layout.zone is None:
        return None
    why = "its time column names UTC or an offset"
    if layout.zone_by_format:
        why = "the format is in UTC"
    elif isinstance(layout.zone, ZoneInfo):
        why = f"its time column names {layout.zone.key}"
    return _at(rows, layout.zone, why)


def _at(rows: Rows, zone: float | ZoneInfo, why: str) -> Placed:
    if isinstance(zone, ZoneInfo):
        return _in_named_zone(rows, zone, why)
    hours = np.full(len(rows), zone)
    return Placed(rows, rows.local - _micro(hours), hours, why)


def _overruled(place: Placed, own: Placed) -> tuple[str, ...]:
    """A note if the file states another offset than the user."""
    differ = np.flatnonzero(np.abs(place.hours - own.hours) > 1e-6)
    if not len(differ):
        return ()
    ours, its = (offset_text(float(each.hours[differ[0]])) for each in (place, own))
    return (f"--zone (UTC{ours}) overrides the UTC{its} of the file ({own.why})",)


def _micro(hours: Floats) -> Ints:
    return np.rint(hours * MICROSECONDS_PER_HOUR).astype(np.int64)


def _in_named_zone(rows: Rows, zone: ZoneInfo, why: str) -> Placed:
    """Convert local times of a named zone; hours that the clocks skip or repeat are resolved row by row."""
    local = pl.Series(rows.local).cast(pl.Datetime("us"))
    there = local.dt.replace_time_zone(zone.key, ambiguous="null", non_existent="null")
    utc = there.dt.convert_time_zone("UTC").to_physical().fill_null(0).to_numpy().copy()
    odd = np.flatnonzero(there.is_null().to_numpy())
    skipped = np.zeros(len(rows), np.bool_)
    for place in odd:
        skipped[place] = not _exists(int(rows.local[place]), zone)
    twice = np.zeros(len(rows), np.bool_)
    twice[odd] = ~skipped[odd]
    utc, unsettled = _second_pass(rows.local, utc, np.flatnonzero(twice), zone)
    rows = rows.flagged(skipped, f"no such time in {zone.key}: the clocks went forward")
    rows = rows.flagged(
        unsettled, f"this hour occurs twice in {zone.key}, and the file does not show which one this is"
    )
    return Placed(rows, utc, (rows.local - utc) / MICROSECONDS_PER_HOUR, why)


def _moment(local: int, zone: ZoneInfo, fold: int) -> int:
    """Microseconds UTC of a local time, in the first (fold 0) or second pass of a repeated hour."""
    seconds, micro = divmod(local, 1_000_000)
    there = (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)).replace(tzinfo=zone, fold=fold)
    return int(there.timestamp()) * 1_000_000 + micro


def _exists(local: int, zone: ZoneInfo) -> bool:
    seconds = local // 1_000_000
    back = dt.datetime.fromtimestamp(_moment(local, zone, 0) // 1_000_000, zone).replace(tzinfo=None)
    return back == dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)


def _second_pass(local: Ints, utc: Ints, places: Ints, zone: ZoneInfo) -> tuple[Ints, np.ndarray]:
    """UTC of the rows at ``places``, in a repeated hour: once the file steps back, its second pass begins.

    Hours in which the file does not step back exactly once are ambiguous; also returned: which rows are.
    """
    unsettled = np.zeros(len(local), np.bool_)
    days = local[places] // (24 * MICROSECONDS_PER_HOUR)
    for day in np.unique(days):
        hour = places[days == day]
        back = np.flatnonzero(np.diff(local[hour]) < 0) + 1
        unsettled[hour] = len(back) != 1
        for place in hour:
            fold = int(len(back) == 1 and place >= hour[back[0]])
            utc[place] = _moment(int(local[place]), zone, fold)
    return utc, unsettled
