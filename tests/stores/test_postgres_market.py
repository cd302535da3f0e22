"""The whole catalogue of 28 real pairs in PostgreSQL: the same values as in a folder.

The ordinary suite checks the newest month; with FXLOOM_FAULTS set, all of them (ten minutes, mostly comparing).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import polars as pl
import pytest

from fxloom.bars.months import month_bounds
from fxloom.run.ingest import ingest
from fxloom.run.populate import populate
from fxloom.stores.base import Store
from fxloom.stores.folder import FolderStore
from fxloom.stores.postgres import PostgresStore
from tests.lakes import partition
from tests.stores.databases import database, pg, query, schema

__all__ = ["database", "pg", "schema"]


def populated(store: Store, files: Path) -> Store:
    assert not [r for r in ingest(store, [files]) if r.refused]
    newest = max(store.bar_months("eurusd"))
    months = None if "FXLOOM_FAULTS" in os.environ else (newest, newest)
    assert not populate(store, months=months, workers=2).troubles
    return store


@pytest.mark.data
@pytest.mark.slow
def test_the_whole_catalogue_is_the_same_as_in_a_folder(
    data: Path, pg: PostgresStore, database: str, tmp_path: Path
) -> None:
    folder = populated(FolderStore(tmp_path / "lake"), data / "market28")
    populated(pg, data / "market28")
    records = {r.key: r for r in folder.records()}
    assert {r.key: (r.fingerprint, r.rows, r.quality) for r in pg.records()} == {
        key: (r.fingerprint, r.rows, r.quality) for key, r in records.items()
    }
    assert len({key.table for key in records}) == 49
    for key in records:
        ours, theirs = (partition(s, key).with_columns(pl.col(pl.Float32).fill_nan(None)) for s in (pg, folder))
        assert ours.equals(theirs), key
    for key in {key.table: key for key in records}.values():
        first, end = (f"timestamptz 'epoch' + interval '{minute} minutes'" for minute in month_bounds(key.month))
        text = f"explain select * from {{}} where ts_utc >= {first} and ts_utc < {end}"
        name = f"{key.table}_{key.pair}" if key.pair else key.table
        plan = " ".join(line for (line,) in query(database, text, f"{pg.schema}/{name}"))
        assert set(re.findall(rf" on {key.table}\w*?_(\d{{4}}_\d\d)\b", plan)) == {key.month.replace("-", "_")}, plan
