"""Ingests users' files: accepts or refuses each one, merges it by month, settles new pairs, and reports."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from fxloom.bars.bars import Bars
from fxloom.bars.months import month_bounds, months_of
from fxloom.engine.partitions import Settings
from fxloom.run.contradictions import contradiction
from fxloom.run.merging import Merge, merged, refusal_of
from fxloom.run.reading import Progress, read_files
from fxloom.run.settling import IngestOptions, drop_unsettled, no_base, settle
from fxloom.sources import ReadOptions
from fxloom.sources.records import FileResult, Ignored, Quarantined, Refused, SourceFile
from fxloom.stores.addresses import is_database, refuse_foreign_address
from fxloom.stores.base import CorruptError, Store, StoreError

DEFAULT_READING, DEFAULT_OPTIONS = ReadOptions(), IngestOptions()
MANY_MONTHS, WRITERS = 4, 4  # so many months of one file are written by so many threads
SHOWN = 3  # examples of each kind in a report


@dataclass(frozen=True)
class FileReport:
    """What happened to one file. ``Merge`` explains the counts of bars; ``set_aside`` counts weekend filler."""

    name: str
    pair: str = ""
    format: str = ""
    kind: str = ""
    rows: int = 0
    new: int = 0
    identical: int = 0
    completed: int = 0
    conflicting: int = 0
    replaced: int = 0
    set_aside: int = 0
    quarantined: int = 0
    quarantine: str = ""
    examples: tuple[str, ...] = ()
    zone: str = ""
    refused: str = ""
    ignored: str = ""
    notes: tuple[str, ...] = ()


def ingest(
    store: Store,
    paths: Sequence[str | Path],
    reading: ReadOptions = DEFAULT_READING,
    options: IngestOptions = DEFAULT_OPTIONS,
    wait: float = 0.0,
    on_file: Callable[[FileReport], None] = lambda _: None,
    workers: int | None = None,
    on_progress: Progress = lambda _, __: None,
) -> list[FileReport]:
    """Store the bars of the files in ``paths``; returns one report per file, also passed to ``on_file``.

    Files are read in order of their paths, whatever the order of ``paths``, and in up to ``workers`` processes (None:
    one per processor) if there is much to read; the store and the reports are the same in all cases. A refused file
    leaves nothing behind and does not stop the others. ``wait``: seconds to wait for another writer. ``on_progress``
    receives the number of files read and of those known.
    StoreError if a path does not exist or the store cannot be written, LockedError if another writer holds it.
    """
    for path in paths:
        refuse_foreign_address(path)
        if not str(path).strip():
            raise StoreError("a path is empty: pass a file or a folder")
    missing = [str(p) for p in paths if not is_database(p) and not Path(p).exists()]
    if missing:
        raise StoreError(f"no such file or folder: {', '.join(missing)}")
    reports: list[FileReport] = []

    def report(done: FileReport) -> None:
        reports.append(done)
        on_file(done)

    with store.exclusive("ingest", wait):
        run = _Ingest(store, options)
        for outcome in read_files(paths, reading, workers, on_progress):
            if (done := run.take(outcome)) is not None:
                report(done)
        for done in run.finish():
            report(done)
        settle(store, run.touched, options)
    return reports


@dataclass
class _Ingest:
    """The state of one ingest while it handles its files one by one.

    Pairs are settled at the end, from the bars stored by then. Until then no reader sees a new pair, and if the ingest
    is killed, the next one settles it.
    """

    store: Store
    options: IngestOptions
    touched: set[str] = field(default_factory=set)
    sides: dict[str, str] = field(default_factory=dict)
    based: set[str] = field(default_factory=set)
    waiting: dict[str, list[FileReport]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = self.store.settings()

    def take(self, outcome: FileResult) -> FileReport | None:
        """Store the bars of one file; returns None if its report depends on other files of its pair."""
        if isinstance(outcome, Ignored):
            return FileReport(outcome.name, ignored=outcome.reason)
        if isinstance(outcome, Refused):
            why = str(outcome).removeprefix(f"{outcome.name}: ")
            return self._refused(FileReport(outcome.name, outcome.pair or "", refused=why), outcome.quarantined)
        refusal = self._side_refusal(outcome)
        notes: list[str] = []
        if not refusal and not self.options.trust_prices:
            refusal, notes = contradiction(self.store, outcome)
        if refusal:
            return self._refused(replace(_report(outcome, [], ()), refused=refusal), outcome.quarantined)
        merges = {month: self._merge(outcome, month) for month in months_of(outcome.bars.ts)}
        if refusal := refusal_of([merge for merge, _ in merges.values()]):
            return self._refused(replace(_report(outcome, [], ()), refused=refusal), outcome.quarantined)
        return self._store(replace(outcome, notes=(*outcome.notes, *notes)), merges)

    def _refused(self, report: FileReport, quarantined: Sequence[Quarantined]) -> FileReport:
        """``report`` with the offending rows, which are kept only if the store exists: a refusal does not create it."""
        rows = tuple(map(_shown, quarantined[:SHOWN]))
        kept = _keep_quarantined(self.store, report.name, quarantined) if self.settings is not None else ""
        return replace(report, examples=rows, quarantined=len(quarantined), quarantine=kept)

    def _side_refusal(self, file: SourceFile) -> str:
        side = self._side_of(file.pair)
        if side in ("", file.price_side) or not len(file.bars):
            return ""
        return (
            f"{file.pair} is stored at {side} prices, but this file has {file.price_side} prices: keep it in a "
            "separate store"
        )

    def _side_of(self, pair: str) -> str:
        """The side ("bid", "mid") of the stored prices of ``pair``, "" if it has none."""
        if self.settings is not None and pair in self.settings.pairs:
            return self.settings.pairs[pair].price_side
        if pair not in self.sides:
            self.sides[pair] = next(iter(sorted(self.store.price_sides(pair))), "")
        return self.sides[pair]

    def _merge(self, file: SourceFile, month: str) -> tuple[Merge, CorruptError | None]:
        """A month of ``file`` merged with the stored bars, or alone if those are corrupt, and the error."""
        start, end = month_bounds(month)
        incoming = file.bars.between(start, end)
        try:
            stored, corruption = self.store.read_bars(file.pair, start, end), None
        except CorruptError as error:
            stored, corruption = incoming.take(slice(0, 0)), error
        return merged(self._with_volume(file.pair, stored), incoming, self.options.replace), corruption

    def _with_volume(self, pair: str, stored: Bars) -> Bars:
        """``stored`` without an all-zero volume, if the pair was settled without: a file may then complete it."""
        info = self.settings.pairs.get(pair) if self.settings is not None else None
        settled = info is not None and info.has_volume
        if settled or stored.volume is None or bool(np.any(stored.volume > 0)):
            return stored
        return replace(stored, volume=None)

    def _store(self, file: SourceFile, merges: dict[str, tuple[Merge, CorruptError | None]]) -> FileReport | None:
        if self.settings is None:
            self.settings = Settings()
            self.store.write_settings(self.settings)
        notes = self._write_months(file, merges)
        self.touched.add(file.pair)
        self.sides.setdefault(file.pair, "")
        self.sides[file.pair] = self.sides[file.pair] or file.price_side
        kept = _keep_quarantined(self.store, file.name, file.quarantined)
        found = [merge for merge, _ in merges.values()]
        report = replace(_report(file, found, (*notes, *self._unused(file))), quarantine=kept)
        return None if self._waits(file, report) else report

    def _write_months(self, file: SourceFile, merges: dict[str, tuple[Merge, CorruptError | None]]) -> list[str]:
        """Write the months that changed; returns notes on those that were corrupt."""

        def write(month: str) -> str:
            merge, corruption = merges[month]
            note = "" if corruption is None else self._set_aside(file.pair, month, corruption)
            if self.store.external_bars:
                self.store.write_bars(file.pair, month, file.bars.between(*month_bounds(month)), file.price_side)
            elif merge.changes:
                self.store.write_bars(file.pair, month, merge.bars, file.price_side)
            return note

        if not self.store.parallel_writes or len(merges) < MANY_MONTHS:
            return list(filter(None, map(write, merges)))
        with ThreadPoolExecutor(WRITERS) as writers:  # most of the time goes into waiting for the disk
            return list(filter(None, writers.map(write, merges)))

    def _set_aside(self, pair: str, month: str, corruption: CorruptError) -> str:
        """Remove a corrupt month from the store; returns a note for the user."""
        if self.store.external_bars:
            return f"the bars of {pair} {month} in the tables changed since the last ingest: summaries updated"
        kept = self.store.set_bars_aside(pair, month)
        where = f"its file is kept as {kept}" if kept else "it was removed"
        return f"the stored bars of {pair} {month} were corrupt, {where}; this file's bars replace them ({corruption})"

    def _unused(self, file: SourceFile) -> Iterator[str]:
        """Notes on volume or quotes that the file has although the pair was settled without them."""
        info = self.settings.pairs.get(file.pair) if self.settings is not None else None
        if info is None:
            return
        bars = file.bars
        if not info.has_volume and self.options.volume is None and bars.volume is not None and np.any(bars.volume > 0):
            yield _unused_note("volume", file.pair)
        if not info.has_quotes and self.options.quotes is None and bars.spread is not None:
            yield _unused_note("quotes", file.pair)

    def _waits(self, file: SourceFile, report: FileReport) -> bool:
        """Whether the file's pair is new and has no bar yet from which its rate index could start."""
        settings = self.settings
        if settings is None or settings.baseline is None or file.pair in settings.pairs or not len(file.bars):
            return False
        if int(file.bars.ts[-1]) >= settings.baseline:
            self.based.add(file.pair)
        if file.pair in self.based:
            return False
        self.waiting.setdefault(file.pair, []).append(report)
        return True

    def finish(self) -> Iterator[FileReport]:
        """The deferred reports; the bars of pairs that still have no base are removed again."""
        settings = self.settings
        if settings is None or settings.baseline is None:
            return
        for pair, reports in self.waiting.items():
            base = any(days[-1].last >= settings.baseline for days in self.store.bar_months(pair).values())
            for report in reports:
                yield report if base else FileReport(report.name, pair, refused=no_base(pair, settings))
            if not base:
                self.touched.discard(pair)
                drop_unsettled(self.store, settings, pair)


def _unused_note(what: str, pair: str) -> str:
    were = "were" if what == "quotes" else "was"
    return (
        f"its {what} {were} stored but not used, since {pair} was settled without {what}: run `fxloom ingest "
        f"--{what} yes` with this or any file of {pair}, then populate"
    )


def _shown(row: Quarantined) -> str:
    return f"line {row.line}: {row.reason}: {row.raw[:80]}"


def _report(file: SourceFile, merges: Sequence[Merge], notes: Sequence[str]) -> FileReport:
    conflicts = [example for m in merges for example in m.examples][:SHOWN]
    return FileReport(
        file.name,
        file.pair,
        file.format,
        file.kind,
        rows=file.rows,
        new=sum(m.new for m in merges),
        identical=file.identical + sum(m.identical for m in merges),
        completed=sum(m.completed for m in merges),
        conflicting=sum(m.conflicting for m in merges),
        replaced=sum(m.replaced for m in merges),
        set_aside=file.filler,
        quarantined=len(file.quarantined),
        examples=(*map(_shown, file.quarantined[:SHOWN]), *file.filler_examples[:2], *conflicts),
        zone=str(file.zone),
        notes=(*file.notes, *notes),
    )


def _keep_quarantined(store: Store, name: str, rows: Sequence[Quarantined]) -> str:
    """Write the rows to the store's quarantine; the same rows of the same file always go to the same place."""
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
