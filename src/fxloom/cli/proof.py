"""The commands that look into the features themselves: prove, redundancy."""

from __future__ import annotations

import os
import time
from argparse import Namespace

from fxloom.catalogue import select_tables
from fxloom.cli.show import Screen
from fxloom.prove import Proof
from fxloom.prove import prove as prove_tables
from fxloom.prove.certificate import certificate
from fxloom.prove.verdict import KINDS
from fxloom.redundancy import redundancy as find_redundancy
from fxloom.stores import open_backend
from fxloom.stores.base import Store

DONE, FAILED = 0, 1


def prove(options: Namespace, screen: Screen) -> int:
    store = open_backend(options.store)
    chosen = select_tables(options.tables)
    workers = options.workers or os.cpu_count() or 1
    with screen.progress("prove", 0) as bar:
        proof = prove_tables(
            store, chosen, options.pairs, options.samples, seconds(options.budget), options.seed, workers,
            bar.expect, lambda _: bar.advance(),
        )  # fmt: skip
    _show_verdicts(proof, screen)
    where = _kept(store, certificate(proof, chosen), screen)
    screen.result({"holds": proof.holds, "certificate": where, "failures": proof.failures, "errors": proof.errors,
                   "untested": proof.untested})  # fmt: skip
    return DONE if proof.holds and where else FAILED


def _kept(store: Store, text: str, screen: Screen) -> str:
    """Where the certificate is; "" if the store cannot take it, which is said."""
    try:
        where = store.keep(time.strftime("certificates/prove-%Y%m%dT%H%M%SZ.json", time.gmtime()), text)
    except OSError as error:
        screen.say(f"the certificate cannot be kept: {error}")
        return ""
    screen.say(f"certificate: {where}")
    return where


def seconds(text: str) -> float:
    """Seconds of "90", "90s", "10m" or "1h"; ValueError otherwise."""
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    try:
        return float(number) * unit
    except ValueError:
        raise ValueError(f"{text!r} is no time: write it as 90s, 10m or 1h") from None


def _show_verdicts(proof: Proof, screen: Screen) -> None:
    told = proof.told
    rows = [[n, told[n], *(v.rows(kind) for kind in KINDS)] for n, v in proof.verdicts.items()]
    screen.table(["feature", "verdict", *(f"{kind} rows" for kind in KINDS)], rows)
    for verdict in proof.failures:
        screen.say(f"FAILS {verdict.feature}: {verdict.first}")
    for error in proof.errors:
        screen.say(f"ERROR {error}")
    for note in sorted({n for u in proof.units for n in u.notes}):
        screen.say(f"note: {note}")
    for name, missed in proof.untested.items():
        screen.say(f"UNTESTED {name}: {', '.join(missed)}")
    if not proof.complete:
        cut = sum(u.cut_short for u in proof.units)
        screen.say(f"the budget ended before {proof.left_out} months of pairs, and within {cut}")
    counts = ", ".join(f"{list(told.values()).count(word):,} {word}" for word in dict.fromkeys(told.values()))
    screen.say(f"{counts}; {len(proof.units)} months of pairs in {proof.seconds:.0f} s (seed {proof.seed})")


# -- redundancy ------------------------------------------------------------------------------------------------------


def redundancy(options: Namespace, screen: Screen) -> int:
    store = open_backend(options.store)
    found = find_redundancy(store, options.pair.lower(), options.month, options.threshold)
    screen.table(
        ["feature", "twin", "correlation", "kind"],
        [[t.first, t.second, f"{t.correlation:+.6f}", "exact" if t.exact else "near"] for t in found.twins],
    )
    for i, group in enumerate(found.groups, 1):
        screen.say(f"group {i}: {len(group)} features: {', '.join(group)}")
    for drop in found.drops:
        screen.say(f"could be dropped: {drop.feature}: {drop.why}")
    if found.without_values:
        screen.say(f"too few values to compare: {', '.join(found.without_values)}")
    exact = sum(t.exact for t in found.twins)
    screen.say(
        f"{found.pair} {found.month}: {found.features:,} features, {found.rows:,} rows: "
        f"{len(found.constant)} constant, {exact} exact and {len(found.twins) - exact} near twins "
        f"in {len(found.groups)} groups; {found.features - len(found.drops):,} features would be left"
    )
    screen.result(found)
    return DONE
