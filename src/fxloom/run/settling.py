"""Settles the properties of a new pair, once, from its stored bars at the end of the ingest that added it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import numpy as np

from fxloom.bars.days import DaySummary, has_column
from fxloom.bars.months import iso, month_bounds
from fxloom.bars.pairs import PairInfo
from fxloom.engine.partitions import Settings
from fxloom.stores.base import Store, StoreError


@dataclass(frozen=True)
class IngestOptions:
    """The user's choices, which override what is found in the data; see ``fxloom ingest --help``.

    ``replace``: these bars win over stored ones that differ. ``volume``, ``quotes``: whether the pairs have them (None:
    as found). ``trust_prices``: accept files whose prices contradict those of other stored pairs.
    """

    replace: bool = False
    volume: bool | None = None
    quotes: bool | None = None
    trust_prices: bool = False


def unsettled_pairs(store: Store, settings: Settings) -> list[str]:
    """Pairs that have bars but no settings, because an ingest is running or was interrupted."""
    return [pair for pair in store.pairs_with_bars() if pair not in settings.pairs]


def settle(store: Store, touched: Collection[str], options: IngestOptions) -> Settings | None:
    """Record, in one step, the baseline price of every new pair and whether its bars have volume and quotes.

    ``touched``: the pairs of this ingest, to which ``options`` applies. A new pair without a bar at or after the
    baseline time stays unsettled. StoreError if ``options`` requires volume or quotes that a pair's bars do not have.
    """
    before = store.settings()
    if before is None:
        return None
    settings = before
    stored = cache(partial(_StoredPair, store))
    new = unsettled_pairs(store, settings)
    if settings.baseline is None and new:
        earliest = min(month for pair in new for month in stored(pair).months)
        settings = replace(settings, baseline=month_bounds(earliest)[0])
    for pair in new:
        bars = stored(pair)
        close = bars.first_close(settings.baseline or 0)
        if close is not None:
            (side,) = store.price_sides(pair)
            settings = settings.with_pair(pair, PairInfo(close, bars.has_volume(), bars.has_quotes(), side))
    lacking = []
    for pair in sorted(set(touched) & set(settings.pairs)):
        info, absent = _with_choices(stored(pair), settings.pairs[pair], options)
        settings = settings.with_pair(pair, info)
        lacking += absent
    if settings != before:
        store.write_settings(settings)
    if lacking:
        raise StoreError(f"--volume yes or --quotes yes cannot be applied: no stored bar has {', '.join(lacking)}")
    return settings


def _with_choices(bars: _StoredPair, info: PairInfo, options: IngestOptions) -> tuple[PairInfo, list[str]]:
    """``info`` with the user's choices, and those of them that the stored bars cannot meet."""
    lacking = []
    if options.volume is not None:
        if options.volume and not bars.has_volume():
            lacking.append(f"volume of {bars.pair}")
        else:
            info = replace(info, has_volume=options.volume)
    if options.quotes is not None:
        if options.quotes and not bars.has_quotes():
            lacking.append(f"quotes of {bars.pair}")
        else:
            info = replace(info, has_quotes=options.quotes)
    return info, lacking


class _StoredPair:
    """The stored bars of a pair; the summaries of their days are read once."""

    def __init__(self, store: Store, pair: str) -> None:
        self.store, self.pair = store, pair

    @cached_property
    def months(self) -> dict[str, list[DaySummary]]:
        """The stored months, each with the summaries of its days."""
        return self.store.bar_months(self.pair)

    def first_close(self, baseline: int) -> float | None:
        """The close of the first stored bar at or after minute ``baseline`` (since 1970), or None."""
        for month in sorted(month for month in self.months if month_bounds(month)[1] > baseline):
            bars = self.store.read_bars(self.pair, baseline, month_bounds(month)[1])
            if len(bars):
                return float(bars.close[0])
        return None

    def has_volume(self) -> bool:
        """Whether any stored bar has a volume above 0."""
        for month, days in self.months.items():
            if any(has_column(day.volume) for day in days):
                volume = self.store.read_bars(self.pair, *month_bounds(month)).volume
                if volume is not None and bool(np.any(volume > 0)):
                    return True
        return False

    def has_quotes(self) -> bool:
        """Whether any stored month has spreads."""
        return any(has_column(day.spread) for days in self.months.values() for day in days)


def drop_unsettled(store: Store, settings: Settings, pair: str) -> None:
    """Remove the bars of a pair that cannot be settled, since no feature can be computed from them."""
    if pair in unsettled_pairs(store, settings):
        for month in store.month_names(pair):
            store.drop_bars(pair, month)


def no_base(pair: str, settings: Settings) -> str:
    """Why a pair without a bar at or after the baseline time cannot be stored."""
    return (
        f"{pair} has no bar at or after the baseline time {iso(settings.baseline or 0)}, so its rate index has no "
        "base: ingest later bars with it, or create a store with `fxloom init --baseline` at an earlier date"
    )


def rebase(store: Store, baseline: int | None, pairs: Sequence[str] | None = None) -> Settings:
    """Settle the baseline price of ``pairs`` (default: all) again from the stored bars; their features become stale.

    ``baseline``: the new baseline time in minutes since 1970, None to keep the old one.

    StoreError if the store has no settled pair, or if a pair has no bar at or after the baseline time.
    """
    settings = store.settings()
    if settings is None or not settings.pairs:
        raise StoreError(f"{store.url} has no bars to rebase")
    if baseline is not None:
        settings = replace(settings, baseline=baseline)
    for pair in pairs or list(settings.pairs):
        close = _StoredPair(store, pair).first_close(settings.baseline or 0)
        if close is None:
            raise StoreError(f"{pair} has no bar at or after {iso(settings.baseline or 0)}: choose an earlier baseline")
        settings = settings.with_pair(pair, replace(settings.pairs[pair], baseline=close))
    store.write_settings(settings)
    return settings
