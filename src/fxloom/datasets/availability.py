"""Checks whether requested partitions are available: fresh, stale, missing, or refused by their gates."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from fxloom.bars.months import month_of
from fxloom.engine.partitions import PartitionKey
from fxloom.engine.plan import make_plan
from fxloom.features.catalogue import tables
from fxloom.features.feature import Feature
from fxloom.run.outcomes import troubles_of
from fxloom.run.state import ready_settings, state_for
from fxloom.stores.base import Store, StoreError, check_pairs
from fxloom.system.version import VERSION

Allow = Literal["nothing", "missing", "stale", "all"]
State = Literal["fresh", "stale", "missing", "refused", "failed"]
ADMITTED: dict[str, set[State]] = {
    "nothing": {"fresh"},
    "missing": {"fresh", "missing", "refused", "failed"},
    "stale": {"fresh", "stale"},
    "all": set(get_args(State)),
}
NAMED = 3  # partitions listed in a message


class UnavailableError(StoreError):
    """Requested partitions are missing, stale or refused; ``partitions`` lists all of them."""

    def __init__(self, message: str, partitions: Sequence[PartitionState]) -> None:
        super().__init__(message)
        self.partitions = tuple(partitions)


@dataclass(frozen=True)
class PartitionState:
    """One requested partition: its state, the stored fingerprint ("" if nothing is stored), and why it is not fresh."""

    key: PartitionKey
    state: State
    fingerprint: str = ""
    why: str = ""


@dataclass(frozen=True)
class Provenance:
    """What a frame or file was read from: features, the state of every partition, and the package's version."""

    features: tuple[str, ...]
    partitions: tuple[PartitionState, ...]
    version: str = VERSION

    @property
    def counts(self) -> dict[str, int]:
        """The number of partitions by state."""
        return dict(Counter(p.state for p in self.partitions))

    def text(self) -> str:
        """The provenance as JSON; partitions that are not fresh are listed with the cause."""
        odd = [{"partition": str(p.key), "state": p.state, "why": p.why} for p in self.partitions if p.state != "fresh"]
        prints = {str(p.key): p.fingerprint for p in self.partitions if p.fingerprint}
        summary = {"version": self.version, "features": self.features, "partitions": self.counts, "not fresh": odd}
        return json.dumps({**summary, "fingerprints": prints})


def provenance_of(
    store: Store,
    features: Sequence[Feature],
    pairs: Sequence[str],
    start: int | None,
    end: int | None,
    allow: Allow = "nothing",
) -> Provenance:
    """The state of every partition that ``features`` of ``pairs`` in ``start <= ts < end`` (minutes) are read from.

    ``allow``: "nothing" requires all to be fresh, "missing" accepts missing ones, "stale" those computed from other
    bars, settings or formulas, "all" any. NoBarsError if the store has no bars of a pair, UnavailableError if a
    partition is in a state that is not allowed, ValueError for any other ``allow``.
    """
    if allow not in ADMITTED:
        raise ValueError(f"unknown allow={allow!r}, expected one of {', '.join(ADMITTED)}")
    check_pairs(store.url, pairs, ready_settings(store).pairs)
    states = partition_states(store, sorted({f.table for f in features}), pairs, start, end)
    bad = [p for p in states if p.state not in ADMITTED[allow]]
    if bad:
        raise UnavailableError(_unavailable(store, bad), bad)
    return Provenance(tuple(f.name for f in features), tuple(states))


def partition_states(
    store: Store, names: Sequence[str], pairs: Sequence[str], start: int | None, end: int | None
) -> list[PartitionState]:
    """The partitions of the tables ``names`` in the months in which ``pairs`` have bars, in the order of a plan."""
    chosen = [tables()[name] for name in names]
    first = month_of(start) if start is not None else "0001-01"
    last = month_of(end - 1) if end is not None else "9999-12"
    state = state_for(store, chosen, pairs, first, last)
    there = [pair for pair in pairs if pair in state.days]
    months = {month for pair in there for month in state.days[pair]}
    plan = make_plan(state, chosen, there, (first, last))
    troubles = troubles_of(store)
    found = []
    for partition in plan.partitions:
        key, trouble = partition.key, troubles.get(partition.key)
        if key.month not in months:
            continue  # a panel partition of a month in which only other pairs have bars
        if partition.state == "missing" and trouble is not None and trouble.fingerprint == partition.fingerprint:
            result: State = "refused" if trouble.result == "refused" else "failed"
            found.append(PartitionState(key, result, why=trouble.why))
        else:
            stored = state.fingerprints.get(key, "")
            why = "bars, settings or formulas have changed since" if partition.state == "stale" else ""
            found.append(PartitionState(key, partition.state, stored, why))
    return found


def _unavailable(store: Store, bad: Sequence[PartitionState]) -> str:
    """How many partitions are in which state, the first of them, and the command that computes them."""
    counts = Counter(p.state for p in bad)
    count = ", ".join(f"{n} {state}" for state, n in counts.items())
    named = "; ".join(f"{p.key} {p.state}" + (f" ({p.why})" if p.why else "") for p in bad[:NAMED])
    more = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    command = f"fxloom populate --store {store.url} --tables {','.join(_in_order(p.key.table for p in bad))}"
    if pairs := _in_order(p.key.pair for p in bad if p.key.pair):
        command += f" --pairs {','.join(pairs)}"
    months = sorted(p.key.month for p in bad)
    command += f" --months {months[0]}:{months[-1]}"
    plural = "partitions" if len(bad) > 1 else "partition"
    return (
        f"{count} {plural} requested from {store.url}: {named}{more}. Compute with `{command}`, or read what is "
        'available with allow (--allow) "missing", "stale" or "all"'
    )


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
