"""The commands that write a store: init, ingest, populate, copy."""

from __future__ import annotations

import time
from argparse import Namespace
from dataclasses import asdict

from fxloom import api
from fxloom.cli.show import Progress, Screen

DONE, FAILED = 0, 1
COUNTED = ("done", "refused", "failed")


def init(options: Namespace, screen: Screen) -> int:
    """Write a store's settings, recalculate its baselines, or print its DDL."""
    if options.ddl:
        text = api.ddl(options.store, options.dtype)
        screen.say(text)
        screen.result({"ddl": text})
        return DONE
    store = api.open_store(options.store)
    settings = store.rebase(options.baseline) if options.rebase else store.init(options.baseline, options.dtype)
    when = "the month of the first ingest" if settings.baseline is None else api.iso(settings.baseline)
    screen.say(f"{store.url}: baseline {when}, features as {settings.dtype}, {len(settings.pairs)} pairs")
    screen.result(asdict(settings))
    return DONE


# -- ingest ----------------------------------------------------------------------------------------------------------


def ingest(options: Namespace, screen: Screen) -> int:
    """Ingest files; the exit status is 0 only if every file was accepted."""
    read = api.ReadOptions(options.pair, options.format, options.zone, options.stamp, options.trust_zone)
    how = api.IngestOptions(options.replace, _yes(options.volume), _yes(options.quotes), options.trust_prices)
    store = api.open_store(options.store)
    with _FilesBar(screen) as bar:
        reports = store.ingest(
            options.paths, read, how, options.wait, lambda report: _show_file(report, screen), options.workers, bar.show
        )
    taken = [r for r in reports if not r.refused and not r.ignored]
    refused = [r for r in reports if r.refused]
    total = sum(r.new for r in taken)
    screen.say(f"{len(taken)} files ingested, {len(refused)} refused; {total:,} new bars in {store.url}")
    screen.result({"files": reports, "taken": len(taken), "refused": len(refused), "new": total})
    return FAILED if refused or not taken else DONE


class _FilesBar:
    """The progress of ingest: a bar of files if there are several."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.bar: Progress | None = None
        self.done = 0

    def __enter__(self) -> _FilesBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, done: int, known: int) -> None:
        """Draw that ``done`` of the ``known`` files have been read."""
        if self.bar is None and known > 1:
            self.bar = self.screen.start_progress("ingest", known)
        if self.bar is not None:
            self.bar.expect(known)
            self.bar.advance(done - self.done)
        self.done = done


def _yes(choice: str | None) -> bool | None:
    return None if choice is None else choice == "yes"


def _show_file(report: api.FileReport, screen: Screen) -> None:
    if report.refused:
        screen.say(f"{report.name}: REFUSED: {report.refused}")
        for line in report.examples:
            screen.say(f"    {line}")
        return
    if report.ignored:
        screen.say(f"{report.name}: ignored: {report.ignored}")
        return
    counts = {
        "rows": report.rows, "new": report.new, "identical": report.identical, "completed": report.completed,
        "replaced": report.replaced, "conflicting": report.conflicting, "set aside": report.set_aside,
        "quarantined": report.quarantined,
    }  # fmt: skip
    counted = ", ".join(f"{n:,} {what}" for what, n in counts.items() if n or what in ("rows", "new"))
    screen.say(f"{report.name}: {report.pair}, {report.kind}: {counted}")
    screen.say(f"    zone: {report.zone}")
    for line in (*report.notes, *report.examples):
        screen.say(f"    {line}")
    if report.quarantine:
        screen.say(f"    quarantined rows are in {report.quarantine}")


# -- populate --------------------------------------------------------------------------------------------------------


def populate(options: Namespace, screen: Screen) -> int:
    """Compute what is missing or stale; the exit status is 0 only if every partition was written."""
    store = api.open_store(options.store, options.adopt)
    if options.plan:
        return _show_plan(store, store.plan(options.pairs, options.months, options.tables, options.force), screen)
    began = time.monotonic()
    with _Bars(screen) as bars:
        summary = store.populate(
            options.pairs, options.months, options.tables, options.workers, options.force, options.wait, bars.show
        )
    return _sum_up(summary, time.monotonic() - began, screen)


class _Bars:
    """The progress of populate: one bar for compilation, if needed, and one for partitions."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.total = 0
        self.bar: Progress | None = None

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def show(self, event: api.Event) -> None:
        """Draw what ``event`` reports."""
        if isinstance(event, api.Planned):
            self.screen.say(_described(event.plan, event.estimate))
            self.total = sum(len(task.partitions) for task in event.plan.tasks)
        elif isinstance(event, api.Compiled):
            self._compiled(event)
        else:
            if self.bar is None:
                self.bar = self.screen.start_progress("populate", self.total)
            self.bar.advance(len(event.results))

    def _compiled(self, event: api.Compiled) -> None:
        if event.done == 0:
            self.screen.say("compiling the kernels: about a minute, once on this machine")
            self.bar = self.screen.start_progress("compile", event.total)
            return
        if self.bar is not None:
            self.bar.advance()
        if event.done == event.total:
            self._end()

    def _end(self) -> None:
        if self.bar is not None:
            self.bar.close()
        self.bar = None


def _show_plan(store: api.OpenStore, plan: api.Plan, screen: Screen) -> int:
    rows: dict[str, dict[str, int]] = {}
    for partition in plan.partitions:
        counts = rows.setdefault(partition.key.table, {"fresh": 0, "stale": 0, "missing": 0, "rows": 0})
        counts[partition.state] += 1
        counts["rows"] += partition.rows
    screen.table(["table", "fresh", "stale", "missing", "rows"], [[t, *c.values()] for t, c in rows.items()])
    need = store.estimate(plan)
    screen.say(_described(plan, need))
    screen.result({"tables": rows, "tasks": len(plan.tasks), "estimate": need})
    store.check_room(need)
    return DONE


def _described(plan: api.Plan, need: api.Estimate) -> str:
    states = ", ".join(f"{n:,} {state}" for state, n in plan.states.items())
    work = f"about {need.seconds:.0f} s on one core and {need.bytes / 1e6:,.0f} MB of disk"
    return f"partitions: {states}; {len(plan.tasks)} tasks" + (f", {work}" if plan.tasks else ": nothing to do")


def _sum_up(summary: api.Summary, seconds: float, screen: Screen) -> int:
    for trouble in summary.troubles:
        screen.say(f"{trouble.result.upper()} {trouble.key}: {trouble.why}")
    done, refused, failed = (summary.count(result) for result in COUNTED)
    fresh = summary.plan.states.get("fresh", 0)
    rows = sum(r.rows for r in summary.results)
    screen.say(
        f"{done:,} partitions written ({rows:,} rows), {fresh:,} already fresh, {refused} refused by their gates, "
        f"{failed} failed, in {seconds:.1f} s"
    )
    screen.result({"done": done, "fresh": fresh, "troubles": summary.troubles, "seconds": round(seconds, 2)})
    return FAILED if refused or failed else DONE


# -- copy ------------------------------------------------------------------------------------------------------------


def copy(options: Namespace, screen: Screen) -> int:
    """Copy bars and partitions that the target does not have yet."""
    source, target = api.open_store(options.source), api.open_store(options.target)
    bar = screen.start_progress("copy", source.partitions)
    try:
        report = api.copy_store(source, target, lambda _: bar.advance())
    finally:
        bar.close()
    for corruption in report.corrupt:
        screen.say(f"CORRUPT {corruption.where}: {corruption.why}")
    if report.changed:
        first = ", ".join(report.changed[:3]) + (" ..." if len(report.changed) > 3 else "")
        screen.say(f"{len(report.changed):,} parts of {source.url} changed during the copy ({first}): run copy again")
    screen.say(
        f"{report.bars:,} months of bars and {report.partitions:,} partitions copied from {source.url} to "
        f"{target.url} and compared there; {report.present:,} were already present"
    )
    screen.result({"from": source.url, "to": target.url, "bars": report.bars, "partitions": report.partitions,
                   "present": report.present, "corrupt": report.corrupt, "changed": report.changed})  # fmt: skip
    return FAILED if report.corrupt or report.changed else DONE
