"""Values that describe a store: partition keys, records of partitions, corruption, and the store's settings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fxloom.bars.pairs import PairInfo

DType = Literal["float32", "float64"]


@dataclass(frozen=True)
class Settings:
    """The store's settings: baseline time (minutes since 1970, None until the first ingest), float type, pairs."""

    baseline: int | None = None
    dtype: DType = "float32"
    pairs: dict[str, PairInfo] = field(default_factory=dict)

    def with_pair(self, pair: str, info: PairInfo) -> Settings:
        """The settings with ``info`` recorded for ``pair``."""
        return replace(self, pairs=self.pairs | {pair: info})


@dataclass(frozen=True, order=True)
class PartitionKey:
    """A partition: the unit of freshness, failure and publication. ``pair`` is "" in tables kept by month only."""

    table: str
    pair: str
    month: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.table, self.pair, self.month) if part)


@dataclass(frozen=True)
class Record:
    """The metadata stored with a partition: what it was computed from, its rows, and column statistics by feature."""

    key: PartitionKey
    fingerprint: str
    rows: int
    catalogue: int
    made: str
    proxies: tuple[str, ...] = ()
    quality: dict[str, dict[str, Any]] = field(default_factory=dict)
    environment: str = ""


@dataclass(frozen=True)
class Corruption:
    """A stored file or table that cannot be read, and why."""

    where: str
    why: str
