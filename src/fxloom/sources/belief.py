"""Checks a stated time zone, whoever states it, against the file's own trading weeks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.clock import HOUR
from fxloom.bars.months import iso
from fxloom.bars.runs import distinct
from fxloom.sources.quarter_hours import quarter_hours_off
from fxloom.sources.records import Refused, offset_text
from fxloom.sources.weeks import in_weekend, weeks_of
from fxloom.sources.zone import NEAR, STRAYS, Offsets, best_constant_offset, edges_of, offsets_from_weeks

STRAY = "lies in the weekend (Friday to Sunday 17:00, New York)"
EARLY_OPENING = 2 * HOUR
_QUARTER = HOUR // 4
_CONTRADICTED = 5  # bars that a stated offset moves into weekends although the inferred one does not
_NAMED = ("America/New_York", "Europe/London", "Europe/Paris", "Europe/Athens")


@dataclass(frozen=True, eq=False)
class Claim:
    """Bars (sorted UTC minutes, one per minute) at stated offsets (hours), and who states them."""

    utc: Ints
    hours: Floats
    why: str
    by_user: bool = False

    def __str__(self) -> str:
        return _offsets_text(self.hours)

    @property
    def local(self) -> Ints:
        return np.sort(self.utc + np.rint(HOUR * self.hours).astype(np.int64))


def doubt_about(claim: Claim) -> Refused | None:
    """Why ``claim`` is rejected, with the offset that the weeks imply and what to do; None if they allow the claim."""
    inferred = _clear_offsets(claim.local)
    if inferred is not None and _contradicts(inferred, claim):
        shown = _offsets_text(inferred.hours)
        return Refused(
            f"its weeks imply {shown} ({inferred.why}), not {claim} ({claim.why})", _advice(claim, _zone_of(inferred))
        )
    if len(shifts := quarter_hours_off(claim.utc)):
        return _quarter_hours(claim, shifts)
    if few_strays(claim.utc):
        return None
    best = best_constant_offset(claim.local)
    hint = f"its weeks fit UTC{offset_text(best)}" if best is not None else "no other offset fits its weeks clearly"
    return Refused(f"{_too_many(claim)}; {hint}", _advice(claim, offset_text(best) if best is not None else None))


def _quarter_hours(claim: Claim, shifts: Floats) -> Refused:
    """The refusal of a file whose weeks begin and end at a fraction of an hour, which no feed's do."""
    implied = [Claim(claim.utc, claim.hours + shift, "") for shift in shifts.tolist()]
    constant = len(np.unique(claim.hours)) == 1
    zones = [offset_text(float(c.hours[0])) for c in implied] if constant else []
    return Refused(
        f"its weeks begin and end {round(HOUR * abs(float(shifts[0])))} minutes off the full hour at {claim} "
        f"({claim.why}): they imply {' or '.join(map(str, implied))}",
        _advice(claim, " or --zone ".join(zones)),
    )


def too_many_strays(found: Claim) -> Refused:
    """The refusal of a file with too many bars in the weekend under the offsets inferred from its weeks."""
    return Refused(_too_many(found), "pass --zone, with --trust-zone to keep these bars")


def few_strays(utc: Ints) -> bool:
    """Whether at most 0.5 % of sorted UTC minutes lie in the weekend, and no week trades across its edges."""
    outside = weekend_bars(utc)
    return bool(outside.sum() <= STRAYS * len(utc)) and not _trades_across(utc, outside)


def _trades_across(utc: Ints, outside: Flags) -> bool:
    """Whether in any week the 15 minutes just outside the open or close are half as busy as those just inside."""
    weeks = weeks_of(utc)
    strays = utc[outside]

    def count(minutes: Ints, first: Ints, end: Ints) -> Ints:
        return np.searchsorted(minutes, end) - np.searchsorted(minutes, first)

    opens, closes = weeks.opens, weeks.closes + 1  # a bar of the closing minute is not outside
    for beyond, within in (
        (count(strays, opens - _QUARTER, opens), count(utc, opens, opens + _QUARTER)),
        (count(strays, closes, closes + _QUARTER), count(utc, closes - _QUARTER, closes)),
    ):
        if ((beyond >= 4) & (2 * beyond >= within)).any():
            return True
    return False


def _too_many(claim: Claim) -> str:
    return f"{_counted(claim.utc, weekend_bars(claim.utc), 'in the weekend')} at {claim} ({claim.why})"


def weekend_bars(utc: Ints) -> Flags:
    """Which of the sorted UTC minutes lie in the weekend, not counting a source's regular early opening on Sunday."""
    return in_weekend(utc) & ~_early_opening(utc)


def _early_opening(utc: Ints) -> Flags:
    """The bars of a source that opens up to two hours before Sunday 17:00, as its Friday close at 17:00 shows."""
    outside = in_weekend(utc)
    weeks = weeks_of(utc)
    edges = edges_of(weeks, np.zeros(1))
    closes = edges.stops & (edges.before >= -1) & (edges.before <= NEAR)
    opens = np.repeat(weeks.opens, weeks.stop - weeks.start)
    early = outside & (utc < opens) & (utc >= opens - EARLY_OPENING) & closes.any()
    dense = np.add.reduceat(early, weeks.start) >= EARLY_OPENING // 4 if len(weeks) else early
    return early & np.repeat(dense, weeks.stop - weeks.start)


def trusted_note(claim: Claim, doubt: Refused) -> str:
    """The note that ``--trust-zone`` kept ``claim`` despite ``doubt``."""
    return f"--trust-zone: kept at {claim}, although {doubt.reason}"


def stray_notes(utc: Ints) -> tuple[str, ...]:
    """Notes on bars in the weekend: strays are quarantined; those of a regular early opening are kept."""
    notes: tuple[str, ...] = ()
    strays, early = weekend_bars(utc), _early_opening(utc)
    if strays.any():
        notes += (f"{_counted(utc, strays, 'in the weekend')}: quarantined",)
    if early.any():
        notes += (f"{_counted(utc, early, 'shortly before the week')}: kept, since this source opens early",)
    return notes


def _counted(utc: Ints, which: Flags, where: str) -> str:
    some = ", ".join(iso(int(minute)) for minute in utc[which][:3])
    return f"{int(which.sum()):,} of {len(utc):,} bars lie {where} (such as {some} UTC)"


def stamps_of(utc: Ints) -> Literal["open", "close", "close?"]:
    """Whether times are the opens or the closes of minute bars: with closes, weeks end at 17:00 and begin at 17:01.

    ``utc``: sorted minutes, taken for opens. For "close", two weeks must end like that, one must begin like that, and
    none contradict it; "close?" if weeks end like that but none begins near 17:00.
    """
    weeks = weeks_of(utc)
    edges = edges_of(weeks, np.zeros(1)).pick(np.zeros(len(weeks), np.int64))
    before, after = edges.before[edges.stops], edges.after[edges.starts]
    before, after = before[before <= NEAR], after[after <= NEAR]
    at_close = int((before == -1).sum())
    if (before < -1).any() or (after < 1).any() or at_close < 2 or 2 * at_close < len(before):
        return "open"
    if (after == 1).any():
        return "close"
    return "close?" if at_close == len(before) else "open"


def _clear_offsets(local: Ints) -> Offsets | None:
    """The offsets that whole weekends imply; None if they are not clear, since a single edge is not enough."""
    try:
        inferred = offsets_from_weeks(distinct(local))
    except Refused:
        return None
    return inferred if inferred.clear else None


def _contradicts(inferred: Offsets, claim: Claim) -> bool:
    local = claim.utc + np.rint(HOUR * claim.hours).astype(np.int64)
    better = inferred.at(local)
    differ = np.abs(better - claim.hours) > 1e-6
    if not differ.any():
        return False
    freed = np.sort(local[differ] - np.rint(HOUR * better[differ]).astype(np.int64))
    return int(in_weekend(claim.utc[differ]).sum() - in_weekend(freed).sum()) >= _CONTRADICTED


def _advice(claim: Claim, better: str | None) -> str:
    zone = f"pass --zone {better}" if better else "pass --zone with the file's own"
    away = "omit --zone, " if claim.by_user else ""
    return f"{away}{zone}, or --trust-zone to keep {claim}"


def _zone_of(inferred: Offsets) -> str | None:
    """The offsets in the form of ``--zone``: one offset, or the zone that has them in every week; None if neither."""
    if len(np.unique(inferred.hours)) == 1:
        return offset_text(float(inferred.hours[0]))
    first = dt.datetime(1970, 1, 5, 12)  # Monday noon of week 0
    for name in _NAMED:
        days = [(first + dt.timedelta(weeks=int(n))).replace(tzinfo=ZoneInfo(name)) for n in inferred.number]
        if all(d.utcoffset() == dt.timedelta(hours=h) for d, h in zip(days, inferred.hours, strict=True)):
            return name
    return None


def _offsets_text(hours: Floats) -> str:
    changes = hours[np.append(True, hours[1:] != hours[:-1])]
    shown = dict.fromkeys(f"UTC{offset_text(float(h))}" for h in changes)
    return " and ".join([*shown][:4])
