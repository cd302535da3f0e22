"""Taking one file: recognised, parsed, judged, placed in UTC, made minute bars; or refused with all reasons at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.sources.belief import (
    STRAY,
    Claim,
    disbelief,
    few_strays,
    stamped_at_close,
    stray_notes,
    too_many_strays,
    trusted_note,
    weekend_bars,
)
from fxloom.sources.filler import filler
from fxloom.sources.instrument import digits_of, no_pair, price_range
from fxloom.sources.layout import Layout
from fxloom.sources.local import placed
from fxloom.sources.minutes import aggregated, bars_of, kind_of, mid_values, one_a_minute, open_minutes, step_of
from fxloom.sources.options import ReadOptions
from fxloom.sources.parsing import Parsed
from fxloom.sources.records import Quarantined, Refused, SourceFile, Zone
from fxloom.sources.rows import GOOD, Rows
from fxloom.sources.rules import judged
from fxloom.sources.times import MINUTE, MISSING
from fxloom.sources.walk import Entry
from fxloom.sources.zone import offset_periods, told_by_weeks


@dataclass
class Known:
    """What is known of a file so far, for the words of a refusal."""

    format: str | None = None
    pair: str | None = None
    kind: str | None = None
    zone: Zone | None = None
    quarantined: tuple[Quarantined, ...] = ()


def take(entry: Entry, source: Parsed, options: ReadOptions, known: Known) -> SourceFile:
    """The file's bars. Raises ``Refused`` with every problem that stands in the way, so that one cure is enough."""
    layout, known.format, known.pair = source.layout, source.layout.format, source.pair
    rows = judged(_completed(source.rows, layout), layout, *price_range(known.pair))
    known.quarantined = rows.quarantined()
    good = rows.take(rows.fault == GOOD)
    problems = [*_pair_problem(known.pair, entry), *_price_problem(rows, layout, known.pair)]
    timely = rows.take(rows.local != MISSING)
    side, step = _side_of(layout, entry.hints), 0 if layout.are_ticks else step_of(timely.local)
    known.kind = kind_of(layout, step, side)
    problems += _kind_problem(known.kind, step, side)
    timed = _timed(good if len(good) else timely, layout, options, step, problems)
    if timed is not None:
        known.zone = timed.zone
    if not len(good) and not problems:
        problems = [_nothing_good(known.quarantined)]
    if problems or timed is None:
        raise _combined(problems)
    return _finished(entry, rows, layout, step, _opened(timed, layout, options), known)


def _completed(rows: Rows, layout: Layout) -> Rows:
    """``rows`` with tick volume where the volume is 0, and quotes carried on where the format leaves them out."""
    values = dict(rows.values)
    if "ticks" in values:
        ticks = values.pop("ticks")
        volume = values["volume"]
        values["volume"] = np.where((volume == 0) | np.isnan(volume), ticks, volume)
    for role in layout.prices if layout.carried else ():
        column = values[role]
        last = np.maximum.accumulate(np.where(np.isnan(column), 0, np.arange(len(column))))
        values[role] = column[last]
    return replace(rows, values=values)


def _pair_problem(pair: str | None, entry: Entry) -> list[Refused]:
    return [] if pair else [Refused(no_pair(entry.hints[0]), "say --pair eurusd if it is one")]


def _price_problem(rows: Rows, layout: Layout, pair: str | None) -> list[Refused]:
    """A file most of whose prices no pair has, or not this one."""
    low, high = price_range(pair)
    column = rows.values[layout.prices[-1]]
    out = (column < low) | (column > high)
    if 2 * int(out.sum()) <= len(column):
        return []
    example = column[int(np.argmax(out))]
    whose = pair or "any of the 28 pairs"
    return [Refused(f"its prices (such as {example:g}) are none of {whose}", "only the 28 pairs, in full prices")]


def _nothing_good(bad: tuple[Quarantined, ...]) -> Refused:
    first = bad[0]
    return Refused(f"none of its {len(bad):,} rows can be used ({first.reason})", "export it again", first.line)


def _combined(problems: list[Refused]) -> Refused:
    """One refusal of several reasons, with the cures for all."""
    cures = dict.fromkeys(problem.cure for problem in problems if problem.cure)
    return Refused("; ".join(p.reason for p in problems), "; ".join(cures), problems[0].line)


def _side_of(layout: Layout, hints: tuple[str, ...]) -> str | None:
    """The side of plain bars that their columns or the file's name tell."""
    if layout.what != "bars" or layout.one_side:
        return layout.one_side
    said = set(re.findall(r"(?<![a-z])(bid|ask|mid)(?![a-z])", hints[0].lower()))
    return said.pop() if len(said) == 1 else None


def _kind_problem(kind: str, step: int, side: str | None) -> list[Refused]:
    if step > 60:
        return [Refused(f"{kind}: coarser than a minute", "export one-minute bars")]
    if side == "ask":
        return [Refused("bars of the ask only", "give those of the bid, or a file with both")]
    return []


@dataclass(frozen=True, eq=False)
class Timed:
    """Good rows in the order of time: UTC microseconds, UTC minute, hours from UTC; which are filler; whose word."""

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
        """Its minutes, filler left out, at the offsets that were named or found."""
        ts, first = np.unique(self.ts[~self.filler], return_index=True)
        return Claim(ts, self.hours[~self.filler][first], self.why, by_user)


def _timed(good: Rows, layout: Layout, options: ReadOptions, step: int, problems: list[Refused]) -> Timed | None:
    """``good`` placed in UTC; where its zone is unknown or not believed, that is added to ``problems``."""
    place = placed(good, layout, options.offset)
    notes = _shuffled(good.local)
    micro = good.local if place is None else place.utc
    order = np.argsort(micro, kind="stable")
    rows, micro = (good if place is None else place.rows).take(order), micro[order]
    closes = options.stamp == "close" and not layout.are_ticks
    clock = open_minutes(micro, closes=closes)
    copies = np.zeros(len(rows), np.bool_) if layout.are_ticks else filler(clock, mid_values(rows.values, layout))
    if place is not None:
        timed = Timed(rows, micro, clock, place.hours[order], copies, place.why, (*notes, *place.notes))
        return timed if step > 60 else _believed(timed, options, problems)
    if step > 60 or not len(rows) or (problems and not (good.fault == GOOD).all()):
        return None
    try:
        offsets = told_by_weeks(np.unique(clock[~copies]))
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
    """``timed`` if its weeks allow the zone that was named, or the user trusts it all the same."""
    claim = timed.claim(by_user=options.offset is not None)
    doubt = disbelief(claim) if len(claim.utc) else None
    if doubt is None:
        return _without_strays(timed)
    if options.trust_zone:
        return replace(timed, notes=(*timed.notes, trusted_note(claim, doubt)))
    problems.append(doubt)
    return None


def _without_strays(timed: Timed) -> Timed:
    minutes = np.unique(timed.ts[~timed.filler])
    outside = np.isin(timed.ts, minutes[weekend_bars(minutes)]) & ~timed.filler
    return replace(timed, rows=timed.rows.blamed(outside, STRAY), notes=(*timed.notes, *stray_notes(minutes)))


def _opened(timed: Timed, layout: Layout, options: ReadOptions) -> Timed:
    """``timed`` with times that are visibly those of closes turned into those of opens."""
    if options.stamp != "auto" or layout.are_ticks:
        return timed
    if not stamped_at_close(np.unique(timed.ts[(timed.rows.fault == GOOD) & ~timed.filler])):
        return timed
    note = "its times are those of the bars' closes (weeks end at 17:00 and begin at 17:01, New York): moved back"
    return replace(timed, utc=timed.utc - 1, ts=open_minutes(timed.utc, closes=True), notes=(*timed.notes, note))


def _shuffled(local: Ints) -> tuple[str, ...]:
    back = int((np.diff(local) < 0).sum())
    return (f"not in the order of time (steps back {back:,} times): sorted",) if back else ()


def _finished(entry: Entry, rows: Rows, layout: Layout, step: int, timed: Timed, known: Known) -> SourceFile:
    usable = (timed.rows.fault == GOOD) & ~timed.filler
    kept, ts = timed.rows.take(usable), timed.ts[usable]
    prices = np.concatenate([kept.values[role][:20_000] for role in layout.prices])
    digits = digits_of(prices) if len(kept) else 5
    identical = 0
    if not layout.are_ticks:
        kept, again = one_a_minute(kept, ts if step == 60 else timed.utc[usable])
        identical = int(again.sum())
        late = kept.take(kept.fault != GOOD)
        ts, kept = ts[(kept.fault == GOOD) & ~again], kept.take((kept.fault == GOOD) & ~again)
    else:
        late = kept.take(slice(0, 0))
    values, notes = _in_prices(mid_values(kept.values, layout), layout, digits)
    if step != 60:
        ts, values = aggregated(ts, values)
    bad = (*known.quarantined, *timed.rows.quarantined(), *late.quarantined())
    copies = timed.rows.line[timed.filler]
    if not len(ts) or known.pair is None or known.kind is None:
        raise Refused("holds filler only", "export it again")
    return SourceFile(
        entry.name, layout.format, known.pair, known.kind, bars_of(ts, values), timed.zone, digits,
        "mid" if layout.side == "mid" or layout.one_side == "mid" else "bid", len(rows), len(copies),
        tuple(f"line {line}: {rows.raw(int(line))}" for line in copies[:3]), identical,
        tuple(sorted(bad, key=lambda q: q.line)), (*timed.notes, *notes),
    )  # fmt: skip


def _in_prices(values: dict[str, Floats], layout: Layout, digits: int) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """``values`` with a spread that is in points turned into prices."""
    spread = values.get("spread")
    if spread is None or layout.what != "bars" or np.isnan(spread).all():
        return values, ()
    whole = bool((spread == np.rint(spread)).all() and (spread > 0).any())
    if not layout.points and not whole:
        return values, ()
    notes = () if layout.points else ("the spread is in whole numbers: taken as points of the last digit",)
    return values | {"spread": spread / 10.0**digits}, notes
