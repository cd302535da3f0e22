"""What a store in PostgreSQL holds, as columns: its partitions, the statistics of their columns, the days of bars."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Any, Protocol

import numpy as np
import polars as pl

from fxloom.bars.days import DaySummary
from fxloom.engine.partitions import Corruption, PartitionKey
from fxloom.stores.base import newer_format
from fxloom.stores.documents import FORMAT
from fxloom.stores.inventory import COUNTS, MEASURED, STATISTICS, Inventory, beside, partitions_frame


class Rows(Protocol):
    """Rows of one of the store's own tables, for a query with its values."""

    def __call__(self, table: str, query: str, values: Any = None, binary: bool = False) -> list[Any]:
        """Rows as the driver returns them, transferred as text or ``binary``."""


INVENTORY = """
    select table_name, pair, month, fingerprint, rows, catalogue, made, proxies, environment, format,
        pg_catalog.to_regclass(relation) is not null
    from {} where (%(tables)s::text[] is null or table_name = any(%(tables)s::text[])) order by 1, 2, 3
"""
PACKED = "select pair, month, rows, packed from {} where table_name = %s order by 1, 2"
DAYS = "select pair, month, days from {} order by 1, 2"


def packed(quality: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Column statistics as bytes, which are read a hundred times faster than JSON.

    The names of the features, each ended by a newline, and an empty line; then for each count of COUNTS its values as
    32-bit integers, and for each of MEASURED as 64-bit floats, NaN where there is none; little-endian.
    """
    names = "".join(f"{name}\n" for name in quality) + "\n"
    values = list(quality.values())
    counts = np.array([[v.get(field, 0) for v in values] for field in COUNTS], "<i4")
    measured = np.array([[v.get(field) for v in values] for field in MEASURED], "<f8")
    return names.encode() + counts.tobytes() + measured.tobytes()


@functools.lru_cache(maxsize=256)
def _names(header: bytes) -> tuple[str, ...]:
    return tuple(header.decode().splitlines())


def _unpacked(rows: list[tuple[str, str, int, bytes]]) -> pl.DataFrame:
    """The statistics of partitions (pair, month, rows, packed statistics)."""
    names: list[str] = []
    counts: list[int] = []
    integers: list[Any] = []
    floats: list[Any] = []
    for *_, content in rows:
        end = content.index(b"\n\n") + 1 if not content.startswith(b"\n") else 0
        features = _names(content[:end])
        n, begin = len(features), end + 1
        middle = begin + 4 * n * len(COUNTS)
        integers.append(np.frombuffer(content, "<i4", n * len(COUNTS), begin).reshape(len(COUNTS), n))
        floats.append(np.frombuffer(content, "<f8", n * len(MEASURED), middle).reshape(len(MEASURED), n))
        names += features
        counts.append(n)
    columns: dict[str, Any] = {"feature": names}
    columns |= dict(zip(COUNTS, np.concatenate(integers, axis=1), strict=True))
    columns |= dict(zip(MEASURED, np.concatenate(floats, axis=1), strict=True))
    frame = pl.DataFrame({name: columns[name] for name in STATISTICS}, STATISTICS, nan_to_null=True)
    keys = pl.DataFrame([row[:3] for row in rows], ["pair", "month", "rows"], orient="row")
    return beside(keys, pl.Series(counts, dtype=pl.UInt32), frame)


def inventory_of_schema(rows: Rows, tables: Collection[str] | None, schema: str, url: str) -> Inventory:
    """The partitions of ``tables`` (None: all) in ``schema``; NewerFormatError if a later version wrote one."""
    found = rows("partitions", INVENTORY, {"tables": None if tables is None else list(tables)})
    there, corrupt = [], []
    for *key_and_made, proxies, environment, form, exists in found:
        key = PartitionKey(*key_and_made[:3])
        if form != FORMAT:
            raise newer_format(f"{url}: the partition {key}", form)
        if exists:
            there.append((*key_and_made, ",".join(proxies), environment))
        else:
            corrupt.append(Corruption(f"{schema} {key}", "its table is missing: populate computes it again"))
    partitions = partitions_frame(there)

    def statistics(table: str) -> pl.DataFrame:
        stored = rows("partitions", PACKED, [table], binary=True)  # as text, bytes take twice the room
        there = partitions.filter(pl.col("table") == table)
        if not stored or not there.height:
            return there.select("pair", "month", "rows").clear().hstack(pl.DataFrame(schema=STATISTICS))
        return _unpacked(stored).join(there, on=["pair", "month"], how="semi", maintain_order="left")

    return Inventory(partitions, statistics, tuple(corrupt))


def all_days(rows: Rows) -> dict[str, dict[str, list[DaySummary]]]:
    """The summaries of all days of bars by pair and month."""
    found: dict[str, dict[str, list[DaySummary]]] = {}
    for pair, month, days in rows("bar_months", DAYS, None):
        found.setdefault(pair, {})[month] = days_of(days)
    return found


def days_of(days: list[list[Any]]) -> list[DaySummary]:
    """Summaries of days from their JSON."""
    return [DaySummary(*values) for values in days]
