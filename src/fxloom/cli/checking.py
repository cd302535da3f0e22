"""The commands that check a store: audit, verify, redundancy."""

from __future__ import annotations

from argparse import Namespace

from fxloom import api
from fxloom.cli.show import Screen

DONE, FAILED = 0, 1
AUDIT_COLUMNS = ("table", "features", "partitions", "rows", "state", "proxy", "worst missing", "findings")
SHOWN = 40  # findings printed without --detail


def audit(options: Namespace, screen: Screen) -> int:
    """Show what the store holds and what is wrong with it."""
    store = api.open_store(options.store)
    found = store.audit(options.whole, options.pairs, options.months, options.tables, options.detail)
    screen.table(AUDIT_COLUMNS, [audit_row(table) for table in found.tables])
    if options.detail:
        _show_detail(found, screen)
    _show_findings(found, len(found.findings) if options.detail else SHOWN, screen)
    screen.say(found.summary)
    screen.result({"tables": found.tables, "corrupt": found.corrupt, "gaps": found.gaps,
                   "populated": found.populated, "features": found.features, "finding_count": found.finding_count,
                   "summary": found.summary})  # fmt: skip
    return FAILED if found.corrupt else DONE


def audit_row(table: api.TableAudit) -> list[object]:
    """One table's cells in the columns ``AUDIT_COLUMNS``."""
    proxies, worst = ", ".join(table.proxies), f"{table.worst_missing:.2%}"
    return [
        table.table, table.features, table.partitions, table.rows, table.state, proxies, worst,
        len(table.findings) + table.more_findings,
    ]  # fmt: skip


def _show_detail(found: api.Audit, screen: Screen) -> None:
    rows = []
    for d in (d for table in found.tables for d in table.detail):
        why = ", ".join(f"{n:,} {reason}" for reason, n in d.reasons.items() if n)
        rows.append([d.key.table, d.key.pair or "all", d.key.month, d.rows, d.state, d.due, d.populated, why])
    screen.table(["table", "pair", "month", "rows", "state", "due", "populated", "missing values"], rows)
    bars = [[g.pair, g.month, g.rows, g.filled, g.missing, ", ".join(g.days)] for g in found.gaps]
    screen.table(["pair", "month", "bars", "filled minutes", "missing minutes", "days without bars"], bars)


def _show_findings(found: api.Audit, most: int, screen: Screen) -> None:
    for corruption in found.corrupt:
        screen.say(f"CORRUPT {corruption.where}: {corruption.why}")
    for finding in found.findings[:most]:
        screen.say(f"finding: {finding}")
    if found.finding_count > most:
        screen.say(f"... and {found.finding_count - most:,} more findings (--detail shows all)")


# -- verify ----------------------------------------------------------------------------------------------------------


def verify(options: Namespace, screen: Screen) -> int:
    """Run the trials on the stored bars; the exit status is 0 only if every feature holds and was tested."""
    store = api.open_store(options.store)
    bar = screen.start_progress("verify", 0)
    try:
        report = store.verify(
            options.tables, options.pairs, options.samples, seconds(options.budget), options.seed, options.workers,
            bar.expect, lambda _: bar.advance(),
        )  # fmt: skip
    finally:
        bar.close()
    _show_verdicts(report, screen)
    where = _kept(store, report, options.tables, screen)
    screen.result({"holds": report.holds, "report": where, "failures": report.failures, "errors": report.errors,
                   "untested": report.untested})  # fmt: skip
    return DONE if report.holds and where else FAILED


def _kept(store: api.OpenStore, report: api.VerificationReport, tables: list[str] | None, screen: Screen) -> str:
    """Store the report and print where; "" if the store cannot be written."""
    try:
        where = store.keep_report(report, tables)
    except OSError as error:
        screen.say(f"the report could not be written to {store.url}: {error}")
        return ""
    screen.say(f"report: {where}")
    return where


def seconds(text: str) -> float:
    """The number of seconds in "90", "90s", "10m" or "1h"; ValueError for any other text.

    >>> seconds("10m")
    600.0
    """
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    try:
        return float(number) * unit
    except ValueError:
        raise ValueError(f"invalid duration {text!r}, expected 90s, 10m or 1h") from None


def _show_verdicts(report: api.VerificationReport, screen: Screen) -> None:
    words = report.words
    kinds = report.kinds
    rows = [[name, words[name], *(v.rows(kind) for kind in kinds)] for name, v in report.verdicts.items()]
    screen.table(["feature", "verdict", *(f"{kind} rows" for kind in kinds)], rows)
    for verdict in report.failures:
        screen.say(f"FAILS {verdict.feature}: {verdict.first}")
    for error in report.errors:
        screen.say(f"ERROR {error}")
    for note in sorted({n for u in report.units for n in u.notes}):
        screen.say(f"note: {note}")
    for name, missed in report.untested.items():
        screen.say(f"UNTESTED {name}: {', '.join(missed)}")
    if not report.complete:
        cut = sum(u.cut_short for u in report.units)
        screen.say(f"time ran out: {report.left_out} pair-months were not tested, {cut} only in part (--budget)")
    counts = ", ".join(f"{list(words.values()).count(word):,} {word}" for word in dict.fromkeys(words.values()))
    screen.say(f"{counts}; {len(report.units)} pair-months in {report.seconds:.0f} s (seed {report.seed})")


# -- redundancy ------------------------------------------------------------------------------------------------------


def redundancy(options: Namespace, screen: Screen) -> int:
    """Show which features repeat each other."""
    store = api.open_store(options.store)
    found = store.redundancy(options.pairs, options.months, options.threshold, options.method)
    months = found.months[0] if len(found.months) == 1 else f"{found.months[0]} to {found.months[-1]}"
    if found.chosen:
        screen.say(f"no --months given: compared on {months}, which has the most values")
    screen.table(
        ["feature", "near duplicate", "correlation", "kind"],
        [[d.first, d.second, f"{d.correlation:+.6f}", "exact" if d.exact else "near"] for d in found.duplicates],
    )
    for i, group in enumerate(found.groups, 1):
        screen.say(f"group {i}: {len(group)} features: {', '.join(group)}")
    for drop in found.drops:
        screen.say(f"could be dropped: {drop.feature}: {drop.why}")
    if found.without_values:
        screen.say(f"too few values to compare: {', '.join(found.without_values)}")
    exact = sum(d.exact for d in found.duplicates)
    screen.say(
        f"{', '.join(found.pairs)} {months} ({found.method}): {found.features:,} features, {found.rows:,} rows: "
        f"{len(found.constant)} constant, {exact} exact and {len(found.duplicates) - exact} near duplicates "
        f"in {len(found.groups)} groups; {found.features - len(found.drops):,} features would remain"
    )
    screen.result(found)
    return DONE
