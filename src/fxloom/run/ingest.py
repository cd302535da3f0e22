"""From users' files to stored bars: settle the settings once, merge month by month, quarantine, report."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from fxloom.bars.bars import Bars, Flags
from fxloom.bars.months import iso, month_bounds, month_of, months_of
from fxloom.bars.pairs import PairInfo
from fxloom.engine.partitions import Settings
from fxloom.sources import ReadOptions, read
from fxloom.sources.records import FileResult, Ignored, Quarantined, Refused, SourceFile
from fxloom.stores.base import CorruptError, Store, StoreError


@dataclass(frozen=True)
class IngestOptions:
    """What the user settles against what would be found: see ``fxloom ingest --help``."""

    replace: bool = False
    volume: bool | None = None
    quotes: bool | None = None


AS_FOUND = ReadOptions()


@dataclass(frozen=True)
class FileReport:
    """What became of one file."""

    name: str
    pair: str = ""
    format: str = ""
    kind: str = ""
    rows: int = 0
    new: int = 0
    identical: int = 0
    conflicting: int = 0
    set_aside: int = 0
    quarantined: int = 0
    quarantine: str = ""
    examples: tuple[str, ...] = ()
    zone: str = ""
    refused: str = ""
    ignored: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Merge:
    """Bars of one file against the stored ones of a month."""

    bars: Bars
    new: int
    identical: int
    conflicting: int
    examples: tuple[str, ...] = ()
    note: str = ""


@dataclass
class Facts:
    """What the first ingest of a pair settles, gathered over its files."""

    first: tuple[int, float] | None = None
    has_volume: bool = False
    has_quotes: bool = False
    side: str = ""
    bars: list[tuple[int, float]] = field(default_factory=list)


def ingest(
    store: Store,
    paths: Sequence[str | Path],
    reading: ReadOptions = AS_FOUND,
    options: IngestOptions = IngestOptions(),
    wait: float = 0.0,
    on_file: Callable[[FileReport], None] = lambda _: None,
) -> list[FileReport]:
    """Bring the bars of ``paths`` into ``store``; a file that is refused does not stop the others."""
    missing = [str(p) for p in paths if not is_database(p) and not Path(p).exists()]
    if missing:
        raise StoreError(f"no such file or folder: {', '.join(missing)}")
    with store.exclusive("ingest", wait):
        settings = _settled(store, paths, reading, options)
        reports = []
        for outcome in _read(paths, reading):
            report = _take(store, settings, outcome, options)
            reports.append(report)
            on_file(report)
    return reports


def is_database(path: str | Path) -> bool:
    """Whether ``path`` is the URL of a database whose tables hold bars."""
    return str(path).startswith(("postgresql://", "postgres://"))


def _read(paths: Sequence[str | Path], reading: ReadOptions) -> Iterator[FileResult]:
    for path in paths:
        if is_database(path):
            from fxloom.stores.postgres.source import read_tables

            yield from read_tables(str(path), reading.pair)
        else:
            yield from read(path, reading)


# -- settling --------------------------------------------------------------------------------------------------------


def _settled(store: Store, paths: Sequence[str | Path], reading: ReadOptions, options: IngestOptions) -> Settings:
    """The settings with the baseline and the infos of every pair of ``paths``, recorded before any bar is written."""
    before = store.settings() or Settings()
    taken: dict[str, Facts] = {}
    for outcome in _read(paths, reading):
        if isinstance(outcome, SourceFile) and outcome.pair not in before.pairs and len(outcome.bars):
            _gather(taken.setdefault(outcome.pair, Facts()), outcome, before.baseline)
    settings = before
    if settings.baseline is None and taken:
        earliest = min(facts.first[0] for facts in taken.values() if facts.first)
        settings = replace(settings, baseline=month_bounds(month_of(earliest))[0])
    for pair, facts in taken.items():
        if facts.first is not None and settings.baseline is not None and facts.bars:
            settings = settings.with_pair(pair, _info(facts, options))
    if options.volume is not None or options.quotes is not None:
        settings = _told_otherwise(settings, paths, reading, options)
    if settings != before or store.settings() is None:
        store.write_settings(settings)
    return settings


def _gather(facts: Facts, file: SourceFile, baseline: int | None) -> None:
    bars = file.bars
    facts.has_volume |= bars.volume is not None and bool(np.any(bars.volume > 0))
    facts.has_quotes |= bars.spread is not None
    facts.side = facts.side or file.price_side
    first = (int(bars.ts[0]), float(bars.close[0]))
    facts.first = min(facts.first, first, key=lambda f: f[0]) if facts.first else first
    after = int(np.searchsorted(bars.ts, baseline)) if baseline is not None else 0
    if after < len(bars):  # the file's first bar at or after the baseline; without one yet, the earliest of all
        facts.bars.append((int(bars.ts[after]), float(bars.close[after])))


def _info(facts: Facts, options: IngestOptions) -> PairInfo:
    _, close = min(facts.bars, key=lambda bar: bar[0])
    volume = facts.has_volume if options.volume is None else options.volume
    quotes = facts.has_quotes if options.quotes is None else options.quotes
    return PairInfo(close, volume, quotes, facts.side)


def _told_otherwise(
    settings: Settings, paths: Sequence[str | Path], reading: ReadOptions, options: IngestOptions
) -> Settings:
    """Settings in which the pairs of ``paths`` have volume and quotes as the user says."""
    pairs = {o.pair for o in _read(paths, reading) if isinstance(o, SourceFile)} & set(settings.pairs)
    for pair in pairs:
        info = settings.pairs[pair]
        volume = info.has_volume if options.volume is None else options.volume
        quotes = info.has_quotes if options.quotes is None else options.quotes
        settings = settings.with_pair(pair, replace(info, has_volume=volume, has_quotes=quotes))
    return settings


def rebase(store: Store, baseline: int | None, pairs: Sequence[str] | None = None) -> Settings:
    """Settle the baseline price of ``pairs`` (all) anew, from the stored bars; their features become stale."""
    settings = store.settings()
    if settings is None or not settings.pairs:
        raise StoreError(f"{store.url} has no bars to rebase")
    if baseline is not None:
        settings = replace(settings, baseline=baseline)
    for pair in pairs or list(settings.pairs):
        first = settings.baseline or 0
        months = [m for m in store.bar_months(pair) if month_bounds(m)[1] > first]
        bars = store.read_bars(pair, first, month_bounds(months[0])[1]) if months else None
        if bars is None or not len(bars):
            raise StoreError(f"{pair} has no bar at or after {iso(first)}: choose an earlier baseline")
        info = replace(settings.pairs[pair], baseline=float(bars.close[0]))
        settings = settings.with_pair(pair, info)
    store.write_settings(settings)
    return settings


# -- taking a file ---------------------------------------------------------------------------------------------------


def _take(store: Store, settings: Settings, outcome: FileResult, options: IngestOptions) -> FileReport:
    if isinstance(outcome, Ignored):
        return FileReport(outcome.name, ignored=outcome.reason)
    if isinstance(outcome, Refused):
        kept = _keep_quarantined(store, outcome.name, outcome.quarantined)
        why = str(outcome).removeprefix(f"{outcome.name}: ")
        return FileReport(outcome.name, outcome.pair or "", refused=why, quarantine=kept)
    if len(outcome.bars) and (refusal := _refusal(settings, outcome)):
        return replace(_report(outcome, [], ""), refused=refusal)
    kept = _keep_quarantined(store, outcome.name, outcome.quarantined)
    merges = [_merge_month(store, outcome, month, options.replace) for month in months_of(outcome.bars.ts)]
    return _report(outcome, merges, kept)


def _refusal(settings: Settings, file: SourceFile) -> str:
    info = settings.pairs.get(file.pair)
    if info is None:
        when = iso(settings.baseline or 0)
        return (
            f"{file.pair} has no bar at or after the baseline time {when}, so its rate index has no base: ingest later "
            "bars with it, or make a store with `fxloom init --baseline` at an earlier date"
        )
    if info.price_side != file.price_side:
        return (
            f"{file.pair} is kept at {info.price_side} prices, this file has {file.price_side} prices: "
            "keep it in a store of its own"
        )
    return ""


def _merge_month(store: Store, file: SourceFile, month: str, newer_wins: bool) -> Merge:
    start, end = month_bounds(month)
    incoming = file.bars.between(start, end)
    try:
        stored, note = store.read_bars(file.pair, start, end), ""
    except CorruptError as error:  # a damaged month is replaced by what is at hand
        stored, note = incoming.take(slice(0, 0)), _set_aside(store, file.pair, month, error)
    merge = merged(stored, incoming, newer_wins)
    if store.borrows:
        store.write_bars(file.pair, month, incoming)
    elif merge.new or (newer_wins and merge.conflicting):
        store.write_bars(file.pair, month, merge.bars)
    return replace(merge, note=note)


def _set_aside(store: Store, pair: str, month: str, error: CorruptError) -> str:
    """Take a damaged month out of the store; returns what the user is to know of it."""
    kept = store.drop_bars(pair, month)
    where = f"its file is kept as {kept}" if kept else "it was removed"
    return f"the stored bars of {pair} {month} were damaged, {where}; now it has the bars of this file alone ({error})"


def merged(stored: Bars, incoming: Bars, newer_wins: bool = False) -> Merge:
    """``stored`` and ``incoming`` as one; a stored bar wins over a conflicting one unless ``newer_wins``."""
    at = np.searchsorted(stored.ts, incoming.ts)
    known = np.zeros(len(incoming), np.bool_)
    inside = at < len(stored)
    known[inside] = stored.ts[at[inside]] == incoming.ts[inside]
    same = np.zeros(len(incoming), np.bool_)
    same[known] = _equal(stored.take(at[known]), incoming.take(known))
    conflicting = known & ~same
    take = ~known | conflicting if newer_wins else ~known
    keep = np.ones(len(stored), np.bool_)
    if newer_wins:
        keep[at[conflicting]] = False
    examples = tuple(
        f"{iso(int(incoming.ts[i]))}: stored close {stored.close[at[i]]:g}, this file {incoming.close[i]:g}"
        for i in np.flatnonzero(conflicting)[:3]
    )
    bars = _union(stored.take(keep), incoming.take(take))
    return Merge(bars, int((~known).sum()), int(same.sum()), int(conflicting.sum()), examples)


def _equal(a: Bars, b: Bars) -> Flags:
    """Where prices agree, and volume and spread where both have them."""
    same = np.ones(len(a), np.bool_)
    for name in ("open", "high", "low", "close", "volume", "spread"):
        left, right = getattr(a, name), getattr(b, name)
        if left is not None and right is not None:
            # a spread is a difference of quotes: its last bits depend on how it was written
            close = np.isclose(left, right, rtol=1e-9, atol=1e-12) if name == "spread" else left == right
            same &= close | (np.isnan(left) & np.isnan(right))
    return same


def _union(a: Bars, b: Bars) -> Bars:
    from fxloom.stores.frames import joined

    both = joined([a, b])
    return both.take(np.argsort(both.ts, kind="stable"))


def _report(file: SourceFile, merges: Sequence[Merge], kept: str) -> FileReport:
    quarantined = [f"line {q.line}: {q.reason}: {q.raw[:80]}" for q in file.quarantined[:3]]
    conflicts = [example for m in merges for example in m.examples][:3]
    return FileReport(
        file.name,
        file.pair,
        file.format,
        file.kind,
        rows=file.rows,
        new=sum(m.new for m in merges),
        identical=file.identical + sum(m.identical for m in merges),
        conflicting=sum(m.conflicting for m in merges),
        set_aside=file.filler,
        quarantined=len(file.quarantined),
        quarantine=kept,
        examples=(*quarantined, *file.filler_examples[:2], *conflicts),
        zone=str(file.zone),
        notes=(*file.notes, *(m.note for m in merges if m.note)),
    )


def _keep_quarantined(store: Store, name: str, rows: Sequence[Quarantined]) -> str:
    """Write the rows to the store's quarantine; the same rows of the same file go to the same place."""
    if not rows:
        return ""
    frame = pl.DataFrame(
        {
            "file": [name] * len(rows),
            "line": [r.line for r in rows],
            "reason": [r.reason for r in rows],
            "text": [r.raw for r in rows],
        }
    )
    digest = hashlib.blake2b(frame.write_csv().encode(), digest_size=4).hexdigest()
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(name).name)[:80]
    return store.quarantine(frame, f"{plain}-{digest}")
