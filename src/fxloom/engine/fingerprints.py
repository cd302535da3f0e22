"""Fingerprints of partitions: what determines their values, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fxloom.bars.days import DaySummary
from fxloom.bars.pairs import PairInfo
from fxloom.engine.pair_days import days_digest
from fxloom.features.feature import Table
from fxloom.features.fingerprint import formula_digest


@dataclass(frozen=True)
class TableInputs:
    """What a table's fingerprints depend on besides pairs and days, looked up once for many partitions.

    ``head`` covers the formulas and the float type.
    """

    name: str
    lookback: int
    head: str
    volume: bool
    spread: bool

    @classmethod
    def of(cls, table: Table, dtype: str) -> TableInputs:
        """The inputs of ``table`` in a store of this float type."""
        uses = table.family.uses
        head = f"{formula_digest(table)} {dtype}"
        return cls(table.name, table.lookback, head, "volume" in uses, "spread" in uses)

    def columns(self, info: PairInfo) -> tuple[bool, bool]:
        """Whether the formulas use the volume and the spread of a pair."""
        return self.volume and info.has_volume, self.spread and info.has_quotes

    def pair_text(self, pair: str, info: PairInfo) -> str:
        """What a pair's settings add to a fingerprint; the digest of its days follows."""
        flags = f" {info.has_volume} {info.has_quotes}" if self.volume or self.spread else ""
        return f"{pair} {info.baseline!r}{flags} "

    def fingerprint(self, infos: Mapping[str, PairInfo], days: Mapping[str, str]) -> str:
        """The fingerprint from the digests of the days that are read, by pair in sorted order; "" for no days."""
        return digest_of("\n".join([self.head, *(self.pair_text(p, infos[p]) + d for p, d in days.items() if d)]))


def digest_of(text: str) -> str:
    """The digest of a fingerprint's text, 32 hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def fingerprint_of(
    table: Table, infos: Mapping[str, PairInfo], dtype: str, seen: Mapping[str, Sequence[DaySummary]]
) -> str:
    """The fingerprint of a partition: covers the formulas, settings and bars that determine it, and nothing else.

    ``seen``: the days that its computation reads, by pair in sorted order; pairs without days are ignored.
    """
    inputs = TableInputs.of(table, dtype)
    digests = {pair: days_digest(days, *inputs.columns(infos[pair])) for pair, days in seen.items()}
    return inputs.fingerprint(infos, digests)
