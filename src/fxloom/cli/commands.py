"""The commands: each reads its options, calls the library, shows the result, returns the exit status."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from fxloom.audit import Audit, TableAudit
from fxloom.catalogue import select_tables, tables
from fxloom.cli.proof import prove, redundancy
from fxloom.cli.show import Screen
from fxloom.cli.transfer import copy
from fxloom.feature import Feature
from fxloom.ingest import Choices, FileReport, Reading, rebase
from fxloom.ingest import ingest as ingest_files
from fxloom.months import iso, minute_of, month_range
from fxloom.plan import Plan
from fxloom.populate import Estimate, Summary, check_room, estimate, plan_for, ready_settings, run_plan
from fxloom.stores import open_backend
from fxloom.stores.base import Settings, Store, StoreError

DONE, FAILED = 0, 1
AUDIT_COLUMNS = ("table", "features", "partitions", "rows", "state", "proxy", "worst missing", "findings")
SHOWN = 40  # findings printed without --detail
__all__ = ["audit", "catalogue", "copy", "ingest", "init", "matrix", "populate", "prove", "redundancy"]


def init(options: Namespace, screen: Screen) -> int:
    if options.ddl:
        return _print_ddl(options, screen)
    store = open_backend(options.store)
    with store.exclusive("init"):
        if options.rebase:
            settings = rebase(store, options.baseline)
        elif store.settings() is not None:
            raise StoreError(f"{store.url} is a store already; --rebase settles its baseline prices anew")
        else:
            settings = Settings(minute_of(options.baseline) if options.baseline else None, options.dtype)
            store.write_settings(settings)
    when = "the month of the first ingest" if settings.baseline is None else iso(settings.baseline)
    screen.say(f"{store.url}: baseline {when}, features as {settings.dtype}, {len(settings.pairs)} pairs")
    screen.result(asdict(settings))
    return DONE


def _print_ddl(options: Namespace, screen: Screen) -> int:
    from fxloom.stores.postgres.address import SCHEMA, address_of
    from fxloom.stores.postgres.layout import ddl

    schema = address_of(options.store).schema if "://" in options.store else SCHEMA
    text = ddl(schema, list(tables().values()), options.dtype)
    screen.say(text)
    screen.result({"ddl": text})
    return DONE


# -- ingest ----------------------------------------------------------------------------------------------------------


def ingest(options: Namespace, screen: Screen) -> int:
    reading = Reading(options.pair, options.format, options.zone, options.stamp)
    choices = Choices(options.replace, _yes(options.volume), _yes(options.quotes))
    store = open_backend(options.store)
    reports = ingest_files(store, options.paths, reading, choices, options.wait, lambda r: _show_file(r, screen))
    taken = [r for r in reports if not r.refused and not r.ignored]
    refused = [r for r in reports if r.refused]
    total = sum(r.new for r in taken)
    screen.say(f"{len(taken)} files taken, {len(refused)} refused; {total:,} new bars in {store.url}")
    screen.result({"files": reports, "taken": len(taken), "refused": len(refused), "new": total})
    return FAILED if refused or not taken else DONE


def _yes(choice: str | None) -> bool | None:
    return None if choice is None else choice == "yes"


def _show_file(report: FileReport, screen: Screen) -> None:
    if report.refused:
        screen.say(f"{report.name}: REFUSED: {report.refused}")
        return
    if report.ignored:
        screen.say(f"{report.name}: left out: {report.ignored}")
        return
    counts = {
        "rows": report.rows, "new": report.new, "identical": report.identical, "conflicting": report.conflicting,
        "set aside": report.set_aside, "quarantined": report.quarantined,
    }  # fmt: skip
    told = ", ".join(f"{n:,} {what}" for what, n in counts.items() if n or what in ("rows", "new"))
    screen.say(f"{report.name}: {report.pair}, {report.kind}: {told}")
    screen.say(f"    zone: {report.zone}")
    for line in (*report.notes, *report.examples):
        screen.say(f"    {line}")
    if report.quarantine:
        screen.say(f"    quarantined rows are in {report.quarantine}")


# -- populate --------------------------------------------------------------------------------------------------------


def populate(options: Namespace, screen: Screen) -> int:
    store = open_backend(options.store, options.adopt)
    months = month_range(options.months) if options.months else None
    if options.plan:
        return _show_plan(store, plan_for(store, options.pairs, months, options.tables, options.force), screen)
    return _populate(store, options, months, screen)


def _show_plan(store: Store, plan: Plan, screen: Screen) -> int:
    rows: dict[str, dict[str, int]] = {}
    for item in plan.items:
        counts = rows.setdefault(item.table, {"fresh": 0, "stale": 0, "missing": 0, "rows": 0})
        counts[item.state] += 1
        counts["rows"] += item.rows
    screen.table(["table", "fresh", "stale", "missing", "rows"], [[t, *c.values()] for t, c in rows.items()])
    about = estimate(plan, ready_settings(store).dtype)
    screen.say(_told(plan, about))
    screen.result({"tables": rows, "tasks": len(plan.tasks), "estimate": about})
    check_room(store, plan)
    return DONE


def _told(plan: Plan, about: Estimate) -> str:
    states = ", ".join(f"{n:,} {state}" for state, n in plan.states.items())
    work = f"about {about.seconds:.0f} s on one core and {about.bytes / 1e6:,.0f} MB of disk"
    return f"partitions: {states}; {len(plan.tasks)} tasks" + (f", {work}" if plan.tasks else ": nothing to do")


def _populate(store: Store, options: Namespace, months: tuple[str, str] | None, screen: Screen) -> int:
    import time

    began = time.monotonic()
    ready_settings(store)
    with store.exclusive("populate", options.wait):
        plan = plan_for(store, options.pairs, months, options.tables, options.force)
        check_room(store, plan)
        screen.say(_told(plan, estimate(plan, ready_settings(store).dtype)))
        summary = Summary(plan)
        todo = sum(len(task.items) for task in plan.tasks)
        with screen.progress("populate", todo) as bar:
            for _, outcomes in run_plan(store, plan, options.workers):
                summary.outcomes.extend(outcomes)
                bar.advance(len(outcomes))
    return _sum_up(summary, time.monotonic() - began, screen)


def _sum_up(summary: Summary, seconds: float, screen: Screen) -> int:
    for o in summary.troubles:
        screen.say(f"{o.result.upper()} {o.table} {o.pair} {o.month}: {o.why}")
    done, refused, failed = (summary.count(result) for result in ("done", "refused", "failed"))
    fresh = summary.plan.states.get("fresh", 0)
    rows = sum(o.rows for o in summary.outcomes)
    screen.say(
        f"{done:,} partitions written ({rows:,} rows), {fresh:,} were fresh, {refused} refused by their gates, "
        f"{failed} failed, in {seconds:.1f} s"
    )
    screen.result({"done": done, "fresh": fresh, "troubles": summary.troubles, "seconds": round(seconds, 2)})
    return FAILED if refused or failed else DONE


# -- audit -----------------------------------------------------------------------------------------------------------


def audit(options: Namespace, screen: Screen) -> int:
    from fxloom.api import open_store

    found = open_store(options.store).audit(options.whole)
    rows = [audit_row(t) for t in found.tables]
    screen.table(AUDIT_COLUMNS, rows)
    if options.detail:
        _show_detail(found, screen)
    _show_findings(found, len(found.findings) if options.detail else SHOWN, screen)
    screen.say(found.summary)
    screen.result({"tables": found.tables, "damages": found.damages, "holes": found.holes, "populated": found.populated,
                   "features": found.features, "summary": found.summary})  # fmt: skip
    return FAILED if found.damages else DONE


def audit_row(t: TableAudit) -> list[object]:
    proxies, worst = ", ".join(t.proxies), f"{t.worst_missing:.2%}"
    return [t.table, t.features, t.partitions, t.rows, t.state, proxies, worst, len(t.findings)]


def _show_detail(found: Audit, screen: Screen) -> None:
    rows = []
    for d in (d for t in found.tables for d in t.detail):
        why = ", ".join(f"{n:,} {reason}" for reason, n in d.reasons.items() if n)
        rows.append([d.key.table, d.key.pair or "all", d.key.month, d.rows, d.state, d.due, d.populated, why])
    screen.table(["table", "pair", "month", "rows", "state", "due", "populated", "missing values"], rows)
    bars = [[h.pair, h.month, h.rows, h.filled, h.lost, ", ".join(h.days)] for h in found.holes]
    screen.table(["pair", "month", "bars", "filled minutes", "lost minutes", "days without bars"], bars)


def _show_findings(found: Audit, most: int, screen: Screen) -> None:
    for damage in found.damages:
        screen.say(f"DAMAGED {damage.where}: {damage.why}")
    for finding in found.findings[:most]:
        screen.say(f"finding: {finding}")
    if len(found.findings) > most:
        screen.say(f"... and {len(found.findings) - most:,} more findings: --detail shows all")


# -- catalogue and matrix --------------------------------------------------------------------------------------------


def catalogue(options: Namespace, screen: Screen) -> int:
    chosen = select_tables([options.table] if options.table else None)
    word = (options.search or "").lower()
    found = [f for t in chosen for f in t.features if word in f"{f.name} {f.column.formula} {f.column.source}".lower()]
    screen.table(
        ["name", "table", "unit", "range", "warm-up", "lookback", "formula", "source"], [_row(f) for f in found]
    )
    screen.say(f"{len(found):,} features in {len({f.table for f in found})} of {len(tables())} tables")
    screen.result([asdict(f.column) | {"name": f.name, "table": f.table} for f in found])
    return DONE if found else FAILED


def _row(feature: Feature) -> list[object]:
    c = feature.column
    unbounded = c.low == float("-inf") and c.high == float("inf")
    warmup = f"{c.warmup} before the {c.anchor}" if c.anchor else str(c.warmup)
    span = "" if unbounded else f"[{c.low:g}, {c.high:g}]"
    return [feature.name, feature.table, c.unit, span, warmup, c.lookback, c.formula, c.source]


def matrix(options: Namespace, screen: Screen) -> int:
    from fxloom.api import open_store
    from fxloom.matrix import write_matrix

    frames = open_store(options.store).matrix(
        options.features, options.pairs, options.start, options.end, options.missing
    )
    rows = write_matrix(frames, Path(options.out))
    screen.say(f"{rows:,} rows in {options.out}" if rows else "no rows: nothing was written")
    screen.result({"rows": rows, "file": options.out if rows else None})
    return DONE if rows else FAILED
