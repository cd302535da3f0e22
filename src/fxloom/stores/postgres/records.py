"""A partition's record as a row of the table ``partitions``, and its rows as a frame."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from fxloom.bars.months import MICROSECONDS_PER_MINUTE
from fxloom.engine.partitions import PartitionKey, Record
from fxloom.features.catalogue import tables
from fxloom.stores.base import newer_format
from fxloom.stores.documents import FORMAT
from fxloom.stores.postgres.binary import Block
from fxloom.stores.postgres.contents import packed


def record_values(record: Record, child: str) -> dict[str, Any]:
    """The values of a record for SAVE_RECORD; ``child`` is the table that holds its rows."""
    return {
        "table": record.key.table, "pair": record.key.pair, "month": record.key.month, "relation": child,
        "fingerprint": record.fingerprint, "rows": record.rows, "catalogue": record.catalogue, "made": record.made,
        "proxies": json.dumps(record.proxies), "environment": record.environment,
        "quality": json.dumps(record.quality), "packed": packed(record.quality),
    }  # fmt: skip


def record_of_row(row: Sequence[Any], where: str) -> Record:
    """The record in a row of RECORDS; NewerFormatError, which names ``where``, if a later version wrote it."""
    table, pair, month, fingerprint, rows, catalogue, made, proxies, quality, environment, form = row[:11]
    if form != FORMAT:
        raise newer_format(f"{where}: the partition {PartitionKey(table, pair, month)}", form)
    key = PartitionKey(table, pair, month)
    return Record(key, fingerprint, rows, catalogue, made, tuple(proxies), quality, environment)


def frame_of(key: PartitionKey, block: Block) -> pl.DataFrame:
    """The rows of a partition: ts_utc, pair, features of the catalogue."""
    ts = pl.Series("ts_utc", block.ts * MICROSECONDS_PER_MINUTE).cast(pl.Datetime("us", "UTC"))
    pair = pl.Series("pair", block.pairs or [key.pair] * len(ts), pl.String)
    names = tables()[key.table].names
    return pl.DataFrame(
        [ts, pair, *(pl.Series(n, c, nan_to_null=True) for n, c in zip(names, block.columns, strict=True))]
    )
