"""Infers the time zone of a file from its own weeks.

Each week of a file bounds its offset: (nearly) no bar lies before the market's open or after its close, and an
offset under which the first or last bar touches that edge is likelier than one under which it does not. Clocks follow
one rule (none, New York's or Europe's daylight saving) unless the bars show otherwise, so the offsets of all weeks are
found together, as the cheapest path through the states (offset in winter, rule).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.clock import DAY, HOUR, WEEK
from fxloom.bars.months import iso
from fxloom.sources.records import OffsetPeriod, Refused
from fxloom.sources.weeks import Weeks, in_weekend, week_of, weeks_of

STRAYS = 0.005  # share of bars allowed in weekends: real exports have up to 0.2 %
NEAR = 10  # minutes between a weekly edge and the bar that touches it
NEAR_END = 3  # the same for the file's first and last bar
TRADING = 4  # bars required in the hour inside an edge: an isolated bar is not an edge
LATE = 5  # minutes that a last or first bar may lie in the weekend: some markets close on the minute's first tick
ADVICE = "pass --zone utc, --zone +2 or --zone Europe/Athens"

_FRACTIONS = (-9.5, -3.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.75, 9.5, 10.5, 12.75)  # the fractional offsets in use
OFFSETS = np.sort(np.array([*range(-12, 15), *_FRACTIONS], np.float64))  # in winter
_RULES = 3  # 0 none, 1 New York's summer time, 2 Europe's
_WINTER = np.repeat(OFFSETS, _RULES)  # for every state of the path
_RULE = np.tile(np.arange(_RULES), len(OFFSETS))
_FRACTION = _WINTER % 1 != 0
# States that exist as clocks: these two kinds of daylight saving are used from UTC-8 to UTC+3, and in Newfoundland.
_CLOCK = (_RULE == 0) | ((_WINTER >= -8) & (_WINTER <= 3) & ~_FRACTION) | ((_WINTER == -3.5) & (_RULE == 1))

# Costs, in edges that are not touched.
_LATE_COST, _STRAY_COST, _FRACTION_COST, _RULE_CHANGE, _OFFSET_CHANGE = 0.5, 0.1, 2.0, 4.0, 8.0
_MARGIN = 0.5
_SUNDAY, _MONDAY = 3 * DAY, 4 * DAY  # minutes of the week that begins on Thursday, as the epoch does
# Offsets for which one edge suffices, in winter and summer: HistData's, UTC, and brokers' whose day ends at the close.
_SINGLE_EDGE = ((-5, 0, 2), (-4, 0, 3))
# Clocks of vendors with longer weekends: fixed offsets, and zones with daylight saving.
_VENDORS = ((_RULE == 0) & ~_FRACTION) | ((_RULE == 1) & np.isin(_WINTER, (-8, -7, -6, -5, 2))) | (
    (_RULE == 2) & np.isin(_WINTER, (0, 1, 2, 3))
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Offsets:
    """Hours from UTC of every week of a file, and why; ``clear`` if whole weekends bound them from both sides."""

    number: Ints
    hours: Floats
    why: str
    clear: bool = False

    def at(self, minutes: Ints) -> Floats:
        """Hours from UTC of local ``minutes``."""
        place = np.searchsorted(self.number, week_of(minutes)).clip(0, len(self.number) - 1)
        return np.asarray(self.hours[place])


@dataclass(frozen=True, eq=False)
class Edges:
    """How a file's weeks align with the market's week under several offsets; all arrays of shape (weeks, offsets).

    ``first`` and ``last`` are the local minutes of the first and last bar that is not a stray, ``after`` and ``before``
    their distance from the open and (of the bar's end) to the close, negative in the weekend. ``strays`` counts bars
    more than ``LATE`` minutes into the weekend. ``starts`` and ``stops``: trading visibly starts or stops there.
    """

    first: Ints
    last: Ints
    after: Floats
    before: Floats
    strays: Ints
    starts: Flags
    stops: Flags

    def pick(self, column: Ints) -> Edges:
        """The edges of each week under its own offset, shape (weeks,)."""
        week = np.arange(len(column))
        return Edges(*(getattr(self, name)[week, column] for name in self.__dataclass_fields__))


def edges_of(weeks: Weeks, hours: Floats) -> Edges:
    """The edges of ``weeks`` (local minutes) under each of ``hours``, of shape (offsets,) or (weeks, offsets)."""
    shift = np.rint(HOUR * np.broadcast_to(hours, (len(weeks), np.shape(hours)[-1]))).astype(np.int64)
    opens, closes = weeks.opens[:, None] + shift, weeks.closes[:, None] + shift
    start, stop = weeks.start[:, None], weeks.stop[:, None]

    def until(limit: Ints) -> Ints:
        """The end of the week's rows before ``limit``."""
        return np.clip(np.searchsorted(weeks.minutes, limit), start, stop)

    begin, end = until(opens - LATE), until(closes + LATE)
    empty = end <= begin
    top = len(weeks.minutes) - 1
    first, last = weeks.minutes[begin.clip(0, top)], weeks.minutes[(end - 1).clip(0, top)]
    far = np.where(empty, float(WEEK), 0.0)
    strays = np.where(empty, stop - start, (begin - start) + (stop - end))
    previous, following = weeks.minutes[(begin - 1).clip(0, top)], weeks.minutes[end.clip(0, top)]
    starts = (begin == start) | ((first - previous >= NEAR) & (
        4 * (begin - until(opens - HOUR)) <= until(opens + HOUR) - begin))  # fmt: skip
    stops = (end == stop) | ((following - last >= NEAR) & (
        4 * (until(closes + HOUR) - end) <= end - until(closes - HOUR)))  # fmt: skip
    starts &= until(first + HOUR) - begin >= TRADING
    stops &= end - until(last + 1 - HOUR) >= TRADING
    return Edges(first, last, first - opens + far, closes - last - 1 + far, strays, starts, stops)


def offsets_from_weeks(minutes: Ints) -> Offsets:
    """The offsets that a file's own weekly opens and closes imply.

    ``minutes``: sorted local minutes of bar opens, without duplicates or filler. Raises ``Refused`` if they are
    inconclusive, or if two offsets are about equally likely.
    """
    weeks = weeks_of(minutes)
    hours = np.union1d(OFFSETS, OFFSETS + 1)
    edges = edges_of(weeks, hours)
    summer = np.stack([np.zeros_like(weeks.summer), weeks.summer & 1, weeks.summer >> 1], axis=1)
    column = np.searchsorted(hours, _WINTER + summer[:, _RULE])  # (weeks, states)
    costs = np.take_along_axis(_costs(weeks, edges), column, axis=1) + _clock_costs(len(weeks))
    through = _cheapest_through(costs, summer)
    if not np.isfinite(through).any(axis=1).all():
        raise Refused(_never_open(weeks), ADVICE)
    return _decided(weeks, hours, edges, column, through)


def _clock_costs(weeks: int) -> Floats:
    """(weeks, states): infinite for states that are not clocks; a fractional offset costs extra, once."""
    costs = np.tile(np.where(_CLOCK, 0.0, np.inf), (weeks, 1))
    costs[0] += np.where(_FRACTION, _FRACTION_COST, 0.0)
    return costs


def _costs(weeks: Weeks, edges: Edges) -> Floats:
    """(weeks, offsets): the cost of untouched edges and strays, infinite with too many bars in the weekend."""
    near = np.full((len(weeks), 2), NEAR)
    near[0, 0] = near[-1, 1] = NEAR_END
    opened = _edge_costs(edges.after, near[:, :1], edges.starts)
    closed = _edge_costs(edges.before, near[:, 1:], edges.stops)
    begins, ends = weeks.minutes[0] % WEEK, weeks.minutes[-1]
    if begins >= _MONDAY or begins < _SUNDAY:
        opened[0] = np.maximum(opened[0], 1.0)  # a file that begins on a weekday was cut off there
    if ends % DAY == DAY - 1:
        closed[-1] = np.maximum(closed[-1], 1.0)  # and perhaps one that ends at midnight
    # Where a file is cut off, bars outside show that the cut is not an edge.
    opened[0] = np.where(edges.first[0] > weeks.minutes[0], np.maximum(opened[0], 1.0), opened[0])
    closed[-1] = np.where(edges.last[-1] < ends, np.maximum(closed[-1], 1.0), closed[-1])
    most = np.minimum(STRAYS * len(weeks.minutes), np.maximum(15, 0.02 * (weeks.stop - weeks.start)))
    return np.where(edges.strays > most[:, None], np.inf, opened + closed + _STRAY_COST * edges.strays)


def _edge_costs(distance: Floats, near: Ints, visible: Flags) -> Floats:
    """0 for a touched edge, 1 for a distant or blurred one, between them if bars lie slightly inside the weekend."""
    return np.where(visible & (distance <= near), np.where(distance < 0, _LATE_COST, 0.0), 1.0)


def _cheapest_through(cost: Floats, summer: Ints) -> Floats:
    """(weeks, states): the cost of the cheapest path over all weeks that passes through each state.

    ``summer``: of shape (weeks, rules), the hours that each rule adds.
    """
    ahead, behind = cost.copy(), cost.copy()
    for week in range(1, len(cost)):
        ahead[week] += _after_change(ahead[week - 1], summer[week - 1 : week + 1])
    for week in range(len(cost) - 2, -1, -1):
        behind[week] += _after_change(behind[week + 1], summer[week : week + 2])
    known = np.isfinite(cost)
    return np.asarray(np.where(known, ahead + behind - np.where(known, cost, 0.0), np.inf))


def _after_change(cost: Floats, summer: Ints) -> Floats:
    """The cheapest cost of reaching each state from those of the neighbouring week; ``summer`` is of the two weeks.

    A rule changes while both rules show the same time, in the one week or the other; else the clock jumps in
    mid-season, which is a change of offset.
    """
    agree = (summer[:, :, None] == summer[:, None, :]).any(axis=0)
    other_rule = np.where(agree, cost.reshape(-1, _RULES, 1), np.inf).min(axis=1).ravel()
    return np.asarray(np.minimum(np.minimum(cost, other_rule + _RULE_CHANGE), cost.min() + _OFFSET_CHANGE))


def _decided(weeks: Weeks, hours: Floats, edges: Edges, column: Ints, through: Floats) -> Offsets:
    state = np.argmin(through, axis=1)
    chosen = column[np.arange(len(weeks)), state]
    for week, place in enumerate(chosen):
        rivals = through[week, column[week] != place]
        if rivals.min() - through[week].min() < _MARGIN:
            day = iso(weeks.minutes[weeks.start[week]])[:10]
            raise Refused(f"no weekly open or close shows its time zone (in the week of {day})", ADVICE)
    own = edges.pick(chosen)
    gaps = own.first[1:] - own.last[:-1]
    weekends = gaps[(np.diff(weeks.number) == 1) & (gaps < 3 * DAY) & own.stops[:-1] & own.starts[1:]]
    short = len(weekends) > 0 and weekends.min() <= 49 * HOUR
    if not _bounded(own, state, HOUR if short else HOUR - LATE):
        if len(weekends):
            return _of_long_weekends(weeks, hours, edges, column, weekends)
        _refuse_unusual(hours[chosen], weeks)
    touched = int((own.stops & (own.before <= NEAR)).sum() + (own.starts & (own.after <= NEAR)).sum())
    why = f"{touched} weekly edges at New York 17:00"
    if touched == 1:
        why = "only one weekly edge at New York 17:00: pass --zone if that is wrong"
    return Offsets(weeks.number, hours[chosen], why, clear=short)


def _bounded(own: Edges, state: Ints, limit: int) -> bool:
    """Whether every period on one clock is bounded from both sides, so that no other hour would fit as well."""
    starts = np.flatnonzero(np.append(True, state[1:] != state[:-1]))
    before, after = np.where(own.stops, own.before.clip(0), WEEK), np.where(own.starts, own.after.clip(0), WEEK)
    slack = np.minimum.reduceat(before, starts) + np.minimum.reduceat(after, starts)
    return bool((slack < limit).all())


def _refuse_unusual(hours: Floats, weeks: Weeks) -> None:
    """Without a whole weekend in the file, a single edge is accepted only for offsets that vendors use."""
    if any(h not in _SINGLE_EDGE[summer & 1] for h, summer in zip(hours, weeks.summer, strict=True)):
        raise Refused(
            f"begins or ends as if at UTC{hours[0]:+g}, which no vendor uses: was it cut off in mid-week?", ADVICE
        )


def _of_long_weekends(weeks: Weeks, hours: Floats, edges: Edges, column: Ints, weekends: Ints) -> Offsets:
    """The offsets of a market that opens later or closes earlier than New York's 17:00, as in HistData's early years.

    Its edges touch nothing, but keep their distance from New York's hours in summer and winter. A vendor's clock is
    accepted if it is the only one under which they do and no bar lies in the weekend.
    """
    summer = int((weeks.summer & 1).sum())
    seasons = min(summer, len(weeks) - summer) >= 4
    fitting = [s for s in np.flatnonzero(_VENDORS) if seasons and _keeps_hours(weeks, edges.pick(column[:, s]))]
    if len(fitting) != 1:
        lasting = f"its weekends last {weekends.min() / HOUR:.3g} hours or more, not 48"
        raise Refused(f"{lasting}, so they do not show its time zone", ADVICE)
    why = f"its weekends last {weekends.min() / HOUR:.3g} hours, and no other vendor's clock fits them"
    return Offsets(weeks.number, hours[column[:, fitting[0]]], why)


def _keeps_hours(weeks: Weeks, own: Edges) -> bool:
    if own.strays.sum() > STRAYS * len(weeks.minutes) / 2 or (own.strays > 15).any():
        return False
    summer = (weeks.summer & 1).astype(np.bool_)
    return all(abs(np.median(d[summer]) - np.median(d[~summer])) < HOUR / 2 for d in (own.before, own.after))


def _never_open(weeks: Weeks) -> str:
    first, last = weeks.minutes[weeks.start], weeks.minutes[weeks.stop - 1]
    worst = int(np.argmax((last - weeks.closes) - (first - weeks.opens)))
    return f"has bars in the weekend under every offset from UTC (such as around {iso(last[worst])[:10]})"


def offset_periods(utc: Ints, hours: Floats) -> tuple[OffsetPeriod, ...]:
    """The periods with one offset, from sorted minutes ``utc`` and the offset of each in ``hours``."""
    if not len(utc):
        return ()
    starts = np.flatnonzero(np.append(True, hours[1:] != hours[:-1]))
    ends = np.append(starts[1:], len(utc)) - 1
    return tuple(OffsetPeriod(int(utc[a]), int(utc[b]), float(hours[a])) for a, b in zip(starts, ends, strict=True))


def best_constant_offset(minutes: Ints) -> float | None:
    """The one offset under which (nearly) no bar lies in the weekend and most weekly edges are touched, or None.

    ``minutes``: sorted local minutes. A hint for a message, not sufficient evidence to convert bars.
    """
    weeks = weeks_of(minutes)
    edges = edges_of(weeks, OFFSETS)
    touched = (edges.starts & (edges.after <= NEAR)).sum(axis=0) + (edges.stops & (edges.before <= NEAR)).sum(axis=0)
    outside = np.array([in_weekend(minutes - int(HOUR * hours)).sum() for hours in OFFSETS])
    score = np.where(outside <= STRAYS * len(minutes), touched - np.where(OFFSETS % 1 != 0, 0.5, 0.0), -1.0)
    best = score.max()
    return float(OFFSETS[np.argmax(score)]) if best >= 1 and (score == best).sum() == 1 else None


def parse_zone(text: str) -> float | ZoneInfo | None:
    """``--zone`` as hours from UTC or a named zone; None for "auto". Raises ``ValueError`` if it is neither.

    >>> parse_zone("-03:30"), parse_zone("utc"), parse_zone("Europe/Athens")
    (-3.5, 0.0, zoneinfo.ZoneInfo(key='Europe/Athens'))
    """
    plain = text.strip()
    if plain.lower() == "auto":
        return None
    if plain.lower() in ("utc", "gmt", "z"):
        return 0.0
    found = re.fullmatch(r"(?i)(?:utc|gmt)?([+-]?)(\d{1,2})(?::?([0-5]\d))?", plain)
    if found:
        hours = int(found[2]) + int(found[3] or 0) / 60
        if hours <= 14:
            return -hours if found[1] == "-" else hours
    try:
        return ZoneInfo(plain)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        expected = "expected an offset (+2, -05:00), a zone (Europe/Athens), utc or auto"
        raise ValueError(f"unknown --zone {text!r}, {expected}") from None
