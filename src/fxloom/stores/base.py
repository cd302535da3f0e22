"""The interface of a store of bars and features, the same for all back ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

import polars as pl

from fxloom.bars.bars import Bars, Floats, Ints
from fxloom.bars.days import DaySummary
from fxloom.engine.partitions import Corruption, PartitionKey, Record, Settings
from fxloom.stores.inventory import Inventory

Part = Callable[[list[str]], pl.DataFrame]  # from feature names to a frame of ts_utc, pair and these features


class StoreError(RuntimeError):
    """The store is corrupt, in use, read-only or incompatible; the message says what to do."""


class CorruptError(StoreError):
    """The stored data itself is corrupt, not just unreachable; only then may it be replaced."""


class NoBarsError(StoreError):
    """The store has no bars of a pair, or in the months, that were asked for."""


class NewerFormatError(StoreError):
    """The stored data was written by a later version of fxloom; it is neither read nor replaced."""


def newer_format(where: object, found: object) -> NewerFormatError:
    """The error for data at ``where`` in the format ``found``, which this version does not know."""
    return NewerFormatError(
        f"{where} was written by a later version of fxloom (format {found}) and is left alone: update fxloom to use it"
    )


def check_pairs(url: str, pairs: Iterable[str], known: Iterable[str]) -> None:
    """NoBarsError if one of ``pairs`` is not among the ``known`` ones of the store at ``url``."""
    if unknown := sorted(set(pairs) - set(known)):
        raise NoBarsError(f"no bars of {', '.join(unknown)} in {url}; it has {', '.join(sorted(known)) or 'none'}")


def check_months(url: str, months: tuple[str, str], stored: Mapping[str, Iterable[str]]) -> None:
    """NoBarsError if no pair has bars from the first to the last of ``months``; ``stored``: the months of each pair."""
    known = sorted({month for found in stored.values() for month in found})
    if not any(months[0] <= month <= months[1] for month in known):
        which = f": the bars of {', '.join(stored)} run from {known[0]} to {known[-1]}" if known else ""
        raise NoBarsError(f"no bars from {months[0]} to {months[1]} in {url}{which}")


class Store(Protocol):
    """Bars and features by pair and month. Writing is atomic: readers see a partition whole, either old or new.

    Every method may raise StoreError if the store cannot be reached, read or written.
    """

    url: str  # without a password: may be shown
    parallel_writes: bool  # whether several threads may write months of bars at once

    @property
    def address(self) -> str:
        """The address that opens the store in another process; it may hold a password, so it is never shown."""

    @property
    def external_bars(self) -> bool:
        """Whether bars stay in the user's own tables: ``write_bars`` then stores summaries only."""

    def settings(self) -> Settings | None:
        """The store's settings, None if there are none yet; StoreError if they cannot be read."""

    def write_settings(self, settings: Settings) -> None:
        """Replace the settings in one step; on a new store this creates it."""

    def pairs_with_bars(self) -> list[str]:
        """The pairs that have stored bars, including those that an interrupted ingest has not settled yet."""

    def price_sides(self, pair: str) -> set[str]:
        """The sides ("bid", "mid") that the stored months of a pair were written with: one, or none without bars."""

    def bar_months(self, pair: str) -> dict[str, list[DaySummary]]:
        """The stored months of a pair, each with the summaries of its days."""

    def all_days(self) -> dict[str, dict[str, list[DaySummary]]]:
        """``bar_months`` of every pair with bars."""

    def month_names(self, pair: str) -> list[str]:
        """The stored months of a pair, in order."""

    def days_of(self, pair: str, month: str) -> list[DaySummary]:
        """The summaries of the days of one stored month."""

    def drop_bars(self, pair: str, month: str) -> None:
        """Remove a month of bars, if it exists."""

    def set_bars_aside(self, pair: str, month: str) -> str:
        """Remove a corrupt month of bars, so that it can be ingested again; returns where it is kept, "" if nowhere."""

    def read_bars(self, pair: str, start: int, end: int) -> Bars:
        """The bars with ``start <= ts < end`` (minutes since 1970), verified against the stored summaries of days.

        CorruptError if they are not the bars that were written.
        """

    def write_bars(self, pair: str, month: str, bars: Bars, side: str = "mid") -> None:
        """Replace a month of bars; ``side``: "bid" or "mid" prices. ValueError if a bar lies outside the month."""

    def records(self, tables: Iterable[str] | None = None) -> list[Record]:
        """The records of all published partitions of ``tables`` (None: all), except corrupt ones."""

    def inventory(self, tables: Collection[str] | None = None) -> Inventory:
        """All published partitions of ``tables`` (None: all) as columns, and the statistics of their columns."""

    def record(self, key: PartitionKey) -> Record | None:
        """The record of one partition, None if it is missing or corrupt."""

    def partition(self, key: PartitionKey) -> tuple[Record, pl.DataFrame] | None:
        """A partition's record and rows (ts_utc, pair, the table's features), read in one step; None if missing.

        CorruptError if it is corrupt.
        """

    def find_corrupt(self, inventory: Inventory | None = None) -> list[Corruption]:
        """Bars and partitions that cannot be read, and files that do not belong in the store."""

    def verify(self) -> list[Corruption]:
        """Read every partition completely; returns those whose values differ from what was written."""

    def publish(self, record: Record, ts: Ints, pairs: Sequence[str] | None, columns: dict[str, Floats]) -> None:
        """Write a partition and make it visible in one step.

        ``ts`` (n minutes since 1970), ``pairs`` (n, None for a partition of one pair), ``columns`` (n values per
        feature, NaN if missing, in catalogue order).
        """

    def parts(
        self, table: str, pairs: Sequence[str] | None, start: int | None, end: int | None
    ) -> list[tuple[PartitionKey, Part]]:
        """The partitions of the months from ``start`` to ``end`` (minutes), each with a function that reads features.

        A partition that holds all pairs is returned whole, whatever ``pairs`` is.
        """

    def scan(self, table: str, pairs: Sequence[str] | None, start: int | None, end: int | None) -> pl.LazyFrame | None:
        """Rows of the months from ``start`` to ``end`` as a lazy frame (ts_utc, pair, features), None without any."""

    def quarantine(self, rows: pl.DataFrame, name: str) -> str:
        """Store rows that broke a rule (columns file, line, reason, text) under ``name``; returns where."""

    def keep(self, name: str, text: str) -> str:
        """Store a document under ``name``, such as "reports/....json"; returns where."""

    def kept(self, name: str) -> str | None:
        """The document that ``keep`` stored under ``name``, None if there is none."""

    def exclusive(self, purpose: str, wait: float = 0.0) -> contextlib.AbstractContextManager[None]:
        """Lock the store for writing; LockedError, naming the holder, if it stays locked for ``wait`` seconds."""

    def free_bytes(self) -> int | None:
        """Bytes of free space, None if unknown."""
