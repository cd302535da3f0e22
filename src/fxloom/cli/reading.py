"""The commands that read: catalogue and matrix."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from dataclasses import asdict

from fxloom import api
from fxloom.cli.show import Screen

DONE, FAILED = 0, 1


def catalogue(options: Namespace, screen: Screen) -> int:
    """List features by table or search words, or show the glossary."""
    if options.glossary:
        return _show_glossary(options.search, screen)
    allowed = {table.name for table in api.select_tables([options.table] if options.table else None)}
    ranked = api.search(" ".join(options.search)) if options.search else api.features().values()
    found = [feature for feature in ranked if feature.table in allowed]
    if not found:
        screen.say(_nothing_found(options.search, options.table))
        screen.result([])
        return FAILED
    screen.table(
        ["name", "table", "unit", "range", "warm-up", "lookback", "formula", "source"], [_row(f) for f in found]
    )
    counts = Counter(feature.table for feature in found)
    if options.search:
        screen.say(", ".join(f"{table} ({n})" for table, n in counts.items()))
    screen.say(f"{len(found):,} features in {len(counts)} of {len(api.tables())} tables")
    screen.result([asdict(f.column) | {"name": f.name, "table": f.table} for f in found])
    return DONE


def _nothing_found(words: list[str], table: str | None) -> str:
    """What to try when no feature matches ``words`` (in ``table``)."""
    text = " ".join(words)
    elsewhere = len(api.search(text))
    if elsewhere:
        return f"no feature in {table} matches {text!r}; without --table there are {elsewhere}"
    if unknown := api.suggestions(text):
        hints = (
            f"{word!r}: did you mean {', '.join(near)}?" if near else f"{word!r}: no similar word"
            for word, near in unknown.items()
        )
        return f"no feature matches {text!r}; {'; '.join(hints)}"
    counts = ", ".join(f"{word} {len(api.search(word))}" for word in text.split())
    return f"no feature matches all of these words; features that match one: {counts}"


def _show_glossary(words: list[str] | None, screen: Screen) -> int:
    """Show the symbols and words of formulas and documentation: all, or those that mention ``words``."""
    wanted = [word.lower() for word in words or ()]
    found = [
        term
        for terms in api.GLOSSARY.values()
        for term in terms
        if all(word in f"{term.term} {term.meaning}".lower() for word in wanted)
    ]
    screen.table(
        ["symbol or word", "unit", "meaning", "defined in"],
        [[t.term, t.unit, t.meaning, t.defined_in or "the family's page"] for t in found],
    )
    screen.say(f"{len(found)} terms; they are defined in docs/definitions, as page#section")
    screen.result([asdict(term) for term in found])
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
    rows = store.write_matrix(
        options.out, options.features, options.pairs, options.start, options.end, options.missing, options.allow
    )
    screen.say(f"{rows:,} rows in {options.out}" if rows else "no rows: nothing was written")
    screen.result({"rows": rows, "file": options.out if rows else None})
    return DONE if rows else FAILED
