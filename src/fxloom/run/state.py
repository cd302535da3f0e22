"""The state of a store, as plans need it: all of it at once, or only what a read of some partitions depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fxloom.bars.days import DaySummary
from fxloom.engine.partitions import PartitionKey, Settings
from fxloom.engine.plan import StoreState
from fxloom.features.feature import Table
from fxloom.stores.base import Store, StoreError, check_months, check_pairs
from fxloom.stores.inventory import Fingerprints, Inventory

FEW_PARTITIONS, FEW_MONTHS = 500, 24  # up to so many are looked up one by one, which is faster than listing the store


def state_of(store: Store, inventory: Inventory | None = None) -> StoreState:
    """The state of the whole store, whose partitions are those of ``inventory``; StoreError if there are no bars."""
    settings = ready_settings(store)
    stored = {pair: months for pair, months in store.all_days().items() if pair in settings.pairs}
    return StoreState(stored, settings.pairs, settings.dtype, Fingerprints((inventory or store.inventory()).partitions))


def requested_state(
    store: Store,
    pairs: Sequence[str] | None,
    months: tuple[str, str] | None,
    inventory: Inventory | None = None,
) -> StoreState:
    """``state_of`` for work on ``pairs`` in ``months`` (first and last; None: all); NoBarsError without such bars."""
    state = state_of(store, inventory)
    check_pairs(store.url, pairs or (), state.days)
    if months:
        check_months(store.url, months, {pair: state.days[pair] for pair in pairs or state.days})
    return state


def state_for(store: Store, tables: Sequence[Table], pairs: Sequence[str], first: str, last: str) -> StoreState:
    """What a plan of ``tables`` for ``pairs`` in the months from ``first`` to ``last`` depends on, and little more.

    StoreError if nothing has been ingested.
    """
    settings = ready_settings(store)
    panel = any(table.family.scope == "panel" for table in tables)
    needed = sorted(settings.pairs) if panel else sorted(set(pairs) & settings.pairs.keys())
    names = {pair: [month for month in store.month_names(pair) if month <= last] for pair in needed}
    wanted = sum(month >= first for months in names.values() for month in months)
    if wanted > FEW_MONTHS:
        days: Mapping[str, Mapping[str, Sequence[DaySummary]]] = {
            pair: months for pair, months in store.all_days().items() if pair in needed
        }
    else:
        lookback = max((table.lookback for table in tables), default=0)
        days = {pair: _days(store, pair, names[pair], first, lookback) for pair in needed if names[pair]}
    few = wanted * len(tables) <= FEW_PARTITIONS
    fingerprints: Mapping[PartitionKey, str] = (
        _LookedUp(store) if few else Fingerprints(store.inventory([t.name for t in tables]).partitions)
    )
    return StoreState(days, settings.pairs, settings.dtype, fingerprints)


def _days(store: Store, pair: str, names: Sequence[str], first: str, lookback: int) -> dict[str, list[DaySummary]]:
    """The days of the months ``names`` from ``first`` on, and before it as many as hold ``lookback`` clock bars."""
    found: dict[str, list[DaySummary]] = {}
    bars = 0  # no more than the clock has between the first day that was read and ``first``
    for month in reversed(names):
        if month < first and bars >= lookback:
            break
        found[month] = store.days_of(pair, month)
        bars += sum(day.clock for day in found[month]) if month < first else 0
    return found


class _LookedUp(Mapping[PartitionKey, str]):
    """The fingerprints of a store's partitions, each read on demand."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __getitem__(self, key: PartitionKey) -> str:
        record = self.store.record(key)
        if record is None:
            raise KeyError(key)
        return record.fingerprint

    def __iter__(self) -> Iterator[PartitionKey]:
        return iter(Fingerprints(self.store.inventory().partitions))

    def __len__(self) -> int:
        return self.store.inventory().partitions.height


def ready_settings(store: Store) -> Settings:
    """The settings of a store that has bars; StoreError if it has none."""
    settings = store.settings()
    if settings is None:
        raise StoreError(
            f"there is no store at {store.url}: check the address, or create the store with "
            f"`fxloom ingest --store {store.url} PATH`"
        )
    if not settings.pairs:
        why = "has only bars from an unfinished ingest" if store.pairs_with_bars() else "has no bars yet"
        raise StoreError(f"{store.url} {why}: run `fxloom ingest --store {store.url} PATH`")
    return settings
