"""The commands that read: catalogue, matrix."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from fxloom import api
from fxloom.cli.show import Screen

DONE, FAILED = 0, 1


def catalogue(options: Namespace, screen: Screen) -> int:
    """List features by table or word."""
    chosen = api.select_tables([options.table] if options.table else None)
    word = (options.search or "").lower()
    found = [f for t in chosen for f in t.features if word in f"{f.name} {f.column.formula} {f.column.source}".lower()]
    screen.table(
        ["name", "table", "unit", "range", "warm-up", "lookback", "formula", "source"], [_row(f) for f in found]
    )
    screen.say(f"{len(found):,} features in {len({f.table for f in found})} of {len(api.tables())} tables")
    screen.result([asdict(f.column) | {"name": f.name, "table": f.table} for f in found])
    return DONE if found else FAILED


def _row(feature: api.Feature) -> list[object]:
    c = feature.column
    unbounded = c.low == float("-inf") and c.high == float("inf")
    warmup = f"{c.warmup} before the {c.anchor}" if c.anchor else str(c.warmup)
    bounds = "" if unbounded else f"[{c.low:g}, {c.high:g}]"
    return [feature.name, feature.table, c.unit, bounds, warmup, c.lookback, c.formula, c.source]


def matrix(options: Namespace, screen: Screen) -> int:
    """Write features of any tables, joined, to one file."""
    store = api.open_store(options.store)
    rows = store.write_matrix(options.out, options.features, options.pairs, options.start, options.end, options.missing)
    screen.say(f"{rows:,} rows in {options.out}" if rows else "no rows: nothing was written")
    screen.result({"rows": rows, "file": options.out if rows else None})
    return DONE if rows else FAILED
